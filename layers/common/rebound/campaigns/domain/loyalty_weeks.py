"""Loyalty campaigns keep some days apart: one for each saved segment, one for each tier, one for everybody else.

What counts is the time at which a campaign is to be sent, whether that has passed or lies ahead.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import replace
from datetime import datetime, time, timedelta
from typing import Final

from msgspec import Struct

from rebound.businesses.domain.frequency import LONGEST_LOYALTY_INTERVAL
from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus
from rebound.kernel.local_time import first_instant_of, wall_clock

OTHERS: Final = "others"
"""Whom campaigns are for that are neither for a saved segment nor for a tier: all of them together."""
_SEGMENT: Final = "segment#"
_TIER: Final = "tier#"
UNDER_WAY: Final = timedelta(minutes=2)
"""A claim so young may be of a campaign that is being written at this moment: no request takes so long."""
KEPT: Final = timedelta(days=LONGEST_LOYALTY_INTERVAL + 2)
"""How long after its time a claim can matter."""


class Claim(Struct, frozen=True):
    """A campaign's claim to the days around the time at which it is to be sent.

    It is written before its campaign is, of which the stored row has ``version`` then, 0 for none yet. So it counts by
    itself while that write may be under way, and then for as long as the campaign is stored as the claim has it:
    ``send_at`` is that of the campaign, ``at`` when it goes out by that.
    """

    campaign_id: str
    at: datetime
    send_at: datetime | None
    claimed_at: datetime
    version: int = 0

    def may_be_under_way(self, version: int, now: datetime) -> bool:
        """Whether its campaign, of which the stored row has this version, may be about to be written as it says."""
        return self.version == version and now - self.claimed_at < UNDER_WAY


class LoyaltyWeek(Struct, frozen=True):
    """The claims of the loyalty campaigns to one audience of a business; ``version`` is 0 where none is stored."""

    business_id: str
    audience: str
    claims: tuple[Claim, ...] = ()
    version: int = 0

    def with_claim(self, new: Claim, forgotten: Iterable[Claim]) -> LoyaltyWeek:
        """With a claim, in place of the same campaign's for the same time, and without what does not count any more."""
        gone = set(forgotten)
        kept = (
            each
            for each in self.claims
            if each not in gone
            and each.at + KEPT > new.claimed_at
            and (each.campaign_id, each.send_at) != (new.campaign_id, new.send_at)
        )
        return replace(self, claims=(*kept, new))

    def without(self, claim: Claim) -> LoyaltyWeek:
        """Without a claim."""
        return replace(self, claims=tuple(each for each in self.claims if each != claim))


def audiences_of(campaign: Campaign) -> tuple[str, ...]:
    """The audiences whose days a campaign takes, in an order that is the same for all campaigns."""
    selection = campaign.selection
    named = {_TIER + tier for tier in campaign.contents or ()}
    if selection.segment_id is not None:
        named.add(_SEGMENT + selection.segment_id)
    else:
        named |= _named_in(selection.filter) - ({OTHERS} if named else set())
    return tuple(sorted(named))


def _named_in(tree: object) -> set[str]:
    """The audiences that a filter is for; what it takes out is none of them."""
    match tree:
        case {"tier": str(tier)}:
            return {_TIER + tier}
        case {"segment": str(segment_id)}:
            return {_SEGMENT + segment_id}
        case {"all": [_, *_] as parts}:
            named = set[str]().union(*map(_named_in, parts))
            return named - {OTHERS} or {OTHERS}
        case {"any": [_, *_] as parts}:
            return set[str]().union(*map(_named_in, parts))
        case _:
            return {OTHERS}


def claim_of(campaign: Campaign, now: datetime, zone: str) -> Claim:
    """The claim of a campaign that is about to be announced, moved or resumed.

    An occurrence of a recurring campaign claims from the beginning of its day where the business is: one of each week
    fits, whether it is made some seconds earlier than the one before, or its hour has been changed.
    """
    day = campaign.occurrence_date
    at = campaign.starts_at(now) if day is None else first_instant_of(datetime.combine(day, time()), zone)
    return Claim(campaign.campaign_id, at, campaign.send_at, now, campaign.version)


def stands_behind(claim: Claim, audience: str, campaign: Campaign) -> bool:
    """Whether the campaign is, or was, to be sent as its claim has it; what has become of it since is not asked."""
    return (
        campaign.category.traits.is_spaced
        and campaign.status is not CampaignStatus.DRAFT
        and audience in audiences_of(campaign)
        and claim.send_at == campaign.send_at
    )


def free_again_at(at: datetime, taken: Iterable[datetime], days: int, zone: str) -> datetime:
    """The first moment from ``at`` on that is so many days away from all those that are taken; ``at`` if it is free.

    A day has as many hours as it has where the business is, so that what is sent at the same hour of each week fits.
    """
    for each in sorted(taken):
        if _later(at, days, zone) > each and at < _later(each, days, zone):
            at = _on_a_second(_later(each, days, zone))
    return at


def _on_a_second(at: datetime) -> datetime:
    """The first whole second from a time on: what a client is told is written shorter than it is kept."""
    return at if at.microsecond == 0 else at.replace(microsecond=0) + timedelta(seconds=1)


def _later(at: datetime, days: int, zone: str) -> datetime:
    return first_instant_of(wall_clock(at, zone) + timedelta(days=days), zone)
