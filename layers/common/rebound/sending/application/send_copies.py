"""Copies of emails about appointments, for those whom the customer's profile names (``cc``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from copy import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.campaigns.domain.campaigns import queued_message
from rebound.campaigns.domain.chunks import Chunk
from rebound.customers.application.recipients import is_address
from rebound.eligibility.domain.eligibility import Exclusion
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.ids import derived_ulid, time_of
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.appointments import MessagePosted
from rebound.messages.domain.messages import Message, MessageStatus, had_its_message
from rebound.sending.domain.chunk_tasks import ChunkTask, lane_of
from rebound.sending.domain.message_timers import single_chunk
from rebound.sending.domain.recipients import left_out
from rebound.sending.domain.single_messages import carrier_of

if TYPE_CHECKING:
    from rebound.campaigns.ports import CampaignBook, ChunkLedger
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerBook
    from rebound.messages.ports import AppointmentBook, MessageLog
    from rebound.platform.ports import Clock
    from rebound.sending.domain.outcomes import Outcomes
    from rebound.sending.domain.recipients import ClaimedChunk
    from rebound.sending.ports import ChunkQueue

ABOUT_THE_ADDRESS: Final = frozenset(
    map(
        str,
        (
            Exclusion.NO_ADDRESS,
            Exclusion.OPTED_OUT,
            Exclusion.NOT_CONFIRMED,
            Exclusion.INVALID_CONTACT,
            Exclusion.WAITING_FOR_RETRY,
            Exclusion.FREQUENCY_CAP,
        ),
    )
)
"""What keeps an email from the customer and says nothing about anybody else; the copies go out all the same."""


class Copy(Struct, frozen=True):
    """A copy that is due: its id, and where it goes, or why it cannot go anywhere."""

    message_id: str
    address: str = ""
    """As it is written."""
    problem: Exclusion | None = None


class SendCopies(Struct, frozen=True, kw_only=True):
    """Gives each copy a message of its own, which is decided about, sent and settled as any single message is.

    It does so once the email itself has been handed over, or is known to be left out for a reason that is the
    customer's alone, and before the email's chunk is finished: whoever comes to the chunk after a death does it again.
    A copy's id follows from the email and the address, so each is there once.
    """

    campaigns: CampaignBook
    chunks: ChunkLedger
    customers: CustomerBook
    messages: MessageLog
    appointments: AppointmentBook
    queue: ChunkQueue
    clock: Clock

    def __call__(self, claimed: ClaimedChunk, outcomes: Outcomes) -> None:
        """Send the copies that are due after an attempt."""
        found = {message.key.customer_id: message for message in outcomes.of(Message)}
        unknown = set(claimed.chunk.remaining).difference(outcomes.by_customer)
        if unknown and claimed.chunk.attempts > 1:
            # An earlier attempt has recorded it, and died.
            found |= self._recorded(claimed)
        for customer_id, message in found.items():
            if _is_to_be_copied(message):
                customer = outcomes.customers.get(customer_id) or self._customer(claimed, customer_id)
                self._send(claimed, customer)

    def of_earlier(self, claimed: ClaimedChunk, lost: Sequence[str]) -> None:
        """Send the copies that are due after an attempt that died while it was sending; ``lost`` may have been sent."""
        due = {customer_id for customer_id, each in self._recorded(claimed).items() if _is_to_be_copied(each)}
        for customer_id in due.union(lost):
            self._send(claimed, self._customer(claimed, customer_id))

    def _recorded(self, claimed: ClaimedChunk) -> dict[str, Message]:
        keys = [claimed.message_key(customer_id) for customer_id in claimed.chunk.remaining]
        return {key.customer_id: message for key, message in self.messages.get_many(keys).items()}

    def _customer(self, claimed: ClaimedChunk, customer_id: str) -> Customer | None:
        return self.customers.get_many(claimed.business.business_id, [customer_id]).get(customer_id)

    def _send(self, claimed: ClaimedChunk, customer: Customer | None) -> None:
        if customer is None or not customer.cc:
            return
        for copy in self._copies(claimed, customer):
            self._post(claimed, customer, copy)

    def _copies(self, claimed: ClaimedChunk, customer: Customer) -> Iterator[Copy]:
        """One for each address that is not the customer's own; customers who have none get a row that says so."""
        business_id, original = customer.business_id, claimed.message_key(customer.customer_id).message_id
        named = [each for each in customer.cc if not is_address(each)]
        known = self.customers.get_many(business_id, named, as_of_now=True) if named else {}
        own = customer.contact_key(Channel.EMAIL)
        met = {customer.customer_id} if own is None else {customer.customer_id, str(own)}
        for each in customer.cc:
            someone = known.get(each)
            own_address = None if someone is None else someone.email
            address = each if is_address(each) else own_address
            who = each if address is None else str(ContactKey.of(business_id, Channel.EMAIL, address))
            if each in met or who in met:
                continue
            met.add(who)
            copy_id = derived_ulid(time_of(original), f"{original}\x1f{who}")
            if address is not None:
                yield Copy(copy_id, address)
            else:
                yield Copy(copy_id, problem=Exclusion.NOT_FOUND if someone is None else Exclusion.NO_ADDRESS)

    def _post(self, claimed: ClaimedChunk, customer: Customer, copy: Copy) -> None:
        original, now = claimed.campaign, self.clock.now()
        key = MessageKey(customer.business_id, customer.customer_id, copy.message_id)
        carrier = carrier_of(
            key,
            Channel.EMAIL,
            original.category,
            original.content,
            now,
            expires_at=original.expires_at,
            appointment_id=original.appointment_id,
            copy_of=claimed.message_key(key.customer_id).message_id,
            copy_to=copy.address,
        )
        contact = replace(customer, email=copy.address or None).contact_key(Channel.EMAIL)
        message = queued_message(carrier, key, now, "" if contact is None else contact.address)
        if copy.problem is not None:
            self.messages.record([left_out(message, copy.problem)])
            return
        chunk = single_chunk(customer.business_id, copy.message_id)
        self.chunks.add(Chunk(chunk, (customer.customer_id,), (customer.customer_id,), created_at=now))
        with suppress(ConcurrentChangeError):
            # One that died before has written it.
            self.campaigns.add(carrier)
        self.messages.record([message])
        if original.appointment_id is not None:
            # What is told of the appointment, and taken back with it.
            posted = MessagePosted(time_of(copy.message_id), key, asks_confirmation=False)
            self.appointments.record(customer.business_id, original.appointment_id, posted)
        self.queue.put(Channel.EMAIL, [ChunkTask(chunk, 1, lane_of(carrier))])


def _is_to_be_copied(message: Message) -> bool:
    if message.status is MessageStatus.EXCLUDED:
        return message.reason in ABOUT_THE_ADDRESS
    return had_its_message(message)
