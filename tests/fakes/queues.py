"""A queue that delivers at least once and in any order, in memory."""

import random
from collections import Counter
from collections.abc import Sequence
from copy import replace
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tests.contract.platform.fakes import FakeClock

VISIBILITY: Final = timedelta(minutes=6)
REDELIVERED: Final = 2


@dataclass(frozen=True, slots=True)
class Waiting[T]:
    """One message on a queue."""

    name: str
    body: T
    visible_at: datetime
    receives: int = 0


class MemoryQueue[T]:
    """Standard queue: no order, at least once; a message that is not deleted comes again."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._count = 0
        self.messages: dict[str, Waiting[T]] = {}
        self.redeliveries: Sequence[timedelta] = ()
        """How long after its time a message comes once more, although it has been deleted.

        Only the first ``REDELIVERED`` that say the same: what comes again may be put back, which must come to an end.
        """
        self._alike: Counter[str] = Counter()
        self.most_receives = 0
        """How often the message that came most often came: too often, and AWS would have put it to the dead letters."""

    def send(self, body: T, delay: timedelta = timedelta()) -> None:
        """Enqueue."""
        again: Sequence[timedelta] = ()
        if self.redeliveries:
            self._alike[repr(body)] += 1
            again = self.redeliveries if self._alike[repr(body)] <= REDELIVERED else ()
        for later in (timedelta(), *again):
            self._count += 1
            name = f"queued-{self._count}"
            self.messages[name] = Waiting(name, body, self._clock.now() + delay + later)

    def receive(self, chance: random.Random, most: int = 1) -> list[Waiting[T]]:
        """Some messages that are visible, which then are not for the visibility timeout."""
        visible = [waiting for waiting in self.messages.values() if waiting.visible_at <= self._clock.now()]
        taken = chance.sample(visible, min(most, len(visible)))
        for waiting in taken:
            self.retry(waiting.name, VISIBILITY)
            self.most_receives = max(self.most_receives, waiting.receives + 1)
        return taken

    def retry(self, name: str, after: timedelta) -> None:
        """Let a message that was received be seen again later."""
        waiting = self.messages[name]
        self.messages[name] = replace(
            waiting, visible_at=self._clock.now() + after, receives=waiting.receives + (after == VISIBILITY)
        )

    def copies(self, body: T) -> int:
        """How many messages say the same."""
        return sum(waiting.body == body for waiting in self.messages.values())

    def delete(self, name: str) -> None:
        """The message has been dealt with."""
        del self.messages[name]

    @property
    def next_visible_at(self) -> datetime | None:
        """When the next message can be received."""
        return min((waiting.visible_at for waiting in self.messages.values()), default=None)
