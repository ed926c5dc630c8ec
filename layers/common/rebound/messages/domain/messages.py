"""One message to one customer and what became of it."""

from __future__ import annotations

from copy import replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from rebound.businesses.domain.business import Barrier
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.provider_codes import Provider, look_up
from rebound.kernel.receipts import MessageKey, Outcome, Receipt


class MessageStatus(StrEnum):
    """Where a message stands. Statuses only move up in rank; see ``RANKS``."""

    QUEUED = "queued"
    """Not handed to a provider yet."""
    SENDING = "sending"
    """Claimed: the provider is being called. Clients see ``queued``."""
    UNCERTAIN = "uncertain"
    """The provider may or may not have it: never sent again, settled by a receipt."""
    SENT = "sent"
    """Accepted by the provider; no final word yet."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """Final, and not the address's fault."""
    BOUNCED = "bounced"
    """Final, and the address's fault."""
    EXCLUDED = "excluded"
    """Left out by the decision right before the send; no message went out.

    Who was left out for another at their address may be queued once more, when the other was not sent to.
    """
    CANCELLED = "cancelled"
    """It, or its campaign, was cancelled before it was handed over."""


RANKS: Final = {
    MessageStatus.QUEUED: 0,
    MessageStatus.SENDING: 1,
    MessageStatus.UNCERTAIN: 2,
    MessageStatus.SENT: 3,
    MessageStatus.DELIVERED: 4,
    MessageStatus.FAILED: 5,
    MessageStatus.BOUNCED: 6,
    MessageStatus.EXCLUDED: 7,
    MessageStatus.CANCELLED: 8,
}
"""A strict order, so that the order of receipts does not matter: a bounce wins over a delivery (SES sends both)."""

RANK_BELOW_DELIVERY: Final = 3.5
"""Above ``sent`` and below ``delivered``: the rank of a failure that a delivery of the same message outdoes."""


HELD_OUT: Final = "holdout"
"""The reason of a message that did not go out to somebody, for the sake of comparison with those whose did."""


NO_RECORD: Final = "no_record_of_the_send"
"""The reason of a message whose worker died while sending it; its address was read only later, and is a guess."""


