"""What was told in time once stays so, whatever is said of it later, in whatever order; all else is history."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from rebound.sequences.application.hear_activity import TOLD_WITHIN
from rebound.sequences.domain.enrolments import LeftBecause
from rebound.sequences.domain.happenings import Happening, Kind
from rebound.sequences.domain.sequences import ExitOn, Reentry, SequenceStatus
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.fakes.world import Chaos
from tests.unit.sequences.worlds import DAY, HOUR, SEQUENCE_ID, SequenceWorld, send, wait

VISIT: Final = Happening(kind=Kind.VISIT)
ENDING: Final = Happening(kind=Kind.MEMBERSHIP_EXPIRING, days_before=7)
UNTIL: Final = NOON + 60 * DAY
VISITED: Final = {"event_id": "v", "kind": "visit"}
BOOKED: Final = {"event_id": "b", "kind": "booking", "starts_at": (NOON + 90 * DAY).isoformat()}
MEMBER: Final = {
    "event_id": "m",
    "kind": "membership",
    "membership_id": "gold",
    "status": "active",
    "until": UNTIL.date().isoformat(),
}


class Said(Struct, frozen=True):
    """What is said of an event on a day: that it happened so long before that; then all that was said is applied."""

    day: int
    ago: timedelta
    is_applied: bool

    @property
    def at(self) -> datetime:
        """When it was said; things of one day are said at one time."""
        return NOON + HOUR + self.day * DAY


MINUTE: Final = timedelta(minutes=1)
AGO: Final = st.sampled_from([timedelta(), HOUR, DAY, TOLD_WITHIN - MINUTE, TOLD_WITHIN + MINUTE, 3 * DAY, 30 * DAY])
WORDS: Final = st.lists(st.builds(Said, st.integers(0, 40), AGO, st.booleans()), min_size=1, max_size=6).map(
    lambda words: sorted(words, key=lambda one: one.day)
)
"""Corrections and repeats of one event, in the order in which they are said."""


def salon(seed: int, **chaos: float) -> SequenceWorld:
    world = SequenceWorld(business(), seed=seed)
    world.add(customer(1))
    world.chaos = Chaos(**chaos)
    return world


def say(world: SequenceWorld, event: Mapping[str, Any], at: datetime) -> None:
    said = {"customer_id": id_of(1), **event, "at": at.isoformat()}
    assert not world.accept_activity(BUSINESS_ID, [said]).errors


def tell(world: SequenceWorld, event: Mapping[str, Any], words: Sequence[Said], since: datetime | None = None) -> None:
    """Say it all, each when it is said; it happened no earlier than ``since``."""
    for each in words:
        world.live_until(max(world.clock.now(), each.at))
        now = world.clock.now()
        say(world, event, now - each.ago if since is None else max(since, now - each.ago))
        if each.is_applied:
            world.live_until(now + HOUR)


def is_in_time(words: Sequence[Said]) -> bool:
    return any(each.ago <= TOLD_WITHIN for each in words)


@settings(deadline=None, max_examples=100)
@given(WORDS, st.integers(0, 2**32))
@example([Said(0, timedelta(), True), Said(7, 30 * DAY, True)], 0)
@example([Said(0, 30 * DAY, True), Said(7, 9 * DAY, True)], 0)
def test_an_event_begins_a_sequence_once_if_it_was_told_in_time(words: list[Said], seed: int) -> None:
    world = salon(seed, death=0.03, duplicate=0.2)
    world.set_up(wait(50 * DAY), send("hello"), trigger=VISIT, reentry=Reentry.AFTER_EXIT)
    tell(world, VISITED, words)
    world.live_until(NOON + 100 * DAY)
    world.pump_streams()

    begun = list(world.enrolments.rows.values())
    assert [each.left_because for each in begun] == [LeftBecause.ENDED] * is_in_time(words)
    assert len(world.messages.rows) == is_in_time(words)


@settings(deadline=None, max_examples=100)
@given(WORDS, st.integers(0, 2**32))
@example([Said(0, timedelta(), True), Said(7, 30 * DAY, True)], 0)
def test_the_end_of_a_membership_is_told_of_if_it_was_told_in_time(words: list[Said], seed: int) -> None:
    world = salon(seed, death=0.03, duplicate=0.2)
    world.set_up(send("it ends"), trigger=ENDING, reentry=Reentry.AFTER_EXIT)
    tell(world, MEMBER, words)
    world.live_until(UNTIL)

    assert len(world.messages.rows) == is_in_time(words)


@settings(deadline=None, max_examples=100)
@given(WORDS, st.booleans(), st.integers(0, 2**32))
@example([Said(0, timedelta(), True), Said(7, 30 * DAY, True)], True, 0)
def test_an_exit_that_was_told_in_time_ends_it(words: list[Said], is_planned: bool, seed: int) -> None:
    world = salon(seed, death=0.03, duplicate=0.2)
    exits = (ExitOn(Happening(kind=Kind.BOOKING)),)
    world.set_up(
        *(() if is_planned else (wait(50 * DAY),)),
        send("hello"),
        trigger=ENDING if is_planned else VISIT,
        exit_on=exits,
    )
    say(world, MEMBER if is_planned else VISITED, NOON)
    world.live_until(NOON + HOUR)
    tell(world, BOOKED, words, since=NOON + MINUTE)
    world.live_until(NOON + 100 * DAY)

    # On the first days it cannot have happened long before.
    is_ended = any(each.ago <= TOLD_WITHIN or each.day < 2 for each in words)
    assert world.enrolment(id_of(1)).left_because is (LeftBecause.EXIT if is_ended else LeftBecause.ENDED)


@pytest.mark.parametrize("ago", [timedelta(), 30 * DAY])
def test_a_correction_of_what_is_long_past_begins_nothing_that_was_not_on(ago: timedelta) -> None:
    world = salon(0)
    world.set_up(send("hello"), trigger=VISIT, status=SequenceStatus.OFF)
    tell(world, VISITED, [Said(0, timedelta(), True)])
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.ON, None)
    tell(world, VISITED, [Said(9, 9 * DAY + ago, True)])

    assert not world.enrolments.rows


@pytest.mark.parametrize("day", [0, 1, 3, 20])
def test_a_booking_that_turns_out_to_be_anothers_ends_what_they_are_in(day: int) -> None:
    world = salon(0)
    world.add(customer(2))
    world.set_up(wait(50 * DAY), send("hello"), trigger=VISIT, exit_on=(ExitOn(Happening(kind=Kind.BOOKING)),))
    say(world, VISITED, NOON)
    world.clock.move(HOUR)
    say(world, BOOKED | {"customer_id": id_of(2)}, world.clock.now())
    booked_at = world.clock.now()
    world.live_until(booked_at + day * DAY)
    say(world, BOOKED, booked_at)
    world.live_until(NOON + 90 * DAY)

    assert world.enrolment(id_of(1)).left_because is LeftBecause.EXIT
