"""Starting, watching and resuming jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import replace
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rebound.jobs.application.run_job import summed
from rebound.jobs.domain import ENDED, Job, JobKind, JobProgress, JobStatus, Spared
from rebound.kernel.errors import ConcurrentChangeError, ConflictError
from rebound.kernel.retrying import retried

if TYPE_CHECKING:
    from rebound.jobs.ports import JobBook, JobLedger, JobRunner
    from rebound.platform.ports import Clock, Ids, RequestIds


class JobView(Struct, frozen=True):
    """A job with the results of its phases so far."""

    job: Job
    counts: Sequence[Mapping[str, int]]
    """By phase."""
    ranges_done: int
    """Of the present phase."""
    spared: Sequence[Spared]


class JobService(Struct, frozen=True, kw_only=True):
    """The jobs of one business at a time."""

    jobs: JobBook
    ledger: JobLedger
    runner: JobRunner
    clock: Clock
    ids: Ids
    request_ids: RequestIds
    ranges: int

    def start(
        self,
        business_id: str,
        kind: JobKind,
        asked: Mapping[str, Any],
        *,
        request: str | None = None,
        in_one: bool = False,
        job_id: str | None = None,
        by: str | None = None,
        about: str | None = None,
    ) -> JobView:
        """Start a job; ``in_one`` makes it a single range, because there is nothing to split.

        ``request`` names the client's request: a retry of the request after a crash goes on with the same job. What
        nobody asked for has a ``job_id`` of what it is instead. ``by`` is the email of whoever asks at the desk, and
        ``about`` the id of the campaign that the job is for.
        """
        now = self.clock.now()
        proposed = job_id or self.ids.ulid(now)
        job_id = proposed if request is None else self.request_ids.id_for(business_id, request, proposed)
        with suppress(ConcurrentChangeError):  # when this request has come before
            self.jobs.add(Job(business_id, job_id, kind, asked, 1 if in_one else self.ranges, now, by=by, about=about))
        return self._started(business_id, job_id)

    def newest(self, business_id: str, limit: int, before: str | None = None) -> Sequence[Job]:
        """The newest jobs, newest first; with ``before``, an id, those older than it."""
        return self.jobs.newest(business_id, limit, before)

    def get(self, business_id: str, job_id: str) -> JobView:
        """Raises ``NotFoundError``."""
        return self._view(self.jobs.get(business_id, job_id))

    def resume(self, business_id: str, job_id: str) -> JobView:
        """Resume a paused job where it stopped; asking again is harmless.

        Raises ``NotFoundError``, and ``ConflictError`` when the job has ended.
        """

        def write() -> None:
            job = self.jobs.get(business_id, job_id)
            if job.status in ENDED:
                raise ConflictError(
                    "job_ended",
                    f"The job is {job.status}; there is nothing to resume.",
                    job_status=job.status,
                )
            if job.status is JobStatus.PAUSED:
                status = JobStatus.RUNNING if job.phase else JobStatus.COUNTING
                self.jobs.replace(replace(job, status=status, reason=None, run=job.run + 1))

        retried(write)
        return self._started(business_id, job_id)

    def _started(self, business_id: str, job_id: str) -> JobView:
        job = self.jobs.get(business_id, job_id)
        self.runner.start(business_id, job_id, job.run)
        return self._view(job)

    def _view(self, job: Job) -> JobView:
        phases: list[Sequence[JobProgress]] = [self.ledger.list(job.job_id, phase) for phase in range(job.phase + 1)]
        spared = [one for parts in phases for part in parts for one in part.spared]
        done = sum(part.done for part in phases[-1])
        return JobView(job, [summed(parts) for parts in phases], done, spared)
