"""Which of some customers match a filter, where it may ask about what only their contacts know."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from rebound.customers.domain import NOTHING_KNOWN, Customer, CustomerMatcher, PageMatcher

if TYPE_CHECKING:
    from rebound.contacts.ports import ContactBook


def among(
    customers: Sequence[Customer], matcher: CustomerMatcher, contacts: ContactBook, *, consistent: bool = True
) -> list[Customer]:
    """Those of the customers that match, in their order.

    A filter that asks about no contact reads none. One that does reads those of the customers about whom the rest of
    the filter does not decide; unless ``consistent``, as of a moment ago and at half the cost.
    """
    if not matcher.channels:
        return [customer for customer in customers if matcher.test(customer, NOTHING_KNOWN)]
    undecided = [customer for customer in customers if _is_undecided(customer, matcher)]
    keys = {key for each in undecided for channel in matcher.channels if (key := each.contact_key(channel)) is not None}
    known = contacts.get_many(keys, consistent=consistent) if keys else NOTHING_KNOWN
    return [customer for customer in customers if matcher.test(customer, known)]


def by_pages(matcher: CustomerMatcher, contacts: ContactBook) -> PageMatcher:
    """``among`` for who reads customers page by page."""
    return partial(among, matcher=matcher, contacts=contacts)


def _is_undecided(customer: Customer, matcher: CustomerMatcher) -> bool:
    try:
        matcher.test(customer, NOTHING_KNOWN)
    except KeyError:
        return True
    return False
