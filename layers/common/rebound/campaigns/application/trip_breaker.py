"""The breaker: pauses a campaign by itself, and notes when so much bounces that somebody should look."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.campaigns.domain.breaker import deserves_a_warning, reason_to_pause
from rebound.campaigns.domain.campaigns import RUNNING, CampaignStatus, final_words
from rebound.kernel.errors import NotFoundError
from rebound.kernel.retrying import retried

if TYPE_CHECKING:
    from rebound.campaigns.domain.campaigns import Campaign
    from rebound.campaigns.ports import CampaignBook, TallyBook


class TripBreaker(Struct, frozen=True, kw_only=True):
    """Writes on campaigns that run, as a person's pause does; on what is paused or over already it has no effect.

    The carrier of a single message is no campaign and is never paused.
    """

    campaigns: CampaignBook
    tallies: TallyBook

    def judge(self, business_id: str, campaign_id: str) -> None:
        """Look at what the campaign's messages have come to since it began or was last resumed, and act on it."""

        def judged(campaign: Campaign) -> Campaign:
            words = final_words(self.tallies.counts(campaign_id), campaign.window)
            if campaign.bounce_warning is None and deserves_a_warning(words):
                campaign = replace(campaign, bounce_warning=words)
            because = reason_to_pause(words)
            return campaign if because is None else _paused(campaign, because)

        self._change(business_id, campaign_id, judged)

    def trip(self, business_id: str, campaign_id: str, because: str) -> None:
        """Pause the campaign for a reason that is known at once; ``because`` is shown to the client."""
        self._change(business_id, campaign_id, lambda campaign: _paused(campaign, because))

    def _change(self, business_id: str, campaign_id: str, change: Callable[[Campaign], Campaign]) -> None:
        def write() -> None:
            campaign = self.campaigns.get(business_id, campaign_id)
            changed = campaign if campaign.single else change(campaign)
            if changed != campaign:
                self.campaigns.replace(campaign, changed)

        with suppress(NotFoundError):
            retried(write)


def _paused(campaign: Campaign, because: str) -> Campaign:
    if campaign.status not in RUNNING:
        return campaign
    return replace(campaign, status=CampaignStatus.PAUSED, paused_because=because)
