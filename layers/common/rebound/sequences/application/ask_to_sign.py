"""Asking customers to sign a waiver: once each, whoever dies, comes twice or books meanwhile.

Whoever may have to be asked is named by a task: those with a coming booking when a version is posted, and afterwards
everybody who books, cancels or signs. What is to be done is decided then, on what is known at that moment.

Before a message is made, the row says that it will be; its id follows from the row. Whoever dies in between leaves it
so, and the task, which comes again, makes the same message. What is not handed over yet is taken back when nobody needs
to be asked any more: who takes it back first takes it out of a sender's hands (``SteerMessage``), so that it either is
gone or never goes.
"""

from __future__ import annotations

from copy import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.application.timing import FARTHEST_EXPIRY, Timing
from rebound.eligibility.domain.channels_left import why_not_by
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from rebound.kernel.receipts import MessageKey
from rebound.kernel.retrying import retried
from rebound.messages.domain.messages import MessageStatus
from rebound.recurring.domain.days import DAY
from rebound.sending.domain.single_messages import CancelledBecause
from rebound.sequences.domain.enrolments import EnrolmentKey
from rebound.sequences.domain.happenings import Happened, Kind
from rebound.sequences.domain.waivers import (
    NOT_AGAIN,
    Ask,
    AskKey,
    AskState,
    happening_key,
    sequence_of,
    waiver_of,
)
from rebound.templates.domain.content import MadeFrom
from rebound.templates.domain.template_events import default_id

if TYPE_CHECKING:
    from rebound.activity.domain.words import Kept
    from rebound.activity.ports import ActivityBook
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import ContactBook
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerBook
    from rebound.messages.domain.messages import Message
    from rebound.messages.ports import MessageLog
    from rebound.platform.ports import Clock
    from rebound.sending.application.post_message import PostMessage
    from rebound.sending.application.steer_message import SteerMessage
    from rebound.sequences.application.enrol import HearHappenings
    from rebound.sequences.application.schedule import ScheduleSteps
    from rebound.sequences.domain.tasks import StepTask
    from rebound.sequences.domain.waivers import Waiver, WaiverVersion
    from rebound.sequences.ports import AskBook, WaiverBook
    from rebound.templates.application.template_contents import TemplateContents

EVENT: Final = "waiver_to_sign"
"""The event whose template the messages are made from: it says the same to who has signed an earlier version."""
_LEFT_OUT: Final = frozenset({MessageStatus.EXCLUDED, MessageStatus.CANCELLED})


class AskToSign(Struct, frozen=True, kw_only=True):
    """Asks the customers of a task to sign a waiver, or takes back what asks them."""

    waivers: WaiverBook
    asks: AskBook
    businesses: BusinessDirectory
    customers: CustomerBook
    contacts: ContactBook
    activity: ActivityBook
    messages: MessageLog
    template_contents: TemplateContents
    post: PostMessage
    steer: SteerMessage
    hear: HearHappenings
    schedule: ScheduleSteps
    clock: Clock

    def __call__(self, task: StepTask) -> None:
        """Do for each what is right for them now; again changes nothing."""
        waiver_id = waiver_of(task.sequence_id)
        if waiver_id is None:
            raise AssertionError(task.sequence_id)
        try:
            business = self.businesses.get(task.business_id)
        except NotFoundError:
            return
        for customer_id in task.customer_ids:
            key = AskKey(task.business_id, waiver_id, customer_id)
            retried(lambda key=key: _Asking(self, business, key).do())  # type: ignore[misc]


