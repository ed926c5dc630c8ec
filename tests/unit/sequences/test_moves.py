"""Moving those who wait to the newest version."""

from contextlib import nullcontext
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Final
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.activity.domain.events import EventKind, MembershipStatus
from rebound.kernel.errors import InvalidInputError, NotFoundError
from rebound.sequences.application.enrol import HearHappenings
from rebound.sequences.domain.enrolments import Stage
from rebound.sequences.domain.happenings import Happened, Happening, Kind
from rebound.sequences.domain.moves import Move, Mover, Stayer, StaysBecause, wakes_at
from rebound.sequences.domain.sequences import ExitOn, SequenceStatus
from rebound.sequences.domain.steps import Wait
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.fakes.world import Chaos
from tests.unit.sequences.worlds import DAY, HOUR, SEQUENCE_ID, SequenceWorld, send, tag, wait

PEOPLE: Final = 4


@pytest.fixture
def world() -> SequenceWorld:
    made = SequenceWorld(business(), seed=1)
    made.add(*(customer(number) for number in range(PEOPLE)))
    return made


def begin(world: SequenceWorld, *numbers: int) -> None:
    for number in numbers:
        world.sequence_service.enrol(BUSINESS_ID, SEQUENCE_ID, id_of(number), "a")
    world.live_until(world.clock.now() + HOUR)


def test_who_waits_at_a_mapped_step_waits_by_the_new_one_from_when_they_began(world: SequenceWorld) -> None:
    world.set_up(send("old hello"), wait(3 * DAY), send("old bye"))
    begin(world, 0)
    since = world.enrolment(id_of(0)).since
    world.set_up(send("new hello"), wait(DAY), wait(5 * DAY), send("new bye"))
    told = world.move_waiting(1, {"2": "3"})

    assert told == Move(version=1, to=2, beginning=0, moves=[Mover("2", "3", 1)], stays=[])
    moved = world.enrolment(id_of(0))
    assert (moved.version, moved.step_id, moved.since, moved.wake_at) == (2, "3", since, since + 5 * DAY)
    world.live_until(since + 5 * DAY - HOUR)
    assert world.subjects(id_of(0)) == ["old hello"]
    world.live_until(since + 5 * DAY + HOUR)
    assert world.subjects(id_of(0)) == ["old hello", "new bye"]


def test_who_has_waited_longer_than_the_new_step_asks_goes_on_now(world: SequenceWorld) -> None:
    world.set_up(wait(9 * DAY), send("old"))
    begin(world, 0)
    world.live_until(NOON + 3 * DAY)
    world.set_up(wait(DAY), send("new"))
    world.move_waiting(1, {"1": "1"})
    world.live_until(NOON + 3 * DAY + HOUR)

    assert world.subjects(id_of(0)) == ["new"]


def test_who_has_waited_longer_for_a_time_of_the_day_goes_on_at_the_next() -> None:
    asked = Wait(for_=DAY, until_local=time(9, 30))
    now = NOON + 4 * DAY
    assert wakes_at(asked, NOON, now, "UTC") == now.replace(hour=9, minute=30) + DAY
    assert wakes_at(asked, now, now, "UTC") == now.replace(hour=9, minute=30) + 2 * DAY


def test_whose_wait_is_over_by_what_happened_does_not_wait_again(world: SequenceWorld) -> None:
    purchase = Happening(kind=Kind.PURCHASE)
    world.set_up(wait(30 * DAY, for_event=purchase), send("old"))
    begin(world, 0, 1)
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.OFF)
    bought = Happened(kind=Kind.PURCHASE, key="p1", at=world.clock.now())
    world.hear_happenings(BUSINESS_ID, id_of(0), [bought])
    world.live_until(NOON + DAY)
    awaited = wait(30 * DAY, for_event=purchase)
    world.set_up(awaited, send("new"), awaited, send("newer"), status=SequenceStatus.OFF)
    world.move_waiting(1, {"1": "1"})
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.ON)
    world.run_jobs()
    world.live_until(NOON + 2 * DAY)
    assert world.subjects(id_of(0)) == ["new"]
    # It is told again, and ends no other wait.
    world.hear_happenings(BUSINESS_ID, id_of(0), [bought])
    world.live_until(NOON + 9 * DAY)

    assert world.subjects(id_of(0)) == ["new"]
    assert world.enrolment(id_of(0)).step_id == "3"
    assert world.subjects(id_of(1)) == []


