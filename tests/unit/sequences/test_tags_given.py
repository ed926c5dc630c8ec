"""Tags that start sequences: whoever gives them, once for each time, and never round in a circle."""

from collections.abc import Callable
from typing import Final

import pytest

from rebound.sequences.domain.happenings import Happening, Kind, tag_name
from rebound.sequences.domain.sequences import ExitOn, Reentry
from rebound.sequences.domain.steps import Tag
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.fakes.world import Chaos
from tests.unit.sequences.worlds import DAY, HOUR, SequenceWorld, send, tag, wait

AGAIN: Final = Reentry.AFTER_EXIT


def gives(name: str) -> Happening:
    return Happening(kind=Kind.TAG_ADDED, about={"tag": name})


@pytest.fixture
def world(world: SequenceWorld) -> SequenceWorld:
    world.live_until(NOON + HOUR)
    return world


def lives(world: SequenceWorld) -> None:
    world.live_until(world.clock.now() + HOUR)


def begun(world: SequenceWorld, number: int = 1) -> list[str]:
    return [key.sequence_id for key in world.enrolments.rows if key.customer_id == id_of(number)]


GIVE: Final[dict[str, Callable[[SequenceWorld], object]]] = {
    "changed": lambda world: world.customer_service.change(BUSINESS_ID, id_of(1), {"general_tags": ["VIP"]}),
    "retagged": lambda world: world.customer_service.retag(BUSINESS_ID, id_of(1), add="vip"),
    "put": lambda world: world.customer_service.put(
        BUSINESS_ID, "new", {"first_name": "Bea", "last_name": "Roth", "general_tags": ["vip", "other"]}
    ),
    "created": lambda world: world.customer_service.create(
        BUSINESS_ID, {"first_name": "Bea", "last_name": "Roth", "general_tags": ["vip"]}
    ),
}


@pytest.mark.parametrize("how", GIVE)
def test_a_tag_that_is_given_starts_it_once(world: SequenceWorld, how: str) -> None:
    world.set_up(wait(DAY), trigger=gives("Vip"))
    GIVE[how](world)
    lives(world)

    [enrolment] = world.enrolments.rows.values()
    assert enrolment.entry_key.startswith(tag_name("vip"))


def test_who_has_it_already_begins_nothing_whatever_else_is_written(world: SequenceWorld) -> None:
    world.set_up(wait(DAY), trigger=gives("vip"))
    world.customer_service.change(BUSINESS_ID, id_of(2), {"first_name": "Bea"})
    world.customer_service.change(BUSINESS_ID, id_of(2), {"general_tags": ["VIP", "new"]})
    world.customer_service.retag(BUSINESS_ID, id_of(2), add="vip")
    lives(world)

    assert world.enrolments.rows == {}


def test_a_tag_that_was_taken_away_and_is_given_again_starts_it_again(world: SequenceWorld) -> None:
    world.set_up(send("hello"), trigger=gives("vip"), reentry=AGAIN)
    for _ in range(2):
        world.customer_service.retag(BUSINESS_ID, id_of(1), add="vip")
        lives(world)
        world.customer_service.retag(BUSINESS_ID, id_of(1), remove="vip")
        lives(world)

    assert world.subjects(id_of(1)) == ["hello", "hello"]


def test_it_ends_and_wakes_as_well(world: SequenceWorld) -> None:
    world.set_up(wait(DAY), send("never"), exit_on=(ExitOn(gives("vip")),))
    world.set_up(wait(DAY, for_event=gives("vip")), send("woken"), sequence_id="woken")
    for sequence_id in ("welcome", "woken"):
        world.sequence_service.enrol(BUSINESS_ID, sequence_id, id_of(1), "e1")
    lives(world)
    world.customer_service.retag(BUSINESS_ID, id_of(1), add="vip")
    lives(world)

    assert world.subjects(id_of(1)) == ["woken"]
    assert world.enrolment(id_of(1)).is_over


def test_a_business_that_listens_for_nothing_of_the_kind_puts_nothing_on_the_queue(world: SequenceWorld) -> None:
    world.set_up(wait(DAY), trigger=gives("other"))
    world.customer_service.retag(BUSINESS_ID, id_of(1), add="vip")
    world.pump_streams()

    assert world.step_queue.queue.messages == {}


def test_the_tag_of_a_step_may_start_another(world: SequenceWorld) -> None:
    world.set_up(tag("vip"), sequence_id="first")
    world.set_up(send("hello"), sequence_id="second", trigger=gives("vip"))
    world.sequence_service.enrol(BUSINESS_ID, "first", id_of(1), "e1")
    lives(world)

    assert world.subjects(id_of(1)) == ["hello"]
    assert world.enrolment(id_of(1), "second").caused_by == ("first",)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_sequences_that_start_each_other_come_to_rest(world: SequenceWorld, count: int) -> None:
    """Each gives the tag that starts the next one, and takes away the one that started it."""
    for number in range(count):
        after = (number + 1) % count
        world.set_up(
            send(f"of {number}"),
            Tag(remove=f"tag {number}"),
            tag(f"tag {after}"),
            sequence_id=f"s{number}",
            trigger=gives(f"tag {number}"),
            reentry=AGAIN,
        )
    world.customer_service.retag(BUSINESS_ID, id_of(1), add="tag 0")
    world.live_until(NOON + 30 * DAY)

    assert sorted(world.subjects(id_of(1))) == [f"of {number}" for number in range(count)]
    # Somebody who gives it begins the round once more.
    world.customer_service.retag(BUSINESS_ID, id_of(1), remove="tag 0")
    world.customer_service.retag(BUSINESS_ID, id_of(1), add="tag 0")
    world.live_until(NOON + 60 * DAY)
    assert len(world.subjects(id_of(1))) == 2 * count


@pytest.mark.parametrize("seed", range(15))
def test_each_time_is_heard_once_whoever_dies_and_whatever_comes_twice(seed: int) -> None:
    world = SequenceWorld(business(), seed=seed)
    world.add(*(customer(number) for number in range(8)))
    world.set_up(send("hello"), tag("greeted"), trigger=gives("vip"), reentry=AGAIN)
    world.set_up(send("after"), sequence_id="after", trigger=gives("greeted"))
    world.chaos = Chaos(death=0.01, duplicate=0.2)
    for _ in range(2):
        for number in range(8):
            world.customer_service.retag(BUSINESS_ID, id_of(number), add="vip")
        world.live_until(world.clock.now() + DAY)
        for number in range(8):
            world.customer_service.retag(BUSINESS_ID, id_of(number), remove="vip")
        world.live_until(world.clock.now() + DAY)
    world.chaos = Chaos()
    world.live_until(world.clock.now() + DAY)

    assert world.deaths
    uncertain = {one.key.customer_id for one in world.messages.rows.values() if one.status == "uncertain"}
    for number in range(8):
        if id_of(number) not in uncertain:
            assert sorted(world.subjects(id_of(number))) == ["after", "hello", "hello"]
    assert max(world.mailer.went_out.values()) == 1
