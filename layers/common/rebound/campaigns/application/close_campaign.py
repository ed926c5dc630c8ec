"""The last step of a campaign."""

from __future__ import annotations

from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.campaigns.domain.campaigns import ENDED, CampaignStatus

if TYPE_CHECKING:
    from rebound.campaigns.ports import CampaignBook
    from rebound.platform.ports import Clock


class CloseCampaign(Struct, frozen=True, kw_only=True):
    """Ends a campaign."""

    campaigns: CampaignBook
    clock: Clock

    def complete(self, business_id: str, campaign_id: str) -> None:
        """Everybody is accounted for."""
        self._end(business_id, campaign_id, CampaignStatus.COMPLETED, None)

    def fail(self, business_id: str, campaign_id: str, reason: str) -> None:
        """The campaign cannot go on; ``reason`` is shown to the client."""
        self._end(business_id, campaign_id, CampaignStatus.FAILED, reason)

    def _end(self, business_id: str, campaign_id: str, status: CampaignStatus, reason: str | None) -> None:
        campaign = self.campaigns.get(business_id, campaign_id)
        if campaign.status in ENDED:
            return
        ended = replace(campaign, status=status, failure=reason, paused_because=None, completed_at=self.clock.now())
        self.campaigns.replace(campaign, ended)
