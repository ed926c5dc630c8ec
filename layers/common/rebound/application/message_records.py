"""What the message log tells of messages, beside the messages themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery that the message log knows of."""

    message_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One message of a campaign changed; it counts as what its labels say. ``position`` orders a shard's changes."""

    position: str
    business_id: str
    campaign_id: str
    before: frozenset[str]
    after: frozenset[str]
