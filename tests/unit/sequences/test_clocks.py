"""Sequences whose timers nobody sweeps for hours, and workers whose clocks do not agree: each step once, in order."""

from collections.abc import Mapping
from copy import replace
from datetime import datetime, timedelta
from typing import Any, Final
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.sequences.application.wake import WakeEnrolments
from rebound.sequences.domain import tasks
from rebound.sequences.domain.enrolments import EnrolmentKey, LeftBecause
from rebound.sequences.domain.tasks import StepTask, timer_of
from tests.contract.platform.fakes import FakeClock
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.fakes.world import Chaos
from tests.unit.sequences.worlds import DAY, HOUR, SEQUENCE_ID, SequenceWorld, send, steps, tag, tagged, wait

PEOPLE: Final = 5
WORKERS: Final = ("advance_sequences", "sweep_timers", "send_email", "hear")


def of(seed: int = 0) -> SequenceWorld:
    world = SequenceWorld(business(), seed=seed)
    world.add(*(customer(number, created_at=NOON - DAY) for number in range(PEOPLE)))
    return world


def enrol(world: SequenceWorld, number: int) -> None:
    world._mortal("hear", lambda: world.sequence_service.enrol(BUSINESS_ID, SEQUENCE_ID, id_of(number), "e1"))


class Skewed(FakeClock):
    """Each worker's clock goes before or after that of the queues."""

    def __init__(self, world: SequenceWorld, skews: Mapping[str, timedelta]) -> None:
        super().__init__()
        self._world, self._true, self._skews = world, world.clock, skews

    def now(self) -> datetime:
        return self._true.now() + self._skews.get(self._world.step, timedelta())

    def move(self, by: timedelta) -> None:
        self._true.move(by)

    def move_to(self, at: datetime) -> None:
        self._true.move_to(at)


def skewed(world: SequenceWorld, skews: Mapping[str, timedelta]) -> None:
    """From now on; the queues are those of AWS, which has a clock of its own."""
    assert world.step_queue.queue.messages == {}
    assert all(each.messages == {} for each in world.chunk_queue.queues.values())
    world.__dict__["clock"] = Skewed(world, skews)
    world._start_anew()


def end_is_right(world: SequenceWorld) -> None:
    for number in range(PEOPLE):
        assert world.subjects(id_of(number)) == ["one", "two", "three"]
        assert world.enrolment(id_of(number)).left_because is LeftBecause.ENDED
    assert not world.timers.rows


@given(
    st.lists(st.integers(0, 20 * 60), min_size=PEOPLE, max_size=PEOPLE),
    st.integers(1, 30),
    st.integers(0, 1000),
)
@settings(max_examples=15, deadline=None)
def test_after_an_outage_of_the_sweep_everybody_goes_on_once_and_who_was_due_first_goes_first(
    minutes: list[int], outage: int, seed: int
) -> None:
    world = of(seed)
    world.chaos = Chaos(duplicate=0.3)
    world.set_up(send("one"), wait(20 * HOUR), send("two"), wait(HOUR), send("three"))
    begun = {number: NOON + timedelta(minutes=minute) for number, minute in enumerate(minutes)}
    with patch.object(SequenceWorld, "_timers_due_at", None):
        for number, at in sorted(begun.items(), key=lambda each: each[1]):
            world.live_until(at)
            enrol(world, number)
        world.live_until(NOON + (20 + 20 + outage) * HOUR)
        assert all(world.subjects(id_of(number)) == ["one"] for number in begun)
    puts: list[datetime] = []
    put = world.step_queue.put

    def noted(some: Any, delay: timedelta = timedelta()) -> None:
        due = [world.enrolment(each).wake_at for task in some for each in task.customer_ids]
        puts.extend(at for at in due if at is not None and at <= NOON + 40 * HOUR + timedelta(minutes=1))
        put(some, delay)

    with patch.object(world.step_queue, "put", noted), patch.object(tasks, "TOGETHER", 1):
        world._sweep_timers()
    assert len(puts) == PEOPLE
    assert puts == sorted(puts)
    world.live_until(world.clock.now() + DAY)

    end_is_right(world)


@given(
    st.lists(st.integers(0, 20 * 60), min_size=PEOPLE, max_size=PEOPLE),
    st.sets(st.integers(0, PEOPLE - 1)),
    st.integers(0, 1000),
)
@settings(max_examples=15, deadline=None)
def test_of_those_who_go_on_together_who_was_due_first_goes_first(
    minutes: list[int], vips: set[int], seed: int
) -> None:
    world = of(seed)
    world.chaos = Chaos(duplicate=0.3)
    world.add(*(replace(world.customers.get(BUSINESS_ID, id_of(each)), general_tags=("vip",)) for each in vips))
    # Whichever way they take, behind it they are together again.
    world.set_up(wait(20 * HOUR), tagged("vip", steps(tag("thanked"))), send("hello"))
    at = {id_of(number): NOON + timedelta(minutes=minute) for number, minute in enumerate(minutes)}
    with patch.object(SequenceWorld, "_timers_due_at", None):
        for number in sorted(range(PEOPLE), key=minutes.__getitem__):
            world.live_until(at[id_of(number)])
            world.sequence_service.enrol(BUSINESS_ID, SEQUENCE_ID, id_of(number), "e1")
        world.live_until(NOON + 60 * HOUR)
    world.live_until(world.clock.now() + DAY)

    sent = [at[each.key.customer_id] for each in world.mailer.handed if each.went_out]
    assert len(sent) == PEOPLE
    assert sent == sorted(sent)


@given(
    # A sweep that is late is an outage, as above.
    st.fixed_dictionaries({name: st.integers(0 if name == "sweep_timers" else -300, 300) for name in WORKERS}),
    st.integers(1, 40),
    st.integers(0, 1000),
)
@settings(max_examples=20, deadline=None)
def test_workers_whose_clocks_do_not_agree_do_each_step_once(seconds: dict[str, int], minutes: int, seed: int) -> None:
    world = of(seed)
    world.chaos = Chaos(duplicate=0.3)
    skewed(world, {name: timedelta(seconds=each) for name, each in seconds.items()})
    world.set_up(send("one"), wait(timedelta(minutes=minutes)), send("two"), wait(3 * HOUR), send("three"))
    for number in range(PEOPLE):
        enrol(world, number)
        world.live_until(world.clock.now() + timedelta(minutes=7))
    world.live_until(NOON + 2 * DAY)

    end_is_right(world)


def test_of_several_sequences_what_was_due_first_is_woken_first() -> None:
    world = of()
    world.clock.move(DAY)
    at = {"a": NOON + HOUR, "b": NOON, "c": NOON + 2 * HOUR}
    timers = [timer_of(EnrolmentKey(BUSINESS_ID, id_of(1), name), due_at) for name, due_at in at.items()]
    WakeEnrolments(step_queue=world.step_queue, clock=world.clock)(timers)

    put = [waiting.body for waiting in world.step_queue.queue.messages.values()]
    assert [each.sequence_id for each in put if isinstance(each, StepTask)] == ["b", "a", "c"]
