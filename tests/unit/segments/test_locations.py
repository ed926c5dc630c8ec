"""Customers by location: lists, counts and filters mean the same people, whatever was said in which order."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rebound.kernel.errors import InvalidInputError
from rebound.segments.domain.selections import CustomerFilter
from tests.fakes.making import BUSINESS_ID, at, business, customer, id_of
from tests.fakes.world import World

HOUR: Final = timedelta(hours=1)
PEOPLE: Final = 6
PLACES: Final = ("soho", "east")
SAID: Final = st.lists(
    st.tuples(
        st.sampled_from(["visit", "booking", "cancellation"]),
        st.sampled_from("abcd"),
        st.integers(1, PEOPLE),
        st.sampled_from([*PLACES, None]),
        st.sampled_from([-30, 1, 30]),
    ),
    max_size=8,
)
"""Kind, appointment, who, where, and in how many hours."""


def said(world: World, number: int, each: tuple[str, str, int, str | None, int]) -> None:
    kind, appointment_id, who, location_id, hours = each
    event: dict[str, Any] = {
        "event_id": f"e{number}",
        "kind": kind,
        "at": (at(0) + number * HOUR / 60).isoformat(),
        "customer_id": id_of(who),
        "appointment_id": appointment_id,
    }
    if kind != "cancellation":
        event |= {"location_id": location_id, "starts_at": (at(0) + hours * HOUR).isoformat()}
    assert world.accept_activity(BUSINESS_ID, [event]).accepted == 1


def listed(world: World, wanted: CustomerFilter, limit: int) -> list[str]:
    """All pages."""
    pinned = world.pin_filters.wanted(BUSINESS_ID, wanted)
    found, cursor = list[str](), None
    while True:
        page = world.list_customers(BUSINESS_ID, pinned, limit=limit, cursor=cursor)
        assert len(page.items) <= limit
        found += [view.customer.customer_id for view in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


def of_filter(location_id: str) -> dict[str, Any]:
    visits = {"visits": {"at_least": 1, "location_id": location_id}}
    return {"any": [visits, {"bookings": {"upcoming": True, "location_id": location_id}}]}


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(SAID, st.permutations(range(8)), st.integers(1, 3), st.sampled_from([0, 2, 40]), st.booleans())
def test_a_list_by_location_has_whom_the_filter_means(
    events: Sequence[tuple[str, str, int, str | None, int]],
    order: Sequence[int],
    limit: int,
    later: int,
    has_index: bool,
) -> None:
    world = World(business(customers_indexed=has_index))
    world.add(*(customer(number, first_name=f"n{number % 2}") for number in range(1, PEOPLE + 1)))
    for number in order:
        if number < len(events):
            said(world, number, events[number])
    world.rest()
    world.live_until(at(0) + later * HOUR)
    for place in PLACES:
        meant = listed(world, CustomerFilter(filter=of_filter(place)), limit)
        by_location = listed(world, CustomerFilter(location_id=place), limit)
        named = listed(world, CustomerFilter(location_id=place, q="n1"), limit)
        assert by_location == sorted(meant)
        assert set(named) == {id_ for id_ in meant if id_ in {id_of(1), id_of(3), id_of(5)}}
        pinned = world.pin_filters.wanted(BUSINESS_ID, CustomerFilter(location_id=place))
        counts = world.count_customers(BUSINESS_ID, pinned)
        assert counts is not None
        assert counts["count"] == len(meant)


def test_a_cursor_of_one_location_is_none_of_another() -> None:
    world = World()
    world.add(customer(1), customer(2))
    for number, who in enumerate((1, 2)):
        said(world, number, ("visit", "a", who, "soho", 1))
    world.rest()
    soho, east = (
        world.pin_filters.wanted(BUSINESS_ID, CustomerFilter(location_id=place)) for place in ("soho", "east")
    )
    cursor = world.list_customers(BUSINESS_ID, soho, limit=1).next_cursor
    assert cursor
    with pytest.raises(InvalidInputError):
        world.list_customers(BUSINESS_ID, east, limit=1, cursor=cursor)
    assert world.list_customers(BUSINESS_ID, soho, limit=1, cursor=cursor).next_cursor is None


def test_people_who_are_no_customers_and_bookings_that_are_over_make_a_page_short_and_lose_nobody() -> None:
    world = World()
    world.add(customer(1))
    for number in range(9):
        event = {
            "event_id": f"u{number}",
            "kind": "visit",
            "at": at(0).isoformat(),
            "external_id": f"stranger-{number}",
            "location_id": "soho",
        }
        assert world.accept_activity(BUSINESS_ID, [event]).accepted == 1
    said(world, 1, ("visit", "a", 1, "soho", 1))
    world.rest()

    assert listed(world, CustomerFilter(location_id="soho"), 1) == [id_of(1)]
