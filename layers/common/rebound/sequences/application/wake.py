"""Waking: what the sweep does for sequences, and the job that goes through all who are in one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from operator import itemgetter
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.jobs.application.run_job import beyond, completed
from rebound.jobs.domain import Job, JobProgress
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.sequences.application.move import MOVE
from rebound.sequences.application.notice_entering import LOOK
from rebound.sequences.application.sequence_service import LAPSE, PLAN, REMOVE
from rebound.sequences.domain.enrolments import LeftBecause, Stage
from rebound.sequences.domain.sequences import Reentry
from rebound.sequences.domain.tasks import TOGETHER, StepTask, task_of, tasks_of

if TYPE_CHECKING:
    from rebound.activity.ports import SummaryBook
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerBook
    from rebound.jobs.ports import JobLedger
    from rebound.platform.ports import Clock
    from rebound.sequences.application.enrol import PlanAhead
    from rebound.sequences.application.move import MovePage
    from rebound.sequences.application.notice_entering import NoticeEntering
    from rebound.sequences.domain.enrolments import Enrolment
    from rebound.sequences.domain.sequences import KnownSequence
    from rebound.sequences.ports import EnrolmentBook, MemberBook, SequenceBook, StepQueue, StepTallies
    from rebound.timers.domain import Timer

PAGE = 500
"""Enrolments that one step of the job looks at."""
LOOKED_AT_ONCE = 100
"""Customers: as many as one request reads what is remembered of."""


class WakeEnrolments(Struct, frozen=True, kw_only=True):
    """Puts those whose timers are due on the queue, to come at their time."""

    step_queue: StepQueue
    clock: Clock

    def __call__(self, timers: Sequence[Timer]) -> None:
        """Wake for these; those of one time come together."""
        now = self.clock.now()
        by_delay: dict[timedelta, list[StepTask]] = {}
        for due_at, task in sorted(tasks_of(timers), key=itemgetter(0)):
            by_delay.setdefault(max(due_at - now, timedelta()), []).append(task)
        for delay, tasks in by_delay.items():
            self.step_queue.put(tasks, delay)


class SequenceWork(Struct, frozen=True, kw_only=True):
    """Goes through all who are in a sequence.

    It wakes who came due while it was off, takes everybody out, or moves who waits to its newest version. Through all
    customers it goes to look who enters it, and who is to wait for what is to come.
    """

    sequences: SequenceBook
    enrolments: EnrolmentBook
    step_tallies: StepTallies
    step_queue: StepQueue
    move_page: MovePage
    members: MemberBook
    customers: CustomerBook
    summaries: SummaryBook
    notice: NoticeEntering
    plan: PlanAhead
    job_ledger: JobLedger
    clock: Clock

    def step(self, job: Job, progress: JobProgress, within: tuple[str, str]) -> None:
        """Look at the next of them; those of another sequence, which has had the id before, stay as they are."""
        if job.request["what"] in (LOOK, PLAN):
            self._look(job, progress, within)
            return
        page = self.enrolments.page(job.business_id, job.request["sequence_id"], PAGE, progress.cursor)
        own = [each for each in page.items if each.uid == job.request["uid"]]
        what = job.request["what"]
        if what == MOVE:
            counts = self.move_page(job, own)
        else:
            counts = self._removed(own) if what == REMOVE else self._woken(job, own)
        self.job_ledger.commit(beyond(progress, {**counts, "looked_at": len(page.items)}, page.next_cursor))

    def conclude(self, job: Job, counts: Mapping[str, int]) -> Job:  # noqa: ARG002 - they are the ledger's
        """All were looked at; what was counted of a sequence that is gone, and is remembered, goes with it."""
        what, uid = job.request["what"], job.request["uid"]
        if what == REMOVE:
            self.step_tallies.delete(job.business_id, uid)
            while self.members.forget_some(job.business_id, uid):
                pass
        if what == LOOK and (sequence := self._looks(job)) is not None:
            self.notice.find.is_done(sequence, job.created_at)
        return completed(job)

    def _look(self, job: Job, progress: JobProgress, within: tuple[str, str]) -> None:
        """Look at the next customers; not any more where nothing is to be looked for, or nothing is to come."""
        plans = job.request["what"] == PLAN
        sequence = self._plans(job) if plans else self._looks(job)
        if sequence is None:
            self.job_ledger.commit(beyond(progress, {}, None))
            return
        customers = self.customers.read_range(job.business_id, *within, progress.cursor, LOOKED_AT_ONCE)
        counts = self._planned(sequence, customers) if plans else self.notice(sequence, customers)
        cursor = customers[-1].customer_id if len(customers) == LOOKED_AT_ONCE else None
        self.job_ledger.commit(beyond(progress, {**counts, "looked_at": len(customers)}, cursor))

    def _looks(self, job: Job) -> KnownSequence | None:
        """The sequence that looks, as long as it does."""
        sequence = self._on(job)
        return sequence if sequence is not None and sequence.definition.is_entered else None

    def _plans(self, job: Job) -> KnownSequence | None:
        """The sequence that somebody is to wait in for what is to come, as long as it is so."""
        sequence = self._on(job)
        return sequence if sequence is not None and sequence.definition.trigger.is_planned else None

    def _on(self, job: Job) -> KnownSequence | None:
        with suppress(NotFoundError):
            sequence = self.sequences.known(job.business_id, job.request["sequence_id"])
            return sequence if sequence.is_on and sequence.uid == job.request["uid"] else None
        return None

    def _planned(self, sequence: KnownSequence, customers: Sequence[Customer]) -> Mapping[str, int]:
        """Have those wait who have something that may end; summaries are written before anybody hears of it."""
        ids = [each.customer_id for each in customers]
        known = self.summaries.get_many(sequence.business_id, ids) if ids else {}
        members = [each for each in ids if each in known and known[each].memberships]
        for customer_id in members:
            self.plan(sequence, customer_id)
        return {"planned_for": len(members)}

    def _woken(self, job: Job, found: Sequence[Enrolment]) -> Mapping[str, int]:
        """Wake who is due, or let them go if what is late lapses; nothing while it is off again."""
        try:
            sequence = self.sequences.known(job.business_id, job.request["sequence_id"])
        except NotFoundError:
            return {}
        if not sequence.is_on:
            return {}
        now = self.clock.now()
        self._take_up(found)
        due = [each for each in found if each.is_due(now)]
        until = sequence.lapsed_until
        if job.request["what"] == LAPSE and until is not None:
            once = sequence.definition.reentry is Reentry.NEVER
            counts: Counter[str] = Counter()
            for each in due:
                if each.wake_at is not None and each.wake_at <= until:
                    if sequence.definition.plans_again:
                        # Who lets them go has them wait for what comes next; where they are gone already, too.
                        self._wake(job, sequence, [each])
                    with suppress(ConcurrentChangeError):
                        self.enrolments.replace(each, each.left(LeftBecause.LAPSED, now), once=once)
                        counts["lapsed"] += 1
            return counts
        self._wake(job, sequence, due)
        return {"woken": len(due)}

    def _wake(self, job: Job, sequence: KnownSequence, due: Sequence[Enrolment]) -> None:
        for start in range(0, len(due), TOGETHER):
            ids = [each.key.customer_id for each in due[start : start + TOGETHER]]
            task = task_of(job.business_id, sequence.sequence_id, ids, sequence.switched_at, job.job_id)
            self.step_queue.put([task])

    def _take_up(self, found: Sequence[Enrolment]) -> None:
        """Have those go on whose task came while it was off, in the hands in which they are."""
        by_batch: dict[str, list[str]] = {}
        for each in found:
            if each.standing is Stage.DOING and each.batch is not None:
                by_batch.setdefault(each.batch, []).append(each.key.customer_id)
        for batch, ids in by_batch.items():
            key, began = found[0].key, max(each.since for each in found if each.batch == batch)
            self.step_queue.put([StepTask(key.business_id, key.sequence_id, tuple(ids), batch, began)])

    def _removed(self, found: Sequence[Enrolment]) -> Mapping[str, int]:
        for each in found:
            self.enrolments.forget(each)
        return {"removed": len(found)}
