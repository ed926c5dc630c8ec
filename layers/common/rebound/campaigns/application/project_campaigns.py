"""The events about campaigns: that one was paused, was completed, or bounces too much."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.campaigns.application.campaign_service import counted
from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus
from rebound.kernel.events import BounceRateWarned, CampaignCompleted, CampaignPaused, DomainEvent, PausedBy
from rebound.kernel.pages import RowChange

if TYPE_CHECKING:
    from rebound.campaigns.ports import ExpansionLedger, TallyBook
    from rebound.webhooks.application.publish_events import PublishEvents


class ProjectCampaigns(Struct, frozen=True, kw_only=True):
    """Follows the change stream of campaigns, which is in order for each campaign and delivered at least once."""

    expansion: ExpansionLedger
    tallies: TallyBook
    publish: PublishEvents

    def __call__(self, change: RowChange[Campaign]) -> int:
        """Publish the events of a change; returns how many of them are pauses by the breaker, for an alarm.

        The carrier of a single message is no campaign and has no events.
        """
        if change.after.is_carrier:
            return 0
        events = list(self._told(change))
        self.publish(events, change.at)
        return sum(isinstance(event, CampaignPaused) and event.by is PausedBy.BREAKER for event in events)

    def _told(self, change: RowChange[Campaign]) -> Iterator[DomainEvent]:
        before, after = change.before, change.after
        if after.bounce_warning is not None and (before is None or before.bounce_warning is None):
            yield BounceRateWarned(
                after.business_id,
                after.campaign_id,
                after.bounce_warning.hard_bounces,
                after.bounce_warning.total,
                after.version,
                change.change_id,
            )
        if before is not None and before.status is after.status:
            return
        if after.status is CampaignStatus.PAUSED:
            by = PausedBy.PERSON if after.paused_because is None else PausedBy.BREAKER
            yield CampaignPaused(
                after.business_id, after.campaign_id, by, after.paused_because, after.version, change.change_id
            )
        elif after.status is CampaignStatus.COMPLETED:
            yield self._completed(after, change.change_id)

    def _completed(self, campaign: Campaign, change_id: str) -> CampaignCompleted:
        parts = [progress.audience for progress in self.expansion.list(campaign.campaign_id)]
        view = counted(campaign, parts, self.tallies.counts(campaign.campaign_id))
        return CampaignCompleted(
            campaign.business_id,
            campaign.campaign_id,
            view.audience.matched,
            {reason: count for reason, count in sorted(view.audience.excluded.items()) if count},
            view.audience.targeted,
            {str(status): count for status, count in view.results.items()},
            campaign.version,
            change_id,
        )
