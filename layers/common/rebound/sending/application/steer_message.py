"""Messages to one person that can still be taken back: shown, changed and cancelled until they are handed over."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.businesses.domain.quiet_hours import Whereabouts
from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus, single_id
from rebound.campaigns.domain.chunks import Chunk, ChunkKey, ClaimOutcome
from rebound.customers.domain import Customer
from rebound.eligibility.domain.eligibility import Decision, Exclusion, Hold, decide
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConcurrentChangeError, FieldError, InvalidInputError, NotFoundError
from rebound.kernel.receipts import MessageKey
from rebound.kernel.retrying import retried
from rebound.messages.application.load_content import loaded
from rebound.messages.domain.appointments import question_of
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.sending.application.post_message import check_message, check_variables
from rebound.sending.domain.chunk_tasks import ChunkTask, lane_of
from rebound.sending.domain.message_timers import single_chunk, timer_of
from rebound.sending.domain.recipients import left_out
from rebound.sending.domain.single_messages import (
    CancelledBecause,
    MessageChange,
    Posted,
    SingleMessage,
    not_waiting,
    timed,
    timing_of,
)
from rebound.templates.domain.content import TemplateContent

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.ports import CampaignBook, ChunkLedger
    from rebound.customers.ports import CustomerBook
    from rebound.eligibility.application.frequency_reservations import FrequencyReservations
    from rebound.messages.ports import AppointmentBook, MessageLog
    from rebound.platform.ports import Clock, Ids
    from rebound.sending.application.hold_chunk import HoldChunk
    from rebound.sending.ports import ChunkQueue
    from rebound.templates.application.template_contents import TemplateContents
    from rebound.text_plans.application.meter_texts import MeterTexts
    from rebound.timers.ports import TimerBook

LEASE: Final = timedelta(seconds=30)
"""Longer than a request may take (29 seconds)."""
_ID: Final = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


class SteerMessage(Struct, frozen=True, kw_only=True):
    """Shows, changes and cancels messages to one person.

    Whoever changes a message first takes its chunk over: a worker that has claimed it and not marked it cannot mark it
    any more, and so hands over nothing (truth 8). A message whose chunk is marked is being handed over, and stays as
    it is. Each call may be repeated at any time, also after one that broke half way; whatever broke off, the message is
    still sent, once, or is cancelled when its time comes.
    """

    campaigns: CampaignBook
    chunks: ChunkLedger
    messages: MessageLog
    appointments: AppointmentBook
    businesses: BusinessDirectory
    customers: CustomerBook
    reservations: FrequencyReservations
    meter: Callable[[], MeterTexts]
    queue: ChunkQueue
    timers: TimerBook
    hold: HoldChunk
    whereabouts: Whereabouts
    clock: Clock
    ids: Ids
    template_contents: TemplateContents

    def get(self, business_id: str, message_id: str, customer_id: str | None = None) -> SingleMessage:
        """A message to one person, or, with its customer, one of a campaign. Raises ``NotFoundError``."""
        if not _ID.fullmatch(message_id):
            raise NotFoundError("message")
        try:
            carrier = self.campaigns.get(business_id, single_id(message_id))
        except NotFoundError:
            carrier = None
        owner = customer_id if carrier is None else carrier.recipient
        if owner is None or customer_id not in (None, owner):
            raise NotFoundError("message")
        message = self._log(business_id, owner, message_id)
        if message is None:
            raise NotFoundError("message")
        return SingleMessage(message, carrier)

    def cancel(
        self, business_id: str, message_id: str, because: CancelledBecause = CancelledBecause.REQUESTED
    ) -> SingleMessage:
        """Never hand the message over.

        Raises ``NotFoundError``, ``ConflictError`` when it does not wait any more, and ``ConcurrentChangeError``.
        """

        def write() -> SingleMessage:
            message, carrier = self._waiting(business_id, message_id)
            if message.status is MessageStatus.CANCELLED:
                return SingleMessage(message, carrier)
            chunk = self._take_over(message)
            if chunk is None and carrier.status is not CampaignStatus.CANCELLED:
                raise ConcurrentChangeError
            if carrier.status is not CampaignStatus.CANCELLED:
                # From here on a worker that comes to it cancels it as well.
                ended = replace(carrier, status=CampaignStatus.CANCELLED, failure=because)
                self.campaigns.replace(carrier, ended)
                carrier = replace(ended, version=carrier.version + 1)
            self._release(carrier, chunk)
            reason = carrier.failure or because
            cancelled = replace(message, status=MessageStatus.CANCELLED, reason=reason, held_until=None)
            self.close_question(cancelled)
            self.messages.record([cancelled])
            if chunk is not None:
                self.chunks.finish(chunk)
            # The last: should this break off before, the timer wakes who ends it.
            self._forget_timer(carrier)
            return SingleMessage(cancelled, carrier)

        return retried(write)

    def change(self, business_id: str, message_id: str, change: MessageChange) -> Posted:
        """Change what a message says or when it is sent, and decide about it anew.

        Raises ``InvalidInputError`` before anything is changed, else as ``cancel`` does.
        """

        def write() -> Posted:
            message, carrier = self._waiting(business_id, message_id)
            if message.status is not MessageStatus.QUEUED:
                raise not_waiting(message)
            business = self.businesses.get(business_id)
            return self.replace(message, carrier, self._changed(business, carrier, change), business)

        return retried(write)

    def replace(self, message: Message, carrier: Campaign, after: Campaign, business: Business) -> Posted:
        """Let a waiting message have another carrier, and bring it to its time; one that is too late is left out.

        Raises ``ConflictError`` when it does not wait any more, ``ConcurrentChangeError`` when others write it.
        """
        customer, is_said_anew = self._customer(message), after.content != carrier.content
        after = loaded(after, self.template_contents)
        if is_said_anew:
            check_variables(after.content, customer, business)
        chunk = self._take_over(message)
        if chunk is None or carrier.status is CampaignStatus.CANCELLED:
            raise ConcurrentChangeError
        now = self.clock.now()
        sent = after if message.fell_back is None else after.by_email
        decision = decide(customer, None, business, sent, now, whereabouts=self.whereabouts)
        if decision is Exclusion.MISSING_VARIABLE and isinstance(sent.content, TemplateContent):
            # It may say something by the time at which the message goes out, when that is asked again.
            whenever = replace(sent, content=replace(sent.content, declared={}))
            decision = decide(customer, None, business, whenever, now, whereabouts=self.whereabouts)
        task = ChunkTask(chunk.key, 1, lane_of(after))
        bring = partial(self._bring, sent, task, decision, now, business)
        # Before it is written: should this break off, what comes too early is held again. What is to come at once would
        # find the chunk taken, and comes when this must be over.
        bring(LEASE)
        self.campaigns.replace(carrier, after)
        if after.send_at != carrier.send_at:
            self._forget_timer(carrier)
        self._release(carrier, chunk)
        if decision is Exclusion.EXPIRED:
            changed = replace(left_out(message, decision), held_until=None)
            self.close_question(changed)
            self.messages.record([changed])
            self.chunks.finish(chunk)
        else:
            held_until = decision.until if isinstance(decision, Hold) else None
            changed = replace(message, held_until=held_until)
            if self.messages.advance([(message, changed)]):
                raise ConcurrentChangeError
            self._ask_again(changed, after)
            self.chunks.put_back(chunk, chunk.customer_ids, held_until)
            if held_until is None or held_until < now + LEASE:
                bring(timedelta())
        return Posted(changed, replace(after, version=carrier.version + 1), business, customer)

    def _changed(self, business: Business, carrier: Campaign, change: MessageChange) -> Campaign:
        """The carrier as the client wants it. Raises ``InvalidInputError``."""
        content = None if change.content is None else change.content(carrier)
        before = timing_of(carrier)
        timing = before if change.timing is None else change.timing(before)
        if timing.appointment_at is not None and carrier.appointment_id is None:
            raise InvalidInputError(FieldError("starts_at", "The message is about no appointment."))
        same_time = (timing.send_at, timing.local_time) == (before.send_at, before.local_time)
        try:
            check_message(business, self.clock.now(), content, carrier.category, None if timing == before else timing)
        except InvalidInputError as error:
            # The time at which it was to be sent before may be over by now, as it is when the night has held it.
            wrong = [each for each in error.errors if not (same_time and each.field == "send_at")]
            if wrong:
                raise InvalidInputError(*wrong) from None
        after = carrier if timing == before else timed(carrier, timing)
        return after if content is None else replace(after, content=content)

    def _waiting(self, business_id: str, message_id: str) -> tuple[Message, Campaign]:
        """A message that waits, or is cancelled, with its carrier. Raises ``NotFoundError`` and ``ConflictError``."""
        found = self.get(business_id, message_id)
        message, carrier = found.message, found.carrier
        if carrier is None:
            raise NotFoundError("message")
        if message.status not in (MessageStatus.QUEUED, MessageStatus.CANCELLED):
            raise not_waiting(message)
        return message, carrier

    def _take_over(self, message: Message) -> Chunk | None:
        """The chunk of a waiting message, ours now; ``None`` when it is finished, though the message still waits.

        Raises ``ConflictError`` when the message is being handed over, or does not wait any more.
        """
        key = message.key
        now = self.clock.now()
        try:
            outcome, chunk = self.chunks.take_over(_chunk_of(message), self.ids.ulid(now), now, LEASE)
        except NotFoundError:
            raise not_waiting(message) from None
        if outcome is ClaimOutcome.WORK:
            return chunk
        current = self._log(key.business_id, key.customer_id, key.message_id) or message
        if outcome is ClaimOutcome.DONE and current.status is MessageStatus.QUEUED:
            return None
        raise not_waiting(current)

    def _bring(
        self,
        after: Campaign,
        task: ChunkTask,
        decision: Decision,
        now: datetime,
        business: Business,
        delay: timedelta,
    ) -> None:
        """Bring a message back at its time; at once, after a delay, when its time has come."""
        if isinstance(decision, Hold):
            self.hold(after, task, decision.until, now, business.version)
        else:
            self.queue.put(after.channel, [task], delay)

    def _release(self, carrier: Campaign, chunk: Chunk | None) -> None:
        """Give back what an attempt from which the chunk was taken over may have reserved."""
        if chunk is not None and chunk.attempts > 1 and carrier.recipient is not None:
            business = self.businesses.get(carrier.business_id)
            self.reservations.release(business, carrier, [carrier.recipient], chunk.attempts)
            if business.text_plan is not None and carrier.channel is Channel.SMS:
                message_id = carrier.message_id(carrier.recipient)
                self.meter().release(business, [MessageKey(business.business_id, carrier.recipient, message_id)])

    def _forget_timer(self, carrier: Campaign) -> None:
        """Remove a timer that would wake nobody any more; one that stays does no harm."""
        timer = timer_of(carrier, self.clock.now())
        if timer is not None:
            self.timers.remove([timer])

    def _ask_again(self, message: Message, after: Campaign) -> None:
        """Keep the question open for as long after the new time as it would have been after the former one."""
        asked = question_of(message)
        if asked is not None and after.send_at is not None:
            self.appointments.ask(message.contact, asked, sent_at=after.send_at)

    def close_question(self, message: Message) -> None:
        """Take no later answer for one to the question that a message asks, if it asks one."""
        asked = question_of(message)
        if asked is not None:
            self.appointments.close(message.contact, [asked])

    def _customer(self, message: Message) -> Customer:
        try:
            return self.customers.get(message.key.business_id, message.key.customer_id)
        except NotFoundError:
            # It waits only to be left out, and what it said is forgotten.
            raise NotFoundError("customer") from None

    def _log(self, business_id: str, customer_id: str, message_id: str) -> Message | None:
        key = MessageKey(business_id, customer_id, message_id)
        return self.messages.get_many([key]).get(key)


def _chunk_of(message: Message) -> ChunkKey:
    """The chunk that a message is in; that of the email lane, once it fell back."""
    first = single_chunk(message.key.business_id, message.key.message_id)
    return first if message.fell_back is None else first.fallback(message.fell_back)
