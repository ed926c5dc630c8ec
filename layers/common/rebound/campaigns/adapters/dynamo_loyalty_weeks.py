"""The days that loyalty campaigns have claimed, in the Directory table."""

from __future__ import annotations

from typing import Any

from msgspec import convert, to_builtins

from rebound.campaigns.domain.loyalty_weeks import KEPT, Claim, LoyaltyWeek
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import DirectoryRow, as_read, expiry, lost_races


class DynamoLoyaltyWeeks(Directory):
    """Implements ``LoyaltyWeeks``: a row for each audience, removed when none of its claims can matter any more."""

    kind = "loyalty-week"

    def get(self, business_id: str, audience: str) -> LoyaltyWeek:
        try:
            row = self.row.get(business_id, self.entry(audience), consistent_read=True)
        except self.row.DoesNotExist:
            return LoyaltyWeek(business_id, audience)
        claims = convert(row.document["claims"], tuple[Claim, ...])
        return LoyaltyWeek(business_id, audience, claims, int(row.version))

    def replace(self, week: LoyaltyWeek) -> None:
        document: dict[str, Any] = {"claims": to_builtins(week.claims)}
        last = max((max(each.at, each.claimed_at) for each in week.claims), default=None)
        row = self.row(
            week.business_id,
            self.entry(week.audience),
            document=document,
            version=week.version + 1,
            expires_at=None if last is None else expiry(last, KEPT),
        )
        with lost_races():
            row.save(condition=as_read(DirectoryRow, week.version))
