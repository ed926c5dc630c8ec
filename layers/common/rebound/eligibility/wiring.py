"""What eligibility need from outside, AWS behind it, and the use cases made of it (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.messages.wiring import AwsMessagesPorts, MessagesUseCases
from rebound.platform.wiring import in_this_process
from rebound.segments.wiring import AwsSegmentsPorts, SegmentsUseCases

if TYPE_CHECKING:
    from rebound.eligibility.application.explain_reachability import ExplainReachability
    from rebound.eligibility.application.frequency_reservations import FrequencyReservations
    from rebound.eligibility.application.preview_audience import PreviewAudience
    from rebound.eligibility.ports import EligibilityPorts, FrequencyBook
    from rebound.jobs.application.run_job import JobWork
    from rebound.jobs.domain.jobs import JobKind


class AwsEligibilityPorts(AwsSegmentsPorts, AwsMessagesPorts):
    """The same over AWS."""

    @cached_property
    def frequencies(self) -> FrequencyBook:
        from rebound.eligibility.adapters.dynamo_frequencies import DynamoFrequencyBook

        return DynamoFrequencyBook(self.settings["FREQUENCIES_TABLE"])


class EligibilityUseCases(SegmentsUseCases, MessagesUseCases):
    """The use cases of eligibility."""

    ports: EligibilityPorts

    @cached_property
    def preview_audience(self) -> PreviewAudience:
        from rebound.eligibility.application.preview_audience import PreviewAudience

        return PreviewAudience(
            customers=self.ports.customers,
            contacts=self.ports.contacts,
            frequencies=self.ports.frequencies,
            businesses=self.ports.businesses,
            clock=self.ports.clock,
            whereabouts=self.ports.whereabouts,
        )

    @cached_property
    def explain_reachability(self) -> ExplainReachability:
        from rebound.eligibility.application.explain_reachability import ExplainReachability

        return ExplainReachability(
            customers=self.ports.customers,
            contacts=self.ports.contacts,
            frequencies=self.ports.frequencies,
            businesses=self.ports.businesses,
            messages=self.ports.messages,
            clock=self.ports.clock,
            whereabouts=self.ports.whereabouts,
        )

    @cached_property
    def frequency_reservations(self) -> FrequencyReservations:
        from rebound.eligibility.application.frequency_reservations import FrequencyReservations

        return FrequencyReservations(frequencies=self.ports.frequencies, clock=self.ports.clock)

    @cached_property
    def job_works(self) -> Mapping[JobKind, JobWork]:
        from rebound.eligibility.application.preview_audience import PreviewWork
        from rebound.jobs.domain.jobs import JobKind

        preview = PreviewWork(
            customers=self.ports.customers,
            contacts=self.ports.contacts,
            frequencies=self.ports.frequencies,
            businesses=self.ports.businesses,
            ledger=self.ports.job_ledger,
            whereabouts=self.ports.whereabouts,
        )
        return {**super().job_works, JobKind.PREVIEW: preview}


def use_cases() -> EligibilityUseCases:
    """Those of this process."""
    return in_this_process(EligibilityUseCases, ports)


def ports() -> AwsEligibilityPorts:
    """Those of this process, over AWS."""
    return AwsEligibilityPorts()
