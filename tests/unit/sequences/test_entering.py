"""Whoever begins to match a segment begins a sequence: from the next look on, once for each time, and nobody before."""

from contextlib import suppress
from functools import partial
from typing import Any, Final

import pytest

from rebound.jobs.domain import JobKind
from rebound.kernel.errors import InvalidInputError
from rebound.sequences.domain.happenings import Happening, Kind
from rebound.sequences.domain.sequences import ExitOn, Reentry, SavedSequence, SequenceStatus
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.fakes.watching import BrokenCallError, WorkerDiedError
from tests.fakes.world import Chaos
from tests.unit.sequences.worlds import DAY, HOUR, SEQUENCE_ID, SequenceWorld, send

AGAIN: Final = Reentry.AFTER_EXIT
ENTERED: Final = Happening(kind=Kind.SEGMENT_ENTERED, about={"segment_id": "vips"})


def run_jobs(world: SequenceWorld) -> None:
    while world.job_runner.started:
        business_id, job_id, _ = world.job_runner.started.pop()
        world.run_to_end(world.job_service.get(business_id, job_id))


def lives(world: SequenceWorld, days: int = 1) -> None:
    for _ in range(days):
        run_jobs(world)
        world.live_until(world.clock.now() + DAY)
        run_jobs(world)
        world.live_until(world.clock.now() + HOUR)


def keep(world: SequenceWorld, tree: Any) -> None:
    world.segment_service.put(BUSINESS_ID, "vips", "VIPs", tree)


def tag(world: SequenceWorld, number: int, *, add: str | None = None, remove: str | None = None) -> None:
    world.customer_service.retag(BUSINESS_ID, id_of(number), add=add, remove=remove)


@pytest.fixture
def world(world: SequenceWorld) -> SequenceWorld:
    keep(world, {"tag": "vip"})
    return world


def look_at(world: SequenceWorld, sequence: SavedSequence, number: int) -> None:
    world.notice_entering.of_customer([sequence], BUSINESS_ID, id_of(number))


def greeted(world: SequenceWorld, number: int) -> int:
    return len(world.subjects(id_of(number)))


def test_who_is_in_it_when_it_is_switched_on_does_not_enter_and_who_comes_does(world: SequenceWorld) -> None:
    world.set_up(send("hello"), trigger=ENTERED)
    lives(world, 2)
    assert (greeted(world, 1), greeted(world, 2)) == (0, 0)
    tag(world, 1, add="vip")
    lives(world, 3)

    assert (greeted(world, 1), greeted(world, 2)) == (1, 0)


def test_who_leaves_and_comes_back_enters_again(world: SequenceWorld) -> None:
    world.set_up(send("hello"), trigger=ENTERED, reentry=AGAIN)
    lives(world)
    for _ in range(2):
        tag(world, 1, add="vip")
        lives(world, 2)
        tag(world, 1, remove="vip")
        tag(world, 2, remove="vip")
        lives(world, 2)
    tag(world, 2, add="vip")
    lives(world, 2)

    assert (greeted(world, 1), greeted(world, 2)) == (2, 1)


def test_without_a_segment_it_is_entered_by_the_filter(world: SequenceWorld) -> None:
    world.set_up(send("hello"), trigger=Happening(kind=Kind.SEGMENT_ENTERED), filter={"tag": "vip"})
    lives(world)
    tag(world, 1, add="vip")
    lives(world, 2)

    assert (greeted(world, 1), greeted(world, 2)) == (1, 0)


def test_an_activity_is_looked_at_at_once(world: SequenceWorld) -> None:
    keep(world, {"visits": {"at_least": 1}})
    world.set_up(send("hello"), trigger=ENTERED)
    run_jobs(world)
    for _ in range(2):
        visit = {"event_id": "v1", "kind": "visit", "at": NOON.isoformat(), "customer_id": id_of(1)}
        assert not world.accept_activity(BUSINESS_ID, [visit]).errors
        world.live_until(world.clock.now() + HOUR)
    assert greeted(world, 1) == 1
    lives(world, 2)

    assert (greeted(world, 1), greeted(world, 2)) == (1, 0)


def test_a_segment_that_is_edited_lets_nobody_enter_by_that(world: SequenceWorld) -> None:
    world.set_up(send("hello"), trigger=ENTERED)
    lives(world)
    keep(world, {"any": [{"tag": "vip"}, {"tag": "new"}]})
    tag(world, 1, add="new")
    lives(world, 2)
    assert (greeted(world, 1), greeted(world, 2)) == (0, 0)
    world.add(customer(3))
    tag(world, 3, add="new")
    lives(world, 2)

    assert greeted(world, 3) == 1


