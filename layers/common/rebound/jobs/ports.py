"""What jobs need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rebound.platform.ports import PlatformPorts

if TYPE_CHECKING:
    from rebound.application.ports import JobBook, JobLedger, JobRunner


class JobsPorts(PlatformPorts, Protocol):
    """What the use cases of jobs need from outside."""

    @property
    def jobs(self) -> JobBook: ...

    @property
    def job_ledger(self) -> JobLedger: ...

    @property
    def job_runner(self) -> JobRunner: ...
