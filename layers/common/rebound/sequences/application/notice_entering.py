"""Noticing who enters: begins to match a segment, or a sequence's own filter."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from copy import replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.activity.application.first_told import first_told
from rebound.activity.domain.summary import summarised
from rebound.activity.domain.words import stamp_of
from rebound.jobs.domain import JobKind
from rebound.kernel.errors import ConcurrentChangeError, InvalidInputError, NotFoundError
from rebound.kernel.ids import derived_ulid
from rebound.kernel.local_time import wall_clock
from rebound.kernel.retrying import retried
from rebound.recurring.domain.days import DAY, opening
from rebound.sequences.domain.happenings import Happened, tag_name
from rebound.sequences.domain.members import Look, Member, MemberKey, entry_key_of, look_of
from rebound.timers.domain import Timer

if TYPE_CHECKING:
    from rebound.activity.ports import ActivityBook
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerBook
    from rebound.jobs.application.job_service import JobService
    from rebound.platform.ports import Clock
    from rebound.segments.application.pin_filters import PinFilters
    from rebound.sequences.application.advance import AskFilter
    from rebound.sequences.application.enrol import HearHappenings
    from rebound.sequences.domain.sequences import KnownSequence
    from rebound.sequences.ports import MemberBook, SequenceBook
    from rebound.timers.ports import TimerBook

    type _Matched = Callable[[Look, Mapping[str, Any], Customer], bool]

LOOK: Final = "look"
"""What the job of a sequence does that looks at all customers."""
LOOKS: Final = "sequence_look"
"""The kind of the timer that has it look each night."""
NIGHT: Final = time(3)
"""When that is, by the clock of the business."""


class FindLook(Struct, frozen=True, kw_only=True):
    """Finds what is looked for, and since when."""

    pin: PinFilters
    members: MemberBook
    timers: TimerBook
    clock: Clock

    def __call__(self, sequence: KnownSequence, *, begins: bool = False) -> tuple[Look, Mapping[str, Any]] | None:
        """The look, and the filter as it is meant now; ``None`` where a segment that it names is gone.

        Where something else is asked for than before, that is written down, and all customers are looked at within
        minutes; unless who asks ``begins`` that at once.
        """
        tree = self._tree(sequence)
        if tree is None:
            return None
        business_id, uid, name = sequence.business_id, sequence.uid, look_of(sequence, tree)
        known = self.members.looked(business_id, uid)
        if known is None or known.name != name:
            if not begins:
                # First, so that it is looked also where this dies.
                this_minute = self.clock.now().replace(second=0, microsecond=0)
                self.timers.put([Timer(this_minute, LOOKS, f"{business_id}#{sequence.sequence_id}")])
            began_at = self._since(sequence, known)
            begun = Look(name=name, began_at=began_at, row_version=0 if known is None else known.row_version)
            with suppress(ConcurrentChangeError):
                self.members.save_look(business_id, uid, begun)
            known = self.members.looked(business_id, uid)
        return None if known is None or known.name != name else (known, tree)

    def is_done(self, sequence: KnownSequence, since: datetime) -> None:
        """Write down that all were looked at since a moment, where nothing else has been asked for after it."""
        self(sequence)

        def write() -> None:
            known = self.members.looked(sequence.business_id, sequence.uid)
            if known is not None and known.began_at <= since and known.done_at is None:
                self.members.save_look(sequence.business_id, sequence.uid, replace(known, done_at=self.clock.now()))

        retried(write)

    def _since(self, sequence: KnownSequence, before: Look | None) -> datetime:
        """Since when something else is asked for: since it was switched on or written, or the segment was."""
        at = sequence.updated_at if before is None else sequence.switched_at
        segment_id = sequence.definition.trigger.about.get("segment_id")
        with suppress(NotFoundError):
            if segment_id is not None:
                at = max(at, self.pin.segments.get(sequence.business_id, segment_id).updated_at)
        return at if before is None or at > before.began_at else self.clock.now()

    def _tree(self, sequence: KnownSequence) -> Mapping[str, Any] | None:
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
    activity: ActivityBook
    businesses: BusinessDirectory
    hear: HearHappenings
    clock: Clock

    def of_customer(self, sequences: Sequence[KnownSequence], business_id: str, customer_id: str) -> None:
        """Look at a customer who did something; again changes nothing."""
        self._of(sequences, business_id, customer_id, self._matched)

    def of_tag(
        self, sequences: Sequence[KnownSequence], business_id: str, customer_id: str, had: Collection[str], at: datetime
    ) -> None:
        """Look at a customer who was given a tag at a time; again changes nothing.

        ``had`` are the names of those which they had before (``tag_name``), without any that was given with it.
        """

        def matched(look: Look, tree: Mapping[str, Any], customer: Customer) -> bool:
            if at <= look.began_at:
                return True
            before = tuple(each for each in customer.general_tags if tag_name(each) in had)
            return customer_id in self.ask(business_id, tree, [replace(customer, general_tags=before)])

        self._of(sequences, business_id, customer_id, matched)

    def _of(self, sequences: Sequence[KnownSequence], business_id: str, customer_id: str, matched: _Matched) -> None:
        entered = [each for each in sequences if each.is_on and each.definition.is_entered]
        if not entered:
            return
        with suppress(NotFoundError):
            customer = self.customers.get(business_id, customer_id)
            for sequence in entered:
                self(sequence, [customer], matched)

    def __call__(
        self, sequence: KnownSequence, customers: Sequence[Customer], matched: _Matched | None = None
    ) -> Mapping[str, int]:
        """Look at some; how many entered and left. Whoever dies leaves what the next look finds again.

        ``matched`` says whether a customer matched before that of which is told.
        """
        found = self.find(sequence) if customers else None
        if found is None:
            return {}
        (look, tree), business_id = found, sequence.business_id
        is_settled = look.is_settled(self.clock.now())
        keys = {MemberKey(business_id, sequence.uid, each.customer_id): each for each in customers}
        # Read before it is asked who matches, so that nobody writes what is older than what was read.
        known = self.members.get_many(list(keys))
        matching = self.ask(business_id, tree, customers)
        counts = {"entered": 0, "left": 0}
        for key, customer in keys.items():
            before = known.get(key)
            stored = 0 if before is None else before.row_version
            now = before if before is not None and before.look == look.look_id else None
            was_in, is_in = now is not None and now.is_in, customer.customer_id in matching
            is_in_doubt = is_in and was_in and not is_settled and matched is not None
            if was_in == is_in and not is_in_doubt:
                continue
            times = (0 if now is None else now.entered) + (is_in and not was_in)
            after = Member(key=key, look=look.look_id, is_in=is_in, entered=times, row_version=stored)
            if is_in and self._enters(look, tree, customer, now, matched):
                self._tell(sequence, after)
            if was_in == is_in:
                continue
            with suppress(ConcurrentChangeError):
                # Who was faster has noticed the same, or will look again.
                self.members.write(after)
                counts["entered" if is_in else "left"] += 1
        return counts

    def _enters(
        self,
        look: Look,
        tree: Mapping[str, Any],
        customer: Customer,
        known: Member | None,
        matched: _Matched | None,
    ) -> bool:
        """Whether somebody who matches has begun to since it is looked for."""
        if known is not None and not known.is_in:
            return True
        if known is None and look.done_at is not None:
            # All who matched before are remembered.
            return True
        is_new = customer.created_at > look.began_at
        return is_new or (matched is not None and not matched(look, tree, customer))

    def _matched(self, look: Look, tree: Mapping[str, Any], customer: Customer) -> bool:
        """Whether a customer matched when the look began, by what they had done until then."""
        business_id, customer_id = customer.business_id, customer.customer_id
        zone = self.businesses.get(business_id).time_zone
        kept, until = self.activity.read(business_id, customer_id), stamp_of(look.began_at)
        cells = [each for each in kept.cells if each.stamp > kept.erased]
        # What was told again since, or corrected, was known then.
        stamps = first_told(self.activity, business_id, [each for each in cells if each.stamp > until])
        known = [each.event for each in cells if stamps.get(each.event_id, each.stamp) <= until]
        events = [each for each in known if each is not None]
        then = {customer_id: summarised(events, zone, look.began_at)}
        return customer_id in self.ask(business_id, tree, [customer], look.began_at, then)

    def _tell(self, sequence: KnownSequence, member: Member) -> None:
        """Before it is remembered: who dies in between is found again, and told by the same key."""
        trigger = sequence.definition.trigger
        happened = Happened(
            kind=trigger.kind, key=entry_key_of(member), at=self.clock.now(), about=trigger.about, is_live=True
        )
        # Others that look for the same notice it by themselves.
        self.hear.enter(sequence, member.key.customer_id, happened)


class ScheduleLooks(Struct, frozen=True, kw_only=True):
    """Has sequences look at all customers each night, and where something else is asked for."""

    sequences: SequenceBook
    businesses: BusinessDirectory
    job_service: JobService
    timers: TimerBook
    clock: Clock

    def __call__(self, timers: Sequence[Timer]) -> None:
        """It is night for these; the next timer is written before this one goes."""
        for timer in timers:
            business_id, sequence_id = timer.key.split("#", 1)
            try:
                sequence = self.sequences.known(business_id, sequence_id)
                business = self.businesses.get(business_id)
            except NotFoundError:
                continue
            if not (sequence.is_on and sequence.definition.is_entered):
                continue
            self.start(sequence, "due", timer.due_at)
            self.timers.put([_tonight(sequence, business, max(self.clock.now(), timer.due_at))])

    def tonight(self, sequence: KnownSequence) -> None:
        """Have it look tonight."""
        business = self.businesses.get(sequence.business_id)
        self.timers.put([_tonight(sequence, business, self.clock.now())])

    def start(self, sequence: KnownSequence, why: str, at: datetime) -> None:
        """Have it look now; asked for again by the same name, it is the same look."""
        asked = {"sequence_id": sequence.sequence_id, "uid": sequence.uid, "what": LOOK}
        job_id = derived_ulid(at, f"sequence#{sequence.business_id}#{sequence.uid}#{LOOK}#{why}#{at.isoformat()}")
        self.job_service.start(sequence.business_id, JobKind.SEQUENCE, asked, in_one=True, job_id=job_id)


class BeginLooks(Struct, frozen=True, kw_only=True):
    """Has a sequence look at all customers once it is switched on or changed, and each night from then on."""

    find: FindLook
    schedule: ScheduleLooks

    def __call__(self, sequence: KnownSequence) -> None:
        """Look now, and tonight; the same look is begun once, however often it is asked for."""
        if not (sequence.is_on and sequence.definition.is_entered):
            return
        self.schedule.tonight(sequence)
        found = self.find(sequence, begins=True)
        if found is not None:
            self.schedule.start(sequence, found[0].look_id, found[0].began_at)


def _tonight(sequence: KnownSequence, business: Business, after: datetime) -> Timer:
    """The timer of the next night of a business."""
    day = wall_clock(after, business.time_zone).date()
    nights = (opening(day + ahead * DAY, NIGHT, business.time_zone) for ahead in range(3))
    due_at = next(each for each in nights if each > after + timedelta(minutes=5))
    return Timer(due_at, LOOKS, f"{sequence.business_id}#{sequence.sequence_id}")
