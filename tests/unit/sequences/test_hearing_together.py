"""What a part of a request tells of many customers is heard by sequences that are read once."""

from datetime import timedelta
from unittest.mock import patch

import pytest

from rebound.activity.domain.events import Event, EventKind
from rebound.activity.domain.words import Told
from rebound.sequences.application.hear_activity import TOLD_WITHIN
from rebound.sequences.domain.happenings import Happening, Kind
from tests.fakes.making import BUSINESS_ID, NO_QUIET_HOURS, NOON, business, customer, id_of
from tests.unit.sequences.worlds import SequenceWorld, send

PEOPLE = range(1, 21)
VISIT = Happening(kind=Kind.VISIT)


@pytest.fixture
def world() -> SequenceWorld:
    made = SequenceWorld(business(quiet_hours=NO_QUIET_HOURS))
    made.add(*map(customer, PEOPLE))
    return made


def visits(world: SequenceWorld, ago: timedelta = timedelta()) -> dict[str, list[Told]]:
    at = world.clock.now() - ago
    return {id_of(each): [Told(Event(event_id=f"v{each}", kind=EventKind.VISIT, at=at), ago, ago)] for each in PEOPLE}


def reads_of_sequences(world: SequenceWorld, told: dict[str, list[Told]]) -> int:
    with patch.object(type(world.sequences), "all", autospec=True, side_effect=type(world.sequences).all) as read:
        world.hear_activity(world.businesses.get(BUSINESS_ID), told)
    return read.call_count


def test_twenty_who_came_begin_after_one_read(world: SequenceWorld) -> None:
    world.set_up(send("hello"), trigger=VISIT)

    assert reads_of_sequences(world, visits(world)) == 1

    world.live_until(NOON + timedelta(hours=1))
    assert [world.subjects(id_of(each)) for each in PEOPLE] == [["hello"]] * len(PEOPLE)


def test_history_reads_nothing_and_begins_nothing(world: SequenceWorld) -> None:
    world.set_up(send("hello"), trigger=VISIT)

    assert reads_of_sequences(world, visits(world, TOLD_WITHIN + timedelta(seconds=1))) == 0

    world.live_until(NOON + timedelta(hours=1))
    assert [world.subjects(id_of(each)) for each in PEOPLE] == [[]] * len(PEOPLE)
