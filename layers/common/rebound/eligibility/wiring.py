"""The ports of eligibility over AWS, and the use cases made of them (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.messages.wiring import AwsMessagesPorts, MessagesUseCases
from rebound.platform.wiring import in_this_process, use_case
from rebound.segments.wiring import AwsSegmentsPorts, SegmentsUseCases

if TYPE_CHECKING:
    from rebound.eligibility.application.explain_reachability import ExplainReachability
    from rebound.eligibility.application.frequency_reservations import FrequencyReservations
    from rebound.eligibility.application.limit_recipients import LimitRecipients
    from rebound.eligibility.application.preview_audience import PreviewAudience
    from rebound.eligibility.ports import BulkDayBook, EligibilityPorts, FrequencyBook
    from rebound.jobs.application.run_job import JobWork
    from rebound.jobs.domain import JobKind


class AwsEligibilityPorts(AwsSegmentsPorts, AwsMessagesPorts):
    """The ports of eligibility over AWS."""

    @cached_property
    def bulk_days(self) -> BulkDayBook:
        from rebound.eligibility.adapters import DynamoBulkDays

        return DynamoBulkDays(self.settings["FREQUENCIES_TABLE"])

    @cached_property
    def frequencies(self) -> FrequencyBook:
        from rebound.eligibility.adapters import DynamoFrequencyBook

        return DynamoFrequencyBook(self.settings["FREQUENCIES_TABLE"])


class EligibilityUseCases(SegmentsUseCases, MessagesUseCases):
    """The use cases of eligibility."""

    ports: EligibilityPorts

    preview_audience: PreviewAudience = use_case("rebound.eligibility.application.preview_audience")
    explain_reachability: ExplainReachability = use_case("rebound.eligibility.application.explain_reachability")
    limit_recipients: LimitRecipients = use_case(
        "rebound.eligibility.application.limit_recipients", preview="preview_audience"
    )
    frequency_reservations: FrequencyReservations = use_case("rebound.eligibility.application.frequency_reservations")

    @cached_property
    def job_works(self) -> Mapping[JobKind, JobWork]:
        from rebound.eligibility.application.preview_audience import PreviewWork
        from rebound.jobs.domain import JobKind

        return {
            **super().job_works,
            JobKind.PREVIEW: self.made(PreviewWork, ledger=self.ports.job_ledger, preview=self.preview_audience),
        }


use_cases = in_this_process(EligibilityUseCases, AwsEligibilityPorts)
ports = AwsEligibilityPorts
