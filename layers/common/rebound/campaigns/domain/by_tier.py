"""Campaigns that say something else to each loyalty tier: a child for each, and the parent for who is of none of them.

The children are planned with their parent: the same ranges at the same moment, each with a part of the selection.
Together they are for everybody whom that means, and each for different people.
"""

from collections.abc import Sequence
from copy import replace

from rebound.campaigns.domain.campaigns import Campaign
from rebound.kernel.ids import derived_ulid
from rebound.messages.domain.by_tier import of_no_tier, of_tier, tiers_of
from rebound.segments.domain.selections import Selection


def child_id(parent: Campaign, tier: str) -> str:
    """The id of the child for a tier: always the same."""
    return derived_ulid(parent.created_at, f"{parent.campaign_id}#{tier}")


def children_ids(parent: Campaign) -> Sequence[str]:
    """The ids of all children, in the order of their tiers; there are none before the parent is planned."""
    return [child_id(parent, tier) for tier in tiers_of(parent)]


def child_for(parent: Campaign, tier: str, run_id: str) -> Campaign:
    """The planned child of a planned parent."""
    posted = as_posted(parent)
    return replace(
        parent,
        campaign_id=child_id(parent, tier),
        name=f"{parent.name} ({tier})",
        content=(parent.contents or {})[tier],
        contents=None,
        selection=replace(posted, filter=of_tier(posted.filter or {"all": []}, tier)),
        run_id=run_id,
        parent_id=parent.campaign_id,
        tier=tier,
        version=0,
    )


def own_part(campaign: Campaign, selection: Selection) -> Selection:
    """Whom a campaign itself is for: of one with children, who is of none of their tiers."""
    if campaign.contents is None:
        return selection
    return replace(selection, filter=of_no_tier(selection.filter or {"all": []}, tiers_of(campaign)))


def as_posted(campaign: Campaign) -> Selection:
    """The selection without what planning made of its filter: that of a parent is then for who is of no tier."""
    selection = campaign.selection
    if campaign.contents is None or campaign.run_id is None or selection.filter is None:
        return selection
    return replace(selection, filter=selection.filter["all"][0])


def owner_of(parent: Campaign, index: int) -> tuple[str, int]:
    """Whose a range is among those of a parent and its children, one after the other; and which of theirs."""
    which, own = divmod(index, parent.ranges)
    return (parent.campaign_id, *children_ids(parent))[which], own


def ranges_of(campaign: Campaign) -> int:
    """How many ranges a campaign has with its children."""
    return campaign.ranges * (1 + len(tiers_of(campaign)))
