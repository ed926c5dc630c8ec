"""What the use cases of jobs need from outside."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from rebound.jobs.domain import FrozenPage, Job, JobProgress
from rebound.platform.ports import PlatformPorts


class JobBook(Protocol):
    """Jobs of all businesses."""

    def get(self, business_id: str, job_id: str) -> Job:
        """Strongly consistent. Raises ``NotFoundError``."""

    def newest(self, business_id: str, limit: int, before: str | None = None) -> Sequence[Job]:
        """The newest jobs, newest first; with ``before``, an id, those older than it."""

    def add(self, job: Job) -> None:
        """Write a new job. Raises ``ConcurrentChangeError`` when its id is taken."""

    def replace(self, job: Job) -> None:
        """Write a job if the stored row still has ``version``. Raises ``ConcurrentChangeError`` otherwise."""


class JobLedger(Protocol):
    """Progress of jobs. The work of a step takes effect when its progress is committed, and only once."""

    def get(self, job_id: str, phase: int, index: int) -> JobProgress:
        """The progress of a range (strongly consistent); an empty one when the range has not begun."""

    def commit(self, progress: JobProgress, frozen: FrozenPage | None = None) -> JobProgress:
        """Write progress, and a part of a frozen list with it, all or nothing; the progress as stored now.

        Raises ``ConcurrentChangeError`` when another invocation has gone on with the range since it was read.
        """

    def list(self, job_id: str, phase: int) -> Sequence[JobProgress]:
        """All ranges of a phase that have begun."""

    def frozen(self, job_id: str, index: int, number: int) -> FrozenPage | None:
        """A part of a frozen list; ``None`` after the last."""


class JobTransactions(Protocol):
    """Lets the owners of other tables commit a job's progress in the same transaction."""

    def committing(self, progress: JobProgress) -> AbstractContextManager[Any]:
        """``JobLedger.commit`` as a part of a larger transaction, which ends with the block."""


class JobRunner(Protocol):
    """Runs jobs."""

    def start(self, business_id: str, job_id: str, run: int) -> None:
        """Start a run of a job; starting the same run twice starts it once."""


class JobsPorts(PlatformPorts, Protocol):
    """What the use cases of jobs need from outside."""

    @property
    def jobs(self) -> JobBook: ...

    @property
    def job_ledger(self) -> JobLedger: ...

    @property
    def job_runner(self) -> JobRunner: ...
