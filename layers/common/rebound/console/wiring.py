"""The console over AWS (``platform.wiring``): its pages call the use cases of every capability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rebound.platform.wiring import in_this_process
from rebound.staff.wiring import AwsStaffPorts, StaffUseCases
from rebound.timeline.wiring import AwsTimelinePorts, TimelineUseCases

if TYPE_CHECKING:
    from rebound.console.ports import ConsolePorts


class AwsConsolePorts(AwsTimelinePorts, AwsStaffPorts):
    """The ports of the console over AWS."""


class ConsoleUseCases(TimelineUseCases, StaffUseCases):
    """The use cases that pages call."""

    ports: ConsolePorts


use_cases = in_this_process(ConsoleUseCases, AwsConsolePorts)
ports = AwsConsolePorts