class _Asking(Struct):
    """One try at one customer."""

    uses: AskToSign
    business: Business
    key: AskKey

    def do(self) -> None:
        """Raises ``ConcurrentChangeError`` when somebody else was faster."""
        key, now = self.key, self.uses.clock.now()
        try:
            # Each time: a version may have been posted since.
            waiver = self.uses.waivers.get(key.business_id, key.waiver_id)
            customer = self.uses.customers.get(key.business_id, key.customer_id)
        except NotFoundError:
            return
        ask = self.uses.asks.get(key)
        kept = self.uses.activity.read(key.business_id, key.customer_id)
        until = _last_booking(kept, now)
        if waiver.is_signed(kept):
            self._end(ask, waiver, AskState.SIGNED)
        elif until is None:
            self._end(ask, waiver, AskState.WITHDRAWN)
        elif ask is None:
            self._begin(None, waiver, customer, until, now)
        elif (before := self._over(ask, waiver, until, now)) is not None:
            self._begin(before, waiver, customer, until, now)

    def _begin(self, before: Ask | None, waiver: Waiver, customer: Customer, until: datetime, now: datetime) -> None:
        """Ask, by a message of its own."""
        ask = Ask.begun(self.key, waiver.current.number, self._channel(customer), now, before)
        if before is not None and ask.state is before.state is AskState.UNREACHED and ask.number == before.number:
            return
        ask = self.uses.asks.save(ask)
        if ask.state is AskState.ASKED:
            self._send(ask, waiver, until)

    def _over(self, ask: Ask, waiver: Waiver, until: datetime, now: datetime) -> Ask | None:
        """What was asked before, where it was taken back or is not what counts now; ``None`` where it is enough."""
        current = waiver.current.number
        if ask.number == current and ask.state in (AskState.ASKED, AskState.SIGNED):
            # A signature that was taken back asks nobody anew.
            if not ask.is_told:
                self._send(ask, waiver, until)
            return None
        gone = self._gone(ask, waiver)
        if gone is None:
            return replace(ask, state=AskState.WITHDRAWN) if ask.state is AskState.ASKED else ask
        # Nobody may know when it went: then the hour counts from when it was first found to be gone.
        gone_at = gone.sent_at or gone.final_at or ask.gone_by or now
        if now - gone_at >= NOT_AGAIN:
            return ask
        if ask.state is AskState.ASKED and waiver.leads_on(ask.asked_by) and gone.status is not MessageStatus.UNCERTAIN:
            self._tell(ask, waiver.versions[ask.asked_by - 1])
            self.uses.asks.save(replace(ask.stands_for(current), is_told=True))
            return None
        # They have done what they were asked, what they hold leads elsewhere, or they may have nothing: the next is
        # asked of them once the hour is over.
        if ask.gone_by != gone_at:
            self._tell(ask, waiver.versions[ask.asked_by - 1])
            self.uses.asks.save(replace(ask, gone_by=gone_at, is_told=True))
        self._come_back(gone_at + NOT_AGAIN)
        return None

    def _end(self, ask: Ask | None, waiver: Waiver, state: AskState) -> None:
        """Nobody needs to be asked: take back what is not handed over."""
        if ask is None or ask.state in (AskState.SIGNED, AskState.WITHDRAWN):
            return
        gone = self._gone(ask, waiver)
        if state is AskState.SIGNED or gone is None:
            self.uses.asks.save(replace(ask, state=state, is_told=True))
        elif not ask.is_told:
            # They were asked by who died before it was told.
            self._tell(ask, waiver.versions[ask.asked_by - 1])
            self.uses.asks.save(replace(ask, is_told=True))

    def _send(self, ask: Ask, waiver: Waiver, until: datetime) -> None:
        """Put the message on its way that the row says, and tell who hears of it."""
        version = waiver.versions[ask.asked_by - 1]
        if not self._posted(ask, version, Timing(expires_at=until)):
            self.uses.asks.save(replace(ask, state=AskState.UNREACHED, is_told=True))
            return
        self._tell(ask, version)
        self.uses.asks.save(replace(ask, is_told=True))

    def _tell(self, ask: Ask, version: WaiverVersion) -> None:
        """Have sequences hear, once, that somebody was asked; again changes nothing."""
        key = self.key
        if ask.is_told:
            return
        happened = Happened(
            kind=Kind.WAIVER_CHANGED,
            key=happening_key(key.waiver_id, version.version),
            at=ask.asked_at,
            about={"waiver_id": key.waiver_id},
        )
        self.uses.hear(key.business_id, key.customer_id, [happened])

    def _posted(self, ask: Ask, version: WaiverVersion, timing: Timing) -> bool:
        """Whether there is a message that asks; it is made once."""
        key, channel = self.key, ask.channel
        if channel is None:
            return False
        try:
            content = self.uses.template_contents.made(
                key.business_id, asking(version, channel), channel, Category.TRANSACTIONAL
            )
            self.uses.post(
                key.business_id,
                customer_id=key.customer_id,
                category=Category.TRANSACTIONAL,
                channel=channel,
                content=content,
                timing=timing,
                message_id=ask.message_id,
            )
        except (ConflictError, InvalidInputError):
            # Since the channel was chosen it was switched off, or the template asks for more than there is.
            return False
        return True

    def _channel(self, customer: Customer) -> Channel | None:
        """By what the customer may be written to, email first."""
        known = self.uses.contacts.get_many(customer.contact_keys)
        order = sorted(Channel, key=lambda each: each is not Channel.EMAIL)
        return next((each for each in order if why_not_by(each, customer, self.business, known) is None), None)

    def _gone(self, ask: Ask, waiver: Waiver) -> Message | None:
        """The message where it went out, or may have; ``None`` where it has not, and from now on never will."""
        key = self.key
        if not ask.is_told:
            # Whoever began it may be about to send it, or be dead: only what is there can be taken back. If it is made
            # here, it is for a day on which it is gone.
            self._posted(ask, waiver.versions[ask.asked_by - 1], Timing(self.uses.clock.now() + DAY))
        try:
            self.uses.steer.cancel(key.business_id, ask.message_id, CancelledBecause.NEEDLESS)
        except NotFoundError:
            return None
        except ConflictError:
            named = MessageKey(key.business_id, key.customer_id, ask.message_id)
            found = self.uses.messages.get_many([named], consistent=True).get(named)
            return None if found is None or found.status in _LEFT_OUT else found
        return None

    def _come_back(self, at: datetime) -> None:
        key = self.key
        named = EnrolmentKey(key.business_id, key.customer_id, sequence_of(key.waiver_id))
        self.uses.schedule([(named, at)])


def asking(version: WaiverVersion, channel: Channel) -> MadeFrom:
    """What the messages about a version are made from."""
    said = {"url": version.url} | ({} if version.note is None else {"noteToCustomers": version.note})
    return MadeFrom(default_id(EVENT, channel), variables=said)


def _last_booking(kept: Kept, now: datetime) -> datetime | None:
    """When the last coming booking begins, as far as messages may wait; ``None`` when none is to come."""
    bookings = () if kept.summary is None else kept.summary.bookings
    last = max((each.starts_at for each in bookings if each.starts_at > now), default=None)
    return None if last is None else min(last, now + FARTHEST_EXPIRY)
