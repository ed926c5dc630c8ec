"""Jobs, their progress and who runs them, in memory."""

from collections.abc import Mapping, Sequence
from copy import replace
from functools import cached_property

from rebound.jobs.domain import FrozenPage, Job, JobProgress
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from tests.contract.platform.fakes import MemoryPlatformPorts


def newest[J](rows: Mapping[tuple[str, str], J], business_id: str, limit: int, before: str | None) -> Sequence[J]:
    """The newest of what a business has, by id."""
    ids = sorted(
        (id_ for owner, id_ in rows if owner == business_id and (before is None or id_ < before)), reverse=True
    )
    return [rows[business_id, id_] for id_ in ids[:limit]]


class MemoryJobBook:
    """Implements ``JobBook``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Job] = {}

    def get(self, business_id: str, job_id: str) -> Job:
        try:
            return self.rows[business_id, job_id]
        except KeyError:
            raise NotFoundError("job") from None

    def newest(self, business_id: str, limit: int, before: str | None = None) -> Sequence[Job]:
        return newest(self.rows, business_id, limit, before)

    def add(self, job: Job) -> None:
        if (job.business_id, job.job_id) in self.rows:
            raise ConcurrentChangeError
        self.rows[job.business_id, job.job_id] = replace(job, version=1)

    def replace(self, job: Job) -> None:
        stored = self.rows.get((job.business_id, job.job_id))
        if stored is None or stored.version != job.version:
            raise ConcurrentChangeError
        self.rows[job.business_id, job.job_id] = replace(job, version=job.version + 1)


class MemoryJobLedger:
    """Implements ``JobLedger``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int, int], JobProgress] = {}
        self.frozen_pages: dict[tuple[str, int, int], FrozenPage] = {}

    def get(self, job_id: str, phase: int, index: int) -> JobProgress:
        return self.rows.get((job_id, phase, index)) or JobProgress(job_id, phase, index)

    def commit(self, progress: JobProgress, frozen: FrozenPage | None = None) -> JobProgress:
        key = (progress.job_id, progress.phase, progress.index)
        if self.get(*key).version != progress.version:
            raise ConcurrentChangeError
        if frozen is not None:
            self.frozen_pages[frozen.job_id, frozen.index, frozen.number] = frozen
        self.rows[key] = replace(progress, version=progress.version + 1)
        return self.rows[key]

    def list(self, job_id: str, phase: int) -> Sequence[JobProgress]:
        return [progress for (job, of, _), progress in sorted(self.rows.items()) if (job, of) == (job_id, phase)]

    def frozen(self, job_id: str, index: int, number: int) -> FrozenPage | None:
        return self.frozen_pages.get((job_id, index, number))


class RecordingJobRunner:
    """Implements ``JobRunner``."""

    def __init__(self) -> None:
        self.started: list[tuple[str, str, int]] = []

    def start(self, business_id: str, job_id: str, run: int) -> None:
        if (business_id, job_id, run) not in self.started:
            self.started.append((business_id, job_id, run))


class MemoryJobsPorts(MemoryPlatformPorts):
    """Implements ``JobsPorts``."""

    @cached_property
    def jobs(self) -> MemoryJobBook:
        return MemoryJobBook()

    @cached_property
    def job_ledger(self) -> MemoryJobLedger:
        return MemoryJobLedger()

    @cached_property
    def job_runner(self) -> RecordingJobRunner:
        return RecordingJobRunner()
