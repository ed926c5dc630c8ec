"""What the pages need from outside: all that their use cases need."""

from typing import Protocol

from rebound.staff.ports import StaffPorts
from rebound.timeline.ports import TimelinePorts


class ConsolePorts(TimelinePorts, StaffPorts, Protocol):
    """What the pages need from outside."""
