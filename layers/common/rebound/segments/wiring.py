"""The ports of segments over AWS, and the use cases made from them (see ``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.jobs.wiring import AwsJobsPorts, JobsUseCases
from rebound.loyalty.wiring import AwsLoyaltyPorts, LoyaltyUseCases
from rebound.platform.wiring import in_this_process, use_case
from rebound.segments.application.find_customers import ListCustomers

if TYPE_CHECKING:
    from rebound.jobs.application.run_job import JobWork
    from rebound.jobs.domain import JobKind
    from rebound.segments.adapters import DynamoSegmentBook
    from rebound.segments.application.bulk_delete import BulkDelete
    from rebound.segments.application.find_customers import CountCustomers
    from rebound.segments.application.pin_filters import PinFilters
    from rebound.segments.application.segment_service import SegmentService
    from rebound.segments.ports import RemovalLedger, SegmentBook, SegmentsPorts, SegmentUser


class AwsSegmentsPorts(AwsLoyaltyPorts, AwsJobsPorts):
    """The ports of segments, implemented over AWS."""

    @cached_property
    def segments(self) -> SegmentBook:
        return self.dynamo_segments

    @cached_property
    def dynamo_segments(self) -> DynamoSegmentBook:
        """For adapters that begin to use segments in one transaction with their own rows."""
        from rebound.segments.adapters import DynamoSegmentBook

        return DynamoSegmentBook(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def removal_ledger(self) -> RemovalLedger:
        from rebound.segments.adapters import DynamoRemovalLedger

        return DynamoRemovalLedger(self.dynamo_job_ledger, self.dynamo_customers)


class SegmentsUseCases(LoyaltyUseCases, JobsUseCases):
    """The use cases of segments."""

    ports: SegmentsPorts

    pin_filters: PinFilters = use_case("rebound.segments.application.pin_filters")
    segment_service: SegmentService = use_case("rebound.segments.application.segment_service", users="segment_users")
    list_customers: ListCustomers = use_case("rebound.segments.application.find_customers")
    count_customers: CountCustomers = use_case("rebound.segments.application.find_customers")
    bulk_delete: BulkDelete = use_case("rebound.segments.application.bulk_delete", jobs="job_service")

    @cached_property
    def segment_users(self) -> Sequence[SegmentUser]:
        """Who else uses segments; a capability that does adds its own."""
        return ()

    @cached_property
    def job_works(self) -> Mapping[JobKind, JobWork]:
        from rebound.jobs.domain import JobKind
        from rebound.segments.application.bulk_delete import BulkDeleteWork
        from rebound.segments.application.find_customers import CountingWork

        ledger = self.ports.job_ledger
        return {
            **super().job_works,
            JobKind.COUNT: self.made(CountingWork, ledger=ledger),
            JobKind.BULK_DELETE: self.made(
                BulkDeleteWork, ledger=ledger, removals=self.ports.removal_ledger, remove=self.remove_customer
            ),
        }


use_cases = in_this_process(SegmentsUseCases, AwsSegmentsPorts)
ports = AwsSegmentsPorts
