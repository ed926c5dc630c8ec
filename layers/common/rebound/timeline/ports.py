"""What the use cases of timeline need from outside."""

from typing import Protocol

from rebound.recurring.ports import RecurringPorts
from rebound.relations.ports import RelationsPorts


class TimelinePorts(RecurringPorts, RelationsPorts, Protocol):
    """What the use cases of timeline need from outside; those who erase what was a customer's are all here."""
