"""Who is a member already when a sequence begins to listen for the end of memberships waits as whoever becomes one."""

from datetime import timedelta
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.sequences.application import wake
from rebound.sequences.domain.happenings import Happening, Kind
from rebound.sequences.domain.sequences import Late, Reentry, SequenceStatus
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.fakes.watching import BrokenCallError, WorkerDiedError
from tests.fakes.world import Chaos
from tests.unit.sequences.worlds import DAY, HOUR, SEQUENCE_ID, SequenceWorld, send

ENDING: Final = Happening(kind=Kind.MEMBERSHIP_EXPIRING, days_before=7)
VISIT: Final = Happening(kind=Kind.VISIT)
PEOPLE: Final = (1, 2, 3, 4, 5)
ON, OFF = SequenceStatus.ON, SequenceStatus.OFF


def salon(seed: int = 0) -> SequenceWorld:
    world = SequenceWorld(business(), seed=seed)
    world.add(*map(customer, PEOPLE))
    return world


def publish(world: SequenceWorld, trigger: Happening, status: SequenceStatus = ON, **given: Any) -> None:
    world.set_up(send("it ends"), trigger=trigger, status=status, reentry=Reentry.AFTER_EXIT, **given)


def tell(world: SequenceWorld, number: int, days: int = 40) -> None:
    until = (NOON + days * DAY).date()
    world.has_membership(number, f"word {number}", until, at=max(NOON, world.clock.now() - DAY))


def waiting(world: SequenceWorld) -> set[str]:
    return {key.customer_id for key, each in world.enrolments.rows.items() if not each.is_over}


DOINGS: Final = st.lists(st.sampled_from(["ending", "visit", "on", "off", "look", *PEOPLE]), max_size=10)


@settings(deadline=None, max_examples=200)
@given(DOINGS, st.booleans())
def test_members_wait_whenever_they_and_it_became_so(doings: list[str | int], is_made_on: bool) -> None:
    world = salon()
    is_there = False
    for each in doings:
        world.clock.move(timedelta(minutes=1))
        if isinstance(each, int):
            tell(world, each)
        elif each == "look":
            world.run_jobs()
        elif each in ("ending", "visit") and not is_there:
            publish(world, ENDING if each == "ending" else VISIT, ON if is_made_on else OFF)
            is_there = True
        elif each in ("ending", "visit"):
            before = world.sequences.get(BUSINESS_ID, SEQUENCE_ID)
            publish(world, ENDING if each == "ending" else VISIT, before.status)
        elif is_there:
            world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, ON if each == "on" else OFF)
    world.clock.move(timedelta(minutes=1))
    publish(world, ENDING)
    world.run_jobs()
    members = {id_of(each) for each in doings if isinstance(each, int)}
    assert waiting(world) == members

    world.live_until(NOON + 60 * DAY)
    assert {each: world.subjects(each) for each in map(id_of, PEOPLE)} == {
        each: ["it ends"] if each in members else [] for each in map(id_of, PEOPLE)
    }


@pytest.mark.parametrize("seed", range(20))
def test_nobody_is_passed_over_whoever_dies(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake, "LOOKED_AT_ONCE", 2)
    world = salon(seed)
    for number in PEOPLE:
        tell(world, number)
    publish(world, ENDING, OFF)
    world.clock.move(HOUR)
    world.chaos = Chaos(death=0.1, duplicate=0.2)
    while True:
        try:
            world._mortal("switch", partial(switch_on, world))
        except (WorkerDiedError, BrokenCallError):
            continue
        break
    world.run_jobs()
    world.chaos = Chaos()
    assert {key.customer_id for key in world.enrolments.rows} == set(map(id_of, PEOPLE))

    world.live_until(NOON + 60 * DAY)
    unsure = sum(each.status == "uncertain" for each in world.messages.rows.values())
    assert max(world.mailer.went_out.values(), default=1) == 1
    assert sum(len(world.subjects(id_of(number))) for number in PEOPLE) + unsure == len(PEOPLE)


def switch_on(world: SequenceWorld) -> None:
    # Looked up anew, because the process may have died.
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, ON)


@pytest.mark.parametrize("late", Late)
def test_what_came_due_before_it_was_switched_on_is_late(late: Late) -> None:
    world = salon()
    for number, days in ((1, 10), (2, 40)):
        tell(world, number, days)
    publish(world, ENDING, OFF)
    world.live_until(NOON + 5 * DAY)
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, ON, late)
    world.clock.move(timedelta(seconds=1))
    world.run_jobs()
    world.live_until(NOON + 6 * DAY)
    # Told again it is no news.
    tell(world, 1, 10)
    world.live_until(NOON + 60 * DAY)

    assert len(world.subjects(id_of(1))) == (late is Late.GO_ON)
    assert len(world.subjects(id_of(2))) == 1


def test_what_is_over_by_then_is_not_told_of() -> None:
    world = salon()
    tell(world, 1, 10)
    world.live_until(NOON + 12 * DAY)
    publish(world, ENDING)
    world.run_jobs()

    assert waiting(world) == set()


def test_all_are_looked_at_once_and_for_no_other_trigger() -> None:
    world = salon()
    publish(world, VISIT)
    assert not world.job_runner.started
    publish(world, ENDING)
    first = list(world.job_runner.started)
    assert first
    world.run_jobs()
    publish(world, ENDING)
    world.set_up(send("it ends"), trigger=ENDING, reentry=Reentry.AFTER_EXIT)

    assert {job_id for _, job_id, _ in world.job_runner.started} <= {job_id for _, job_id, _ in first}
