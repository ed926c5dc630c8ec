"""Bringing back the chunks that a pause set aside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.campaigns.domain.chunks import Chunk, ChunkState
from rebound.sending.domain.chunk_tasks import ChunkTask, lane_of

if TYPE_CHECKING:
    from rebound.campaigns.ports import CampaignBook, ChunkLedger
    from rebound.platform.ports import Clock
    from rebound.sending.ports import ChunkQueue


class RequeueCampaign(Struct, frozen=True, kw_only=True):
    """Puts the chunks of a campaign that wait on no queue there again; one that is there twice is claimed once."""

    campaigns: CampaignBook
    chunks: ChunkLedger
    queue: ChunkQueue
    clock: Clock

    def __call__(
        self, business_id: str, campaign_id: str, cursor: str | None, may_go_on: Callable[[], bool]
    ) -> str | None:
        """Enqueue page by page while there is time; the cursor to go on from, ``None`` when all are there."""
        campaign = self.campaigns.get(business_id, campaign_id)
        # What is cancelled is not handed over, and need not wait for its turn.
        turn_at = self.clock.now() if campaign.status is CampaignStatus.CANCELLED else None
        while True:
            page = self.chunks.page(campaign_id, cursor)
            pending = [c for c in page.items if c.state is ChunkState.PENDING and (turn_at or not self._waits(c))]
            self.queue.put(
                campaign.channel,
                [ChunkTask(chunk.key, len(chunk.remaining), lane_of(campaign), turn_at) for chunk in pending],
            )
            cursor = page.next_cursor
            if cursor is None or not may_go_on():
                return cursor

    def _waits(self, chunk: Chunk) -> bool:
        """Whether a deferred task brings the chunk back anyway, by anybody's clock."""
        return chunk.not_before is not None and chunk.not_before > self.clock.now() + CLOCKS_DIFFER


CLOCKS_DIFFER: Final = timedelta(minutes=1)
"""More than the clocks of two workers do. A chunk that is brought to its lane for nothing is held again."""
