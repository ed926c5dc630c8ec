"""What the use cases of preferences need from outside."""

from typing import Protocol

from rebound.relations.ports import RelationsPorts
from rebound.sending.ports import SendingPorts


class PreferencesPorts(SendingPorts, RelationsPorts, Protocol):
    """What the use cases of preferences need from outside."""
