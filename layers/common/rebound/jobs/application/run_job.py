"""The kernel of jobs: phases over key ranges, step by step, so that dying and beginning again change nothing.

What a kind of job does is a ``JobWork``. Each of its steps does a bounded piece of a range and commits it together with
the progress past it; whoever loses that commit to another invocation looks at where the range stands and goes on there.
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
        """Do the next piece of a range, first and last id inclusive, and commit the progress past it.

        Raises ``ConcurrentChangeError`` when somebody else has gone on with the range.
        """

    def conclude(self, job: Job, counts: Mapping[str, int]) -> Job:
        """The job after a phase whose ranges came to ``counts``: in its next phase, or with its last word."""


class RunJob(Struct, frozen=True, kw_only=True):
    """The steps of the job state machine. Each may be run again at any time, also beside itself."""

    jobs: JobBook
    ledger: JobLedger
    works: Mapping[JobKind, JobWork]
    clock: Clock

    def advance(self, business_id: str, job_id: str) -> Sequence[int]:
        """The ranges that have something left to do, after concluding each phase in which none has; none at the end."""
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
        """Work at a range while there is time; whether nothing is left to do in it for now."""
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
    """The progress after a piece that came to ``counts``; the range is done when nothing continues it."""
    total = Counter(progress.counts)
    total.update(counts)
    return replace(progress, counts=dict(total), cursor=cursor or progress.cursor, done=cursor is None)


def completed(job: Job) -> Job:
    """The job with its last word."""
    return replace(job, status=JobStatus.COMPLETED)
