"""Beginning, ending and waking: what happens in sequences when something happens with a customer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.retrying import retried
from rebound.recurring.domain.days import DAY
from rebound.sequences.domain.enrolments import Enrolment, EnrolmentKey, LeftBecause, Standing
from rebound.sequences.domain.sequences import Reentry
from rebound.sequences.domain.steps import Wait

if TYPE_CHECKING:
    from rebound.customers.ports import CustomerBook
    from rebound.platform.ports import Clock
    from rebound.sequences.application.advance import AskFilter
    from rebound.sequences.application.schedule import ScheduleSteps
    from rebound.sequences.domain.happenings import Happened
    from rebound.sequences.domain.sequences import Definition, SavedSequence
    from rebound.sequences.ports import EnrolmentBook, SequenceBook


class HearHappenings(Struct, frozen=True, kw_only=True):
    """Does in the sequences of a business what something that happened means there; it may be told again.

    Who is in one that it ends leaves; who waits for it goes on; whom it starts one for begins. In this order, so that
    what ends a sequence may start it anew.
    """

    sequences: SequenceBook
    enrolments: EnrolmentBook
    customers: CustomerBook
    ask: AskFilter
    schedule: ScheduleSteps
    clock: Clock

    def __call__(self, business_id: str, customer_id: str, happened: Iterable[Happened]) -> None:
        """Hear what happened with a customer, in the order in which it did."""
        saved = [each for each in self.sequences.all(business_id) if each.is_on]
        if not saved:
            return
        for each in sorted(happened, key=lambda one: one.at):
            self._act(business_id, customer_id, saved, each)
            for sequence in saved:
                if each.starts and not each.is_withdrawn and sequence.definition.trigger.means(each):
                    self.enter(sequence, customer_id, each)

    def enter(self, sequence: SavedSequence, customer_id: str, happened: Happened) -> bool:
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
            # What a sequence has left behind that has had the id before is written over.
            known = before if before is not None and before.uid == sequence.uid else None
            if known is not None and self._is_same(known, happened):
                # Who wrote it may have died before anybody was told.
                self._tell(known)
                return False
            once = definition.reentry is Reentry.NEVER
            if known is not None and known.bars(once=once):
                return False
            entered = self._begun(sequence, key, happened)
            if not self.enrolments.enter(entered, before, once=once):
                return False
            self._tell(entered)
            return True

        return retried(write)

    def _begun(self, sequence: SavedSequence, key: EnrolmentKey, happened: Happened) -> Enrolment:
        """At the very beginning: waiting for now, or for when what is still to come is due."""
        now = self.clock.now()
        due_at = happened.due_at or now
        ahead = sequence.definition.trigger.days_before
        return Enrolment(
            key=key,
            version=sequence.version,
            entry_key=happened.key,
            uid=sequence.uid,
            entered_at=now,
            standing=Standing.WAITING,
            step_id=None,
            since=now,
            wake_at=max(now, due_at if ahead is None else due_at - ahead * DAY),
        )

    def _is_same(self, before: Enrolment, happened: Happened) -> bool:
        return before.entry_key == happened.key

    def _tell(self, enrolment: Enrolment) -> None:
        """Have somebody go on at their time, which may be now."""
        if enrolment.wake_at is not None:
            self.schedule([(enrolment.key, enrolment.wake_at)])

    def _act(self, business_id: str, customer_id: str, saved: Sequence[SavedSequence], happened: Happened) -> None:
        """End and wake what this ends and wakes."""
        keys = [EnrolmentKey(business_id, customer_id, sequence.sequence_id) for sequence in saved]
        by_id = {sequence.sequence_id: sequence for sequence in saved}
        for key, found in self.enrolments.get_many(keys).items():
            sequence = by_id[key.sequence_id]
            if found.is_over or found.entry_key == happened.key or found.uid != sequence.uid:
                continue
            definition = self._definition(sequence, found)
            ended = definition.ended_by(happened)
            if found.step_id is None and definition.trigger.means(happened):
                # What was to come comes at another time, or not at all; nothing has been done yet.
                self._leave(found, LeftBecause.EXIT, definition)
            elif ended is not None:
                # A membership that is over has not been renewed.
                is_goal = ended.is_goal and not happened.is_withdrawn
                self._leave(found, LeftBecause.GOAL if is_goal else LeftBecause.EXIT, definition)
            elif _waits_for(definition, found, happened):
                self._wake(found)

    def _leave(self, found: Enrolment, because: LeftBecause, definition: Definition) -> None:
        def write() -> None:
            now = self.enrolments.get_many([found.key]).get(found.key)
            if now is not None and not now.is_over and now.entry_key == found.entry_key:
                left = now.left(because, self.clock.now())
                self.enrolments.replace(now, left, once=definition.reentry is Reentry.NEVER)

        retried(write)

    def _wake(self, found: Enrolment) -> None:
        """Who waits goes on now, unless somebody has gone on with them already."""
        with suppress(ConcurrentChangeError):
            woken = self.enrolments.replace(found, replace(found, wake_at=self.clock.now()))
            self._tell(woken)

    def _definition(self, sequence: SavedSequence, found: Enrolment) -> Definition:
        if found.version == sequence.version:
            return sequence.definition
        return self.sequences.version(sequence.business_id, sequence.sequence_id, found.version)


def _waits_for(definition: Definition, found: Enrolment, happened: Happened) -> bool:
    """Whether somebody waits for what happened."""
    if found.standing is not Standing.WAITING or found.step_id is None:
        return False
    action = definition.program.steps[found.step_id].action
    return isinstance(action, Wait) and action.for_event is not None and action.for_event.means(happened)
