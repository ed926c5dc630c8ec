"""Beginning, ending and waking: what happens in sequences when something happens with a customer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.errors import NotFoundError
from rebound.kernel.retrying import retried, retried_from
from rebound.recurring.domain.days import DAY
from rebound.sequences.domain.enrolments import (
    MOST_FORMER,
    Enrolment,
    EnrolmentKey,
    LeftBecause,
    Stage,
    became,
    entry_name,
)
from rebound.sequences.domain.happenings import PLANNED
from rebound.sequences.domain.heard import Heard, is_since
from rebound.sequences.domain.looking_back import coming, why_ended
from rebound.sequences.domain.sequences import Reentry
from rebound.sequences.domain.steps import Wait

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.customers.ports import CustomerBook
    from rebound.platform.ports import Clock
    from rebound.sequences.application.advance import AskFilter
    from rebound.sequences.application.hear_activity import LookBack
    from rebound.sequences.application.schedule import ScheduleSteps
    from rebound.sequences.domain.happenings import Happened
    from rebound.sequences.domain.looking_back import Said
    from rebound.sequences.domain.sequences import Definition, KnownSequence
    from rebound.sequences.ports import EnrolmentBook, SequenceBook


class PlanAhead(Struct, frozen=True, kw_only=True):
    """Has a customer wait for what is to come next, or for nothing any more; also while the sequence is off.

    What is still to come, such as the end of a membership, is told long before, and told otherwise meanwhile: it is
    moved, cancelled, or another one is bought; words come late, twice, in any order, and while the sequence is off. So
    no word says by itself what is to be done. Each has the customer looked up in the log, where the last word about
    each membership counts, and wait for the next end that is to come. Once they have left they wait for the one after
    it. What has begun an enrolment that is over begins none again. The filter is asked once it is due.
    """

    sequences: SequenceBook
    enrolments: EnrolmentBook
    customers: CustomerBook
    look_back: LookBack
    schedule: ScheduleSteps
    clock: Clock

    def __call__(self, sequence: KnownSequence, customer_id: str) -> None:
        """Do it for a customer who is not inside, or has not begun; again changes nothing."""
        key = EnrolmentKey(sequence.business_id, customer_id, sequence.sequence_id)
        retried(lambda: self._plan(sequence, key))

    def still_comes(self, enrolment: Enrolment, definition: Definition, said: Sequence[Said]) -> bool:
        """Whether what somebody waits for comes as it was told, by the log."""
        found = coming(said, definition.trigger).get(enrolment.about or "")
        return found is not None and found.key == enrolment.entry_key

    def _plan(self, sequence: KnownSequence, key: EnrolmentKey) -> None:
        # Read before the log is: who has written since by an older log loses, and reads again.
        before = self.enrolments.get_many([key]).get(key)
        try:
            customer = self.customers.get(key.business_id, key.customer_id)
        except NotFoundError:
            return
        is_theirs = before is not None and before.uid == sequence.uid and before.is_of(customer.created_at)
        known = before if is_theirs else None
        version, definition = sequence.version, sequence.definition
        once = definition.reentry is Reentry.NEVER
        if known is not None and known.is_ahead:
            version = known.version
            if version != sequence.version:
                definition = self.sequences.version(key.business_id, sequence.uid, version)
        elif known is not None and known.bars(once=once):
            return
        if not definition.trigger.is_planned:
            return
        following = self._next(sequence, definition, key, known)
        if known is None or known.is_over:
            if following is not None:
                entered = _entered(sequence, key, definition, following, self.clock.now(), known)
                # What has begun it is remembered in the row.
                self.enrolments.enter(entered, before, once=True)
                self._tell(entered)
        elif following is None:
            left = known.left(LeftBecause.EXIT, self.clock.now())
            self.enrolments.replace(known, replace(left, entry_key=""), once=once)
        elif following.key == known.entry_key:
            # Who wrote it may have died before anybody was told.
            self._tell(known)
        else:
            waits = _entered(sequence, key, definition, following, self.clock.now())
            waits = replace(waits, entered_at=known.entered_at)
            waits = replace(waits, version=version, former=known.former, stood=known.stood)
            waits = replace(waits, row_version=known.row_version)
            self._tell(self.enrolments.replace(known, waits))

    def _next(
        self, sequence: KnownSequence, definition: Definition, key: EnrolmentKey, known: Enrolment | None
    ) -> Happened | None:
        """What is to come next, of what has begun nothing yet.

        What is over already, and what has lapsed, only for who waits for it.
        """
        now = self.clock.now()
        said = self.look_back(key.business_id, key.customer_id, ahead=True)
        waits_for = known.entry_key if known is not None and known.is_ahead else None
        done = () if known is None else known.done(now)
        if len(done) >= MOST_FORMER:
            return None
        names = {each.partition("@")[0] for each in done}
        ahead = (definition.trigger.days_before or 0) * DAY
        found = [
            (each.due_at, each.key, each)
            for each in coming(said, definition.trigger).values()
            if each.due_at is not None and entry_name(each.key) not in names
            if each.key == waits_for or (each.due_at + DAY > now and not sequence.has_lapsed(each.due_at - ahead))
        ]
        return min(found, default=(None, None, None))[2]

    def _tell(self, enrolment: Enrolment) -> None:
        if enrolment.wake_at is not None:
            self.schedule([(enrolment.key, enrolment.wake_at)])


class HearHappenings(Struct, frozen=True, kw_only=True):
    """Does in the sequences of a business what something that happened means there; it may be told again.

    Who is in one that it ends leaves, also while that is off; who waits for it goes on; whom it starts one for begins.
    In this order, so that what ends a sequence may start it anew. What happened before somebody began ends nothing, and
    what happened before a wait was reached does not end the wait, whenever it is told. What is still to come is looked
    up in the log (``PlanAhead``).
    """

    sequences: SequenceBook
    enrolments: EnrolmentBook
    customers: CustomerBook
    ask: AskFilter
    plan: PlanAhead
    schedule: ScheduleSteps
    clock: Clock

    def __call__(self, business_id: str, customer_id: str, happened: Iterable[Happened]) -> None:
        """Hear what happened with a customer, in the order in which it did."""
        self.in_these(self.sequences.all(business_id), customer_id, happened)

    def in_these(self, sequences: Sequence[KnownSequence], customer_id: str, happened: Iterable[Happened]) -> None:
        """Hear it in all sequences of a business, which have been read; for who hears of many customers."""
        saved = [each for each in sequences if each.may_have_people]
        planned: set[str] = set()
        for each in sorted(happened, key=lambda one: one.at):
            ended = self._act(customer_id, saved, each)
            for sequence in saved:
                if each.kind in PLANNED or (sequence.sequence_id in ended and sequence.definition.plans_again):
                    planned.add(sequence.sequence_id)
                elif _starts(sequence, each):
                    self.enter(sequence, customer_id, each)
        for sequence in saved:
            if sequence.sequence_id in planned and sequence.may_plan:
                self.plan(sequence, customer_id)

    def enter(self, sequence: KnownSequence, customer_id: str, happened: Happened) -> bool:
        """Begin a sequence for a customer; ``False`` where they do not, or have begun it because of this before."""
        definition = sequence.definition
        try:
            customer = self.customers.get(sequence.business_id, customer_id)
        except NotFoundError:
            return False
        key = EnrolmentKey(sequence.business_id, customer_id, sequence.sequence_id)
        is_meant = definition.filter is None or customer_id in self.ask(
            sequence.business_id, definition.filter, [customer]
        )
        if not is_meant:
            return False

        def write() -> bool:
            before = self.enrolments.get_many([key]).get(key)
            # What a sequence, or a customer, has left behind that has had the id before is written over.
            is_theirs = before is not None and before.uid == sequence.uid and before.is_of(customer.created_at)
            known = before if is_theirs else None
            if known is not None and self._is_same(known, happened):
                # Who wrote it may have died before anybody was told.
                self._tell(known)
                return False
            once = definition.reentry is Reentry.NEVER
            if known is not None and known.bars(once=once):
                return False
            entered = _entered(sequence, key, definition, happened, self.clock.now(), known)
            if not self.enrolments.enter(entered, before, once=once):
                return False
            self._tell(entered)
            return True

        return retried(write)

    def _is_same(self, before: Enrolment, happened: Happened) -> bool:
        return before.entry_key == happened.key

    def _tell(self, enrolment: Enrolment) -> None:
        """Have somebody go on at their time, which may be now."""
        if enrolment.wake_at is not None:
            self.schedule([(enrolment.key, enrolment.wake_at)])

    def _act(self, customer_id: str, saved: Sequence[KnownSequence], happened: Happened) -> frozenset[str]:
        """End and wake what this ends and wakes; the ids of the sequences that it has ended, now or before."""
        keys = [EnrolmentKey(sequence.business_id, customer_id, sequence.sequence_id) for sequence in saved]
        by_id = {sequence.sequence_id: sequence for sequence in saved}
        found = self.enrolments.get_many(keys)
        return frozenset(
            key.sequence_id for key, each in found.items() if self._meet(by_id[key.sequence_id], key, each, happened)
        )

    def _meet(self, sequence: KnownSequence, key: EnrolmentKey, found: Enrolment | None, happened: Happened) -> bool:
        """Do what something means for somebody, as they are at the moment when it is written; whether it ended it."""

        def write(now: Enrolment | None) -> bool:
            if now is None or now.uid != sequence.uid:
                return False
            if now.is_over:
                # Who wrote it may have died before they were to wait for what comes next.
                again = sequence.definition.plans_again and now.left_because in (LeftBecause.EXIT, LeftBecause.GOAL)
                return again and why_ended(sequence.definition, now, happened) is not None
            stood = now.stood_at(min(happened.at, self.clock.now()))
            definition = self._definition(sequence, stood[0].version if stood else now.version)
            because = why_ended(definition, now, happened)
            if because is not None:
                left = now.left(because, self.clock.now())
                self.enrolments.replace(now, left, once=definition.reentry is Reentry.NEVER)
            elif now.entry_key != happened.key:
                ends = became(_waits_for(definition, now, happened), [each.steps for each in stood])
                self._note(ends, now, happened)
            return because is not None

        return retried_from(found, write, lambda: self.enrolments.get_many([key]).get(key))

    def _note(self, ends: Sequence[str], found: Enrolment, happened: Happened) -> None:
        """Have somebody go on who is at one of the waits that it ``ends``; else note it for those they may come to."""
        if not ends:
            return
        now, wake_at = self.clock.now(), found.wake_at
        heard = Heard(entry_name(happened.key), happened.at, now, tuple(ends))
        known = next((each for each in found.heard if each.name == heard.name), None)
        if known is not None and (known.has_ended or known.happened_at >= heard.happened_at):
            if known.has_ended and found.is_due(now):
                # Who wrote it may have died before anybody was told.
                self._tell(found)
        elif found.step_id in ends and wake_at is not None and heard.happened_at < wake_at:
            if is_since(heard.happened_at, found.since):
                woken = found.hears(replace(heard, ends=()), now)
                self._tell(self.enrolments.replace(found, replace(woken, wake_at=min(wake_at, now))))
        else:
            later = tuple(each for each in ends if each != found.step_id)
            noted = found.hears(replace(heard, ends=later), now)
            if later and noted.heard != found.heard:
                self.enrolments.replace(found, noted)

    def _definition(self, sequence: KnownSequence, version: int) -> Definition:
        if version == sequence.version:
            return sequence.definition
        return self.sequences.version(sequence.business_id, sequence.uid, version)


def _entered(
    sequence: KnownSequence,
    key: EnrolmentKey,
    definition: Definition,
    happened: Happened,
    now: datetime,
    before: Enrolment | None = None,
) -> Enrolment:
    """At the very beginning, waiting for now, or for what is still to come; after ``before``, which is over."""
    due_at = (happened.due_at or now) - (definition.trigger.days_before or 0) * DAY
    return Enrolment(
        key=key,
        version=sequence.version,
        entry_key=happened.key,
        caused_by=happened.caused_by,
        uid=sequence.uid,
        entered_at=now,
        standing=Stage.WAITING,
        step_id=None,
        since=now,
        began_at=min(happened.at, now),
        wake_at=max(now, due_at),
        about=definition.about_of(happened),
        due_at=happened.due_at,
        former=() if before is None else before.done(now),
    )


def _waits_for(definition: Definition, found: Enrolment, happened: Happened) -> tuple[str, ...]:
    """The waits that it may end for somebody, by their steps."""
    return tuple(
        step_id
        for step_id, step in definition.program.steps.items()
        if isinstance(step.action, Wait)
        and step.action.for_event is not None
        and definition.concerns(step.action.for_event, happened, found.about)
    )


def _starts(sequence: KnownSequence, happened: Happened) -> bool:
    """Whether somebody begins because of it: a sequence never goes round in a circle with others or with itself."""
    is_own = sequence.sequence_id in happened.caused_by
    was_on = not happened.is_live or sequence.switched_at <= happened.at
    is_there = happened.starts and not happened.is_withdrawn and was_on
    return sequence.is_on and is_there and not is_own and sequence.definition.trigger.means(happened)
