"""Whatever comes late, twice, concurrently or after a death ends as if only the last words had been said."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rebound.activity.domain.events import Event
from rebound.activity.domain.summary import Summary, summarised_on
from rebound.activity.domain.words import WAITS, ActivityTask
from rebound.kernel.ids import id_of_external
from tests.fakes.making import BUSINESS_ID, at, customer, id_of
from tests.fakes.watching import Turns
from tests.fakes.world import Chaos, World

DAY: Final = timedelta(days=1)
PEOPLE: Final = 3
LOCATIONS: Final = ("soho", "east")


def written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def visit(event_id: str = "v1", who: int = 1, days_ago: float = 1, **more: Any) -> dict[str, Any]:
    """A visit as a client writes it."""
    moment = written(at(0) - days_ago * DAY)
    return {"event_id": event_id, "kind": "visit", "at": moment, "customer_id": id_of(who), **more}


def with_people(seed: int = 0, **chaos: float) -> World:
    world = World(seed=seed)
    world.add(*(customer(number) for number in range(1, PEOPLE + 1)))
    world.chaos = Chaos(**chaos)
    return world


def say(world: World, *events: Mapping[str, Any]) -> tuple[int, int, Sequence[Any]]:
    answer = world.accept_activity(BUSINESS_ID, events)
    return answer.accepted, answer.known, answer.errors


def summary(world: World, who: int = 1) -> Summary:
    return world.summaries.get_many(BUSINESS_ID, [id_of(who)])[id_of(who)]


def events(world: World, who: int = 1) -> list[Event]:
    return list(world.read_activity.events(BUSINESS_ID, id_of(who), 100, None).items)


def as_if_only_last(world: World, who: int) -> Summary | None:
    """The fold of what is listed."""
    listed, found = events(world, who), summary(world, who)
    return summarised_on(listed, found.zone, found.written_on) if listed else Summary.empty()


def is_found_where_they_were(world: World) -> bool:
    """Whether each location leads to exactly those whose summaries say that they were there or are booked."""
    found = {
        (each.customer_id, place): each.until
        for place in LOCATIONS
        for each in world.summaries.at_location(BUSINESS_ID, place, None, 100)
    }
    return found == {
        (id_of(who), place): until
        for who in range(1, PEOPLE + 1)
        for place, until in summary(world, who).places.items()
    }


type Times = dict[str, tuple[str, timedelta | None]]


def is_known_when_first_told(world: World, told: Times) -> bool:
    """Whether of each event is known when it was told first, and how soon at best."""
    known = {event_id: (each.told, each.delay) for (_, event_id), each in world.activity.leads.items()}
    return known == told


def add_first(world: World, told: Times) -> None:
    """Add when events were told first, and how soon at best, with what waits to be applied."""
    for word in (word for words in world.activity.parts.values() for word in words):
        stamp, delay = told.get(word.event_id, (word.stamp, None))
        soonest = min((each for each in (delay, word.delay) if each is not None), default=None)
        told[word.event_id] = (min(stamp, word.stamp), soonest)


def booking(event_id: str, who: int, days: float, **more: Any) -> dict[str, Any]:
    """A booking as a client writes it, which begins so many days from now."""
    starts_at = written(at(0) + days * DAY)
    return {**visit(event_id, who, 1), "kind": "booking", "starts_at": starts_at, **more}


def test_an_event_is_accepted_and_known_only_once_it_is_applied() -> None:
    world = with_people()

    assert say(world, visit()) == (1, 0, [])
    assert say(world, visit()) == (1, 0, [])
    world.rest()
    assert say(world, visit(), visit(amount="2.00", currency="EUR")) == (1, 1, [])
    world.rest()
    assert summary(world).visits(date.min, at(0).date()) == 1
    assert [str(event.amount) for event in events(world)] == ["2.00"]


def test_a_word_that_repeats_what_was_applied_holds_over_one_that_is_still_on_its_way() -> None:
    world = with_people()
    say(world, visit(class_id="first"))
    world.rest()
    say(world, visit(class_id="second"))
    say(world, visit(class_id="first"))
    world.rest()

    assert [event.class_id for event in events(world)] == ["first"]


@pytest.mark.parametrize("moved", [{"who": 2}, {"days_ago": 9}, {"who": 2, "days_ago": 9}])
def test_a_correction_may_move_an_event_to_another_time_or_customer(moved: dict[str, Any]) -> None:
    world = with_people()
    say(world, visit(), visit("v2"))
    world.rest()
    say(world, visit(**moved))
    world.rest()
    both = [event.event_id for who in (1, 2) for event in events(world, who)]

    assert sorted(both) == ["v1", "v2"]
    assert [as_if_only_last(world, who) for who in (1, 2)] == [summary(world, who) for who in (1, 2)]


@pytest.mark.parametrize("first", ["word", "taking back"])
def test_what_was_taken_back_is_gone_also_when_the_taking_back_overtakes_it(first: str) -> None:
    world = with_people()
    say(world, visit())
    world.accept_activity.take_back(BUSINESS_ID, "v1")
    tasks = list(world.activity.parts)
    for task in tasks if first == "word" else reversed(tasks):
        world.apply_activity(task)
    world.rest()

    assert events(world) == []
    assert summary(world) == Summary.empty()
    assert say(world, visit()) == (1, 0, [])
    world.rest()
    assert len(events(world)) == 1


type Says = Callable[..., dict[str, Any]]
SAID: Final = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.integers(1, PEOPLE),
        st.integers(0, 3),
        st.sampled_from(["x", "y", None]),
        st.sampled_from([*LOCATIONS, None]),
        st.sampled_from([visit, booking, None]),
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(SAID, st.integers(0, 2**32), st.integers(0, 2))
def test_in_any_order_doubled_and_after_deaths_only_the_last_words_hold(
    said: Sequence[tuple[str, int, int, str | None, str | None, Says | None]], seed: int, rests: int
) -> None:
    world = with_people(seed, death=0.05, duplicate=0.3)
    last: dict[str, tuple[int, str | None, str | None] | None] = {}
    first: Times = {}
    for number, (event_id, who, days, class_id, location_id, says) in enumerate(said):
        if says:
            say(world, says(event_id, who, days, class_id=class_id, location_id=location_id))
        else:
            world.accept_activity.take_back(BUSINESS_ID, event_id)
        last[event_id] = (who, class_id, location_id) if says else None
        add_first(world, first)
        if rests and number % (rests + 1) == 0:
            world.rest()
    world.rest()

    found = {
        event.event_id: (who, event.class_id, event.location_id)
        for who in range(1, PEOPLE + 1)
        for event in events(world, who)
    }
    assert found == {event_id: word for event_id, word in last.items() if word is not None}
    assert [as_if_only_last(world, who) for who in (1, 2, 3)] == [summary(world, who) for who in (1, 2, 3)]
    assert is_found_where_they_were(world)
    assert is_known_when_first_told(world, first)
    assert not world.activity.parts


def apply_part(world: World, task: ActivityTask) -> None:
    world.apply_activity(task)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(SAID, st.integers(0, 2**32))
def test_parts_that_are_applied_at_the_same_time_end_as_the_last_words_say(
    said: Sequence[tuple[str, int, int, str | None, str | None, Says | None]], seed: int
) -> None:
    world = with_people(seed)
    last: dict[str, int | None] = {}
    for event_id, who, days, class_id, location_id, says in said:
        if says:
            say(world, says(event_id, who, days, class_id=class_id, location_id=location_id))
        else:
            world.accept_activity.take_back(BUSINESS_ID, event_id)
        last[event_id] = who if says else None
    first: Times = {}
    add_first(world, first)
    turns = Turns(seed)
    world.checkpoint = turns.checkpoint
    _ = world.apply_activity
    turns.run([partial(apply_part, world, task) for task in world.activity.parts])

    assert {e.event_id: who for who in range(1, PEOPLE + 1) for e in events(world, who)} == {
        event_id: who for event_id, who in last.items() if who is not None
    }
    assert [as_if_only_last(world, who) for who in (1, 2, 3)] == [summary(world, who) for who in (1, 2, 3)]
    assert is_found_where_they_were(world)
    assert is_known_when_first_told(world, first)


@pytest.mark.parametrize("chance", range(20))
def test_with_a_deleted_customer_goes_what_they_did_and_what_arrives_later(chance: int) -> None:
    world = with_people(chance, death=0.05, duplicate=0.3)
    say(world, visit(location_id="soho"), visit("v2"), visit("v3", who=2, location_id="soho"))
    if chance % 2:
        world.rest()
        say(world, visit("v4"), visit("v2", days_ago=5))
    world.customer_service.delete(BUSINESS_ID, id_of(1))
    world.rest()

    assert [cell for cell in world.activity.read(BUSINESS_ID, id_of(1)).cells if cell.event is not None] == []
    assert world.activity.read(BUSINESS_ID, id_of(1)).summary is None
    assert len(events(world, 2)) == 1
    assert [each.customer_id for each in world.summaries.at_location(BUSINESS_ID, "soho", None, 9)] == [id_of(2)]
    assert say(world, visit("v5"))[2][0][1].field == "customer_id"


@pytest.mark.parametrize("comes_again", [False, True])
def test_what_is_said_after_a_deletion_of_who_may_come_again_stays_when_the_deletion_is_told_twice(
    comes_again: bool,
) -> None:
    world = World()
    person = {"first_name": "Ana", "last_name": "Silva"}
    gone = world.customer_service.put(BUSINESS_ID, "ext-1", person)[0].customer
    say(world, unknown())
    world.live_until(at(0) + DAY)
    world.customer_service.delete(BUSINESS_ID, gone.customer_id)
    world.live_until(at(0) + DAY + timedelta(hours=1))
    say(world, unknown("v2"))
    world.live_until(at(0) + DAY + timedelta(hours=2))
    if comes_again:
        world.customer_service.put(BUSINESS_ID, "ext-1", person)
    world.erase_activity.deleted(gone)

    assert [cell.event_id for cell in world.activity.read(BUSINESS_ID, gone.customer_id).cells] == ["v2"]


def unknown(event_id: str = "v1") -> dict[str, Any]:
    event = visit(event_id, external_id="ext-1")
    del event["customer_id"]
    return event


def test_what_somebody_did_who_is_no_customer_yet_waits_thirty_days_and_is_there_when_they_come() -> None:
    world = with_people()
    say(world, unknown())
    world.live_until(at(0) + WAITS - DAY)
    person = {"first_name": "Ana", "last_name": "Silva"}
    world.customer_service.put(BUSINESS_ID, "ext-1", person)
    id_ = id_of_external(BUSINESS_ID, "ext-1")
    world.live_until(at(0) + 2 * WAITS)

    assert [event.event_id for event in world.read_activity.events(BUSINESS_ID, id_, 10, None).items] == ["v1"]
    assert world.read_activity.summary(BUSINESS_ID, id_)[1].appointments == 1


def test_who_does_not_come_within_thirty_days_is_forgotten_each_event_at_its_time() -> None:
    world = with_people()
    id_ = id_of_external(BUSINESS_ID, "ext-1")
    say(world, unknown())
    world.live_until(at(0) + WAITS - DAY)
    say(world, unknown("v2"))
    world.live_until(at(0) + WAITS + DAY)
    left = [cell.event_id for cell in world.activity.read(BUSINESS_ID, id_).cells]
    world.live_until(at(0) + 2 * WAITS + DAY)

    assert left == ["v2"]
    assert world.activity.read(BUSINESS_ID, id_).cells == []
    assert world.activity.read(BUSINESS_ID, id_).summary is None
    assert world.activity.leads == {}
    assert not world.timers.rows


def test_a_part_that_comes_again_writes_no_summary() -> None:
    world = with_people()
    say(world, visit(), visit("v2"))
    [task] = world.activity.parts
    words = world.activity.staged(task)
    world.apply_activity(task)
    before = world.activity.kept[BUSINESS_ID, id_of(1)].version
    world.activity.stage(task, words)
    world.apply_activity(task)

    assert world.activity.kept[BUSINESS_ID, id_of(1)].version == before == 1


def test_days_are_those_of_the_zone_of_the_business_since_the_customers_next_event() -> None:
    world = with_people()
    say(world, visit(days_ago=0))
    world.rest()
    before = summary(world).zone
    world.settings_of_business.change(BUSINESS_ID, {"time_zone": "Asia/Tokyo"})
    say(world, visit("v2"))
    world.rest()

    assert before != summary(world).zone == "Asia/Tokyo"
