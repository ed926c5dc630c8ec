"""Finding the tiers of customers whose profiles have been read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.customers.domain import Customer
from rebound.loyalty.domain.standings import Standings
from rebound.loyalty.domain.tiers import Tier, is_blacklisted, joined_on, tier_of

if TYPE_CHECKING:
    from rebound.activity.domain.summary import Summary
    from rebound.activity.ports import SummaryBook
    from rebound.contacts.ports import ContactBook


class FindTiers(Struct, frozen=True, kw_only=True):
    """Reads what tiers depend on, a hundred customers at a time, and as of a moment ago."""

    contacts: ContactBook
    summaries: SummaryBook

    def __call__(
        self,
        business: Business,
        customers: Sequence[Customer],
        standings: Standings,
        summaries: Mapping[str, Summary] | None = None,
    ) -> Mapping[str, Tier | None]:
        """The tier of each customer, by id; ``None`` for who is of none. Summaries that are given are not read."""
        keys = {key for customer in customers for key in customer.contact_keys}
        contacts = self.contacts.get_many(keys, consistent=False) if keys else {}
        # What they did makes no difference to who has opted out.
        asked = [customer.customer_id for customer in customers if not is_blacklisted(customer, contacts)]
        if summaries is None:
            summaries = self.summaries.get_many(business.business_id, asked) if asked else {}
        zone = ZoneInfo(business.time_zone)
        found: dict[str, Tier | None] = {}
        for customer in customers:
            summary = summaries.get(customer.customer_id)
            found[customer.customer_id] = (
                None
                if summary is None
                else tier_of(
                    customer,
                    contacts,
                    summary,
                    standings,
                    joined_on(customer, summary, customer.created_at.astimezone(zone).date()),
                )
            )
        return found
