"""Timers in memory."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from rebound.timers.domain import Timer
from tests.contract.platform.fakes import MemoryPlatformPorts


class MemoryTimerBook:
    """Implements ``TimerBook``."""

    def __init__(self) -> None:
        self.rows: set[Timer] = set()

    def put(self, timers: Sequence[Timer]) -> None:
        self.rows.update(timers)

    def due(self, shard: int, until: datetime, after: Timer | None, limit: int) -> Sequence[Timer]:
        found = sorted(timer for timer in self.rows if timer.shard == shard and timer.due_at <= until)
        return [timer for timer in found if after is None or timer > after][:limit]

    def remove(self, timers: Sequence[Timer]) -> None:
        self.rows.difference_update(timers)


class MemoryTimersPorts(MemoryPlatformPorts):
    """Implements ``TimersPorts``."""

    @cached_property
    def timers(self) -> MemoryTimerBook:
        return MemoryTimerBook()
