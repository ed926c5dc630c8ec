"""What a business without the marketing bundle sends in bulk on one of its days."""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from datetime import date

from msgspec import Struct, field


class BulkDay(Struct, frozen=True):
    """The bulk email campaigns of a business that began on one local day, each with how many recipients it reserved.

    A campaign that was refused has ``None``, and counts nothing: nobody got it. A chunk of texts of which some go by
    email is there by its own name, with how many. ``version`` counts the writes.
    """

    business_id: str
    day: date
    campaigns: Mapping[str, int | None] = field(default_factory=dict)
    version: int = 0

    @property
    def reserved(self) -> int:
        """How many recipients all of them have together."""
        return sum(count or 0 for count in self.campaigns.values())

    def with_campaign(self, campaign_id: str, count: int | None) -> BulkDay:
        """The day with one more campaign."""
        return replace(self, campaigns={**self.campaigns, campaign_id: count})
