"""One type for everything a provider tells us about a message, whatever the provider and the way it came."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from rebound.kernel.provider_codes import Provider


class Outcome(StrEnum):
    """What a receipt says happened."""

    SENT = "sent"
    """Handed on by the provider; for a text the carrier has it. Not a delivery."""
    DELAYED = "delayed"
    """Not delivered yet, the provider goes on trying."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up; ``Receipt.code`` says why."""
    COMPLAINED = "complained"
    """The recipient marked it as spam."""


TESTED: Final = "7e57" * 8
"""In place of a customer's id: a message to a business's own test recipient. Ids of customers are random."""


class MessageKey(Struct, frozen=True):
    """The key of one message, which is also its idempotency key (truth 7)."""

    business_id: str
    customer_id: str
    message_id: str

    @property
    def recipient_id(self) -> str:
        """Partition key of the Messages table."""
        return f"{self.business_id}#{self.customer_id}"

    @property
    def is_test(self) -> bool:
        """Whether the message is a test, to nobody's customer."""
        return self.customer_id == TESTED

    @classmethod
    def of(cls, recipient_id: str, message_id: str) -> MessageKey:
        """The key of a stored row."""
        business_id, customer_id = recipient_id.split("#", 1)
        return cls(business_id, customer_id, message_id)


class Receipt(Struct, frozen=True):
    """One provider's word about one message to one recipient; a notification about three recipients is three receipts.

    ``key`` is what we attached to the send; it is ``None`` only for SNS texts, which carry nothing of ours and are
    found by ``provider_id``. ``address`` is the recipient as the provider names it, ``None`` when the provider names
    nobody (then the message's own address is meant). ``occurred_at`` is the provider's timestamp; for Twilio, which
    sends none, the time at which our webhook received it. ``detail`` holds the provider's own words and may be personal
    data. ``segments`` is how many a text had, where the provider says so.
    """

    provider: Provider
    outcome: Outcome
    occurred_at: datetime
    key: MessageKey | None
    provider_id: str | None = None
    address: str | None = None
    code: str | None = None
    detail: str | None = None
    segments: int | None = None
