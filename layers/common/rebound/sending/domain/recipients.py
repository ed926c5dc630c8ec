"""A claimed chunk, its recipients, and their messages as each outcome leaves them."""

from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime
from typing import Final, Self

from msgspec import Struct, field

from rebound.businesses.domain.business import Barrier, Business, for_tests
from rebound.businesses.domain.frequency import Frequency
from rebound.campaigns.domain.campaigns import Campaign, queued_message
from rebound.campaigns.domain.chunks import Chunk
from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer, made_up_customer
from rebound.eligibility.domain.eligibility import Exclusion
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import FailureClass, Provider, look_up
from rebound.kernel.receipts import TESTED, MessageKey
from rebound.messages.domain.messages import NO_RECORD, Message, MessageStatus
from rebound.rates.domain import Throttled
from rebound.sending.domain.chunk_tasks import ChunkTask, lane_of
from rebound.templates.domain.content import Said
from rebound.templates.domain.rendering import RenderedEmail

ACCESS_DENIED: Final = "ACCESS_DENIED"
"""The code of what AWS refused because our function may not send: of ours, since each API of AWS has its own."""


class ClaimedChunk(Struct, frozen=True):
    """A chunk whose lease is ours, with what it belongs to."""

    chunk: Chunk
    campaign: Campaign
    business: Business
    settle: bool
    """Whether an attempt before this one died while it was sending."""

    @classmethod
    def under(cls, business: Business, chunk: Chunk, campaign: Campaign, *, settle: bool = False) -> Self:
        """The chunk under the business's settings as they are now, and the campaign as it is for its recipients."""
        if chunk.key.fell_back is not None:
            campaign = campaign.by_email
        return cls(chunk, campaign, business if campaign.test_to is None else for_tests(business), settle)

    @property
    def made_up(self) -> Mapping[str, Customer]:
        """Who stands in for customers that are nobody's: the recipient of a test."""
        campaign = self.campaign
        if campaign.test_to is None:
            return {}
        made_up = customer_of_tests(campaign.business_id, campaign.channel, campaign.test_to, campaign.created_at)
        return {TESTED: made_up}

    @property
    def may_be_copied(self) -> bool:
        """Whether it is an email to one person about an appointment: those in the customer's ``cc`` get copies."""
        campaign = self.campaign
        is_about_one = campaign.single and campaign.appointment_id is not None and campaign.copy_of is None
        return is_about_one and campaign.channel is Channel.EMAIL and self.chunk.key.fell_back is None

    def decided(self, customer: Customer) -> Customer:
        """A customer as the decision takes them: a copy is for whoever has its address, and not theirs."""
        copy_to = self.campaign.copy_to
        return customer if copy_to is None else replace(customer, email=copy_to)

    def spoken_to(self, found: Mapping[str, Customer]) -> Mapping[str, Customer]:
        """The customers as their messages speak to them: who is invited, and is no customer, goes by a name alone."""
        name = self.campaign.copy_name
        return found if name is None else {each: invited_as(one, name) for each, one in found.items()}

    def message_key(self, customer_id: str) -> MessageKey:
        """The key of a recipient's message."""
        return MessageKey(self.business.business_id, customer_id, self.campaign.message_id(customer_id))

    def message(self, customer_id: str, customer: Customer | None) -> Message:
        """A recipient's message as it is queued."""
        contact = self.decided(customer).contact_key(self.campaign.channel) if customer is not None else None
        address = contact.address if contact is not None else ""
        message = queued_message(self.campaign, self.message_key(customer_id), self.chunk.created_at, address)
        fell_back = self.chunk.key.fell_back
        return message if fell_back is None else replace(message, fell_back=fell_back)

    def unrecorded(self, known: Mapping[str, Message]) -> Sequence[str]:
        """Who remains and of whom the rows that are known, by customer, say nothing yet.

        Who fell back to email is no recipient of the chunk of texts any more.
        """
        fell_back = self.chunk.key.fell_back
        return [
            customer_id
            for customer_id in self.chunk.remaining
            if (message := known.get(customer_id)) is None
            or (message.status is MessageStatus.QUEUED and message.fell_back == fell_back)
        ]

    @property
    def not_sent_to(self) -> frozenset[str]:
        """Who was not sent to by an attempt that died while it was sending: who waits, and who is held out."""
        split = self.campaign.split
        held_out = () if split is None else filter(split.holds_out, self.chunk.remaining)
        return frozenset(self.chunk.waiting).union(held_out)

    def said_to(self, customer_id: str) -> Said:
        """What the campaign says to a recipient."""
        campaign = self.campaign
        return campaign.content if campaign.split is None else campaign.for_customer(customer_id).content

    def task(self, customer_ids: Sequence[str]) -> ChunkTask:
        """The task that brings the chunk back for these recipients."""
        return ChunkTask(self.chunk.key, len(customer_ids), lane_of(self.campaign))


