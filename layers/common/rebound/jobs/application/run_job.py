"""The kernel of jobs: phases over key ranges, done in steps that may die and begin again without harm.

A ``JobWork`` does what one kind of job does. Each step does a bounded piece of a range and commits it together with the
range's progress. An invocation that loses the commit to another one reads the progress again and goes on from there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import replace
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from rebound.jobs.domain import ENDED, STANDING, Job, JobKind, JobProgress, JobStatus
from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.ids import bounds

if TYPE_CHECKING:
    from rebound.jobs.ports import JobBook, JobLedger
    from rebound.platform.ports import Clock

PAUSED_BY_ERROR = "A technical error did not go away. Resuming goes on where it stopped."


class JobWork(Protocol):
    """What one kind of job does."""

    def step(self, job: Job, progress: JobProgress, within: tuple[str, str]) -> None:
        """Do the next piece of a range (``within``: first and last id, inclusive) and commit the progress after it.

        Raises ``ConcurrentChangeError`` when another invocation has gone on with the range.
        """

    def conclude(self, job: Job, counts: Mapping[str, int]) -> Job:
        """The job after a phase whose ranges have these ``counts`` in total: in its next phase, or ended."""


class RunJob(Struct, frozen=True, kw_only=True):
    """The steps of the job state machine. Each may run again at any time, even while another run of it goes on."""

    jobs: JobBook
    ledger: JobLedger
    works: Mapping[JobKind, JobWork]
    clock: Clock

    def advance(self, business_id: str, job_id: str) -> Sequence[int]:
        """Conclude each phase that is done; the ranges with work left, none when the job is paused or has ended."""
        while True:
            job = self.jobs.get(business_id, job_id)
            if job.status in STANDING:
                return ()
            parts = self.ledger.list(job_id, job.phase)
            done = {part.index for part in parts if part.done}
            if waiting := [index for index in range(job.ranges) if index not in done]:
                return waiting
            after = self.works[job.kind].conclude(job, summed(parts))
            self.jobs.replace(replace(after, ended_at=self.clock.now() if after.status in ENDED else None))

    def work(self, business_id: str, job_id: str, index: int, may_go_on: Callable[[], bool]) -> bool:
        """Work on a range while ``may_go_on``; whether nothing is left to do in the range for now."""
        while True:
            job = self.jobs.get(business_id, job_id)
            progress = self.ledger.get(job_id, job.phase, index)
            if progress.done or job.status in STANDING:
                return True
            if not may_go_on():
                return False
            # Another invocation may be at the same range, such as one that was thought dead.
            with suppress(ConcurrentChangeError):
                self.works[job.kind].step(job, progress, bounds(index, job.ranges))

    def pause(self, business_id: str, job_id: str) -> None:
        """Set a job aside after an error, until somebody resumes it."""
        job = self.jobs.get(business_id, job_id)
        if job.status not in STANDING:
            self.jobs.replace(replace(job, status=JobStatus.PAUSED, reason=PAUSED_BY_ERROR))


def summed(parts: Sequence[JobProgress]) -> Mapping[str, int]:
    """The counts of all ranges together."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part.counts)
    return total


def beyond(progress: JobProgress, counts: Mapping[str, int], cursor: str | None) -> JobProgress:
    """The progress after a piece with these ``counts``; the range is done when ``cursor`` is ``None``."""
    total = Counter(progress.counts)
    total.update(counts)
    return replace(progress, counts=dict(total), cursor=cursor or progress.cursor, done=cursor is None)


def completed(job: Job) -> Job:
    """The job as completed."""
    return replace(job, status=JobStatus.COMPLETED)
