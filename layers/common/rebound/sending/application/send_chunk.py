"""What the two senders share: claim, read, decide again, and settle what a dead worker left (truths 6 and 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.campaigns.domain.campaigns import HALTED, CampaignStatus, queued_message
from rebound.campaigns.domain.chunks import ClaimOutcome
from rebound.contacts.domain.reachability import Tried
from rebound.eligibility.application.frequency_desk import known_frequencies
from rebound.eligibility.domain.eligibility import Case, Exclusion, Hold, Send, decide
from rebound.kernel.errors import ConcurrentChangeError, ReboundError
from rebound.kernel.provider_codes import FailureClass, look_up
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import NO_RECORD, MessageStatus
from rebound.sending.application.admit_chunk import Admission
from rebound.sending.domain.handovers import Refused
from rebound.sending.domain.pacing import LONGEST_DELAY, HeldTicket, Ticket, lane_of

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.businesses.domain.frequency import Frequency
    from rebound.businesses.domain.quiet_hours import Whereabouts
    from rebound.businesses.domain.switches import Barrier
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.application.trip_breaker import TripBreaker
    from rebound.campaigns.domain.campaigns import Campaign
    from rebound.campaigns.domain.chunks import Chunk, ChunkKey
    from rebound.campaigns.ports import CampaignBook, ChunkLedger
    from rebound.contacts.domain.contacts import Contact
    from rebound.contacts.ports import ContactBook
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerBook
    from rebound.eligibility.application.frequency_desk import FrequencyDesk
    from rebound.eligibility.domain.eligibility import Decision
    from rebound.eligibility.ports import FrequencyBook
    from rebound.kernel.provider_codes import Provider
    from rebound.messages.domain.messages import Message
    from rebound.messages.ports import MessageLog
    from rebound.platform.ports import Clock
    from rebound.sending.ports import ChunkQueue, HeldQueue

LEASE: Final = timedelta(seconds=150)
"""Longer than a sender's function may run, so that a lease that is over means a worker that is dead."""
ATTEMPTS: Final = 8
"""How often a contact that others write at the same time is read and decided upon again."""
FIRST_DELAY: Final = timedelta(seconds=1)
AFTER_A_STOP: Final = timedelta(seconds=3)
"""By then every worker knows that the account is stopped, and says until when (``AdmitChunk``)."""


class ChunkHeldError(ReboundError):
    """Another worker has the chunk: leave the queue message for later, in case that worker dies."""


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
    """Whether the message is the try that is due there (``ChunkDesk.taken``)."""
    frequency: Frequency | None = None
    """What the customer has been handed of late, where a cap counts such messages."""


class Decided(Struct, frozen=True):
    """A chunk's recipients after the second decision.

    Who is in ``held`` waits for their hour. ``beyond`` are those for whom nothing was booked: some had waited for a
    later hour, which has come as well.
    """

    recipients: tuple[Recipient, ...]
    excluded: tuple[Message, ...]
    held: Mapping[str, Hold]
    beyond: tuple[str, ...]


class Work(Struct, frozen=True):
    """A chunk that is ours."""

    chunk: Chunk
    campaign: Campaign
    business: Business
    settle: bool
    """An attempt before this one died while it was sending."""


