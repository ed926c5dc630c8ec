"""Sequences under deaths at every call, what comes twice, edits and switching off: nobody twice, nobody lost."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import pytest

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.domain.origins import step_of
from rebound.sequences.domain.enrolments import LeftBecause, Stage
from rebound.sequences.domain.happenings import Happened, Happening, Kind
from rebound.sequences.domain.sequences import ExitOn, Late, Reentry, SequenceStatus
from rebound.sequences.domain.steps import Action, Send, Wait
from rebound.templates.application.make_version import NewVersion
from rebound.templates.domain.content import MadeFrom, TemplateContent
from tests.fakes.making import BUSINESS_ID, GREETING, NOON, id_of
from tests.fakes.watching import BrokenCallError, WorkerDiedError
from tests.fakes.world import Chaos
from tests.unit.sequences.worlds import DAY, HOUR, SEQUENCE_ID, SequenceWorld, send, steps, tag, tagged, wait, world_of

PEOPLE: Final = 12
GONE_BY_HAND: Final = ExitOn(Happening(kind=Kind.CANCELLATION))


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


WAITS: Final = {each: each for each in ("2", "3.then.2", "3.else.1", "5")}
PROGRAM: Final = (
    send("one"),
    wait(DAY),
    tagged("vip", steps(send("for vips"), wait(HOUR), tag("thanked")), steps(wait(HOUR))),
    send("two"),
    wait(DAY),
    send("three"),
)


# In those beyond 40 copies of messages once grew faster than the work was done, or nearly so.
@pytest.mark.parametrize("seed", [*range(40), 64, 102, 108])
def test_nobody_is_mailed_twice_and_nobody_is_lost(seed: int) -> None:
    world = world_of(PEOPLE, seed)
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
    world.run_jobs()
    world.live_until(NOON + 60 * DAY)

    assert world.deaths
    # No message went out twice, and nobody got the same words twice.
    assert max(world.mailer.went_out.values()) == 1
    words = Counter((each.key.customer_id, each.subject) for each in world.mailer.handed if each.went_out)
    assert max(words.values()) == 1
    assert_that_it_adds_up(world)
    # Everybody came to an end, and has a word for every step that was theirs.
    ended = {each.key.customer_id: each for each in world.enrolments.rows.values()}
    assert len(ended) == PEOPLE
    assert {each.standing for each in ended.values()} == {Stage.LEFT}
    for number in range(PEOPLE):
        if id_of(number) in left_early or ended[id_of(number)].left_because is not LeftBecause.ENDED:
            continue
        known = [one for one in world.messages.rows.values() if one.key.customer_id == id_of(number)]
        reached = {step_of(one.campaign_id).step_id: one.status for one in known}  # type: ignore[union-attr]
        expected = {"1", "4", "6"} | ({"3.then.1"} if number % 3 == 0 else set())
        assert set(reached) == expected
        assert set(reached.values()) <= {MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.UNCERTAIN}


def publish(world: SequenceWorld, subject: str) -> None:
    said = GREETING.__class__(subject, GREETING.html, GREETING.text)
    new = NewVersion(
        name="Prices", channel=Channel.EMAIL, category=Category.MARKETING, variables={}, contents={"": said}
    )
    world.template_service.put(BUSINESS_ID, "prices", new)


@pytest.mark.parametrize("is_gone_at_first", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_nobody_is_mailed_twice_whenever_a_template_is_published(seed: int, is_gone_at_first: bool) -> None:
    world = world_of(PEOPLE, seed)
    if not is_gone_at_first:
        publish(world, "at first")
    said = TemplateContent(MadeFrom("prices"))
    prices = Send(channel=Channel.EMAIL, category=Category.MARKETING, content=said)
    world.set_up(prices, prices, wait(HOUR), prices, trigger=Happening(kind=Kind.VISIT))
    for number in range(PEOPLE):
        told(world, Kind.VISIT, f"v{number}", number)
    world.chaos = Chaos(death=0.15, duplicate=0.3)
    published = 0
    while world.clock.now() < NOON + 2 * HOUR and world._happens():
        if world.random.random() < 0.5:
            published += 1
            publish(world, f"published {published}")
    world.chaos = Chaos()
    world.live_until(NOON + 10 * DAY)

    assert world.deaths
    assert published
    known = Counter((each.key.customer_id, step_of(each.campaign_id)) for each in world.messages.rows.values())
    assert max(known.values()) == max(world.mailer.went_out.values()) == 1
    if not is_gone_at_first:
        assert len(known) == 3 * PEOPLE
    assert {each.left_because for each in world.enrolments.rows.values()} == {LeftBecause.ENDED}


def move(world: SequenceWorld, version: int, steps: Mapping[str, str]) -> None:
    """Asked for until it is begun, as a client does."""
    while True:
        try:
            world._mortal("move", lambda: world.move_waiting(version, steps))
        except (WorkerDiedError, BrokenCallError):
            continue
        return


def assert_that_it_adds_up(world: SequenceWorld) -> None:
    """Of each version: entered + moved in = inside + left + moved on."""
    world.pump_streams()
    _, found = world.sequence_results(BUSINESS_ID, SEQUENCE_ID)
    for each in found.versions:
        assert each.entered + each.moved_in == each.inside + each.moved + sum(each.left.values())
    assert found.total.entered == sum(found.total.left.values()) == PEOPLE
    delivered = sum(sum(step.messages.results.values()) for step in found.total.steps)
    assert delivered == sum(1 for each in world.messages.rows.values() if each.campaign_id is not None)


def change(world: SequenceWorld, given: dict[str, Any], left_early: set[str]) -> None:
    """Something that a business does in between."""
    match world.random.choice(["edit", "move", "off", "gone", "again", "nothing"]):
        case "edit":
            # The same steps under the same places, so that what was said may not be said again.
            world.set_up(*PROGRAM, wait(HOUR), tag(f"edited{world.random.random()}"), **given)
        case "move":
            # All who wait, each to the same place: what is behind it they have not been told.
            sequence = world.sequence_service.get(BUSINESS_ID, SEQUENCE_ID)
            if sequence.version > 1:
                move(world, world.random.randrange(1, sequence.version), WAITS)
        case "off":
            world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.OFF)
            world.live_until(world.clock.now() + world.random.choice([timedelta(minutes=1), DAY]))
            world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.ON, Late.GO_ON)
            world.run_jobs()
        case "gone":
            number = world.random.randrange(PEOPLE)
            left_early.add(id_of(number))
            told(world, Kind.CANCELLATION, f"c{world.random.random()}", number)
        case "again":
            number = world.random.randrange(PEOPLE)
            told(world, Kind.VISIT, f"v{number}", number)
        case _:
            pass


@pytest.mark.parametrize("seed", range(25))
def test_whatever_is_edited_and_wherever_they_are_moved_no_step_is_done_twice_and_nobody_is_lost(seed: int) -> None:
    world = world_of(PEOPLE, seed)
    given: dict[str, Any] = {"trigger": Happening(kind=Kind.VISIT), "exit_on": (GONE_BY_HAND,)}
    world.set_up(*any_program(world, 1), **given)
    world.chaos = Chaos(death=0.03, duplicate=0.2)
    for number in range(PEOPLE):
        told(world, Kind.VISIT, f"v{number}", number)
        world.live_until(world.clock.now() + timedelta(minutes=world.random.choice([0, 30])))
    for version in range(2, 6):
        world.set_up(*any_program(world, version), **given)
        move(world, version - 1, any_map(world, version))
        world.live_until(world.clock.now() + world.random.choice([HOUR, DAY]))
    world.chaos = Chaos()
    world.live_until(world.clock.now() + 60 * DAY)

    assert_that_it_adds_up(world)
    assert {each.standing for each in world.enrolments.rows.values()} == {Stage.LEFT}
    assert {each.left_because for each in world.enrolments.rows.values()} == {LeftBecause.ENDED}
    # The subject names version and step.
    words = Counter((each.key.customer_id, each.subject) for each in world.mailer.handed if each.went_out)
    assert max(words.values(), default=1) == 1
    # Everybody has a message of each step that sends and that they came to.
    for step in world.sequence_results(BUSINESS_ID, SEQUENCE_ID)[1].versions:
        for one in step.steps:
            if isinstance(one.step.action, Send):
                assert sum(one.messages.results.values()) + sum(one.messages.excluded.values()) == one.entered


def any_program(world: SequenceWorld, version: int) -> list[Action]:
    """Steps of all kinds, some of which wait."""
    chance = world.random

    def some(place: str, depth: int) -> list[Action]:
        made: list[Action] = []
        for number in range(chance.randint(1, 4)):
            named = f"{version}.{place}{number}"
            branches = [steps(*some(f"{named}.{way}.", depth + 1)) for way in "te"] if depth < 2 else [(), ()]
            kinds = (send(named), wait(chance.choice([HOUR, DAY, 9 * DAY])), tag(named[:20]), tagged("vip", *branches))
            made.append(chance.choice(kinds))
        return made

    # Each is another, so that it is a version of its own.
    return [wait(chance.choice([HOUR, DAY]) + timedelta(minutes=version)), *some("", 0)]


def any_map(world: SequenceWorld, version: int) -> dict[str, str]:
    """For some of the waits of the version before, any of this one's."""
    sequence = world.sequences.get(BUSINESS_ID, SEQUENCE_ID)
    old, new = (
        [
            each.step_id
            for each in world.sequences.version(BUSINESS_ID, sequence.uid, number).program.steps.values()
            if isinstance(each.action, Wait)
        ]
        for number in (version - 1, version)
    )
    return {each: world.random.choice(new) for each in old if world.random.random() < 0.7}
