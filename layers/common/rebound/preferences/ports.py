"""What preferences need from outside."""

from typing import Protocol

from rebound.sending.ports import SendingPorts


class PreferencesPorts(SendingPorts, Protocol):
    """What the use cases of preferences need from outside."""
