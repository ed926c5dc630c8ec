"""Going on: what is done for those who are due in a sequence.

A task names some of them. Each is read, taken through the conditions that stand at its place as they are now, and
written where it waits next; what is to be sent or changed on the way is done in between. Before a message is sent the
enrolment is written as being done by this task, afterwards as standing at the step that follows. Whoever dies in
between leaves it so, and the task, which comes again, does the step once more: what is sent has a name of its own, made
of the task, the step and the version of its template, which is written with the enrolment when the step is begun, and
so is sent once (truth 14). A tag that is given or taken once more is as it was, and costs no write of the enrolment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct, field

from rebound.kernel.errors import ConcurrentChangeError, InvalidInputError, NotFoundError
from rebound.kernel.retrying import ATTEMPTS
from rebound.messages.domain.origins import StepOf
from rebound.segments.application.matching import among
from rebound.segments.domain.matching import Known
from rebound.segments.domain.selections import Selection, meant_by
from rebound.sequences.domain.enrolments import LeftBecause, Stage
from rebound.sequences.domain.looking_back import ended_since
from rebound.sequences.domain.results import ELSE, THEN
from rebound.sequences.domain.sequences import Reentry
from rebound.sequences.domain.steps import If, Send, Tag, Wait
from rebound.sequences.domain.waits import end_of

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.activity.domain.summary import Summary
    from rebound.activity.ports import SummaryBook
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import ContactBook
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerBook
    from rebound.platform.ports import Clock
    from rebound.segments.application.pin_filters import PinFilters
    from rebound.sequences.application.do_steps import DoSteps
    from rebound.sequences.application.enrol import PlanAhead
    from rebound.sequences.application.hear_activity import LookBack
    from rebound.sequences.application.schedule import ScheduleSteps
    from rebound.sequences.domain.enrolments import Enrolment, EnrolmentKey, Through
    from rebound.sequences.domain.sequences import Definition, SavedSequence
    from rebound.sequences.domain.steps import Step
    from rebound.sequences.domain.tasks import StepTask
    from rebound.sequences.ports import EnrolmentBook, SequenceBook


class AskFilter(Struct, frozen=True, kw_only=True):
    """Which of some customers match a filter as it is meant at this moment, with the segments that it names."""

    pin: PinFilters
    contacts: ContactBook
    summaries: SummaryBook
    clock: Clock

    def __call__(
        self,
        business_id: str,
        tree: Mapping[str, object],
        customers: Sequence[Customer],
        at: datetime | None = None,
        known: Mapping[str, Summary] | None = None,
    ) -> frozenset[str]:
        """Their ids: nobody's where it cannot be asked, because a segment that it names is not there any more.

        ``at`` asks as of another moment, with what is ``known`` of what they had done by then.
        """
        try:
            selection = self.pin.selection(business_id, Selection(filter=tree))
            matcher = meant_by(self.pin.at(business_id, selection, at or self.clock.now()))
        except InvalidInputError:
            return frozenset()
        if known is not None:
            contacts = self.contacts.get_many({key for each in customers for key in each.contact_keys})
            said = Known(contacts, known)
            return frozenset(each.customer_id for each in customers if matcher.decided(each, said))
        return frozenset(each.customer_id for each in among(customers, matcher, self.contacts, self.summaries))


class AdvanceEnrolments(Struct, frozen=True, kw_only=True):
    """Goes on with the customers of a task."""

    sequences: SequenceBook
    enrolments: EnrolmentBook
    businesses: BusinessDirectory
    customers: CustomerBook
    schedule: ScheduleSteps
    ask: AskFilter
    look_back: LookBack
    plan: PlanAhead
    do: DoSteps
    clock: Clock

    def __call__(self, task: StepTask) -> None:
        """Go on with each as far as it comes; who is not due, or is in other hands, stays.

        While the sequence is off, everybody stays where they are: who switches it on again wakes them.
        """
        try:
            sequence = self.sequences.get(task.business_id, task.sequence_id)
            business = self.businesses.get(task.business_id)
        except NotFoundError:
            self._clear(self.enrolments.get_many(task.keys).values())
            return
        if not sequence.is_on:
            return
        keys = task.keys
        for _ in range(ATTEMPTS):
            keys = self._go_on(task, sequence, business, keys)
            if not keys:
                return
        raise ConcurrentChangeError

    def _go_on(
        self, task: StepTask, sequence: SavedSequence, business: Business, keys: Sequence[EnrolmentKey]
    ) -> Sequence[EnrolmentKey]:
        """Go on with these; those whom somebody else has written meanwhile, and who are to be looked at again."""
        read = self.enrolments.get_many(keys)
        found = {key: one for key, one in read.items() if one.uid == sequence.uid}
        self._clear([one for key, one in read.items() if key not in found])
        customers = self.customers.get_many(task.business_id, [key.customer_id for key in found], as_of_now=True)
        by_version: dict[int, list[Enrolment]] = {}
        for each in found.values():
            by_version.setdefault(each.version, []).append(each)
        again: list[EnrolmentKey] = []
        for version, same in by_version.items():
            if version == sequence.version:
                definition = sequence.definition
            else:
                definition = self.sequences.version(task.business_id, sequence.uid, version)
            passing = _Pass(self, task, sequence, definition, business, customers)
            passing.go(same)
            again += passing.lost
        return again

    def _clear(self, found: Iterable[Enrolment]) -> None:
        """Have those leave whose sequence is gone: they began it while it was being deleted."""
        for each in found:
            try:
                is_there = self.sequences.get(each.key.business_id, each.key.sequence_id).uid == each.uid
            except NotFoundError:
                is_there = False
            if not is_there and not each.is_over:
                with suppress(ConcurrentChangeError):
                    self.enrolments.replace(each, each.left(LeftBecause.REMOVED, self.clock.now()), once=False)


class _Pass(Struct):
    """One passing of a task through one version."""

    uses: AdvanceEnrolments
    task: StepTask
    sequence: SavedSequence
    definition: Definition
    business: Business
    customers: Mapping[str, Customer]
    waiting: list[tuple[EnrolmentKey, datetime]] = field(default_factory=list)
    through: dict[EnrolmentKey, Through] = field(default_factory=dict)
    """The steps that somebody has passed since they were written last."""
    lost: list[EnrolmentKey] = field(default_factory=list)
    """Whom somebody else has written meanwhile."""
    over: list[str] = field(default_factory=list)
    """Who has left, and may wait for what comes next."""

    def go(self, enrolments: Iterable[Enrolment]) -> None:
        """Take them through the steps in the order of the program, which only leads on."""
        at: dict[str | None, list[Enrolment]] = {}
        # Who was due first goes on first, at each step.
        in_order = sorted(enrolments, key=lambda one: one.reached)
        turns = {each.key: turn for turn, each in enumerate(in_order)}
        for each in self._meant([one for one in in_order if self._goes_on(one)]):
            at.setdefault(self._place(each), []).append(each)
        for step_id, step in self.definition.program.steps.items():
            here = sorted(at.pop(step_id, []), key=lambda one: turns[one.key])
            if here:
                for next_id, who in self._at(step, here):
                    at.setdefault(next_id, []).extend(who)
        for each in at.pop(None, []):
            self._leave(each)
        self.uses.schedule(self.waiting)
        if self.sequence.definition.plans_again:
            for customer_id in self.over:
                self.uses.plan(self.sequence, customer_id)

    def _goes_on(self, enrolment: Enrolment) -> bool:
        """Whether somebody goes on now; who is not to be inside any more leaves."""
        customer = self.customers.get(enrolment.key.customer_id)
        if customer is None or not enrolment.is_of(customer.created_at):
            # Who was deleted is about to be forgotten; who is there again is somebody else.
            if not enrolment.is_over:
                self._written(enrolment, enrolment.left(LeftBecause.REMOVED, self.uses.clock.now()))
            return False
        if enrolment.is_over:
            # Who wrote it may have died before they were to wait for what comes next.
            self.over.append(enrolment.key.customer_id)
            return False
        if not self._is_mine(enrolment):
            return False
        if self._is_to_lapse(enrolment):
            self._leave(enrolment, LeftBecause.LAPSED)
            return False
        looks_back = self.definition.looks_back or enrolment.stood
        return enrolment.step_id is not None or not looks_back or self._begins(enrolment)

    def _begins(self, enrolment: Enrolment) -> bool:
        """Whether somebody who is to begin still is, by what the log says."""
        said = self.uses.look_back.of(self.definition, enrolment)
        because = ended_since(said, self.definition, enrolment, partial(self._counted, enrolment))
        if because is not None:
            self._leave(enrolment, because)
            return False
        if enrolment.is_ahead and self.definition.trigger.is_planned:
            if self.uses.plan.still_comes(enrolment, self.definition, said):
                return True
            self.uses.plan(self.sequence, enrolment.key.customer_id)
            return False
        return True

    def _meant(self, going: Sequence[Enrolment]) -> Sequence[Enrolment]:
        """Those whom it is for: who has waited for what was to come is asked about now that it is due."""
        tree = self.definition.filter
        asked = [each for each in going if each.is_ahead and self.definition.trigger.is_planned]
        if tree is None or not asked:
            return going
        meant = self.uses.ask(self.task.business_id, tree, self._customers(asked))
        others = [each for each in asked if each.key.customer_id not in meant]
        for each in others:
            self._leave(each, LeftBecause.NOT_MATCHING)
        return [each for each in going if each not in others]

    def _counted(self, enrolment: Enrolment, at: datetime) -> Definition:
        """By what something counts that happened then: by the version in which they were."""
        stood = enrolment.stood_at(at)
        if not stood:
            return self.definition
        return self.uses.sequences.version(self.task.business_id, self.sequence.uid, stood[0].version)

    def _is_mine(self, enrolment: Enrolment) -> bool:
        """Whether this task goes on with it: it is due, or in this task's hands since it came before."""
        if enrolment.standing is Stage.DOING:
            return enrolment.batch == self.task.batch
        if enrolment.is_due(self.uses.clock.now()) and enrolment.reached <= self.task.at:
            return True
        if enrolment.wake_at is not None:
            # Who wrote it may have died before they had it woken; and who has been sent to by this task, and has begun
            # again, would be taken for sent to.
            self.waiting.append((enrolment.key, enrolment.wake_at))
        return False

    def _is_to_lapse(self, enrolment: Enrolment) -> bool:
        """Whether somebody came due before it was switched on, and what was late lapses: the job may be behind.

        Also somebody with whom a worker died.
        """
        until = self.sequence.lapsed_until
        return until is not None and enrolment.entered_at <= enrolment.reached <= until

    def _place(self, enrolment: Enrolment) -> str | None:
        """Where somebody goes on: at what is being done, else behind the wait that is over."""
        program = self.definition.program
        if enrolment.step_id is None:
            return program.first_id
        return enrolment.step_id if enrolment.standing is Stage.DOING else program.steps[enrolment.step_id].next_id

    def _at(self, step: Step, here: Sequence[Enrolment]) -> Iterable[tuple[str | None, list[Enrolment]]]:
        """Do what a step says for those who stand there; where each of them goes on now."""
        match step.action:
            case Wait():
                yield step.next_id, self._waited(step.step_id, step.action, here)
            case If():
                who = self.uses.ask(self.task.business_id, step.action.filter, self._customers(here))
                matching = [each for each in here if each.key.customer_id in who]
                others = [each for each in here if each.key.customer_id not in who]
                yield step.next_id, self._passing(step.step_id, THEN, matching)
                yield step.else_id, self._passing(step.step_id, ELSE, others)
            case Send():
                yield step.next_id, self._done(step.step_id, step.action, here)
            case Tag():
                # What stands behind it asks about them as they are with it.
                self.customers = self.uses.do.tag(step.action, here, self.customers)
                yield step.next_id, self._passing(step.step_id, "", here)
            case _:
                yield None, self._passing(step.step_id, "", here)

    def _passing(self, step_id: str, way: str, who: Sequence[Enrolment]) -> list[Enrolment]:
        """Those who pass a step without a write."""
        for each in who:
            self.through[each.key] = (*self.through.get(each.key, ()), (step_id, way))
        return list(who)

    def _done(self, step_id: str, send: Send, here: Sequence[Enrolment]) -> list[Enrolment]:
        """Those to whom the step has been sent: once each, whoever dies."""
        now = self.uses.clock.now()
        again = [each for each in here if each.standing is Stage.DOING and each.step_id == step_id]
        others = [each for each in here if each not in again]
        made = self.uses.do.template_version(self.sequence, send) if others else None
        taken = [one for each in others if (one := self._begun(step_id, each, now, made))]
        mine = [*again, *taken]
        if mine:
            of = StepOf(self.sequence.sequence_id, mine[0].version, step_id)
            self.uses.do.send(self.sequence, of, send, mine, self.task.batch)
        return mine

    def _begun(self, step_id: str, enrolment: Enrolment, now: datetime, made: int | None) -> Enrolment | None:
        """At a step of this task; what is done at once with others is begun with the first of them."""
        since = enrolment.since if enrolment.standing is Stage.DOING else now
        after = enrolment.does(step_id, since, self.task.batch, self._came(enrolment), made)
        return self._written(enrolment, after)

    def _waited(self, step_id: str, wait: Wait, here: Sequence[Enrolment]) -> list[Enrolment]:
        """Have them wait; those for whom the wait is over already."""
        met = [one for each in here if (one := each.met(step_id)) is not None]
        passing = {each.key for each in met}
        self._wait(step_id, wait, [each for each in here if each.key not in passing])
        return self._passing(step_id, "", met)

    def _wait(self, step_id: str, wait: Wait, here: Sequence[Enrolment]) -> None:
        now = self.uses.clock.now()
        for each in here:
            zone = self.customers[each.key.customer_id].time_zone or self.business.time_zone
            wake_at = end_of(wait, now, zone)
            if self._written(each, each.waits(step_id, each.reached, wake_at, self._came(each))) is not None:
                self.waiting.append((each.key, wake_at))

    def _leave(self, enrolment: Enrolment, because: LeftBecause = LeftBecause.ENDED) -> None:
        left = enrolment.left(because, self.uses.clock.now(), self._came(enrolment))
        if self._written(enrolment, left) is not None:
            self.over.append(enrolment.key.customer_id)

    def _came(self, enrolment: Enrolment) -> Through:
        """By what steps somebody came to the one that is written now."""
        return self.through.pop(enrolment.key, ())

    def _written(self, before: Enrolment, after: Enrolment) -> Enrolment | None:
        """As it stands now; ``None`` where somebody else has written it, who went on with it, ended it, or noted it."""
        with suppress(ConcurrentChangeError):
            return self.uses.enrolments.replace(before, after, once=self.definition.reentry is Reentry.NEVER)
        self.lost.append(before.key)
        return None

    def _customers(self, here: Sequence[Enrolment]) -> list[Customer]:
        return [self.customers[each.key.customer_id] for each in here]
