"""What the use cases of timers need from outside."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from rebound.platform.ports import PlatformPorts
from rebound.timers.domain import Timer

type Waker = Callable[[Sequence[Timer]], None]
"""Wakes those of one kind; it may be called again for the same, and when it raises, some of them may be awake."""


class TimerBook(Protocol):
    """All timers, by shard and in the order of their times."""

    def put(self, timers: Sequence[Timer]) -> None:
        """Write timers; one that is there stays as it is."""

    def due(self, shard: int, until: datetime, after: Timer | None, limit: int) -> Sequence[Timer]:
        """Up to ``limit`` timers of a shard until and including a time, the earliest first; those after ``after``.

        Eventually consistent: what was put or removed within the last second may be missing, or be there.
        """

    def remove(self, timers: Sequence[Timer]) -> None:
        """Remove timers, whether or not they are there."""


class TimersPorts(PlatformPorts, Protocol):
    """What the use cases of timers need from outside."""

    @property
    def timers(self) -> TimerBook: ...