HOURS: Final = st.integers(1, 55).filter(lambda hour: hour % 20 > 1)
AWAITED: Final = (Kind.PURCHASE, Kind.VISIT, Kind.BOOKING)
"""By the first version, the second and the third."""


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.sampled_from(AWAITED), HOURS, st.integers(0, 40)), max_size=3, unique_by=lambda one: one[:2]),
    st.lists(st.sampled_from([20, 40]), min_size=1, max_size=2, unique=True).map(sorted),
)
def test_what_happened_counts_by_the_version_in_which_they_were_whenever_it_is_told(
    told: list[tuple[Kind, int, int]], moves: list[int]
) -> None:
    world = SequenceWorld(business())
    world.add(customer(0))

    def publish(kind: Kind) -> None:
        world.set_up(wait(9 * DAY, for_event=Happening(kind=kind)), wait(9 * DAY))

    def tell(kind: Kind, at: int) -> None:
        happened = Happened(kind=kind, key=f"{kind}{at}", at=NOON + at * HOUR)
        world.hear_happenings(BUSINESS_ID, id_of(0), [happened])

    def move(kind: Kind) -> None:
        publish(kind)
        world.move_waiting(world.enrolment(id_of(0)).version, {"1": "1"})

    publish(AWAITED[0])
    begin(world, 0)
    doings = [(hour, partial(move, kind)) for hour, kind in zip(moves, AWAITED[1:], strict=False)]
    doings += [(at + later, partial(tell, kind, at)) for kind, at, later in told]
    for hour, do in sorted(doings, key=lambda one: one[0]):
        world.live_until(NOON + hour * HOUR)
        do()
    world.live_until(NOON + 5 * DAY)

    counts = any(kind is AWAITED[sum(hour <= at for hour in moves)] for kind, at, _ in told)
    assert world.enrolment(id_of(0)).step_id == ("2" if counts else "1")


def test_what_was_told_for_a_later_wait_counts_where_that_was_moved_to(world: SequenceWorld) -> None:
    visit = Happening(kind=Kind.VISIT)
    world.set_up(wait(DAY), wait(9 * DAY, for_event=visit), send("old"))
    begin(world, 0)
    world.live_until(NOON + HOUR)
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.OFF)
    world.live_until(NOON + DAY + HOUR)
    happened = Happened(kind=Kind.VISIT, key="v", at=world.clock.now())
    world.hear_happenings(BUSINESS_ID, id_of(0), [happened])
    world.set_up(wait(DAY), tag("x"), wait(9 * DAY, for_event=visit), send("new"), status=SequenceStatus.OFF)
    world.move_waiting(1, {"1": "1", "2": "3"})
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.ON)
    world.run_jobs()
    world.live_until(NOON + 2 * DAY)

    assert world.subjects(id_of(0)) == ["new"]


