"""What segments need from outside, AWS behind it, and the use cases made of it (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.customers.wiring import AwsCustomersPorts, CustomersUseCases
from rebound.jobs.wiring import AwsJobsPorts, JobsUseCases
from rebound.platform.wiring import in_this_process
from rebound.segments.application.list_customers import ListCustomers

if TYPE_CHECKING:
    from rebound.jobs.application.run_job import JobWork
    from rebound.jobs.domain.jobs import JobKind
    from rebound.segments.application.bulk_delete import BulkDelete
    from rebound.segments.application.count_customers import CountCustomers
    from rebound.segments.application.segment_service import SegmentService
    from rebound.segments.ports import RemovalLedger, SegmentBook, SegmentsPorts


class AwsSegmentsPorts(AwsCustomersPorts, AwsJobsPorts):
    """The same over AWS."""

    @cached_property
    def segments(self) -> SegmentBook:
        from rebound.segments.adapters.dynamo_segments import DynamoSegmentBook

        return DynamoSegmentBook(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def removal_ledger(self) -> RemovalLedger:
        from rebound.segments.adapters.dynamo_removals import DynamoRemovalLedger

        return DynamoRemovalLedger(self.dynamo_job_ledger, self.dynamo_customers)


class SegmentsUseCases(CustomersUseCases, JobsUseCases):
    """The use cases of segments."""

    ports: SegmentsPorts

    @cached_property
    def segment_service(self) -> SegmentService:
        from rebound.segments.application.segment_service import SegmentService

        return SegmentService(segments=self.ports.segments, clock=self.ports.clock)

    @cached_property
    def list_customers(self) -> ListCustomers:
        from rebound.segments.application.list_customers import ListCustomers

        return ListCustomers(
            customers=self.ports.customers, contacts=self.ports.contacts, businesses=self.ports.businesses
        )

    @cached_property
    def count_customers(self) -> CountCustomers:
        from rebound.segments.application.count_customers import CountCustomers

        return CountCustomers(customers=self.ports.customers, clock=self.ports.clock)

    @cached_property
    def bulk_delete(self) -> BulkDelete:
        from rebound.segments.application.bulk_delete import BulkDelete

        return BulkDelete(jobs=self.job_service)

    @cached_property
    def job_works(self) -> Mapping[JobKind, JobWork]:
        from rebound.jobs.domain.jobs import JobKind
        from rebound.segments.application.bulk_delete import BulkDeleteWork
        from rebound.segments.application.count_customers import CountingWork

        return {
            **super().job_works,
            JobKind.COUNT: CountingWork(customers=self.ports.customers, ledger=self.ports.job_ledger),
            JobKind.BULK_DELETE: BulkDeleteWork(
                customers=self.ports.customers,
                contacts=self.ports.contacts,
                businesses=self.ports.businesses,
                ledger=self.ports.job_ledger,
                removals=self.ports.removal_ledger,
                remove=self.remove_customer,
            ),
        }


def use_cases() -> SegmentsUseCases:
    """Those of this process."""
    return in_this_process(SegmentsUseCases, ports)


def ports() -> AwsSegmentsPorts:
    """Those of this process, over AWS."""
    return AwsSegmentsPorts()
