"""Everybody is of one tier at most, by the definitions in their order."""

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import permutations
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import COVERED_BY, ConsentSource, Scope
from rebound.loyalty.domain import tiers
from rebound.loyalty.domain.ranking import MOST_ON_TOP, Rank, highest, rank_of
from rebound.loyalty.domain.standings import Standings
from rebound.loyalty.domain.tiers import DEFINITIONS, Person, Tier, joined_on, months_before, tier_of
from tests.fakes.making import at, customer, id_of

TODAY = date(2026, 11, 30)
LONG_AGO = date(2020, 1, 1)


class Visited(Struct, frozen=True):
    """What a customer did, from the days of all visits."""

    days: tuple[date, ...] = ()
    rating: int | None = None

    @property
    def first_visit(self) -> date | None:
        return min(self.days, default=None)

    @property
    def last_visit(self) -> date | None:
        return max(self.days, default=None)

    def visits(self, first: date, last: date) -> int:
        return sum(first <= day <= last for day in self.days)


def came(*days_ago: int, rating: int | None = None) -> Visited:
    return Visited(tuple(TODAY - timedelta(days=each) for each in days_ago), rating)


def known(who: Customer) -> Mapping[ContactKey, Contact]:
    return {key: Contact(key) for key in who.contact_keys}


def tier(
    doings: Visited, *, top: bool = False, reviewed: bool = False, joined: date = LONG_AGO, **given_: Any
) -> Tier | None:
    who = customer(1, **given_)
    standings = Standings(TODAY, frozenset({who.customer_id} if top else ()), reviewed)
    return tier_of(who, known(who), doings, standings, joined)


@pytest.mark.parametrize(
    ("doings", "top", "expected"),
    [
        (came(), False, None),
        (came(60), False, Tier.NEW),
        (came(60, 50, 40, 35), False, Tier.NEW),
        (came(0), True, Tier.NEW),
        (came(61), False, None),
        (came(61, 20, 10, 5), True, Tier.TOP),
        (came(61, 20, 10), True, None),
        (came(61, 20, 10, 5), False, Tier.LOYAL),
        (came(61, 20, 30), False, Tier.LOYAL),
        (came(61, 30), False, None),
        (came(100, 70, 31), False, Tier.INACTIVE),
        (came(100, 70, 30), False, Tier.LOYAL),
        (came(100, 93), False, Tier.LOYAL),
        (came(100, 92), False, None),
        (came(2000), False, Tier.LOYAL),
        (came(2000, 1999, 1998, 1997), False, Tier.INACTIVE),
    ],
)
def test_a_tier_is_what_the_definitions_say(doings: Visited, top: bool, expected: Tier | None) -> None:
    assert tier(doings, top=top) == expected
    assert tier(doings, top=top, favourite=True) is Tier.FAVOURITE


@pytest.mark.parametrize(
    ("joined", "expected"),
    [(date(2026, 8, 30), None), (date(2026, 8, 31), Tier.TOP), (TODAY, Tier.TOP), (LONG_AGO, None)],
)
def test_who_joined_less_than_three_months_ago_is_on_top_with_few_visits(joined: date, expected: Tier | None) -> None:
    assert tier(came(70, 10), top=True, joined=joined) == expected
    assert tier(came(70, 10), top=False, joined=joined) is None


ALL_TIERS = [came(10), came(61, 20, 10, 5), came(100, 70, 31), came(61, 20, 30)]


@pytest.mark.parametrize("doings", ALL_TIERS)
@pytest.mark.parametrize("rating", [None, 1, 3, 4, 5])
def test_a_positive_review_is_asked_for_once_the_business_has_one(doings: Visited, rating: int | None) -> None:
    rated, top = Visited(doings.days, rating), doings is ALL_TIERS[1]

    assert tier(rated, top=top) is tier(doings, top=top) is not None
    assert (tier(rated, top=top, reviewed=True) is None) is (rating is None or rating < 4)
    assert tier(rated, top=top, reviewed=True, favourite=True) is Tier.FAVOURITE


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("doings", ALL_TIERS)
def test_who_opted_out_of_loyalty_on_any_channel_has_no_tier(doings: Visited, channel: Channel, scope: Scope) -> None:
    who = customer(1, favourite=True)
    [key] = [each for each in who.contact_keys if each.channel is channel]
    said = ConsentEvidence(at(1), scope, opted_out=True, source=ConsentSource.STAFF)
    contacts = {**known(who), key: Contact(key).with_evidence(said)}

    assert tier_of(who, known(who), doings, Standings(TODAY), LONG_AGO) is Tier.FAVOURITE
    out = scope in COVERED_BY[Scope.LOYALTY]
    assert tier_of(who, contacts, doings, Standings(TODAY), LONG_AGO) is (None if out else Tier.FAVOURITE)