def test_off_and_on_again_begins_anew(world: SequenceWorld) -> None:
    world.set_up(send("hello"), trigger=ENTERED)
    lives(world)
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.OFF)
    tag(world, 1, add="vip")
    lives(world, 2)
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.ON)
    lives(world, 2)

    assert (greeted(world, 1), greeted(world, 2)) == (0, 0)


def test_it_looks_at_night_by_the_clock_of_the_business_and_once(world: SequenceWorld) -> None:
    world.set_up(send("hello"), trigger=ENTERED)
    world.set_up(send("hello"), trigger=ENTERED)
    [due] = [timer.due_at for timer in world.timers.rows if timer.kind == "sequence_look"]
    assert due.isoformat() == "2026-11-21T08:00:00+00:00"  # three in New York
    lives(world, 4)

    looks = [job for job in world.jobs.rows.values() if job.kind is JobKind.SEQUENCE]
    assert len(looks) == 1 + 4
    assert len([timer for timer in world.timers.rows if timer.kind == "sequence_look"]) == 1


def test_nothing_is_remembered_of_who_is_deleted_nor_of_a_sequence_that_is(world: SequenceWorld) -> None:
    world.set_up(send("hello"), trigger=ENTERED)
    lives(world)
    book = world.members_of_sequences
    assert [key.customer_id for key in book.rows] == [id_of(2)]
    tag(world, 1, add="vip")
    lives(world)
    world.remove_customer(world.customers.get(BUSINESS_ID, id_of(2)))
    lives(world)
    assert [key.customer_id for key in book.rows] == [id_of(1)]
    world.sequence_service.delete(BUSINESS_ID, SEQUENCE_ID)
    lives(world)

    assert (book.rows, book.looks) == ({}, {})


def test_nothing_is_remembered_of_who_is_deleted_where_something_else_begins_it_by_now(world: SequenceWorld) -> None:
    world.set_up(send("hello"), trigger=ENTERED)
    lives(world)
    assert [key.customer_id for key in world.members_of_sequences.rows] == [id_of(2)]
    world.set_up(send("hello"))
    world.remove_customer(world.customers.get(BUSINESS_ID, id_of(2)))
    lives(world)

    assert world.members_of_sequences.rows == {}


def test_it_ends_and_wakes_nobody(world: SequenceWorld) -> None:
    with pytest.raises(InvalidInputError) as refused:
        world.set_up(send("hello"), exit_on=(ExitOn(ENTERED),))

    assert [each.field for each in refused.value.errors] == ["exit_on[0].kind"]


@pytest.mark.parametrize("seed", range(12))
def test_entering_is_noticed_once_whoever_dies_and_whoever_looks_at_the_same_time(seed: int) -> None:
    world = SequenceWorld(business(), seed=seed)
    world.add(*(customer(number) for number in range(6)))
    keep(world, {"tag": "vip"})
    world.set_up(send("hello"), trigger=ENTERED, reentry=AGAIN)
    lives(world)
    world.chaos = Chaos(death=0.01, duplicate=0.2)
    for _ in range(2):
        for number in range(6):
            tag(world, number, add="vip")
        sequence = world.sequences.get(BUSINESS_ID, SEQUENCE_ID)
        for number in range(6):
            # As an activity does it, while the night may be at it.
            for _ in range(2):
                with suppress(WorkerDiedError, BrokenCallError):
                    world._mortal("look", partial(look_at, world, sequence, number))
        lives(world, 2)
        for number in range(6):
            tag(world, number, remove="vip")
        lives(world, 2)

    assert max(world.mailer.went_out.values()) == 1
    sure = {id_of(n) for n in range(6)} - {
        one.key.customer_id for one in world.messages.rows.values() if one.status == "uncertain"
    }
    assert {who: len(world.subjects(who)) for who in sure} == dict.fromkeys(sure, 2)


EITHER: Final = {"any": [{"tag": "vip"}, {"visits": {"at_least": 1}}]}


def visits(world: SequenceWorld, number: int) -> None:
    now = world.clock.now()
    visit = {
        "event_id": f"v{number}-{now.timestamp():.0f}",
        "kind": "visit",
        "at": now.isoformat(),
        "customer_id": id_of(number),
    }
    assert not world.accept_activity(BUSINESS_ID, [visit]).errors


def tell_again(world: SequenceWorld, number: int) -> None:
    """What they did is told again, or corrected in what no filter asks for; nothing where they did nothing."""
    for event in world.read_activity.events(BUSINESS_ID, id_of(number), 9, None).items:
        visit = {"event_id": event.event_id, "kind": "visit", "at": event.at.isoformat(), "customer_id": id_of(number)}
        more = world.random.choice([{}, {"location_id": "north"}])
        assert not world.accept_activity(BUSINESS_ID, [visit | more]).errors


