"""Waking what has come due."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import merge
from itertools import batched, groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from rebound.timers.domain import AHEAD, LATE, SHARDS, Timer

if TYPE_CHECKING:
    from rebound.platform.ports import Clock
    from rebound.timers.ports import TimerBook, Waker

BATCH: Final = 100
"""How many are woken, and then removed, together."""


class Sweep(Struct):
    """What one sweep did: how many timers it woke, how many of them late, and why others could not be woken."""

    woken: int = 0
    late: int = 0
    failures: list[Exception] = field(default_factory=list)


class SweepTimers(Struct, frozen=True, kw_only=True):
    """Wakes what is due soon, or has been for however long, in the order of its time.

    A timer is removed after it has been woken: a sweep that dies in between leaves timers that the next one wakes
    again. What cannot be woken stays, and keeps back nothing else.
    """

    timers: TimerBook
    wakers: Mapping[str, Waker]
    """By kind."""
    clock: Clock

    def __call__(self, may_go_on: Callable[[], bool]) -> Sweep:
        """Wake while there is time; the next sweep goes on."""
        until, sweep = self.clock.now() + AHEAD, Sweep()
        found = merge(*(self._due(shard, until) for shard in range(SHARDS)))
        for batch in batched(found, BATCH, strict=False):
            if not may_go_on():
                break
            for kind, same in groupby(sorted(batch, key=_KIND), _KIND):
                woken = list(self._woken(kind, list(same), sweep))
                now = self.clock.now()
                sweep.woken += len(woken)
                sweep.late += sum(now - timer.due_at > LATE for timer in woken)
                self.timers.remove(woken)
        return sweep

    def _due(self, shard: int, until: datetime) -> Iterator[Timer]:
        after: Timer | None = None
        while page := self.timers.due(shard, until, after, BATCH):
            yield from page
            if len(page) < BATCH:
                return
            after = page[-1]

    def _woken(self, kind: str, timers: Sequence[Timer], sweep: Sweep) -> Iterator[Timer]:
        """Those that could be woken: all together, or else one by one."""
        try:
            self.wakers[kind](timers)
        except Exception as error:  # noqa: BLE001 - the others do not wait for it
            if len(timers) == 1:
                sweep.failures.append(error)
                return
            for timer in timers:
                yield from self._woken(kind, [timer], sweep)
        else:
            yield from timers


_KIND: Final = attrgetter("kind")
