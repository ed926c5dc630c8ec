"""What the message log tells of messages, beside the messages themselves."""

from datetime import datetime

from msgspec import Struct


class Delivery(Struct, frozen=True):
    """A delivery that the message log knows of."""

    message_id: str
    at: datetime


class StatusChange(Struct, frozen=True):
    """One message of a campaign changed; it counts as what its labels say. ``position`` orders a shard's changes."""

    position: str
    business_id: str
    campaign_id: str
    before: frozenset[str]
    after: frozenset[str]