def test_an_exit_counts_by_the_version_in_which_they_were_when_it_happened(world: SequenceWorld) -> None:
    for kind in (Kind.REVIEW, Kind.CANCELLATION):
        world.set_up(wait(9 * DAY), exit_on=(ExitOn(Happening(kind=kind)),))
        if kind is Kind.REVIEW:
            begin(world, 0, 1)
            world.live_until(NOON + HOUR)
    world.move_waiting(1, {"1": "1"})
    for number, kind in enumerate((Kind.REVIEW, Kind.CANCELLATION)):
        world.hear_happenings(BUSINESS_ID, id_of(number), [Happened(kind=kind, key="e", at=NOON + HOUR / 2)])

    assert [world.enrolment(id_of(number)).is_over for number in range(2)] == [True, False]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(AWAITED), HOURS, st.integers(0, 40)), max_size=3, unique_by=lambda one: one[:2]),
    st.lists(st.sampled_from([20, 40]), max_size=2, unique=True).map(sorted),
    st.booleans(),
)
def test_before_the_first_step_an_exit_counts_by_the_version_in_which_they_were(
    told: list[tuple[Kind, int, int]], moves: list[int], is_heard: bool
) -> None:
    world = SequenceWorld(business())
    world.add(customer(0))
    ending = Happening(kind=Kind.MEMBERSHIP_EXPIRING, days_before=30)

    def publish(kind: Kind) -> None:
        world.set_up(send("ends"), trigger=ending, exit_on=(ExitOn(Happening(kind=kind), is_goal=True),))

    def tell(kind: Kind, at: int) -> None:
        starts = {"starts_at": NOON + 30 * DAY} if kind is Kind.BOOKING else {}
        rated = {"rating": 5} if kind is Kind.REVIEW else {}
        world.did(0, f"{kind}{at}", EventKind(kind), at=NOON + at * HOUR, **starts, **rated)

    def move(kind: Kind) -> None:
        publish(kind)
        world.move_waiting(world.enrolment(id_of(0)).version, {})

    publish(AWAITED[0])
    world.has_membership(0, "first", (NOON + 80 * DAY).date(), at=NOON - HOUR)
    doings = [(hour, partial(move, kind)) for hour, kind in zip(moves, AWAITED[1:], strict=False)]
    doings += [(at + later, partial(tell, kind, at)) for kind, at, later in told]
    if moves and told:
        # The last word about the membership was told late, and is older than the move.
        late = partial(world.has_membership, 0, "last", (NOON + 90 * DAY).date(), at=NOON - HOUR / 2)
        doings.append((moves[-1] + 1, late))
    with nullcontext() if is_heard else patch.object(HearHappenings, "_act", return_value=frozenset()):
        for hour, do in sorted(doings, key=lambda one: one[0]):
            world.live_until(NOON + hour * HOUR)
            do()
    world.live_until(NOON + 100 * DAY)

    counts = any(kind is AWAITED[sum(hour <= at for hour in moves)] for kind, at, _ in told)
    assert world.subjects(id_of(0)) == ([] if counts else ["ends"])


def test_who_is_not_mapped_stays_and_both_ends_are_said_before_anything_is_done(world: SequenceWorld) -> None:
    world.set_up(wait(DAY), tag("one"), wait(DAY), send("old"))
    begin(world, 0, 1)
    world.live_until(NOON + DAY + 2 * HOUR)
    begin(world, 2)
    world.set_up(wait(2 * DAY), send("new"))
    world.pump_streams()

    told = world.move_enrolments.foresee(BUSINESS_ID, SEQUENCE_ID, 1, {"1": "1"})
    assert told.moves == [Mover("1", "1", 1)]
    assert told.stays == [Stayer("3", StaysBecause.NOT_MAPPED, 2)]
    assert {each.version for each in world.enrolments.rows.values()} == {1}
    world.move_waiting(1, {"1": "1"})
    assert {each.key.customer_id: each.version for each in world.enrolments.rows.values()} == {
        id_of(0): 1,
        id_of(1): 1,
        id_of(2): 2,
    }
    assert world.sequence_results.inside(world.sequence_service.get(BUSINESS_ID, SEQUENCE_ID)) == {2: 1, 1: 2}
    found = {each.version: each for each in world.sequence_results(BUSINESS_ID, SEQUENCE_ID)[1].versions}
    assert (found[1].entered, found[1].inside, found[1].moved) == (3, 2, 1)
    assert (found[2].entered, found[2].moved_in, found[2].inside) == (0, 1, 1)


