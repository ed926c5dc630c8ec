"""The condition of a filter that asks for a loyalty tier."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from rebound.customers.domain import Customer
from rebound.kernel.channels import Channel
from rebound.loyalty.domain.standings import Standings
from rebound.loyalty.domain.tiers import Tier, is_blacklisted, joined_on, tier_of
from rebound.segments.domain.matching import CustomerMatcher, Known, Moment
from rebound.segments.domain.reading import Problems


def tier(problems: Problems, asked: object, path: str, at: Moment | None) -> CustomerMatcher:
    """Those of a tier, as of the moment and the ranking that is fixed with it."""
    if not isinstance(asked, str) or asked not in list(Tier):
        return problems.misnamed(path, f"Must be one of {', '.join(Tier)}.", [str(asked)], list(Tier))
    standings = None if at is None else at.standings
    return of_tier(Tier(asked), standings) if standings is not None else _UNRANKED


def of_tier(wanted: Tier, standings: Standings) -> CustomerMatcher:
    """Those of a tier: the profile says who is no favourite, the contacts who is blacklisted."""
    zone = ZoneInfo(standings.zone)

    def test(customer: Customer, known: Known) -> bool | None:
        if customer.favourite is not (wanted is Tier.FAVOURITE):
            return False
        if any(key not in known.contacts for key in customer.contact_keys):
            return None
        if customer.favourite:
            return not is_blacklisted(customer, known.contacts)
        summary = known.summaries.get(customer.customer_id)
        if summary is None:
            return False if is_blacklisted(customer, known.contacts) else None
        created = customer.created_at.astimezone(zone).date()
        joined = joined_on(customer, summary, created)
        return tier_of(customer, known.contacts, summary, standings, joined) is wanted

    asks = wanted is not Tier.FAVOURITE
    return CustomerMatcher(test, frozenset(Channel), is_timed=True, asks_activity=asks, is_ranked=True)


def _unranked(_customer: Customer, _known: Known) -> bool:
    raise ValueError("the filter asks for a tier, and was compiled without a ranking")


_UNRANKED = CustomerMatcher(_unranked, frozenset(Channel), is_timed=True, asks_activity=True, is_ranked=True)
"""A condition that can be checked and not asked."""
