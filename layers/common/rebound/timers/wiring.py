"""The ports of timers over AWS, and the use cases made of them (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.platform.wiring import AwsPlatformPorts, PlatformUseCases, in_this_process, use_case

if TYPE_CHECKING:
    from rebound.timers.application import SweepTimers
    from rebound.timers.ports import TimerBook, TimersPorts, Waker


class AwsTimersPorts(AwsPlatformPorts):
    """The ports of timers, implemented over AWS."""

    @cached_property
    def timers(self) -> TimerBook:
        from rebound.timers.adapters import DynamoTimerBook

        return DynamoTimerBook(self.settings["TIMERS_TABLE"])


class TimersUseCases(PlatformUseCases):
    """The use cases of timers."""

    ports: TimersPorts

    @cached_property
    def wakers(self) -> Mapping[str, Waker]:
        """Who wakes each kind of timer; each capability adds its own."""
        return {}

    sweep_timers: SweepTimers = use_case("rebound.timers.application")


use_cases = in_this_process(TimersUseCases, AwsTimersPorts)
ports = AwsTimersPorts
