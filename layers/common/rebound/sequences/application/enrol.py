"""Beginning, ending and waking: what happens in sequences when something happens with a customer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.errors import NotFoundError
from rebound.kernel.retrying import retried, retried_from
from rebound.recurring.domain.days import DAY
from rebound.sequences.domain.enrolments import Enrolment, EnrolmentKey, LeftBecause, Stage, entry_name
from rebound.sequences.domain.heard import Heard, is_since
from rebound.sequences.domain.sequences import Reentry
from rebound.sequences.domain.steps import Wait

if TYPE_CHECKING:
    from rebound.customers.ports import CustomerBook
    from rebound.platform.ports import Clock
    from rebound.sequences.application.advance import AskFilter
    from rebound.sequences.application.schedule import ScheduleSteps
    from rebound.sequences.domain.happenings import Happened
    from rebound.sequences.domain.sequences import Definition, KnownSequence
    from rebound.sequences.ports import EnrolmentBook, SequenceBook


class HearHappenings(Struct, frozen=True, kw_only=True):
    """Does in the sequences of a business what something that happened means there; it may be told again.

    Who is in one that it ends leaves, also while that is off; who waits for it goes on; whom it starts one for begins.
    In this order, so that what ends a sequence may start it anew. What happened before somebody began ends nothing, and
    what happened before a wait was reached does not end the wait, whenever it is told.
    """

    sequences: SequenceBook
    enrolments: EnrolmentBook
    customers: CustomerBook
    ask: AskFilter
    schedule: ScheduleSteps
    clock: Clock

    def __call__(self, business_id: str, customer_id: str, happened: Iterable[Happened]) -> None:
        """Hear what happened with a customer, in the order in which it did."""
        saved = [each for each in self.sequences.all(business_id) if each.may_have_people]
        if not saved:
            return
        for each in sorted(happened, key=lambda one: one.at):
            self._act(business_id, customer_id, saved, each)
            for sequence in saved:
                if _starts(sequence, each):
                    self.enter(sequence, customer_id, each)

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
            entered = self._begun(sequence, key, happened)
            if not self.enrolments.enter(entered, before, once=once):
                return False
            self._tell(entered)
            return True

        return retried(write)

    def _begun(self, sequence: KnownSequence, key: EnrolmentKey, happened: Happened) -> Enrolment:
        """At the very beginning: waiting for now, or for when what is still to come is due."""
        now = self.clock.now()
        due_at = happened.due_at or now
        ahead = sequence.definition.trigger.days_before
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
            wake_at=max(now, due_at if ahead is None else due_at - ahead * DAY),
        )

    def _is_same(self, before: Enrolment, happened: Happened) -> bool:
        return before.entry_key == happened.key

    def _tell(self, enrolment: Enrolment) -> None:
        """Have somebody go on at their time, which may be now."""
        if enrolment.wake_at is not None:
            self.schedule([(enrolment.key, enrolment.wake_at)])

    def _act(self, business_id: str, customer_id: str, saved: Sequence[KnownSequence], happened: Happened) -> None:
        """End and wake what this ends and wakes."""
        keys = [EnrolmentKey(business_id, customer_id, sequence.sequence_id) for sequence in saved]
        by_id = {sequence.sequence_id: sequence for sequence in saved}
        for key, found in self.enrolments.get_many(keys).items():
            self._meet(by_id[key.sequence_id], key, found, happened)

    def _meet(self, sequence: KnownSequence, key: EnrolmentKey, found: Enrolment | None, happened: Happened) -> None:
        """Do what something means for somebody, as they are at the moment when it is written."""

        def write(now: Enrolment | None) -> None:
            if now is None or now.is_over or now.uid != sequence.uid or now.entry_key == happened.key:
                return
            definition = self._definition(sequence, now)
            because = _ends(definition, now, happened)
            if because is not None:
                left = now.left(because, self.clock.now())
                self.enrolments.replace(now, left, once=definition.reentry is Reentry.NEVER)
            else:
                self._note(definition, now, happened)

        retried_from(found, write, lambda: self.enrolments.get_many([key]).get(key))

    def _note(self, definition: Definition, found: Enrolment, happened: Happened) -> None:
        """Have somebody go on who waits for it; else note it for waits that they may come to."""
        ends = _waits_for(definition, happened)
        if not ends:
            return
        now, wake_at = self.clock.now(), found.wake_at
        heard = Heard(entry_name(happened.key), happened.at, now, ends)
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

    def _definition(self, sequence: KnownSequence, found: Enrolment) -> Definition:
        if found.version == sequence.version:
            return sequence.definition
        return self.sequences.version(sequence.business_id, sequence.uid, found.version)


def _ends(definition: Definition, found: Enrolment, happened: Happened) -> LeftBecause | None:
    """Why somebody leaves because of it, if they do."""
    if found.step_id is None and definition.trigger.means(happened):
        # What was to come comes at another time, or not at all; nothing has been done yet. Of what has happened, one
        # more is nothing: what began it is told again, also after the other.
        return LeftBecause.EXIT if happened.due_at is not None or happened.is_withdrawn else None
    ended = definition.ended_by(happened)
    if ended is None or not is_since(happened.at, found.began_at or found.entered_at):
        return None
    # A membership that is over has not been renewed.
    return LeftBecause.GOAL if ended.is_goal and not happened.is_withdrawn else LeftBecause.EXIT


def _waits_for(definition: Definition, happened: Happened) -> tuple[str, ...]:
    """The waits that it may end, by their steps."""
    return tuple(
        step_id
        for step_id, step in definition.program.steps.items()
        if isinstance(step.action, Wait) and step.action.for_event is not None and step.action.for_event.means(happened)
    )


def _starts(sequence: KnownSequence, happened: Happened) -> bool:
    """Whether somebody begins because of it: a sequence never goes round in a circle with others or with itself."""
    is_own = sequence.sequence_id in happened.caused_by
    was_on = not happened.is_live or sequence.switched_at <= happened.at
    is_there = happened.starts and not happened.is_withdrawn and was_on
    return sequence.is_on and is_there and not is_own and sequence.definition.trigger.means(happened)
