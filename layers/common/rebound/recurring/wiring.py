"""The ports of recurring campaigns over AWS, and the use cases made of them (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.platform.wiring import in_this_process, use_case
from rebound.sending.wiring import AwsSendingPorts, SendingUseCases

if TYPE_CHECKING:
    from rebound.customers.domain import Customer
    from rebound.customers.ports import Eraser
    from rebound.jobs.application.run_job import JobWork
    from rebound.jobs.domain import JobKind
    from rebound.recurring.application.count_recurring import CountRecurring
    from rebound.recurring.application.look_who_is_due import WakeRecurring
    from rebound.recurring.application.meant import FindMeant
    from rebound.recurring.application.recurring_service import RecurringService
    from rebound.recurring.ports import MarkBook, Occurrences, RecurringBook, RecurringPorts
    from rebound.segments.ports import SegmentUser
    from rebound.timers.domain import Timer
    from rebound.timers.ports import Waker


class AwsRecurringPorts(AwsSendingPorts):
    """The ports of recurring campaigns over AWS."""

    @cached_property
    def recurring(self) -> RecurringBook:
        from rebound.recurring.adapters import DynamoRecurringBook

        return DynamoRecurringBook(self.settings["DIRECTORY_TABLE"], self.dynamo_segments)

    @cached_property
    def marks(self) -> MarkBook:
        from rebound.recurring.adapters import DynamoMarkBook

        return DynamoMarkBook(self.settings["RECURRING_TABLE"], self.dynamo_job_ledger, self.dynamo_members)

    @cached_property
    def occurrences(self) -> Occurrences:
        from rebound.recurring.adapters import DynamoOccurrences

        return DynamoOccurrences(self.settings["RECURRING_TABLE"])


class RecurringUseCases(SendingUseCases):
    """The use cases of recurring campaigns."""

    ports: RecurringPorts

    find_meant: FindMeant = use_case("rebound.recurring.application.meant")
    count_recurring: CountRecurring = use_case("rebound.recurring.application.count_recurring", meant="find_meant")
    recurring_service: RecurringService = use_case(
        "rebound.recurring.application.recurring_service", count="count_recurring"
    )
    wake_recurring: WakeRecurring = use_case("rebound.recurring.application.look_who_is_due")

    @cached_property
    def wakers(self) -> Mapping[str, Waker]:
        """Who wakes each kind of timer. What looks is made when the first look begins."""

        def wake(timers: Sequence[Timer]) -> None:
            self.wake_recurring(timers)

        # As ``RecurringCampaign`` has it, which the sweep of businesses without any does not load.
        return {**super().wakers, "recurring": wake}

    @cached_property
    def segment_users(self) -> Sequence[SegmentUser]:
        """Recurring campaigns, on or off."""
        return (*super().segment_users, self.ports.recurring.using)

    @cached_property
    def erasers(self) -> Sequence[Eraser]:
        """What goes with a customer: for what they were sent to last."""

        def forget(customer: Customer) -> None:
            self.ports.marks.forget(customer.business_id, customer.customer_id)

        return (*super().erasers, forget)

    @cached_property
    def job_works(self) -> Mapping[JobKind, JobWork]:
        from rebound.jobs.domain import JobKind
        from rebound.recurring.application.look_who_is_due import LookWork

        work = self.made(LookWork, meant=self.find_meant, count=self.count_recurring)
        return {**super().job_works, JobKind.RECURRING: work}


use_cases = in_this_process(RecurringUseCases, AwsRecurringPorts)
ports = AwsRecurringPorts
