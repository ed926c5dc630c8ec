"""The ports of activity over AWS, and the use cases made of them (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.customers.wiring import AwsCustomersPorts, CustomersUseCases
from rebound.platform.wiring import in_this_process, use_case
from rebound.timers.wiring import AwsTimersPorts, TimersUseCases

if TYPE_CHECKING:
    from rebound.activity.application.accept_activity import AcceptActivity, ReadActivity
    from rebound.activity.application.apply_activity import ApplyActivity, Refold
    from rebound.activity.application.erase_activity import EraseActivity
    from rebound.activity.application.visited_elsewhere import VisitedElsewhere
    from rebound.activity.domain.words import ActivityTask
    from rebound.activity.ports import (
        ActivityBook,
        ActivityPorts,
        ActivityQueue,
        Listener,
        Stamps,
        SummaryBook,
        Watcher,
    )
    from rebound.customers.domain import Customer
    from rebound.customers.ports import Eraser, ProfileLock
    from rebound.timers.domain import Timer
    from rebound.timers.ports import Waker


class AwsActivityPorts(AwsCustomersPorts, AwsTimersPorts):
    """The ports of activity over AWS."""

    @cached_property
    def activity(self) -> ActivityBook:
        from rebound.activity.adapters.dynamo_activity import DynamoActivityBook

        return DynamoActivityBook(self.settings["ACTIVITY_TABLE"])

    @cached_property
    def summaries(self) -> SummaryBook:
        from rebound.activity.adapters.late_summaries import LateSummaryBook

        return LateSummaryBook(self.settings["ACTIVITY_TABLE"])

    @cached_property
    def activity_queue(self) -> ActivityQueue:
        from rebound.activity.adapters.activity_queue import SqsActivityQueue

        return SqsActivityQueue(self.aws("sqs"), self.settings["ACTIVITY_QUEUE_URL"])

    @cached_property
    def stamps(self) -> Stamps:
        from rebound.activity.adapters.activity_queue import ClockStamps

        return ClockStamps(self.clock, self.ids)

    @staticmethod
    def decode_activity(body: str) -> ActivityTask:
        """The task of a queue message."""
        from rebound.activity.adapters.activity_queue import decode_activity

        return decode_activity(body)


class ActivityUseCases(CustomersUseCases, TimersUseCases):
    """The use cases of activity."""

    ports: ActivityPorts

    accept_activity: AcceptActivity = use_case("rebound.activity.application.accept_activity")
    read_activity: ReadActivity = use_case("rebound.activity.application.accept_activity")
    apply_activity: ApplyActivity = use_case("rebound.activity.application.apply_activity")
    refold: Refold = use_case("rebound.activity.application.apply_activity")
    visited_elsewhere: VisitedElsewhere = use_case("rebound.activity.application.visited_elsewhere")
    erase_activity: EraseActivity = use_case("rebound.activity.application.erase_activity")

    @cached_property
    def listeners(self) -> Sequence[Listener]:
        """Who hears what happened with customers; each capability adds its own."""
        return ()

    @cached_property
    def watchers(self) -> Sequence[Watcher]:
        """Who looks at customers whose activity has changed; each capability adds its own."""
        return ()

    @cached_property
    def erasers(self) -> Sequence[Eraser]:
        """What goes with a customer who is deleted."""

        def erase_activity(customer: Customer) -> None:
            self.erase_activity.deleted(customer)

        return (*super().erasers, erase_activity)

    @cached_property
    def wakers(self) -> Mapping[str, Waker]:
        """Who wakes each kind of timer. What drops the activity of unknown people is made when there is any."""
        from rebound.activity.domain.words import WAIT_OVER

        def drop_unclaimed(timers: Sequence[Timer]) -> None:
            self.erase_activity.unclaimed(timers)

        return {**super().wakers, WAIT_OVER: drop_unclaimed}

    @cached_property
    def profile_locks(self) -> Sequence[ProfileLock]:
        # Made when a business asks that shares customers, so that others need nothing of it.
        return (*super().profile_locks, lambda *asked: asked[1].shares_customers and self.visited_elsewhere(*asked))


use_cases = in_this_process(ActivityUseCases, AwsActivityPorts)
ports = AwsActivityPorts
