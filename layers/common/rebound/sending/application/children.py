"""Writing the children of a campaign that says something else to each loyalty tier, when it is planned."""

from __future__ import annotations

from contextlib import suppress
from copy import replace
from datetime import datetime
from typing import TYPE_CHECKING

from rebound.campaigns.domain.by_tier import child_for, children_ids
from rebound.campaigns.domain.campaigns import HALTED, Campaign, CampaignStatus
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.messages.domain.by_tier import tiers_of

if TYPE_CHECKING:
    from rebound.campaigns.ports import CampaignBook
    from rebound.platform.ports import Ids


def add_children(campaigns: CampaignBook, ids: Ids, parent: Campaign, now: datetime) -> None:
    """Write the children of a planned campaign that are not there yet; nothing is read for one that has none."""
    for tier in tiers_of(parent):
        with suppress(ConcurrentChangeError):
            campaigns.add(child_for(parent, tier, ids.ulid(now)))
    if parent.contents is not None:
        follow(campaigns, campaigns.get(parent.business_id, parent.campaign_id))


def follow(campaigns: CampaignBook, parent: Campaign) -> None:
    """Let the children stand as their parent does where it was paused or cancelled while they were written."""
    for child_id in children_ids(parent) if parent.status in HALTED else ():
        with suppress(NotFoundError, ConcurrentChangeError):
            child = campaigns.get(parent.business_id, child_id)
            if child.status is CampaignStatus.EXPANDING:
                campaigns.replace(child, replace(child, status=parent.status, completed_at=parent.completed_at))
