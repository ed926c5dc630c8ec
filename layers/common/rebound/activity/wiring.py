"""The ports of activity over AWS, and the use cases made of them (``platform.wiring``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rebound.customers.wiring import AwsCustomersPorts, CustomersUseCases
from rebound.platform.wiring import in_this_process
from rebound.timers.wiring import AwsTimersPorts, TimersUseCases

if TYPE_CHECKING:
    from rebound.activity.ports import ActivityBook, ActivityPorts, SummaryBook


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


class ActivityUseCases(CustomersUseCases, TimersUseCases):
    """The use cases of activity."""

    ports: ActivityPorts


use_cases = in_this_process(ActivityUseCases, AwsActivityPorts)
ports = AwsActivityPorts
