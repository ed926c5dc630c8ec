"""Which of some customers match a filter, where it may ask about more than their profiles say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING, Final

from rebound.customers.domain import Customer, PageMatcher
from rebound.segments.domain.matching import NO_CONTACTS, NOTHING_KNOWN, CustomerMatcher, Known, KnownContacts

if TYPE_CHECKING:
    from rebound.activity.ports import SummaryBook
    from rebound.contacts.ports import ContactBook


AT_ONCE: Final = 100
"""Summaries that one request reads."""


def among(
    customers: Sequence[Customer],
    matcher: CustomerMatcher,
    contacts: ContactBook,
    summaries: SummaryBook,
    *,
    consistent: bool = True,
) -> list[Customer]:
    """Those of the customers that match, in their order.

    A filter that asks about no contact reads none. One that does reads those of the customers about whom the profile
    does not decide; unless ``consistent``, as of a moment ago and at half the cost. What customers did is read only of
    those about whom neither decides.
    """
    answers = {customer.customer_id: matcher.test(customer, NOTHING_KNOWN) for customer in customers}
    undecided = [customer for customer in customers if answers[customer.customer_id] is None]
    keys = {key for each in undecided for channel in matcher.channels if (key := each.contact_key(channel)) is not None}
    known = contacts.get_many(keys, consistent=consistent) if keys else NO_CONTACTS
    answers |= settled(undecided, matcher, known, summaries)
    return [customer for customer in customers if answers[customer.customer_id]]


def settled(
    customers: Sequence[Customer], matcher: CustomerMatcher, contacts: KnownContacts, summaries: SummaryBook
) -> Mapping[str, bool]:
    """Whether customers match, by their ids, where their contacts are known already."""
    known = Known(contacts)
    answers = {customer.customer_id: matcher.test(customer, known) for customer in customers}
    undecided = [customer for customer in customers if answers[customer.customer_id] is None]
    for some in batched(undecided, AT_ONCE, strict=False):
        read = Known(contacts, summaries.get_many(some[0].business_id, [each.customer_id for each in some]))
        answers |= {each.customer_id: matcher.decided(each, read) for each in some}
    return {customer_id: bool(answer) for customer_id, answer in answers.items()}


def by_pages(matcher: CustomerMatcher, contacts: ContactBook, summaries: SummaryBook) -> PageMatcher:
    """``among`` for who reads customers page by page."""
    return partial(among, matcher=matcher, contacts=contacts, summaries=summaries)