def invited_as(customer: Customer, name: str) -> Customer:
    """Somebody who is no customer, and whom a customer invites: of that one they have only the language."""
    return Customer(
        business_id=customer.business_id,
        customer_id=customer.customer_id,
        first_name=name,
        last_name="",
        language=customer.language,
        time_zone=customer.time_zone,
        created_at=customer.created_at,
        updated_at=customer.updated_at,
    )


def customer_of_tests(business_id: str, channel: Channel, address: str, at: datetime) -> Customer:
    """The customer whose values a test is filled with."""
    return made_up_customer(business_id, channel, address, at, TESTED)


class Recipient(Struct, frozen=True):
    """One recipient of a chunk, with what is needed to decide and to render."""

    message: Message
    """As it would be queued; carries the key and the normalised address."""
    customer: Customer
    address: str
    """As the customer writes it."""
    contact: Contact | None = None
    """What is known of the address."""
    is_try: bool = False
    """Whether the message is the try that is due there (``DecideRecipients.reserve``)."""
    frequency: Frequency | None = None
    """The customer's recent hand-overs, where a cap counts such messages."""
    shared_address: str | None = None
    """The digest of the address, where it must be claimed because others have it too (``SharedAddressLedger``)."""

    @property
    def customer_id(self) -> str:
        """Whom the message is for."""
        return self.customer.customer_id


def is_senders_fault(result: object, provider: Provider) -> bool:
    """Whether the provider refused a message for a cause on our side, which the next message will meet as well."""
    return isinstance(result, Refused) and look_up(provider, result.code).failure_class is FailureClass.SENDER_FAULT


def left_out(
    message: Message, reason: Exclusion, free_again_at: datetime | None = None, barrier: Barrier | None = None
) -> Message:
    """The message of a recipient who is left out, with what else is known about the reason."""
    return replace(
        message, status=MessageStatus.EXCLUDED, reason=str(reason), free_again_at=free_again_at, barrier=barrier
    )


def cannot_render(message: Message) -> Message:
    """The message of a recipient for whom nothing sendable can be rendered."""
    return left_out(message, Exclusion.CANNOT_RENDER)


def accepted(message: Message, provider: Provider, provider_id: str, at: datetime) -> Message:
    """The message after the provider took it."""
    return replace(message, status=MessageStatus.SENT, provider=provider, provider_id=provider_id, sent_at=at)


def refused(message: Message, provider: Provider, code: str, at: datetime) -> Message:
    """The message after the provider refused it for good, for a cause that says nothing about the address."""
    return replace(
        message,
        status=MessageStatus.FAILED,
        provider=provider,
        provider_code=code,
        reason=look_up(provider, code).reason,
        failed_at=at,
    )


def unknown(message: Message, provider: Provider, at: datetime) -> Message:
    """The message after a call that broke: the provider may have it."""
    return replace(
        message, status=MessageStatus.UNCERTAIN, provider=provider, reason="no_answer_from_provider", sent_at=at
    )


def without_record(message: Message, provider: Provider) -> Message:
    """The message after an attempt that died: nobody knows whether it went out."""
    return replace(message, status=MessageStatus.UNCERTAIN, provider=provider, reason=NO_RECORD)


class Accepted(Struct, frozen=True):
    """The provider has it. ``segments`` is how many a text has, ``None`` or 0 where the provider does not say so."""

    provider_id: str
    segments: int | None = None


class Refused(Struct, frozen=True):
    """The provider does not take it, and says why; it has not gone out."""

    code: str
    detail: str | None = None


class Unknown(Struct, frozen=True):
    """Nobody knows whether it has gone out: the connection broke, or the provider had an internal error."""

    detail: str


SendResult = Accepted | Refused | Throttled | Unknown


def of_a_single_message(result: SendResult) -> SendResult:
    """What a result means for a message to one person: a denial comes again, as no campaign pauses to keep it."""
    return Throttled(ACCESS_DENIED) if isinstance(result, Refused) and result.code == ACCESS_DENIED else result


NOT_OUT: Final = (Refused, Throttled)
"""The results after which it is known that nothing has gone out."""


class OutgoingEmail(Struct, frozen=True):
    """One email of a batch. ``headers`` are this recipient's own, such as List-Unsubscribe."""

    key: MessageKey
    to: str
    content: RenderedEmail
    headers: Mapping[str, str] = field(default_factory=dict)
