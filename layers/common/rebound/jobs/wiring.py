"""The ports of jobs over AWS, and the use cases made from them (see ``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.platform.wiring import AwsPlatformPorts, PlatformUseCases, in_this_process, use_case

if TYPE_CHECKING:
    from rebound.jobs.adapters import DynamoJobLedger
    from rebound.jobs.application.job_service import JobService
    from rebound.jobs.application.run_job import JobWork, RunJob
    from rebound.jobs.domain import JobKind
    from rebound.jobs.ports import JobBook, JobLedger, JobRunner, JobsPorts


class AwsJobsPorts(AwsPlatformPorts):
    """The ports of jobs, implemented over AWS."""

    @cached_property
    def jobs(self) -> JobBook:
        from rebound.jobs.adapters import DynamoJobBook

        return DynamoJobBook(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def job_ledger(self) -> JobLedger:
        return self.dynamo_job_ledger

    @cached_property
    def dynamo_job_ledger(self) -> DynamoJobLedger:
        """For adapters that commit a job's progress and rows of their own in one transaction."""
        from rebound.jobs.adapters import DynamoJobLedger

        return DynamoJobLedger(self.settings["CHUNKS_TABLE"])

    @cached_property
    def job_runner(self) -> JobRunner:
        from rebound.jobs.adapters import StepFunctionsJobRunner

        return StepFunctionsJobRunner(self.aws("stepfunctions"), self.settings["JOB_STATE_MACHINE_ARN"])


class JobsUseCases(PlatformUseCases):
    """The use cases of jobs."""

    ports: JobsPorts

    job_service: JobService = use_case(
        "rebound.jobs.application.job_service", ledger="job_ledger", runner="job_runner", ranges="expansion_ranges"
    )

    @cached_property
    def job_works(self) -> Mapping[JobKind, JobWork]:
        """The work of each kind of job; each capability adds its own kinds."""
        return {}

    run_job: RunJob = use_case("rebound.jobs.application.run_job", ledger="job_ledger", works="job_works")


use_cases = in_this_process(JobsUseCases, AwsJobsPorts)
ports = AwsJobsPorts