def test_who_is_in_a_workers_hands_stays(world: SequenceWorld) -> None:
    world.set_up(send("hello"), wait(DAY))
    begin(world, 0)
    found = world.enrolment(id_of(0))
    world.enrolments.replace(found, found.does("1", world.clock.now(), "a-batch"))
    world.set_up(send("hello"), wait(2 * DAY))
    told = world.move_waiting(1, {"2": "2"})

    assert (told.moves, told.stays) == ([Mover("2", "2", 0)], [Stayer("1", StaysBecause.IN_HAND, 1)])
    assert (world.enrolment(id_of(0)).version, world.enrolment(id_of(0)).standing) == (1, Stage.DOING)


def test_who_has_not_begun_begins_the_newest_at_the_time_that_it_says(world: SequenceWorld) -> None:
    ends = datetime(2026, 12, 20, 5, tzinfo=UTC)  # the day begins in New York
    about = Happening(kind=Kind.MEMBERSHIP_EXPIRING, days_before=10)
    world.set_up(send("old"), trigger=about)
    world.has_membership(0, "one", ends.date())
    world.live_until(NOON + HOUR)
    world.set_up(send("new"), trigger=Happening(kind=Kind.MEMBERSHIP_EXPIRING, days_before=7))
    told = world.move_waiting(1, {})

    assert told.beginning == 1
    world.live_until(ends - 7 * DAY - HOUR)
    assert world.subjects(id_of(0)) == []
    world.live_until(ends - 7 * DAY + HOUR)
    assert world.subjects(id_of(0)) == ["new"]


def test_a_map_that_makes_no_sense_is_refused_with_what_may_have_been_meant(world: SequenceWorld) -> None:
    world.set_up(send("hello"), wait(DAY))
    world.set_up(send("hello"), wait(2 * DAY), send("bye"))
    with pytest.raises(InvalidInputError) as refused:
        world.move_enrolments.foresee(BUSINESS_ID, SEQUENCE_ID, 1, {"22": "2", "2": "3", "1": "pause"})
    assert {(each.field, each.message, each.did_you_mean) for each in refused.value.errors} == {
        ("steps.22", "There is no such step in that version. Did you mean 2?", "2"),
        ("steps.2", "Nobody waits at that step of the newest version; they wait at: 2.", None),
        ("steps.1", "Nobody waits at that step of that version; they wait at: 2.", None),
        ("steps.1", "There is no such step in the newest version.", None),
    }
    with pytest.raises(InvalidInputError):
        world.move_enrolments.foresee(BUSINESS_ID, SEQUENCE_ID, 2, {})
    with pytest.raises(NotFoundError):
        world.move_enrolments.foresee(BUSINESS_ID, SEQUENCE_ID, 3, {})


def test_somebody_is_moved_or_gone_on_with_and_never_both(world: SequenceWorld) -> None:
    world.set_up(wait(DAY), send("old"))
    begin(world, 0)
    stale = world.enrolment(id_of(0))
    world.set_up(wait(DAY), send("new"))
    # The worker has read the enrolment when it is moved.
    world.move_waiting(1, {"1": "1"})
    world.clock.move_to(NOON + DAY + HOUR)
    world.enrolments.get_many = lambda keys: {stale.key: stale}  # type: ignore[method-assign]
    world.live_until(world.clock.now() + timedelta(minutes=1))
    assert world.subjects(id_of(0)) == []
    del world.enrolments.get_many

    world.live_until(NOON + 3 * DAY)
    assert len(world.subjects(id_of(0))) <= 1


@pytest.mark.parametrize("seed", range(10))
def test_a_move_that_dies_anywhere_and_comes_again_loses_nobody_and_mails_nobody_twice(seed: int) -> None:
    world = SequenceWorld(business(), seed=seed)
    world.add(*(customer(number) for number in range(8)))
    world.set_up(wait(9 * DAY), send("old"))
    begin(world, *range(8))
    world.set_up(wait(3 * DAY), send("new"))
    world.chaos = Chaos(death=0.05, duplicate=0.2)
    with patch.object(world, "_wait", lambda: False):  # No time goes by while a worker comes again.
        told = world.move_waiting(1, {"1": "1"})
    world.chaos = Chaos()
    # Not by the timer of the old wait, which comes later.
    world.live_until(world.clock.now() + 4 * DAY)

    assert told.moves == [Mover("1", "1", 8)]
    assert world.deaths
    assert [world.subjects(id_of(number)) for number in range(8)] == [["new"]] * 8


