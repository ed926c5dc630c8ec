"""What timeline need from outside."""

from typing import Protocol

from rebound.inbound.ports import InboundPorts


class TimelinePorts(InboundPorts, Protocol):
    """What the use cases of timeline need from outside."""