def test_who_joined_is_told_by_the_profile_or_else_by_what_is_known() -> None:
    created = date(2026, 10, 1)

    assert joined_on(customer(1, customer_since=LONG_AGO), came(1), created) == LONG_AGO
    assert joined_on(customer(1, customer_since=TODAY), came(1000), created) == TODAY
    assert joined_on(customer(1), came(1), created) == created
    assert joined_on(customer(1), came(1000), created) == TODAY - timedelta(days=1000)
    assert joined_on(customer(1), came(), created) == created


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2026, 11, 30), date(2026, 8, 30)),
        (date(2026, 5, 31), date(2026, 2, 28)),
        (date(2028, 5, 31), date(2028, 2, 29)),
        (date(2026, 3, 31), date(2025, 12, 31)),
        (date(2026, 1, 1), date(2025, 10, 1)),
    ],
)
def test_months_are_those_of_the_calendar(day: date, before: date) -> None:
    assert months_before(day, 3) == before


DAYS_AGO = st.one_of(st.integers(0, 120), st.sampled_from([29, 30, 31, 59, 60, 61, 89, 90, 91, 92, 93, 400]))
PEOPLE = st.builds(
    lambda days, rating, top, reviewed, favourite, joined: Person(
        customer(1, favourite=favourite),
        came(*days, rating=rating),
        Standings(TODAY, frozenset({id_of(1)} if top else ()), reviewed),
        TODAY - timedelta(days=joined),
    ),
    st.lists(DAYS_AGO, max_size=6),
    st.sampled_from([None, 1, 2, 3, 4, 5]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    DAYS_AGO,
)


def described(person: Person) -> list[Tier]:
    """All tiers whose description holds, word by word."""
    did, top = person.doings, person.customer.customer_id in person.standings.top
    visits = did.visits(date.min, TODAY)
    positive = not person.standings.is_reviewed or did.rating in (4, 5)
    new = did.first_visit is not None and (TODAY - did.first_visit).days <= 60 and positive
    joined_lately = person.joined > date(2026, 8, 30)
    away = did.last_visit is not None and did.last_visit < date(2026, 8, 30)
    inactive = did.last_visit is not None and (TODAY - did.last_visit).days > 30 and visits >= 3
    return [
        name
        for name, holds in (
            (Tier.FAVOURITE, person.customer.favourite),
            (Tier.NEW, new),
            (Tier.TOP, (visits > 3 or joined_lately) and positive and top and not new),
            (Tier.INACTIVE, inactive and positive),
            (Tier.LOYAL, (visits >= 3 or away) and not top and not new and positive),
        )
        if holds
    ]


def of(person: Person) -> Tier | None:
    who = person.customer
    return tier_of(who, known(who), person.doings, person.standings, person.joined)


@settings(max_examples=500)
@given(PEOPLE)
def test_everybody_is_of_the_first_tier_that_holds_and_of_no_other(person: Person) -> None:
    assert [tier_ for tier_ in Tier if DEFINITIONS[tier_](person)] == described(person)
    assert of(person) == next(iter(described(person)), None)


@given(PEOPLE)
def test_in_which_order_the_definitions_stand_makes_no_difference(person: Person) -> None:
    expected = of(person)
    for order in permutations(DEFINITIONS.items()):
        with patch.object(tiers, "DEFINITIONS", dict(order)):
            assert of(person) == expected


RANKS = st.lists(
    st.builds(Rank, st.integers(1, 4), st.integers(4, 6), st.integers(0, 400).map(id_of)),
    max_size=300,
    unique_by=lambda rank: rank.customer_id,
)


@settings(max_examples=60)
@given(RANKS, st.data())
def test_the_ranking_is_the_same_in_any_order_and_in_any_parts(ranks: list[Rank], data: st.DataObject) -> None:
    best = highest(*ranks)
    shuffled = data.draw(st.permutations(ranks))
    cut = data.draw(st.integers(0, len(ranks)))

    assert highest(*highest(*shuffled[:cut]), *highest(*shuffled[cut:]), *best) == best
    assert len(best) == min(MOST_ON_TOP, len(ranks))
    rest = set(ranks).difference(best)
    assert all((worse.sessions, worse.visits) <= (best[-1].sessions, best[-1].visits) for worse in rest)


def test_of_equals_the_one_with_more_visits_is_first_and_then_the_smaller_id() -> None:
    ranks = [Rank(2, 9, id_of(1)), Rank(3, 3, id_of(4)), Rank(3, 4, id_of(3)), Rank(3, 3, id_of(2))]

    assert [rank.customer_id for rank in highest(*ranks)] == [id_of(each) for each in (3, 2, 4, 1)]
    assert {rank.customer_id for rank in highest(*(Rank(1, 1, id_of(n)) for n in range(300)))} == set(
        sorted(map(id_of, range(300)))[:100]
    )


def test_who_did_not_come_in_the_last_thirty_days_is_not_ranked() -> None:
    assert rank_of(id_of(1), came(31, 40), TODAY) is None
    assert rank_of(id_of(1), came(30, 40), TODAY) == Rank(1, 2, id_of(1))
    assert rank_of(id_of(1), came(0, 0, 30, 31), TODAY) == Rank(3, 4, id_of(1))
    assert rank_of(id_of(1), came(-1), TODAY) is None