def test_they_may_be_moved_while_it_is_off_and_go_on_when_it_is_on(world: SequenceWorld) -> None:
    world.set_up(wait(DAY), send("old"))
    begin(world, 0)
    world.set_up(wait(HOUR), send("new"), status=SequenceStatus.OFF)
    world.move_waiting(1, {"1": "1"})
    world.live_until(NOON + 2 * DAY)
    assert world.subjects(id_of(0)) == []
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.ON)
    world.run_jobs()
    world.live_until(NOON + 3 * DAY)
    assert world.subjects(id_of(0)) == ["new"]


def test_who_begins_again_after_a_sequence_was_made_anew_is_not_taken_out_with_the_old_one(
    world: SequenceWorld,
) -> None:
    world.set_up(wait(DAY), send("old"))
    begin(world, 0, 1)
    world.sequence_service.delete(BUSINESS_ID, SEQUENCE_ID)
    world.set_up(wait(DAY), send("new"))
    begin(world, 1, 2)
    world.run_jobs()
    world.live_until(NOON + 3 * DAY)

    assert [world.subjects(id_of(number)) for number in range(3)] == [[], ["new"], ["new"]]
    assert id_of(0) not in {key.customer_id for key in world.enrolments.rows}


def ending(days: int, membership_id: str | None = None) -> Happening:
    about = {} if membership_id is None else {"membership_id": membership_id}
    return Happening(kind=Kind.MEMBERSHIP_EXPIRING, days_before=days, about=about)


TRIGGERS: Final = st.sampled_from(
    [
        *(ending(days, name) for days in (7, 20) for name in (None, "gold", "yoga")),
        Happening(kind=Kind.RENEWAL_FAILED),
        Happening(kind=Kind.VISIT),
    ]
)


@settings(deadline=None, max_examples=120)
@given(TRIGGERS, TRIGGERS)
def test_who_waits_for_what_does_not_begin_the_newest_stays_and_all_are_counted(old: Happening, new: Happening) -> None:
    world = SequenceWorld(business())
    world.add(*map(customer, range(3)))
    world.set_up(send("old"), trigger=old)
    for number, name in enumerate(("gold", "yoga", "gold")):
        failed = MembershipStatus.RENEWAL_FAILED if old.kind is Kind.RENEWAL_FAILED else MembershipStatus.ACTIVE
        world.has_membership(number, f"m{number}", (NOON + 40 * DAY).date(), membership_id=name, status=failed)
        world.did(number, f"v{number}", EventKind.VISIT)
    inside = list(world.enrolments.rows)
    world.set_up(send("new"), trigger=new)
    told = world.move_waiting(1, {})

    # Others, who have what begins the newest, begin that.
    found = [world.enrolments.rows[key].version for key in inside]
    stays = {each.because: each.enrolments for each in told.stays}
    assert (told.beginning, stays.get(StaysBecause.ANOTHER_TRIGGER, 0)) == (found.count(2), found.count(1))
    is_planned = old.is_planned or new.is_planned
    both_mean = old.kind is new.kind and new.about.get("membership_id") in (None, old.about.get("membership_id"))
    assert set(found) == ({1} if is_planned and not both_mean else {2})
    versions = world.sequence_results(BUSINESS_ID, SEQUENCE_ID)[1].versions
    for each in versions:
        assert each.entered + each.moved_in == each.inside + each.moved + sum(each.left.values())
    world.live_until(NOON + 60 * DAY)
    subjects = {tuple(world.subjects(key.customer_id)) for key in inside}
    assert subjects == {("old" if found.count(1) else "new",)}