def begin_to_match(world: SequenceWorld, number: int) -> None:
    """By a tag or by a visit; who matches already does by the other one, too, or is told of again."""
    tell_again(world, number)
    if world.random.random() < 0.5:
        tag(world, number, add="vip")
    else:
        visits(world, number)


@pytest.mark.parametrize("edits", [0, 1, 2])
@pytest.mark.parametrize("seed", range(20))
def test_whoever_begins_to_match_once_it_is_looked_for_is_told_once_and_nobody_who_matched(
    seed: int, edits: int
) -> None:
    people, minute = range(8), HOUR / 60
    world = SequenceWorld(business(), seed=seed)
    world.add(*(customer(number, general_tags=("vip",) if number % 4 == 0 else ()) for number in people))
    for number in people:
        if number % 4 == 1:
            visits(world, number)
    world.live_until(NOON + HOUR)
    keep(world, EITHER)
    sequence = world.set_up(send("hello"), trigger=ENTERED)
    for edit in range(edits):
        # To something else and back again, before anybody has looked or after.
        if world.random.random() < 0.7:
            lives(world)
        world.clock.move(minute)
        keep(world, EITHER if edit == 1 else {"tag": "nobody"} if edits == 2 else {"any": [EITHER, {"tag": "new"}]})
    world.clock.move(minute)
    turns: list[list[int]] = [[], [], [], []]
    for number in people:
        world.random.choice(turns).append(number)
    world.chaos = Chaos(duplicate=0.3)

    def act(turn: int) -> None:
        for number in turns[turn]:
            begin_to_match(world, number)
        if world.random.random() < 0.5:
            world.live_until(world.clock.now() + minute)

    act(0)
    world.live_until(world.clock.now() + 2 * minute)
    # While the job is at them, before anybody is told of it.
    for number in turns[1]:
        begin_to_match(world, number)
    run_jobs(world)
    act(2)
    lives(world)
    act(3)
    lives(world, 3)

    assert sequence.version == 1
    assert {number: greeted(world, number) for number in people} == {number: number % 4 > 1 for number in people}


NAMES: Final = ("a", "b", "c")


@pytest.mark.parametrize("seed", range(20))
def test_whoever_is_given_tags_during_the_first_look_enters_once_by_whichever_comes_first(seed: int) -> None:
    """Each of the tags matches: several come in one write, and the writes are told in any order."""
    people = range(4)
    world = SequenceWorld(business(), seed=seed)
    world.add(*(customer(number, general_tags=("a",) if number == 0 else ()) for number in people))
    world.live_until(NOON + HOUR)
    world.set_up(
        send("hello"),
        trigger=Happening(kind=Kind.SEGMENT_ENTERED),
        filter={"any": [{"tag": each} for each in NAMES]},
        reentry=AGAIN,
    )
    for number in people:
        had = list(world.customers.get(BUSINESS_ID, id_of(number)).general_tags)
        left = [each for each in NAMES if each not in had]
        while left:
            world.clock.move(HOUR / 3600)
            some = world.random.randint(1, len(left))
            had, left = had + left[:some], left[some:]
            world.customer_service.change(BUSINESS_ID, id_of(number), {"general_tags": had})
    tagged = []
    while (batch := world.customers.tagged.deliver(world.random)) is not None:
        tagged += [each.after for each in batch[1]]
    world.random.shuffle(tagged)
    if world.random.random() < 0.5:
        run_jobs(world)
    for each in tagged:
        world.hear_tags([each])
        world.live_until(world.clock.now() + HOUR / 60)
    lives(world, 2)

    assert {number: greeted(world, number) for number in people} == {0: 0, 1: 1, 2: 1, 3: 1}


def test_who_entered_before_an_edit_there_and_back_may_enter_again(world: SequenceWorld) -> None:
    world.set_up(send("hello"), trigger=ENTERED, reentry=AGAIN)
    lives(world)
    tag(world, 1, add="vip")
    lives(world)
    assert greeted(world, 1) == 1
    keep(world, {"tag": "nobody"})
    lives(world)
    tag(world, 1, remove="vip")
    keep(world, {"tag": "vip"})
    world.clock.move(HOUR)
    tag(world, 1, add="vip")
    lives(world, 2)

    assert (greeted(world, 1), greeted(world, 2)) == (2, 0)


def test_a_first_look_that_never_came_is_made_up_for_at_night(world: SequenceWorld) -> None:
    sequence = world.set_up(send("hello"), trigger=ENTERED)
    world.job_runner.started.clear()
    lives(world, 2)
    look = world.members_of_sequences.looked(BUSINESS_ID, sequence.uid)

    assert look is not None
    assert look.done_at is not None
    assert greeted(world, 2) == 0
