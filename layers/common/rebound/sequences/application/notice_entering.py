"""Noticing who enters: begins to match a segment, or a sequence's own filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.jobs.domain import JobKind
from rebound.kernel.errors import ConcurrentChangeError, InvalidInputError, NotFoundError
from rebound.kernel.ids import derived_ulid
from rebound.kernel.local_time import wall_clock
from rebound.recurring.domain.days import DAY, opening
from rebound.sequences.domain.happenings import Happened
from rebound.sequences.domain.members import Member, MemberKey, entry_key_of, look_of
from rebound.timers.domain import Timer

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerBook
    from rebound.jobs.application.job_service import JobService
    from rebound.platform.ports import Clock
    from rebound.segments.application.pin_filters import PinFilters
    from rebound.sequences.application.advance import AskFilter
    from rebound.sequences.application.enrol import HearHappenings
    from rebound.sequences.domain.sequences import SavedSequence
    from rebound.sequences.ports import MemberBook, SequenceBook
    from rebound.timers.ports import TimerBook

LOOK: Final = "look"
"""What the job of a sequence does that looks at all customers."""
LOOKS: Final = "sequence_look"
"""The kind of the timer that has it look each night."""
NIGHT: Final = time(3)
"""When that is, by the clock of the business."""


class FindLook(Struct, frozen=True, kw_only=True):
    """Finds what is looked for."""

    pin: PinFilters

    def __call__(self, sequence: SavedSequence) -> str | None:
        """Its name (``look_of``); ``None`` where a segment that it names is gone."""
        tree = self.tree(sequence)
        return None if tree is None else look_of(sequence, tree)

    def tree(self, sequence: SavedSequence) -> Mapping[str, Any] | None:
        """The filter as it is meant now."""
        segment_id = sequence.definition.trigger.about.get("segment_id")
        with suppress(InvalidInputError):
            if segment_id is not None:
                return self.pin.segment(sequence.business_id, segment_id)
            return self.pin.filter(sequence.business_id, sequence.definition.filter or {"all": []})
        return None


class NoticeEntering(Struct, frozen=True, kw_only=True):
    """Looks whether customers match what sequences are entered by, and has those begin who have begun to match."""

    members: MemberBook
    customers: CustomerBook
    find: FindLook
    ask: AskFilter
    hear: HearHappenings
    clock: Clock

    def of_customer(self, sequences: Sequence[SavedSequence], business_id: str, customer_id: str) -> None:
        """Look at a customer who did something; again changes nothing."""
        entered = [each for each in sequences if each.is_on and each.definition.is_entered]
        if not entered:
            return
        with suppress(NotFoundError):
            customer = self.customers.get(business_id, customer_id)
            for sequence in entered:
                self(sequence, [customer])

    def __call__(self, sequence: SavedSequence, customers: Sequence[Customer]) -> Mapping[str, int]:
        """Look at some; how many entered and left. Whoever dies leaves what the next look finds again."""
        tree = self.find.tree(sequence)
        if tree is None or not customers:
            return {}
        look, business_id = look_of(sequence, tree), sequence.business_id
        is_first = self.members.looked(business_id, sequence.uid) != look
        keys = {MemberKey(business_id, sequence.uid, each.customer_id): each for each in customers}
        # Read before it is asked who matches, so that nobody writes what is older than what was read.
        known = self.members.get_many(list(keys))
        matching = self.ask(business_id, tree, customers)
        counts = {"entered": 0, "left": 0}
        for key, customer in keys.items():
            before = known.get(key)
            stored = 0 if before is None else before.row_version
            now = before if before is not None and before.look == look else None
            was_in, is_in = now is not None and now.is_in, customer.customer_id in matching
            if was_in == is_in:
                continue
            times = (0 if now is None else now.entered) + is_in
            after = Member(key=key, look=look, is_in=is_in, entered=times, row_version=stored)
            if is_in and not is_first:
                self._tell(sequence, after)
            with suppress(ConcurrentChangeError):
                # Who was faster has noticed the same, or will look again.
                self.members.write(after)
                counts["entered" if is_in else "left"] += 1
        return counts

    def _tell(self, sequence: SavedSequence, member: Member) -> None:
        """Before it is remembered: who dies in between is found again, and told by the same key."""
        trigger = sequence.definition.trigger
        happened = Happened(
            kind=trigger.kind, key=entry_key_of(member), at=self.clock.now(), about=trigger.about, is_live=True
        )
        # Others that look for the same notice it by themselves.
        self.hear.enter(sequence, member.key.customer_id, happened)


class ScheduleLooks(Struct, frozen=True, kw_only=True):
    """Has sequences look at all customers: once when they are switched on or changed, and each night."""

    sequences: SequenceBook
    businesses: BusinessDirectory
    find: FindLook
    job_service: JobService
    timers: TimerBook
    clock: Clock

    def begin(self, sequence: SavedSequence) -> None:
        """Look now, and tonight; the same look is begun once, however often it is asked for."""
        if not (sequence.is_on and sequence.definition.is_entered):
            return
        look = self.find(sequence)
        if look is None:
            return
        now, business = self.clock.now(), self.businesses.get(sequence.business_id)
        self.timers.put([_tonight(sequence, business, now)])
        self._start(sequence, look, sequence.switched_at)

    def __call__(self, timers: Sequence[Timer]) -> None:
        """It is night for these; the next timer is written before this one goes."""
        for timer in timers:
            business_id, sequence_id = timer.key.split("#", 1)
            try:
                sequence = self.sequences.get(business_id, sequence_id)
                business = self.businesses.get(business_id)
            except NotFoundError:
                continue
            if not (sequence.is_on and sequence.definition.is_entered):
                continue
            look = self.find(sequence)
            if look is not None:
                self._start(sequence, look, timer.due_at)
            self.timers.put([_tonight(sequence, business, max(self.clock.now(), timer.due_at))])

    def _start(self, sequence: SavedSequence, look: str, at: datetime) -> None:
        asked = {"sequence_id": sequence.sequence_id, "uid": sequence.uid, "what": LOOK, "look": look}
        job_id = derived_ulid(at, f"sequence#{sequence.business_id}#{sequence.uid}#{LOOK}#{look}")
        self.job_service.start(sequence.business_id, JobKind.SEQUENCE, asked, in_one=True, job_id=job_id)


def _tonight(sequence: SavedSequence, business: Business, after: datetime) -> Timer:
    """The timer of the next night of a business."""
    day = wall_clock(after, business.time_zone).date()
    nights = (opening(day + ahead * DAY, NIGHT, business.time_zone) for ahead in range(3))
    due_at = next(each for each in nights if each > after + timedelta(minutes=5))
    return Timer(due_at, LOOKS, f"{sequence.business_id}#{sequence.sequence_id}")
