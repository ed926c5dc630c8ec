"""The console over AWS (``platform.wiring``): its pages call the use cases of every capability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rebound.operations.wiring import AwsOperationsPorts, OperationsUseCases
from rebound.platform.wiring import in_this_process
from rebound.preferences.wiring import AwsPreferencesPorts, PreferencesUseCases
from rebound.timeline.wiring import AwsTimelinePorts, TimelineUseCases

if TYPE_CHECKING:
    from rebound.console.ports import ConsolePorts


class AwsConsolePorts(AwsTimelinePorts, AwsPreferencesPorts, AwsOperationsPorts):
    """The ports of the console over AWS."""

    def console_url(self, api_id: str) -> str:
        """Where the world reaches the console, without a slash at the end."""
        return f"{self.settings.public_url(api_id)}/console"


class ConsoleUseCases(TimelineUseCases, PreferencesUseCases, OperationsUseCases):
    """The use cases that pages call."""

    ports: ConsolePorts


use_cases = in_this_process(ConsoleUseCases, AwsConsolePorts)
ports = AwsConsolePorts
