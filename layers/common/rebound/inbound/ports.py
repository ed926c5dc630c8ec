"""What inbound need from outside."""

from typing import Protocol

from rebound.messages.ports import MessagesPorts


class InboundPorts(MessagesPorts, Protocol):
    """What the use cases of inbound need from outside."""
