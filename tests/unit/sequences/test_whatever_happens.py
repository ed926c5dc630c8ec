"""Sequences under deaths at every call, what comes twice, edits and switching off: nobody twice, nobody lost."""

from collections import Counter
from datetime import timedelta
from typing import Any, Final

import pytest

from rebound.messages.domain.messages import MessageStatus
from rebound.messages.domain.origins import step_of
from rebound.sequences.domain.enrolments import LeftBecause, Standing
from rebound.sequences.domain.happenings import Happened, Happening, Kind
from rebound.sequences.domain.sequences import ExitOn, Late, Reentry, SequenceStatus
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.fakes.watching import BrokenCallError, WorkerDiedError
from tests.fakes.world import Chaos
from tests.unit.sequences.worlds import DAY, HOUR, SEQUENCE_ID, SequenceWorld, send, steps, tag, tagged, wait

PEOPLE: Final = 12
GONE_BY_HAND: Final = ExitOn(Happening(kind=Kind.CANCELLATION))


def of(seed: int) -> SequenceWorld:
    world = SequenceWorld(business(), seed=seed)
    tags = [("vip",) if number % 3 == 0 else () for number in range(PEOPLE)]
    world.add(*(customer(number, general_tags=tags[number]) for number in range(PEOPLE)))
    return world


def told(world: SequenceWorld, kind: Kind, key: str, number: int) -> None:
    """A happening is told until it has been heard, and perhaps once more."""
    happened = Happened(kind=kind, key=key, at=world.clock.now())
    for _ in range(2 if world.random.random() < 0.3 else 1):
        while True:
            try:
                world._mortal("hear", lambda: world.hear_happenings(BUSINESS_ID, id_of(number), [happened]))
            except (WorkerDiedError, BrokenCallError):
                continue
            break


def run_jobs(world: SequenceWorld) -> None:
    while world.job_runner.started:
        business_id, job_id, _ = world.job_runner.started.pop()
        world.run_to_end(world.job_service.get(business_id, job_id))


PROGRAM: Final = (
    send("one"),
    wait(DAY),
    tagged("vip", steps(send("for vips"), wait(HOUR), tag("thanked")), steps(wait(HOUR))),
    send("two"),
    wait(DAY),
    send("three"),
)


@pytest.mark.parametrize("seed", range(40))
def test_nobody_is_mailed_twice_and_nobody_is_lost(seed: int) -> None:
    world = of(seed)
    reentry = Reentry.AFTER_EXIT if seed % 2 else Reentry.NEVER
    given: dict[str, Any] = {"trigger": Happening(kind=Kind.VISIT), "reentry": reentry, "exit_on": (GONE_BY_HAND,)}
    world.set_up(*PROGRAM, **given)
    world.chaos = Chaos(death=0.05, duplicate=0.2)
    left_early: set[str] = set()
    for number in range(PEOPLE):
        told(world, Kind.VISIT, f"v{number}", number)
        world.live_until(world.clock.now() + timedelta(minutes=world.random.choice([0, 1, 50])))
    for _ in range(4):
        change(world, given, left_early)
        world.live_until(world.clock.now() + world.random.choice([HOUR, 9 * HOUR, DAY]))
    world.chaos = Chaos()
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.ON)
    run_jobs(world)
    world.live_until(NOON + 60 * DAY)

    assert world.deaths
    # No message went out twice, and nobody got the same words twice.
    assert max(world.mailer.went_out.values()) == 1
    words = Counter((each.key.customer_id, each.subject) for each in world.mailer.handed if each.went_out)
    assert max(words.values()) == 1
    # Everybody came to an end, and has a word for every step that was theirs.
    ended = {each.key.customer_id: each for each in world.enrolments.rows.values()}
    assert len(ended) == PEOPLE
    assert {each.standing for each in ended.values()} == {Standing.LEFT}
    for number in range(PEOPLE):
        if id_of(number) in left_early or ended[id_of(number)].left_because is not LeftBecause.ENDED:
            continue
        known = [one for one in world.messages.rows.values() if one.key.customer_id == id_of(number)]
        reached = {step_of(one.campaign_id).step_id: one.status for one in known}  # type: ignore[union-attr]
        expected = {"1", "4", "6"} | ({"3.then.1"} if number % 3 == 0 else set())
        assert set(reached) == expected
        assert set(reached.values()) <= {MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.UNCERTAIN}


def change(world: SequenceWorld, given: dict[str, Any], left_early: set[str]) -> None:
    """Something that a business does in between."""
    match world.random.choice(["edit", "off", "gone", "again", "nothing"]):
        case "edit":
            # The same steps under the same places, so that what was said may not be said again.
            world.set_up(*PROGRAM, wait(HOUR), tag(f"edited{world.random.random()}"), **given)
        case "off":
            world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.OFF)
            world.live_until(world.clock.now() + world.random.choice([timedelta(minutes=1), DAY]))
            world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.ON, Late.GO_ON)
            run_jobs(world)
        case "gone":
            number = world.random.randrange(PEOPLE)
            left_early.add(id_of(number))
            told(world, Kind.CANCELLATION, f"c{world.random.random()}", number)
        case "again":
            number = world.random.randrange(PEOPLE)
            told(world, Kind.VISIT, f"v{number}", number)
        case _:
            pass
