"""Keeping loyalty campaigns to the same people some days apart."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.campaigns.application.campaign_service import counted
from rebound.campaigns.domain.by_tier import children_ids
from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus
from rebound.campaigns.domain.loyalty_weeks import (
    Claim,
    LoyaltyWeek,
    audiences_of,
    claim_of,
    free_again_at,
    stands_behind,
)
from rebound.kernel.errors import ConflictError, NotFoundError
from rebound.kernel.retrying import retried
from rebound.kernel.times import write_time
from rebound.messages.domain.messages import MessageStatus

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.ports import CampaignBook, ExpansionLedger, LoyaltyWeeks, TallyBook
    from rebound.platform.ports import Clock

GIVES_BACK: Final = frozenset({CampaignStatus.CANCELLED, CampaignStatus.FAILED})
"""In these a campaign may have ended without having sent anything."""


class ClaimLoyaltyWeek(Struct, frozen=True, kw_only=True):
    """Lets a loyalty campaign be announced unless another to the same people is too close to it.

    The claim is one conditional write for each audience, made before the campaign is written; of two at once one wins.
    Nothing more is written when a campaign is moved, changed to something else, or ends without having sent anything: a
    claim counts only if its campaign, as it is stored, stands behind it. A death between the two writes leaves a claim
    that anybody may take over after ``UNDER_WAY``.
    """

    weeks: LoyaltyWeeks
    campaigns: CampaignBook
    businesses: BusinessDirectory
    expansion: ExpansionLedger
    tallies: TallyBook
    clock: Clock

    def __call__(self, campaign: Campaign) -> None:
        """Claim the days around the campaign's time. Raises ``ConflictError`` with the time when they are free again.

        A campaign that could claim some of its audiences and not others claims none.
        """
        business = self.businesses.get(campaign.business_id)
        claim, claimed = claim_of(campaign, self.clock.now(), business.time_zone), list[str]()
        for audience in audiences_of(campaign):
            try:
                retried(partial(self._claim, business, audience, claim))
            except ConflictError:
                for before in claimed:
                    retried(partial(self._withdraw, business.business_id, before, claim))
                raise
            claimed.append(audience)

    def _claim(self, business: Business, audience: str, claim: Claim) -> None:
        week = self.weeks.get(business.business_id, audience)
        days, zone = business.loyalty_interval_days, business.time_zone
        gone: list[Claim] = []
        if days is not None:
            others = [each for each in week.claims if each.campaign_id != claim.campaign_id]
            near = [each for each in others if free_again_at(claim.at, [each.at], days, zone) != claim.at]
            counting = [each for each in near if self._counts(week, each, claim.claimed_at)]
            if counting:
                # Those further off decide as well when it is free again.
                taken = [each.at for each in others if each in counting or self._counts(week, each, claim.claimed_at)]
                raise _too_close(audience, free_again_at(claim.at, taken, days, zone), days)
            gone = near
        self.weeks.replace(week.with_claim(claim, gone))

    def _withdraw(self, business_id: str, audience: str, claim: Claim) -> None:
        week = self.weeks.get(business_id, audience)
        if claim in week.claims:
            self.weeks.replace(week.without(claim))

    def _counts(self, week: LoyaltyWeek, claim: Claim, now: datetime) -> bool:
        """Whether the claim's campaign is to be sent, has been, or may be about to be written so."""
        try:
            campaign = self.campaigns.get(week.business_id, claim.campaign_id)
        except NotFoundError:
            return claim.may_be_under_way(0, now)
        if stands_behind(claim, week.audience, campaign):
            return not self._gave_back(campaign)
        return claim.may_be_under_way(campaign.version, now)

    def _gave_back(self, campaign: Campaign) -> bool:
        """Whether the campaign has ended, and nothing was, or may have been, handed over."""
        if campaign.status not in GIVES_BACK:
            return False
        if campaign.run_id is None:
            return True
        for child_id in children_ids(campaign):
            with suppress(NotFoundError):
                if not self._gave_back(self.campaigns.get(campaign.business_id, child_id)):
                    return False
        parts = [progress.audience for progress in self.expansion.list(campaign.campaign_id)]
        results = counted(campaign, parts, self.tallies.counts(campaign.campaign_id)).results
        return all(count == 0 or status is MessageStatus.CANCELLED for status, count in results.items())


def _too_close(audience: str, free: datetime, days: int) -> ConflictError:
    kind, _, name = audience.partition("#")
    whom = {"segment": f"the segment {name}", "tier": f"the tier {name}"}.get(
        kind, "customers who are named neither by a saved segment nor by a tier"
    )
    return ConflictError(
        "loyalty_week_taken",
        f"Another loyalty campaign to {whom} is less than {days} days away. They are free again at "
        f"{write_time(free)}; the settings (PATCH /v1/business) can have fewer days as "
        "loyalty_interval_days, or null.",
        free_again_at=write_time(free),
    )
