"""Pausing, resuming and cancelling campaigns, and bringing back the chunks that a pause set aside."""

from __future__ import annotations

from collections.abc import Callable
from copy import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.campaigns.domain.campaigns import ENDED, RUNNING, CampaignStatus
from rebound.campaigns.domain.chunks import ChunkState
from rebound.kernel.errors import ConflictError
from rebound.kernel.retrying import retried
from rebound.sending.domain.pacing import Ticket, lane_of

if TYPE_CHECKING:
    from rebound.campaigns.application.manage_campaigns import CampaignView, ManageCampaigns
    from rebound.campaigns.domain.campaigns import Campaign
    from rebound.campaigns.domain.chunks import Chunk
    from rebound.campaigns.ports import CampaignBook, CampaignRunner, ChunkLedger
    from rebound.platform.ports import Clock, Ids
    from rebound.sending.ports import ChunkQueue

CLOCKS_DIFFER: Final = timedelta(minutes=1)
"""More than the clocks of two workers do. A chunk that is brought to its lane for nothing is held again."""


class SteerCampaign(Struct, frozen=True, kw_only=True):
    """Changes a campaign's course. Each may be asked again at any time, also when the first time broke half way.

    The senders look at the campaign's status right before they hand anything over: a pause makes them set their chunk
    aside, a cancellation ends its recipients as ``cancelled``. What was set aside is on no queue any more, so a resume
    and a cancellation put it there again.
    """

    campaigns: CampaignBook
    runner: CampaignRunner
    view: ManageCampaigns
    clock: Clock
    ids: Ids

    def pause(self, business_id: str, campaign_id: str) -> CampaignView:
        """Hand over nothing more. Raises ``NotFoundError``, and ``ConflictError`` when the campaign has ended."""
        return self._move(business_id, campaign_id, lambda _: CampaignStatus.PAUSED)

    def resume(self, business_id: str, campaign_id: str) -> CampaignView:
        """Go on where it stopped: nobody is skipped, nobody is sent to twice. Raises as ``pause`` does.

        A new window begins: the breaker forgets what became of the messages sent until now.
        """

        def resumed(campaign: Campaign) -> CampaignStatus:
            if campaign.status in ENDED:
                raise ended(campaign)
            if campaign.status is not CampaignStatus.PAUSED:
                return campaign.status
            if campaign.run_id is not None:
                return CampaignStatus.SENDING
            later = campaign.send_at is not None and campaign.send_at > self.clock.now()
            return CampaignStatus.SCHEDULED if later else CampaignStatus.EXPANDING

        return self._move(business_id, campaign_id, resumed, requeue=True)

    def cancel(self, business_id: str, campaign_id: str) -> CampaignView:
        """End it: what has not been handed over never is. Raises as ``pause`` does."""
        return self._move(business_id, campaign_id, lambda _: CampaignStatus.CANCELLED, requeue=True)

    def _move(
        self,
        business_id: str,
        campaign_id: str,
        status_of: Callable[[Campaign], CampaignStatus],
        *,
        requeue: bool = False,
    ) -> CampaignView:
        def write() -> None:
            campaign = self.view.get(business_id, campaign_id).campaign
            status = status_of(campaign)
            if status is campaign.status:
                return
            if campaign.status in ENDED:
                raise ended(campaign)
            moved = replace(
                campaign,
                status=status,
                completed_at=self.clock.now() if status in ENDED else None,
                paused_because=None,
                window=campaign.window + (status in RUNNING),
            )
            self.campaigns.replace(campaign, moved)

        retried(write)
        view = self.view.get(business_id, campaign_id)
        if requeue and view.campaign.run_id is not None:
            self.runner.requeue(business_id, campaign_id, self.ids.ulid(self.clock.now()))
        return view


def ended(campaign: Campaign) -> ConflictError:
    """What has ended takes no other course."""
    return ConflictError(f"The campaign is {campaign.status}.")


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
                [Ticket(chunk.key, len(chunk.remaining), lane_of(campaign), turn_at) for chunk in pending],
            )
            cursor = page.next_cursor
            if cursor is None or not may_go_on():
                return cursor

    def _waits(self, chunk: Chunk) -> bool:
        """Whether a ticket is on its way that comes when its recipients' hour has come, by anybody's clock."""
        return chunk.not_before is not None and chunk.not_before > self.clock.now() + CLOCKS_DIFFER
