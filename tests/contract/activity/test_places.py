"""Who is looked for at a location: one suite against the fake and the table."""

from datetime import timedelta
from typing import Any, Final

import pytest

from rebound.activity.domain.events import Event, EventKind
from rebound.activity.domain.summary import MOST_PLACES, Summary, summarised
from rebound.activity.domain.words import Placed
from rebound.kernel.errors import ConcurrentChangeError
from tests.fakes.house import EveryPorts
from tests.fakes.making import at, id_of

DAY: Final = timedelta(days=1)
WHO: Final = id_of(1)


def of(*events: Event) -> Summary:
    return summarised(events, "UTC", at(0))


def visit(location_id: str, days_ago: int = 1) -> Event:
    return Event(
        event_id=f"{location_id}{days_ago}", kind=EventKind.VISIT, at=at(0) - days_ago * DAY, location_id=location_id
    )


def booking(location_id: str, days: int) -> Event:
    return Event(
        event_id=f"b{location_id}{days}",
        kind=EventKind.BOOKING,
        at=at(0),
        starts_at=at(0) + days * DAY,
        location_id=location_id,
    )


def version(ports: EveryPorts, business_id: str) -> int:
    return ports.activity.read(business_id, WHO).version


def found(ports: EveryPorts, business_id: str, location_id: str, **more: Any) -> list[Placed]:
    return list(ports.summaries.at_location(business_id, location_id, more.get("after"), more.get("limit", 10)))


def test_somebody_is_found_where_they_were_and_where_they_are_booked_and_nowhere_else(ports: EveryPorts) -> None:
    booked = of(booking("moves-a", 1), booking("moves-a", 3), booking("moves-b", 2))
    came = of(visit("moves-a"))
    ports.activity.save_summary("moves", WHO, booked, read=0)
    assert found(ports, "moves", "moves-a") == [Placed(WHO, at(0) + 3 * DAY)]
    assert found(ports, "moves", "moves-b") == [Placed(WHO, at(0) + 2 * DAY)]
    ports.activity.save_summary("moves", WHO, came, read=version(ports, "moves"), before=booked)
    assert found(ports, "moves", "moves-a") == [Placed(WHO)]
    assert found(ports, "moves", "moves-b") == found(ports, "other", "moves-a") == []
    assert list(ports.summaries.locations("moves")) == ["moves-a", "moves-b"]
    assert list(ports.summaries.locations("other")) == []
    ports.activity.save_summary("moves", WHO, None, read=version(ports, "moves"), before=came)
    assert found(ports, "moves", "moves-a") == []


def test_who_loses_a_race_moves_nobody(ports: EveryPorts) -> None:
    east, west = of(visit("east")), of(visit("west"))
    ports.activity.save_summary("race", WHO, east, read=0)
    with pytest.raises(ConcurrentChangeError):
        ports.activity.save_summary("race", WHO, west, read=0)
    with pytest.raises(ConcurrentChangeError):
        ports.activity.save_summary("race", WHO, None, read=7, before=east)

    assert found(ports, "race", "east") == [Placed(WHO)]
    assert found(ports, "race", "west") == []


def test_people_at_a_location_are_read_in_pages(ports: EveryPorts) -> None:
    there = of(visit("north#1"))
    ids = [id_of(number) for number in range(1, 4)]
    for customer_id in ids:
        ports.activity.save_summary("pages", customer_id, there, read=0)
    first, second, third = sorted(ids)

    assert found(ports, "pages", "north#1", limit=2) == [Placed(first), Placed(second)]
    assert found(ports, "pages", "north#1", after=second) == [Placed(third)]


def test_somebody_is_found_at_the_last_of_very_many_locations_and_moves_between_as_many(ports: EveryPorts) -> None:
    def many(name: str) -> Summary:
        return of(*(visit(f"{name}{number:02}", number) for number in range(1, MOST_PLACES + 2)))

    one, other = many("a"), many("b")
    ports.activity.save_summary("many", WHO, one, read=0)
    assert [len(found(ports, "many", f"a{number}")) for number in ("01", MOST_PLACES, MOST_PLACES + 1)] == [1, 1, 0]
    ports.activity.save_summary("many", WHO, other, read=version(ports, "many"), before=one)
    assert found(ports, "many", "a01") == []
    assert found(ports, "many", f"b{MOST_PLACES}") == [Placed(WHO)]
