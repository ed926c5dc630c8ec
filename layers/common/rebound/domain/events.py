"""What Rebound tells the world on the event bus, named in the past tense."""

from dataclasses import dataclass
from datetime import datetime

from rebound.domain.channels import Channel


@dataclass(frozen=True, slots=True)
class ContactInvalidated:
    """An address turned out to be bad. ``version`` tells repetitions of the same event apart from new ones."""

    business_id: str
    channel: Channel
    customer_ids: tuple[str, ...]
    reason: str
    since: datetime
    version: int


@dataclass(frozen=True, slots=True)
class ContactRestored:
    """A flagged address was delivered to, edited or confirmed."""

    business_id: str
    channel: Channel
    customer_ids: tuple[str, ...]
    version: int


DomainEvent = ContactInvalidated | ContactRestored
