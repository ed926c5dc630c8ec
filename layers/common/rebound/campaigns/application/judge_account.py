"""Judging whether an account mostly sends bulk, when it is about to send more."""

from __future__ import annotations

from copy import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.holds import JUDGED_OVER, AccountHold
from rebound.campaigns.domain.campaigns import Campaign
from rebound.kernel.audiences import Audience
from rebound.kernel.categories import Category
from rebound.kernel.errors import ConflictError
from rebound.kernel.retrying import retried

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory, HoldPolicyBook
    from rebound.campaigns.ports import CampaignBook, ExpansionLedger, SingleMessages
    from rebound.platform.ports import Clock

PAGE: Final = 100


class JudgeAccount(Struct, frozen=True, kw_only=True):
    """Holds an account that mostly sends bulk, by the operator's policy, and refuses bulk of one that is held.

    Bulk is how many recipients its bulk campaigns had that were posted within the time, on all channels; beside it
    stand its single messages. Judged is what was sent since the latest hold was lifted, and at most 30 days.
    """

    hold_policies: HoldPolicyBook
    businesses: BusinessDirectory
    campaigns: CampaignBook
    expansion: ExpansionLedger
    single_messages: SingleMessages
    clock: Clock

    def __call__(self, business: Business, category: Category) -> None:
        """Raises ``ConflictError`` when campaigns of this category may not go out. Others cost nothing."""
        if not category.is_bulk:
            return
        hold = business.hold or self._found(business)
        if hold is not None:
            message = (
                "This account mostly sends bulk, and is held: campaigns are refused until the hold is lifted. Ask "
            )
            raise ConflictError("account_held", f"{message}{hold.contact}", contact=hold.contact)

    def _found(self, business: Business) -> AccountHold | None:
        """The hold that begins now, if one does."""
        policy = self.hold_policies.get()
        if policy is None:
            return None
        now = self.clock.now()
        since = max([now - JUDGED_OVER, *(lifted.lifted_at for lifted in business.lifted_holds)])
        bulk = self._bulk_since(business.business_id, since)
        if bulk < policy.volume:
            return None
        single = self.single_messages.count_since(business.business_id, since, policy.most_singles(bulk))
        if not policy.holds(bulk, single):
            return None
        hold = AccountHold(now, bulk, single, policy.contact)

        def write() -> AccountHold:
            known = self.businesses.get(business.business_id)
            if known.hold is None:
                self.businesses.replace(replace(known, hold=hold))
            return known.hold or hold

        return retried(write)

    def _bulk_since(self, business_id: str, since: datetime) -> int:
        found, cursor = 0, None
        while True:
            page = self.campaigns.page(business_id, PAGE, cursor)
            for campaign in page.items:
                if campaign.created_at < since:
                    return found
                found += self._recipients(campaign)
            cursor = page.next_cursor
            if cursor is None:
                return found

    def _recipients(self, campaign: Campaign) -> int:
        if campaign.run_id is None or not campaign.category.is_bulk:
            return 0
        audience = Audience()
        for part in self.expansion.list(campaign.campaign_id):
            audience = audience.plus(part.audience)
        return audience.targeted
