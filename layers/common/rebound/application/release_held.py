"""Bringing held chunks to their lane when their hour comes (D8).

A queue holds a message back for 15 minutes at most, so what waits for the morning goes round on a queue of its own. Its
lane does not see it before: there its turn would be taken, and its number make what can go believe in a long wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rebound.domain.channels import Channel

if TYPE_CHECKING:
    from rebound.application.ports import ChunkQueue, Clock, HeldQueue
    from rebound.domain.pacing import HeldTicket


class ReleaseHeld:
    """Passes on what is due and holds the rest back again. A chunk that comes twice is claimed once."""

    def __init__(self, held: HeldQueue, queue: ChunkQueue, clock: Clock) -> None:
        self._held = held
        self._queue = queue
        self._clock = clock

    def __call__(self, tickets: Sequence[HeldTicket]) -> None:
        """All of them are on a queue again when this returns."""
        now = self._clock.now()
        for channel in Channel:
            due = [held.ticket for held in tickets if held.channel is channel and held.not_before <= now]
            if due:
                self._queue.put(channel, due)
        later = [held for held in tickets if held.not_before > now]
        if later:
            self._held.put(later, now)
