"""Which of some customers match a filter, where it may ask about more than their profiles say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from rebound.customers.domain import Customer, PageMatcher
from rebound.segments.domain.matching import NOTHING_KNOWN, CustomerMatcher, Known

if TYPE_CHECKING:
    from rebound.contacts.ports import ContactBook


def among(
    customers: Sequence[Customer], matcher: CustomerMatcher, contacts: ContactBook, *, consistent: bool = True
) -> list[Customer]:
    """Those of the customers that match, in their order.

    A filter that asks about no contact reads none. One that does reads those of the customers about whom the profile
    does not decide; unless ``consistent``, as of a moment ago and at half the cost.
    """
    answers = {customer.customer_id: matcher.test(customer, NOTHING_KNOWN) for customer in customers}
    undecided = [customer for customer in customers if answers[customer.customer_id] is None]
    if undecided:
        keys = {
            key for each in undecided for channel in matcher.channels if (key := each.contact_key(channel)) is not None
        }
        known = Known(contacts.get_many(keys, consistent=consistent) if keys else {})
        answers.update((customer.customer_id, matcher.decided(customer, known)) for customer in undecided)
    return [customer for customer in customers if answers[customer.customer_id]]


def by_pages(matcher: CustomerMatcher, contacts: ContactBook) -> PageMatcher:
    """``among`` for who reads customers page by page."""
    return partial(among, matcher=matcher, contacts=contacts)
