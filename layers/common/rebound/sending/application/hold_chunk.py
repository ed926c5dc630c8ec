"""Keeping a chunk off the lanes until the hour of its recipients, and bringing single messages back by their timers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.campaigns.domain.campaigns import Campaign
from rebound.kernel.channels import Channel
from rebound.sending.domain.chunk_tasks import ChunkTask, DeferredChunkTask
from rebound.sending.domain.message_timers import left_until, timer_of, woken_by
from rebound.timers.domain import Timer

if TYPE_CHECKING:
    from rebound.platform.ports import Clock
    from rebound.sending.ports import ChunkQueue, DeferredChunkQueue
    from rebound.timers.ports import TimerBook


class HoldChunk(Struct, frozen=True, kw_only=True):
    """Holds a chunk: in the table of timers when it is a single message whose time is far off, else on a queue.

    On the queue it goes round, so that a change of the business's settings is seen within minutes. In the table it is
    not looked at before its time.
    """

    held: DeferredChunkQueue
    timers: TimerBook

    def __call__(self, campaign: Campaign, task: ChunkTask, not_before: datetime, now: datetime, version: int) -> None:
        """Hold ``task`` until ``not_before``, as decided ``now`` under a ``version`` of the business's settings."""
        # A timer names the message, and so its first chunk.
        timer = timer_of(campaign, now) if task.key.fell_back is None else None
        if timer is None:
            self.held.put([DeferredChunkTask(campaign.channel, task, not_before, now, version)], now)
        else:
            self.timers.put([timer])


class WakeMessages(Struct, frozen=True, kw_only=True):
    """Puts messages to one person on their lane, each for its time; a message that is there twice is claimed once."""

    queue: ChunkQueue
    clock: Clock

    def __call__(self, timers: Sequence[Timer]) -> None:
        """Put them on the lane; all are there when this returns."""
        now = self.clock.now()
        together: defaultdict[tuple[Channel, timedelta], list[ChunkTask]] = defaultdict(list)
        for timer in timers:
            channel, task = woken_by(timer)
            together[channel, left_until(timer.due_at, now)].append(task)
        for (channel, left), tasks in together.items():
            self.queue.put(channel, tasks, left)