class Message(Struct, frozen=True):
    """One row of the client log.

    ``address`` is where it was sent, in the contact's normalised form, or its hash once the customer is deleted;
    ``sealed`` has it then for the links of the message alone. ``delivered_at`` and ``failed_at`` are the earliest times
    reported (``failed_at`` for the failure that counts), so that a repeated or replayed callback without a timestamp of
    its own cannot move them. ``campaign_id`` is ``None`` for a message to one person, which may be about an appointment
    of the client's and ask the customer to confirm it. ``window`` is the campaign's window at the time of the send,
    ``None`` for the first. When caps left the message out, ``free_again_at`` is when they will have room for one more;
    when a setting of the business did, ``barrier`` says which. ``held_until`` is set only while the message is queued:
    it is not handed over before that time. ``segments`` is what a text counts against the text plan, ``None`` where
    nobody counts. ``fell_back`` is set for a text that goes by email, because the text plan had no room for it: the
    attempt at its chunk in which that was found, which names its chunk on the email lane. ``voucher`` is the number of
    its campaign, where that has vouchers; ``variant`` is which of its campaign's variants it is, by name, and of such a
    message ``opted_out_at`` is when its recipient first said so by its link, by a complaint, or by STOP in answer to
    it. Two kinds go to another address than the customer's: ``copy_of``, the id of the email's message, is set for a
    copy of an email about an appointment, and ``relation_id`` for an invitation to be somebody's family or friend.
    ``goal`` is what its campaign is to bring the recipient to do, if that is said (``goals``), and ``reached_at`` when
    they first did.
    """

    key: MessageKey
    channel: Channel
    category: Category
    address: str
    status: MessageStatus
    campaign_id: str | None = None
    reason: str | None = None
    provider: Provider | None = None
    provider_id: str | None = None
    provider_code: str | None = None
    queued_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    failed_at: datetime | None = None
    window: int | None = None
    appointment_id: str | None = None
    asks_confirmation: bool = False
    free_again_at: datetime | None = None
    barrier: Barrier | None = None
    held_until: datetime | None = None
    sealed: str | None = None
    segments: int | None = None
    fell_back: int | None = None
    voucher: int | None = None
    copy_of: str | None = None
    relation_id: str | None = None
    variant: str | None = None
    goal: str | None = None
    reached_at: datetime | None = None
    opted_out_at: datetime | None = None

    @property
    def is_for_another(self) -> bool:
        """Whether it goes to another address than the customer's own, and says nothing of that."""
        return self.copy_of is not None or self.relation_id is not None

    @property
    def rank(self) -> float:
        """The rank of the status; a message only moves up in rank. A failure that a delivery outdoes ranks below it."""
        return RANK_BELOW_DELIVERY if self._is_outdone_by_delivery else RANKS[self.status]

    @property
    def final_at(self) -> datetime | None:
        """When the message was delivered or failed for good; ``None`` for any other status, or if unknown."""
        return {
            MessageStatus.DELIVERED: self.delivered_at,
            MessageStatus.FAILED: self.failed_at,
            MessageStatus.BOUNCED: self.failed_at,
        }.get(self.status)

    def after(self, receipt: Receipt) -> Message:
        """This message with the receipt applied; equal to this one when the receipt adds nothing.

        A receipt for another address than the message's adds nothing (truth 1), unless that address is only a guess.
        """
        if not self.is_meant_by(receipt):
            return self
        message = replace(
            self,
            address=self.address if self.contact.is_hashed else self.contact_of(receipt).address,
            provider=self.provider or receipt.provider,
            provider_id=self.provider_id or receipt.provider_id,
        )
        match receipt.outcome:
            case Outcome.SENT | Outcome.DELAYED:
                return _up_to(message, MessageStatus.SENT)
            case Outcome.COMPLAINED:
                # A complaint proves that the message was delivered; only a delivery receipt says when.
                return _up_to(message, MessageStatus.DELIVERED).opted_out(receipt.occurred_at)
            case Outcome.DELIVERED:
                delivered = _up_to(message, MessageStatus.DELIVERED)
                return replace(delivered, delivered_at=_earlier(self.delivered_at, receipt.occurred_at))
            case Outcome.FAILED:
                return _failed(message, receipt)

    def opted_out(self, at: datetime) -> Message:
        """This message once its recipient wants no more of such: of a campaign with variants, that is kept."""
        if self.variant is None or self.opted_out_at is not None:
            return self
        return replace(self, opted_out_at=at)

    def is_meant_by(self, receipt: Receipt) -> bool:
        """Whether the receipt is about the address that the message went to."""
        named = self.contact_of(receipt)
        return self.is_address_guessed or named == self.contact or self.contact in named.all_hashed

    @property
    def is_address_guessed(self) -> bool:
        """Whether it may have gone to another address than the one that it has."""
        return self.status is MessageStatus.UNCERTAIN and self.reason == NO_RECORD

    @property
    def shown_address(self) -> str | None:
        """The address that clients see; ``None`` for one that is not known, or is forgotten."""
        return None if not self.address or self.contact.is_hashed else self.address

    @property
    def contact(self) -> ContactKey:
        """The contact that it was sent to."""
        return ContactKey.of(self.key.business_id, self.channel, self.address)

    def contact_of(self, receipt: Receipt) -> ContactKey:
        """The contact that a receipt names, which may know an address that is forgotten here."""
        return ContactKey.of(self.key.business_id, self.channel, receipt.address or self.address)

    @property
    def _is_outdone_by_delivery(self) -> bool:
        return (
            self.status is MessageStatus.BOUNCED
            and self.provider is not None
            and look_up(self.provider, self.provider_code).outdone_by_delivery
        )

    @property
    def shown_status(self) -> MessageStatus:
        """The status that clients see: a message that is being handed over still shows as queued."""
        return MessageStatus.QUEUED if self.status is MessageStatus.SENDING else self.status


def _up_to(message: Message, status: MessageStatus) -> Message:
    if RANKS[status] <= message.rank:
        return message
    raised = replace(message, status=status, reason=None)
    # What the delivery outdoes was no failure, so nothing of it stays.
    return replace(raised, provider_code=None, failed_at=None) if message.status is MessageStatus.BOUNCED else raised


def _failed(message: Message, receipt: Receipt) -> Message:
    """The message after a failure. Of several, the higher rank counts, then the earlier time, in whatever order."""
    row = look_up(receipt.provider, receipt.code)
    status = MessageStatus.BOUNCED if row.failure_class.is_about_the_address else MessageStatus.FAILED
    failed = replace(
        message,
        status=status,
        reason=row.reason,
        provider_code=receipt.code,
        failed_at=receipt.occurred_at,
    )
    if failed.rank < message.rank:
        return message
    if failed.rank == message.rank and message.failed_at is not None:
        known, reported = (message.failed_at, message.provider_code or ""), (receipt.occurred_at, receipt.code or "")
        if known <= reported:
            return message
    return failed


def _earlier(known: datetime | None, reported: datetime) -> datetime:
    return reported if known is None else min(known, reported)


def had_its_message(message: Message | None) -> bool:
    """Whether a provider has, or may have, been handed the message."""
    return message is not None and message.status not in _NEVER_HANDED_OVER


def had_its_message_at(message: Message | None, digest: str) -> bool:
    """Whether a provider has, or may have, been handed the message for an address, which is given by its hash."""
    if message is None or not had_its_message(message):
        return False
    return message.is_address_guessed or message.contact.digest == digest


_NEVER_HANDED_OVER: Final = frozenset({MessageStatus.QUEUED, MessageStatus.EXCLUDED, MessageStatus.CANCELLED})


class Delivery(Struct, frozen=True):
    """A delivery that the message log knows of."""

    message_id: str
    at: datetime


class StatusChange(Struct, frozen=True):
    """The labels of a campaign's message before and after a change. ``position`` orders the changes of a shard."""

    position: str
    business_id: str
    campaign_id: str
    before: frozenset[str]
    after: frozenset[str]