class ChunkDesk(Struct, frozen=True, kw_only=True):
    """Claims chunks and prepares them for a sender."""

    chunks: ChunkLedger
    campaigns: CampaignBook
    businesses: BusinessDirectory
    customers: CustomerBook
    contacts: ContactBook
    frequencies: FrequencyBook
    messages: MessageLog
    queue: ChunkQueue
    breaker: TripBreaker
    clock: Clock
    held: HeldQueue
    whereabouts: Whereabouts
    places: FrequencyDesk

    def business(self, business_id: str) -> Business:
        """The settings as they are now."""
        return self.businesses.get(business_id)

    def take(self, key: ChunkKey, owner: str, admission: Admission) -> Work | None:
        """Claim a chunk; ``None`` when there is nothing to do that it is admitted for. Raises ``ChunkHeldError``."""
        if admission is Admission.NOTHING:
            return None
        outcome, chunk = self.chunks.claim(key, owner, self.clock.now(), LEASE)
        if outcome is ClaimOutcome.DONE:
            return None
        if outcome is ClaimOutcome.HELD:
            raise ChunkHeldError
        campaign = self.campaigns.get(key.business_id, key.campaign_id)
        business = self.businesses.get(key.business_id)
        work = Work(chunk, campaign, business, settle=outcome is ClaimOutcome.SETTLE)
        if admission is Admission.SETTLE and not work.settle:
            # Who was handing it over has put it back since: its turn is yet to come.
            self.leave(work, chunk.remaining, {}, timedelta())
            return None
        return work

    def decide(self, work: Work, customer_ids: Sequence[str], booked: int) -> Decided:
        """Decide on the data as it is now; the rate is booked for so many to be handed over.

        Only what a cap counts may be a moment old: who is to be sent to must take a place (``taken``). Whoever is left
        out, or waits, has no place under the caps when this returns.
        """
        campaign, business = work.campaign, work.business
        customers = self.customers.get_many(business.business_id, customer_ids)
        keys = {c: customer.contact_key(campaign.channel) for c, customer in customers.items()}
        contacts = self.contacts.get_many({key for key in keys.values() if key is not None})
        # A place is taken by a write on what was read, and whoever read too early reads again: half the price will do.
        frequencies = known_frequencies(self.frequencies, business, campaign, list(customers), consistent=False)
        recipients: list[Recipient] = []
        excluded: list[Message] = []
        held: dict[str, Hold] = {}
        beyond: list[str] = []
        for customer_id in customer_ids:
            customer, key = customers.get(customer_id), keys.get(customer_id)
            message = self._message(work, customer_id, customer)
            contact = contacts[key] if key is not None else None
            frequency, now = frequencies.get(customer_id), self.clock.now()
            decision = decide(customer, contact, business, campaign, now, frequency, self.whereabouts)
            match decision:
                case Send() if len(recipients) == booked:
                    beyond.append(customer_id)
                case Send(address, is_try) if customer is not None:
                    recipients.append(Recipient(message, customer, address, contact, is_try, frequency))
                case Exclusion.FREQUENCY_CAP if customer is not None:
                    case_ = Case(customer, contact, business, campaign, now, frequency)
                    excluded.append(left_out(message, Exclusion.FREQUENCY_CAP, case_.free_again_at))
                case Hold():
                    held[customer_id] = decision
                case reason:
                    barrier = None
                    if reason is Exclusion.CHANNEL_OFF:
                        barrier = business.barrier(message.channel, asks_confirmation=message.asks_confirmation)
                    excluded.append(left_out(message, str(reason), barrier=barrier))
        self.give_back_earlier(work, [*(message.key.customer_id for message in excluded), *held])
        return Decided(tuple(recipients), tuple(excluded), held, tuple(beyond))

    def in_time(self, work: Work, recipient: Recipient) -> Decision:
        """Decide once more, on the data as it was read, where time may have made a difference since."""
        campaign, business, send = work.campaign, work.business, Send(recipient.address, recipient.is_try)
        if campaign.expires_at is None and business.quiet_hours.window(campaign.channel, campaign.category) is None:
            return send
        customer, contact, now = recipient.customer, recipient.contact, self.clock.now()
        return decide(customer, contact, business, campaign, now, recipient.frequency, self.whereabouts)

    def taken(self, work: Work, recipient: Recipient) -> Message | None:
        """Take what the message needs to itself, right before it is handed over; as left out when it cannot have it.

        That is a place under the caps, and the try that is due. Costs nothing for a recipient who needs neither. Raises
        ``ConcurrentChangeError`` when others keep writing, and then nothing may be sent.
        """
        case = Case(
            recipient.customer, recipient.contact, work.business, work.campaign, self.clock.now(), recipient.frequency
        )
        free_again_at = self.places.take(case, work.chunk.attempts)
        if free_again_at is not None:
            return left_out(recipient.message, Exclusion.FREQUENCY_CAP, free_again_at)
        lost = self._try_taken(work, recipient)
        if lost is not None:
            self.give_back(work, [recipient.customer.customer_id])
        return lost

    def give_back(self, work: Work, customer_ids: Sequence[str]) -> None:
        """Free the places under the caps of messages that are known not to have gone out.

        Before that is recorded: a death between the two leaves a message that is uncertain, and a place at most too few
        for what nobody was sent; the other way round the place would be lost to the customer.
        """
        self.places.give_back(work.business, work.campaign, customer_ids, work.chunk.attempts)

    def give_back_earlier(self, work: Work, customer_ids: Sequence[str]) -> None:
        """The same for places that an attempt took which died; there are none while this is the first."""
        if work.chunk.attempts > 1:
            self.give_back(work, customer_ids)

    def _try_taken(self, work: Work, recipient: Recipient) -> Message | None:
        """Take a try that is due; the message as left out when somebody else has it.

        A try is written to the contact as it was read, so that of all who are about to send to it only one may. Whoever
        loses the race reads again and decides again. A sender that comes back to a chunk finds its own try and goes on.
        """
        contact, message_id = recipient.contact, recipient.message.key.message_id
        if contact is None or not recipient.is_try:
            return None
        for _ in range(ATTEMPTS):
            now = self.clock.now()
            decision = decide(
                recipient.customer, contact, work.business, work.campaign, now, whereabouts=self.whereabouts
            )
            if isinstance(decision, Exclusion):
                return left_out(recipient.message, str(decision))
            send = decision.send if isinstance(decision, Hold) else decision
            tried = contact.reachability.tried
            if not send.is_try or (tried is not None and tried.message_id == message_id):
                return None
            try:
                self.contacts.save(contact.knowing(Tried(now, message_id)))
            except ConcurrentChangeError:
                contact = self.contacts.get_many([contact.key])[contact.key]
            else:
                return None
        raise ConcurrentChangeError

    def halted(self, work: Work) -> bool:
        """Whether the campaign may not hand over anything at this moment."""
        key = work.chunk.key
        return self.campaigns.get(key.business_id, key.campaign_id).status in HALTED

    def halt(self, work: Work, customer_ids: Sequence[str]) -> None:
        """Set recipients aside who have not been handed over, or end them when the campaign is cancelled.

        A resume looks for chunks that are set aside after it has changed the status. If it looked before we were done,
        the status says so when we look after, and the chunk goes back to the queue at once.
        """
        self.give_back_earlier(work, customer_ids)
        key = work.chunk.key
        if self.campaigns.get(key.business_id, key.campaign_id).status is CampaignStatus.CANCELLED:
            self.messages.record([replace(m, status=MessageStatus.CANCELLED) for m in self._queued(work, customer_ids)])
            self.chunks.finish(work.chunk)
            return
        self.chunks.put_back(work.chunk, customer_ids)
        if self.campaigns.get(key.business_id, key.campaign_id).status is not CampaignStatus.PAUSED:
            self.queue.put(work.campaign.channel, [self._ticket(work, customer_ids)])

    def stop(self, work: Work, because: str, customer_ids: Sequence[str]) -> None:
        """Pause the campaign at once and set aside the recipients that the provider has just refused, with the rest.

        They are known not to have gone out, so a resume sends to them.
        """
        key = work.chunk.key
        self.breaker.trip(key.business_id, key.campaign_id, because)
        self.halt(work, customer_ids)

    def uncertain(self, work: Work, customer_ids: Sequence[str], provider: Provider) -> Sequence[Message]:
        """Messages of which nobody knows whether they went out."""
        return [
            replace(message, status=MessageStatus.UNCERTAIN, provider=provider, reason=NO_RECORD)
            for message in self._queued(work, customer_ids)
        ]

    def again_later(self, work: Work, customer_ids: Sequence[str], delay: timedelta | None = None) -> None:
        """Put recipients back that are known not to have gone out, for a later attempt."""
        self.give_back_earlier(work, customer_ids)
        self.chunks.put_back(work.chunk, customer_ids)
        if delay is None:
            delay = min(FIRST_DELAY * 2 ** min(work.chunk.attempts, 10), LONGEST_DELAY)
        self.queue.put(work.campaign.channel, [self._ticket(work, customer_ids)], delay)

    def leave(self, work: Work, again: Sequence[str], held: Mapping[str, Hold], delay: timedelta | None = None) -> None:
        """End the attempt: the chunk is finished, or comes again for who is left, after ``delay`` or at their hour."""
        if again:
            self.again_later(work, [*again, *held], delay)
        elif held:
            self._hold(work, held)
        else:
            self.chunks.finish(work.chunk)

    def _hold(self, work: Work, held: Mapping[str, Hold]) -> None:
        """Keep a chunk away from its lane until the first of those who wait may get theirs.

        A cancellation that looked for chunks before this one was back has not found it: then it goes on at once.
        """
        key, channel = work.chunk.key, work.campaign.channel
        not_before = min(hold.until for hold in held.values())
        size = sum(hold.until == not_before for hold in held.values())
        if work.campaign.single:
            queued = [m for m in self.known(work).values() if m.status is MessageStatus.QUEUED]
            self.messages.advance([(message, replace(message, held_until=not_before)) for message in queued])
        else:
            self.chunks.note_holds(key.campaign_id, {hold.until: hold.because for hold in held.values()})
        self.chunks.put_back(work.chunk, list(held), not_before)
        ticket, now = Ticket(key, size, lane_of(work.campaign)), self.clock.now()
        self.held.put([HeldTicket(channel, ticket, not_before, now, work.business.version)], now)
        if self.campaigns.get(key.business_id, key.campaign_id).status is CampaignStatus.CANCELLED:
            self.queue.put(channel, [ticket])

    @staticmethod
    def _ticket(work: Work, customer_ids: Sequence[str]) -> Ticket:
        return Ticket(work.chunk.key, len(customer_ids), lane_of(work.campaign))

    def known(self, work: Work) -> Mapping[str, Message]:
        """The messages of the chunk that have a row, by customer."""
        keys = [self._key(work, customer_id) for customer_id in work.chunk.remaining]
        return {key.customer_id: message for key, message in self.messages.get_many(keys).items()}

    def unrecorded(self, work: Work) -> Sequence[str]:
        """Those of whom nothing is recorded yet; whoever an earlier attempt left out stays left out."""
        if work.chunk.attempts <= 1:
            return work.chunk.remaining
        known = self.known(work)
        return [c for c in work.chunk.remaining if c not in known or known[c].status is MessageStatus.QUEUED]

    def _queued(self, work: Work, customer_ids: Sequence[str]) -> Sequence[Message]:
        customers = self.customers.get_many(work.business.business_id, customer_ids)
        return [self._message(work, customer_id, customers.get(customer_id)) for customer_id in customer_ids]

    def _key(self, work: Work, customer_id: str) -> MessageKey:
        return MessageKey(work.business.business_id, customer_id, work.campaign.message_id(customer_id))

    def _message(self, work: Work, customer_id: str, customer: Customer | None) -> Message:
        contact = customer.contact_key(work.campaign.channel) if customer is not None else None
        return queued_message(
            work.campaign,
            self._key(work, customer_id),
            work.chunk.created_at,
            address=contact.address if contact is not None else "",
        )


def senders_fault(result: object, provider: Provider) -> bool:
    """Whether the provider refused a message for a cause on our side, which the next message will meet as well."""
    return isinstance(result, Refused) and look_up(provider, result.code).failure_class is FailureClass.SENDER_FAULT


def left_out(
    message: Message, reason: str, free_again_at: datetime | None = None, barrier: Barrier | None = None
) -> Message:
    """The message of somebody who does not get one, with what is known of the reason besides."""
    excluded = replace(message, status=MessageStatus.EXCLUDED, reason=reason)
    return replace(excluded, free_again_at=free_again_at, barrier=barrier)


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


def cannot_render(message: Message) -> Message:
    """The message of somebody for whom there is nothing sendable."""
    return left_out(message, Exclusion.CANNOT_RENDER)
