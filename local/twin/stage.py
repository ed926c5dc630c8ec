"""What the three providers of one twin share."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from local.twin.faults import FaultBoard
from local.twin.ledger import SendLedger
from local.twin.story import Story

# Timestamps have milliseconds: two outcomes of one message must not share one.
_SHORTEST_GAP_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Stage:
    """Seeded ids, the log, the faults and the clock.

    ``decisions`` is held while a send is decided, so that the sequence of sends alone determines ids and outcomes.
    ``delay_seconds`` is the mean time from one step in the life of a message to the next.
    """

    story: Story
    ledger: SendLedger
    faults: FaultBoard
    region: str = "us-east-1"
    account_id: str = "000000000000"
    delay_seconds: float = 0.1
    now: Callable[[], float] = time.time
    decisions: threading.Lock = field(default_factory=threading.Lock)

    def moments(self, subject: str, start: float, count: int) -> list[float]:
        """When the next ``count`` things happen to a message, after ``start``, each later than the one before."""
        moments = []
        for step in range(count):
            start += max(self.delay_seconds * self.story.jitter(subject, step), _SHORTEST_GAP_SECONDS)
            moments.append(start)
        return moments
