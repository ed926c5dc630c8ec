"""Results by step: exact, whatever is delivered twice and whoever dies."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.messages.domain.messages import MessageStatus
from rebound.sequences.domain.enrolments import Enrolment, EnrolmentKey, LeftBecause, Stage
from rebound.sequences.domain.happenings import Happened, Happening, Kind
from rebound.sequences.domain.results import StepResults, VersionResults, counts_of, results_of
from rebound.sequences.domain.sequences import ExitOn, Late, Reentry, SequenceStatus
from rebound.sequences.domain.steps import Exit
from tests.fakes.making import BUSINESS_ID, NOON, customer, id_of
from tests.fakes.world import Chaos
from tests.unit.sequences.worlds import (
    DAY,
    HOUR,
    SEQUENCE_ID,
    SequenceWorld,
    definition_of,
    send,
    steps,
    tag,
    tagged,
    wait,
    world_of,
)


def begin(world: SequenceWorld, number: int, key: str = "a") -> bool:
    return world.sequence_service.enrol(BUSINESS_ID, SEQUENCE_ID, id_of(number), key)


def results(world: SequenceWorld) -> VersionResults:
    """Of all versions together."""
    world.pump_streams()
    return world.sequence_results(BUSINESS_ID, SEQUENCE_ID)[1].total


def step(found: VersionResults, step_id: str) -> StepResults:
    return next(each for each in found.steps if each.step.step_id == step_id)


def test_each_step_says_who_came_who_waits_and_who_has_passed() -> None:
    world = world_of(6)
    world.set_up(send("one"), wait(DAY), tagged("vip", steps(tag("thanked"))), wait(HOUR), send("two"))
    for number in range(6):
        begin(world, number)
    world.live_until(world.clock.now() + HOUR)

    found = results(world)
    assert [each.step.step_id for each in found.steps] == ["1", "2", "3", "3.then.1", "4", "5"]
    assert (found.entered, found.inside, found.beginning, found.left) == (6, 6, 0, {})
    first, second = step(found, "1"), step(found, "2")
    assert (first.entered, first.passed, first.waiting) == (6, 6, 0)
    assert first.messages.results == {MessageStatus.DELIVERED: 6}
    assert (second.entered, second.waiting, second.passed) == (6, 6, 0)

    world.live_until(world.clock.now() + DAY)
    found = results(world)
    asked = step(found, "3")
    assert (asked.entered, asked.passed, asked.then, asked.otherwise) == (6, 6, 2, 4)
    assert (step(found, "3.then.1").entered, step(found, "3.then.1").passed) == (2, 2)

    world.live_until(world.clock.now() + DAY)
    found = results(world)
    assert (found.inside, found.left) == (0, {LeftBecause.ENDED: 6})
    assert step(found, "5").left == {LeftBecause.ENDED: 6}
    assert step(found, "5").messages.results == {MessageStatus.DELIVERED: 6}


def test_who_is_left_out_of_a_send_is_told_with_the_reason() -> None:
    world = world_of(1)
    world.add(customer(7, email=None))
    world.set_up(send("one"))
    begin(world, 0)
    begin(world, 7)
    world.live_until(world.clock.now() + HOUR)

    messages = step(results(world), "1").messages
    assert messages.results == {MessageStatus.DELIVERED: 1}
    assert sum(messages.excluded.values()) == 1


def test_who_ends_at_a_condition_or_at_an_exit_has_left_there() -> None:
    world = world_of(4)
    world.set_up(tagged("vip", steps(Exit())))
    for number in range(4):
        begin(world, number)
    world.live_until(world.clock.now() + HOUR)

    found = results(world)
    asked, ends = step(found, "1"), step(found, "1.then.1")
    assert (asked.entered, asked.then, asked.otherwise, asked.left) == (4, 2, 2, {LeftBecause.ENDED: 2})
    assert asked.passed == 2
    assert (ends.entered, ends.left) == (2, {LeftBecause.ENDED: 2})


def test_why_somebody_left_is_told_where_they_stood() -> None:
    world = world_of(5)
    goal = ExitOn(Happening(kind=Kind.BOOKING), is_goal=True)
    gone = ExitOn(Happening(kind=Kind.CANCELLATION))
    world.set_up(wait(DAY), wait(DAY), exit_on=(goal, gone))
    for number in range(5):
        begin(world, number)
    world.live_until(world.clock.now() + HOUR)
    told = {0: Kind.BOOKING, 1: Kind.CANCELLATION}
    for number, kind in told.items():
        world.hear_happenings(BUSINESS_ID, id_of(number), [Happened(kind=kind, key="x", at=world.clock.now())])
    world.remove_customer(world.customers.get(BUSINESS_ID, id_of(2)))
    world.live_until(world.clock.now())
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.OFF)
    world.live_until(world.clock.now() + DAY)
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.ON, Late.LAPSE)
    world.run_jobs()

    found = results(world)
    expected = {LeftBecause.GOAL: 1, LeftBecause.EXIT: 1, LeftBecause.REMOVED: 1, LeftBecause.LAPSED: 2}
    assert found.left == step(found, "1").left == expected
    assert (found.entered, found.inside) == (5, 0)


def test_who_begins_again_counts_again_and_who_is_forgotten_later_stays_counted() -> None:
    world = world_of(1)
    world.set_up(tag("seen"), reentry=Reentry.AFTER_EXIT)
    begin(world, 0, "a")
    world.live_until(world.clock.now() + HOUR)
    begin(world, 0, "b")
    world.live_until(world.clock.now() + HOUR)
    world.remove_customer(world.customers.get(BUSINESS_ID, id_of(0)))
    world.live_until(world.clock.now())

    found = results(world)
    assert (found.entered, found.inside, found.left) == (2, 0, {LeftBecause.ENDED: 2})


def test_who_begins_anew_before_they_were_forgotten_has_left_and_entered() -> None:
    world = world_of(1)
    world.set_up(wait(HOUR), wait(DAY), wait(DAY))
    begin(world, 0)
    world.live_until(world.clock.now() + 2 * HOUR)
    world.customer_service.delete(BUSINESS_ID, id_of(0))
    world.clock.move(HOUR)
    world.add(customer(0, created_at=world.clock.now()))
    assert begin(world, 0, "b")

    found = results(world)
    assert (found.entered, found.inside, found.beginning, found.left) == (2, 1, 1, {LeftBecause.REMOVED: 1})
    assert [(each.entered, each.passed, each.left) for each in found.steps] == [
        (1, 1, {}), (1, 0, {LeftBecause.REMOVED: 1}), (0, 0, {}),
    ]  # fmt: skip
    world.live_until(world.clock.now() + 2 * HOUR)
    assert (results(world).entered, results(world).left) == (2, {LeftBecause.REMOVED: 1})


WRITES: Final = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["enter", "on", "on", "on", "leave", "forget"])), max_size=40
)


@given(WRITES)
def test_after_every_write_all_adds_up(writes: Sequence[tuple[int, str]]) -> None:
    """Of the whole and of each step of three waits: whoever comes to a step has passed the one before."""
    rows: dict[int, Enrolment] = {}
    program, counts = definition_of(wait(), wait(), wait()).program, Counter[str]()
    order = list(program.steps)
    for number, (who, what) in enumerate(writes):
        was, now = rows.get(who), NOON + number * HOUR
        if what == "enter":
            # Also in place of somebody inside, who had the id before.
            after: Enrolment | None = Enrolment(
                key=EnrolmentKey(BUSINESS_ID, id_of(who), SEQUENCE_ID), version=1, entry_key=str(number),
                entered_at=now, standing=Stage.WAITING, step_id=None, since=now, wake_at=now,
            )  # fmt: skip
        elif was is None:
            continue
        elif what == "forget":
            after = None
        elif was.is_over:
            continue
        elif what == "leave" or was.step_id == order[-1]:
            after = was.left(LeftBecause.ENDED, now)
        else:
            at = 0 if was.step_id is None else order.index(was.step_id) + 1
            after = was.waits(order[at], now, now + HOUR)
        counts.update(counts_of(was, after))
        if after is None:
            del rows[who]
        else:
            rows[who] = after

        found = results_of(1, program, counts, {})
        inside = [each for each in rows.values() if not each.is_over]
        assert found.inside == len(inside)
        assert found.entered == found.inside + sum(found.left.values())
        assert [each.waiting for each in found.steps] == [
            sum(i.step_id == step_id for i in inside) for step_id in order
        ]
        # Those who left before the first step stand at none.
        came = found.entered - found.beginning - counts_left(counts, "")
        for each in found.steps:
            assert each.entered == came
            came = each.passed


def counts_left(counts: Mapping[str, int], step_id: str) -> int:
    """Who left at a step."""
    return sum(n for label, n in counts.items() if "|left:" in label and label.endswith(f"|{step_id}"))


def test_nothing_is_counted_of_a_sequence_that_is_gone() -> None:
    world = world_of(3)
    saved = world.set_up(wait(DAY))
    for number in range(3):
        begin(world, number)
    world.live_until(world.clock.now() + HOUR)
    world.sequence_service.delete(BUSINESS_ID, SEQUENCE_ID)
    world.run_jobs()
    world.live_until(world.clock.now() + HOUR)

    assert world.step_tallies.counts(BUSINESS_ID, saved.uid) == {}


def test_a_sequence_of_an_id_that_is_free_again_begins_with_nothing() -> None:
    world = world_of(2)
    world.set_up(wait(DAY))
    begin(world, 0)
    world.live_until(world.clock.now() + HOUR)
    world.sequence_service.delete(BUSINESS_ID, SEQUENCE_ID)
    world.run_jobs()
    world.set_up(wait(DAY))
    begin(world, 1)

    found = results(world)
    assert (found.entered, found.inside, found.beginning, found.left) == (1, 1, 1, {})


def test_versions_are_told_apart_and_together() -> None:
    world = world_of(3)
    world.set_up(wait(DAY), tag("old"))
    begin(world, 0)
    world.live_until(world.clock.now() + HOUR)
    saved = world.set_up(wait(HOUR), send("new"))
    begin(world, 1)
    world.live_until(world.clock.now() + timedelta(minutes=1))
    world.pump_streams()

    sequence, found = world.sequence_results(BUSINESS_ID, SEQUENCE_ID)
    assert sequence.version == saved.version == 2
    assert [(each.version, each.entered, each.inside) for each in found.versions] == [(2, 1, 1), (1, 1, 1)]
    assert world.sequence_results.inside(sequence) == {2: 1, 1: 1}
    assert (found.total.entered, found.total.inside) == (2, 2)
    assert step(found.total, "1").waiting == 2


@pytest.mark.parametrize("seed", range(12))
def test_everything_adds_up_whoever_dies_and_whatever_comes_twice(seed: int) -> None:
    world = world_of(15, seed)
    program = (send("one"), wait(HOUR), tagged("vip", steps(tag("x"), wait(HOUR)), steps(Exit())), send("two"))
    world.set_up(*program)
    world.chaos = Chaos(death=0.05, duplicate=0.3)
    for number in range(15):
        begin(world, number)
        world.live_until(world.clock.now() + timedelta(minutes=world.random.choice([0, 1, 50])))
        adds_up(world)
    world.live_until(world.clock.now() + 2 * DAY)

    found = adds_up(world)
    assert (found.entered, found.inside, found.left) == (15, 0, {LeftBecause.ENDED: 15})
    assert step(found, "1").passed == step(found, "2").passed == 15
    assert (step(found, "3").then, step(found, "3").otherwise) == (5, 10)
    assert step(found, "3.else.1").left == {LeftBecause.ENDED: 10}
    assert step(found, "4").left == {LeftBecause.ENDED: 5}


def adds_up(world: SequenceWorld) -> VersionResults:
    """The results, which say what the enrolments themselves say."""
    world.pump_streams()
    _, found = world.sequence_results(BUSINESS_ID, SEQUENCE_ID)
    rows = world.enrolments.rows.values()
    inside = Counter((row.version, row.step_id) for row in rows if not row.is_over)
    for each in found.versions:
        assert each.entered + each.moved_in == each.inside + each.moved + sum(each.left.values())
        assert each.beginning == inside[each.version or 0, None]
        for one in each.steps:
            assert one.waiting + one.doing == inside[each.version or 0, one.step.step_id]
    assert found.total.entered == found.total.inside + sum(found.total.left.values())
    return found.total


def test_a_tag_is_passed_in_the_write_of_the_step_behind_it() -> None:
    world = world_of(2)
    world.set_up(wait(HOUR), tag("one"), tag("two"), wait(DAY))
    begin(world, 0)
    world.live_until(world.clock.now() + timedelta(minutes=30))
    before = world.enrolment(id_of(0)).row_version
    with_numbers = iter(range(before + 1, before + 9))
    world.enrolments._numbers = with_numbers  # type: ignore[assignment]
    world.live_until(world.clock.now() + HOUR)

    found = results(world)
    assert [(each.passed, each.waiting) for each in found.steps] == [(1, 0), (1, 0), (1, 0), (0, 1)]
    assert world.enrolment(id_of(0)).row_version == before + 1
    assert {"one", "two"} <= set(world.customers.get(BUSINESS_ID, id_of(0)).general_tags)
