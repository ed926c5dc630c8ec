"""What the use cases of timeline need from outside."""

from typing import Protocol

from rebound.relations.ports import RelationsPorts
from rebound.sequences.ports import SequencesPorts


class TimelinePorts(SequencesPorts, RelationsPorts, Protocol):
    """What the use cases of timeline need from outside; those who erase what was a customer's are all here."""
