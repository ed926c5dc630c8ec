"""What ends a sequence ends it when it happened after what began it, whichever of the two was told first."""

from datetime import timedelta
from functools import partial
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from rebound.activity.domain.events import EventKind
from rebound.sequences.domain.enrolments import LeftBecause
from rebound.sequences.domain.happenings import Happened, Happening, Kind
from rebound.sequences.domain.sequences import ExitOn, Reentry
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.fakes.watching import BrokenCallError, WorkerDiedError
from tests.fakes.world import Chaos
from tests.unit.sequences.worlds import DAY, HOUR, SEQUENCE_ID, SequenceWorld, send, wait

BOOKED: Final = ExitOn(Happening(kind=Kind.BOOKING), is_goal=True)


class Event(Struct, frozen=True):
    """A visit, or what ends it, so many hours before noon."""

    kind: EventKind
    hours: int

    def tell(self, world: SequenceWorld) -> None:
        booked = {"starts_at": NOON + 30 * DAY} if self.kind is EventKind.BOOKING else {}
        world.did(1, f"{self.kind}-{self.hours}", self.kind, at=NOON - self.hours * HOUR, **booked)


VISIT: Final = Event(EventKind.VISIT, 20)
OTHERS: Final = st.lists(
    st.builds(Event, st.sampled_from([EventKind.BOOKING, EventKind.PURCHASE]), st.integers(0, 40)),
    max_size=4,
    unique=True,
)


def salon(seed: int = 0) -> SequenceWorld:
    world = SequenceWorld(business(), seed=seed)
    world.add(customer(1))
    trigger = Happening(kind=Kind.VISIT)
    world.set_up(
        send("one"), wait(9 * DAY), send("two"), trigger=trigger, reentry=Reentry.AFTER_EXIT, exit_on=(BOOKED,)
    )
    return world


@settings(deadline=None, max_examples=150)
@given(OTHERS, st.data())
def test_what_ends_it_ends_it_in_whatever_order_it_is_told(others: list[Event], data: st.DataObject) -> None:
    world = salon()
    told = data.draw(
        st.permutations([VISIT, *others, *data.draw(st.lists(st.sampled_from([VISIT, *others]), max_size=3))])
    )
    for each in told:
        each.tell(world)
        if data.draw(st.booleans()):
            world.live_until(world.clock.now() + timedelta(minutes=20))
    world.live_until(NOON + DAY)

    ends = [each for each in others if each.kind is EventKind.BOOKING and each.hours < VISIT.hours]
    assert world.enrolment(id_of(1)).left_because is (LeftBecause.GOAL if ends else None)
    if any(told.index(each) < told.index(VISIT) for each in ends):
        assert world.subjects(id_of(1)) == []


@pytest.mark.parametrize("microsecond", [0, 700_000])
@pytest.mark.parametrize("order", [("booking", "visit"), ("visit", "booking")])
@pytest.mark.parametrize("live", [False, True])
def test_who_walks_in_is_thanked_though_the_booking_is_of_that_moment(
    order: tuple[str, str], microsecond: int, live: bool
) -> None:
    world = salon()
    at = NOON.replace(microsecond=microsecond) - HOUR
    for kind in order:
        starts = {"starts_at": at} if kind == "booking" else {}
        world.did(1, kind, EventKind(kind), at=at, appointment_id="a", **starts)
        if live:
            world.live_until(world.clock.now() + HOUR)
    world.live_until(NOON + 20 * DAY)

    assert world.subjects(id_of(1)) == ["one", "two"]


def test_what_happens_within_the_second_of_a_text_ends_what_that_began() -> None:
    world = salon()
    world.set_up(send("one"), wait(DAY), trigger=Happening(kind=Kind.REPLY), exit_on=(BOOKED,))
    world.clock.move(timedelta(milliseconds=700))
    world.hear_happenings(BUSINESS_ID, id_of(1), [Happened(kind=Kind.REPLY, key="text", at=world.clock.now())])
    world.did(1, "booked", EventKind.BOOKING, at=NOON, starts_at=NOON + DAY)

    assert world.enrolment(id_of(1)).left_because is LeftBecause.GOAL


@pytest.mark.parametrize("seed", range(15))
def test_it_is_so_whoever_dies_and_whatever_comes_at_the_same_time(seed: int) -> None:
    world = salon(seed)
    world.chaos = Chaos(death=0.1, duplicate=0.3)
    for each in world.random.sample([VISIT, Event(EventKind.BOOKING, 10)], 2):
        while True:
            try:
                world._mortal("hear", partial(each.tell, world))
            except (WorkerDiedError, BrokenCallError):
                continue
            break
    world.live_until(NOON + DAY)
    world.chaos = Chaos()
    world.live_until(NOON + 20 * DAY)

    assert world.enrolment(id_of(1)).left_because is LeftBecause.GOAL
    assert "two" not in world.subjects(id_of(1))


def test_history_that_is_told_late_ends_nothing() -> None:
    world = salon()
    VISIT.tell(world)
    world.did(1, "old", EventKind.BOOKING, at=NOON - 50 * HOUR, starts_at=NOON + DAY)
    world.live_until(NOON + 20 * DAY)

    assert world.subjects(id_of(1)) == ["one", "two"]


def test_nobody_is_looked_up_where_the_log_cannot_say_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    world = salon()
    tagged = ExitOn(Happening(kind=Kind.TAG_ADDED, about={"tag": "vip"}))
    world.set_up(send("one"), wait(DAY), trigger=Happening(kind=Kind.VISIT), exit_on=(tagged,))
    VISIT.tell(world)
    monkeypatch.setattr(world.activity, "read", None)
    monkeypatch.setattr(world.activity, "since", None)
    world.live_until(NOON + HOUR)

    assert world.subjects(id_of(1)) == ["one"]


@pytest.mark.parametrize("is_there_again", [False, True])
def test_who_begins_while_it_is_deleted_leaves(is_there_again: bool) -> None:
    world = salon()
    gone = world.sequences.get(BUSINESS_ID, SEQUENCE_ID)
    world.sequence_service.delete(BUSINESS_ID, SEQUENCE_ID)
    world.run_jobs()
    if is_there_again:
        world.set_up(send("new"))
    # Whoever lets them in has read the sequence before.
    assert world.hear_happenings.enter(gone, id_of(1), Happened(kind=Kind.VISIT, key="v", at=NOON))
    world.live_until(NOON + DAY)

    assert world.subjects(id_of(1)) == []
    assert world.enrolment(id_of(1)).left_because is LeftBecause.REMOVED
