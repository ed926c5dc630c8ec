"""Puts chunks back on a queue that wait for their time, for the end of a pause, or for a winner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.campaigns.domain.chunks import Chunk, ChunkState
from rebound.kernel.channels import Channel
from rebound.sending.domain.chunk_tasks import ChunkTask, DeferredChunkTask, channel_of, lane_of

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.ports import CampaignBook, ChunkLedger
    from rebound.platform.ports import Clock
    from rebound.sending.ports import ChunkQueue, DeferredChunkQueue


class ReleaseHeld(Struct, frozen=True, kw_only=True):
    """Passes on chunks that are due or to be decided again, and holds back the rest. A duplicate is claimed once."""

    held: DeferredChunkQueue
    queue: ChunkQueue
    clock: Clock
    businesses: BusinessDirectory

    def __call__(self, tasks: Sequence[DeferredChunkTask]) -> None:
        """Put tasks on the right queue; all of them are on a queue again when this returns."""
        now = self.clock.now()
        early = [held for held in tasks if held.not_before > now]
        business_ids = {held.task.key.business_id for held in early}
        versions = {business_id: self.businesses.get(business_id).version for business_id in business_ids}
        later = [held for held in early if held.version == versions[held.task.key.business_id]]
        for channel in Channel:
            due = [held.task for held in tasks if held.channel is channel and held.not_before <= now]
            changed = [held.to_look_again(now) for held in early if held.channel is channel and held not in later]
            if due or changed:
                self.queue.put(channel, [*due, *changed])
        if later:
            self.held.put(later, now)


class RequeueCampaign(Struct, frozen=True, kw_only=True):
    """Puts a campaign's chunks that are on no queue back on theirs; a chunk that is there twice is claimed once."""

    campaigns: CampaignBook
    chunks: ChunkLedger
    queue: ChunkQueue
    clock: Clock

    def __call__(
        self, business_id: str, campaign_id: str, cursor: str | None, may_go_on: Callable[[], bool]
    ) -> str | None:
        """Enqueue page by page while there is time; returns the cursor to go on from, ``None`` when all are there."""
        campaign = self.campaigns.get(business_id, campaign_id)
        # A cancelled campaign hands nothing over, so its chunks need not wait for a turn.
        turn_at = self.clock.now() if campaign.status is CampaignStatus.CANCELLED else None
        while True:
            page = self.chunks.page(campaign_id, cursor)
            pending = [c for c in page.items if c.state is ChunkState.PENDING and (turn_at or not self._waits(c))]
            for channel in Channel:
                own = [chunk for chunk in pending if channel_of(campaign, chunk.key) is channel]
                self.queue.put(channel, [ChunkTask(c.key, len(c.remaining), lane_of(campaign), turn_at) for c in own])
            cursor = page.next_cursor
            if cursor is None or not may_go_on():
                return cursor

    def _waits(self, chunk: Chunk) -> bool:
        """Whether a deferred task brings the chunk back anyway, even if workers' clocks differ."""
        return chunk.not_before is not None and chunk.not_before > self.clock.now() + CLOCKS_DIFFER


CLOCKS_DIFFER: Final = timedelta(minutes=1)
"""More than the clocks of two workers differ. A chunk that is brought to its lane too early is held again."""
