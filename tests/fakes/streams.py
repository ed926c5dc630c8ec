"""A table's change stream: every item's changes in order on one shard, delivered at least once."""

import random
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rebound.kernel.pages import RowChange
from tests.fakes.making import at


@dataclass(frozen=True, slots=True)
class Change[T]:
    """One write; ``position`` orders the changes of a shard."""

    position: int
    before: T | None
    after: T


class ChangeStream[T]:
    """Changes by shard, and how far a reader that comes again and again has got."""

    def __init__(self, shards: int = 1) -> None:
        self._shards = shards
        self._position = 0
        self._changes: defaultdict[str, list[Change[T]]] = defaultdict(list)
        self._read: defaultdict[str, int] = defaultdict(int)

    def record(self, item: str, before: T | None, after: T) -> None:
        """Called by the fake at each write."""
        self._position += 1
        shard = f"shard-{zlib.crc32(item.encode()) % self._shards}"
        self._changes[shard].append(Change(self._position, before, after))

    @property
    def drained(self) -> bool:
        """Whether everything has been delivered at least once."""
        return all(self._read[shard] == len(changes) for shard, changes in self._changes.items())

    def deliver(self, chance: random.Random) -> tuple[str, Sequence[Change[T]]] | None:
        """The next batch of some shard, which may begin with changes that were delivered before."""
        waiting = [shard for shard, changes in sorted(self._changes.items()) if self._read[shard] < len(changes)]
        if not waiting:
            return None
        shard = chance.choice(waiting)
        start = max(0, self._read[shard] - chance.choice([0, 0, 1, 5]))
        end = min(len(self._changes[shard]), self._read[shard] + chance.choice([1, 3, 50]))
        self._read[shard] = max(self._read[shard], end)
        return shard, self._changes[shard][start:end]

    def everything(self) -> dict[str, list[Change[T]]]:
        """All changes ever, by shard."""
        return dict(self._changes)

    def take(self) -> list[Change[T]]:
        """All changes that were not delivered yet, shard by shard."""
        fresh = [change for shard, changes in self._changes.items() for change in changes[self._read[shard] :]]
        for shard, changes in self._changes.items():
            self._read[shard] = len(changes)
        return fresh


def written[T](change: Change[T]) -> RowChange[T]:
    """What the stream says to who reads it."""
    return RowChange(change.before, change.after, f"change-{change.position}", at(0))
