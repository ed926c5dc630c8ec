"""What the pages need from outside: all that their use cases need."""

from typing import Protocol

from rebound.operations.ports import OperationsPorts
from rebound.preferences.ports import PreferencesPorts
from rebound.timeline.ports import TimelinePorts


class ConsolePorts(TimelinePorts, PreferencesPorts, OperationsPorts, Protocol):
    """What the pages need from outside."""

    def console_url(self, api_id: str) -> str:
        """Where the world reaches the console, without a slash at the end."""
