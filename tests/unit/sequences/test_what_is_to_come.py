"""Waiting for the end of memberships: whatever is told of them in whatever order, the last word about each counts."""

from collections.abc import Sequence
from copy import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from rebound.activity.domain.events import EventKind, MembershipStatus
from rebound.kernel.categories import Category
from rebound.sequences.domain.enrolments import LeftBecause
from rebound.sequences.domain.happenings import Happening, Kind
from rebound.sequences.domain.sequences import ExitOn, Late, Reentry, SequenceStatus
from tests.contract.platform.fakes import FakeClock
from tests.fakes.making import BUSINESS_ID, NOON, business, customer, id_of
from tests.fakes.watching import BrokenCallError, WorkerDiedError
from tests.fakes.world import Chaos
from tests.unit.sequences.worlds import DAY, HOUR, SEQUENCE_ID, SequenceWorld, send, wait

ENDING: Final = Happening(kind=Kind.MEMBERSHIP_EXPIRING, days_before=7)
MEMBERSHIPS: Final = ("gold", "yoga", "sauna")
ON, OFF = SequenceStatus.ON, SequenceStatus.OFF


class Told(Struct, frozen=True):
    """A word about a membership: that it ends so many days from now, or that it is cancelled; so many hours old."""

    membership_id: str
    ends: int | None
    hours: int

    @property
    def event_id(self) -> str:
        return f"{self.membership_id}-{self.hours}"

    def tell(self, world: SequenceWorld) -> None:
        status = MembershipStatus.CANCELLED if self.ends is None else MembershipStatus.ACTIVE
        until = None if self.ends is None else (NOON + self.ends * DAY).date()
        world.has_membership(
            1,
            self.event_id,
            until,
            membership_id=self.membership_id,
            status=status,
            at=NOON - self.hours * HOUR,
        )


class GoingOn(FakeClock):
    """A clock that does not stand still: no two moments are one."""

    def now(self) -> datetime:
        self.move(timedelta(milliseconds=5))
        return super().now()


def salon(**given: Any) -> SequenceWorld:
    world = SequenceWorld(business())
    world.clock.__class__ = GoingOn
    world.add(customer(1))
    world.set_up(send("it ends"), **{"trigger": ENDING, "reentry": Reentry.AFTER_EXIT, **given})
    world.clock.move(HOUR)
    return world


def switch(world: SequenceWorld, status: SequenceStatus, late: Late | None = None) -> None:
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, status, late)
    world.run_jobs()


def ends_of(told: Sequence[Told]) -> list[tuple[int, str]]:
    """When memberships end by the last word about each, the next of them first."""
    last = {each.membership_id: each for each in sorted(told, key=lambda one: -one.hours)}
    return sorted((each.ends, name) for name, each in last.items() if each.ends is not None)


def waits_for(world: SequenceWorld) -> str | None:
    return next((each.entry_key for each in world.enrolments.rows.values() if not each.is_over), None)


def times_done(world: SequenceWorld) -> int:
    """How often it was gone through: of two of one moment, by a clock that stands still, the messages are one."""
    world.pump_streams()
    uid = world.sequences.get(BUSINESS_ID, SEQUENCE_ID).uid
    counts = world.step_tallies.counts(BUSINESS_ID, uid)
    return sum(count for label, count in counts.items() if f"|left:{LeftBecause.ENDED}|" in label)


WORDS: Final = st.lists(
    st.builds(Told, st.sampled_from(MEMBERSHIPS), st.none() | st.sampled_from([40, 60, 300]), st.integers(0, 40)),
    min_size=1,
    max_size=8,
    unique_by=lambda one: (one.membership_id, one.hours),
)


@settings(deadline=None, max_examples=200)
@given(WORDS, st.data())
def test_words_about_memberships_end_in_one_state_in_any_order(words: list[Told], data: st.DataObject) -> None:
    world = salon()
    order = data.draw(st.permutations([*words, *data.draw(st.lists(st.sampled_from(words), max_size=4))]))
    for each in order:
        switch(world, data.draw(st.sampled_from([ON, OFF])))
        each.tell(world)
        if data.draw(st.booleans()):
            world.live_until(world.clock.now() + timedelta(minutes=20))
    switch(world, ON)
    ends = ends_of(words)
    if ends:
        days, name = ends[0]
        assert waits_for(world) == f"{name}#{(NOON + days * DAY).date()}"
        wake_at = world.enrolment(id_of(1)).wake_at
        assert wake_at is not None
        assert wake_at.date() == (NOON + (days - 7) * DAY).date()
    else:
        assert waits_for(world) is None

    world.live_until(NOON + 400 * DAY)
    assert times_done(world) == len(ends)
    for each in order:
        each.tell(world)
    world.live_until(world.clock.now() + DAY)
    assert times_done(world) == len(ends)


@settings(deadline=None, max_examples=50)
@given(WORDS, st.data())
def test_a_word_that_is_told_again_on_any_day_is_waited_for_as_before(words: list[Told], data: st.DataObject) -> None:
    world = salon()
    for each in words:
        each.tell(world)
    again = st.tuples(st.integers(0, 400), st.sampled_from(words))
    for day, each in sorted(data.draw(st.lists(again, max_size=6)), key=lambda one: one[0]):
        world.live_until(max(world.clock.now(), NOON + day * DAY))
        each.tell(world)
    world.live_until(NOON + 402 * DAY)

    assert times_done(world) == len(ends_of(words))


@pytest.mark.parametrize("ends", [None, 12, 20, 40, 60])
@pytest.mark.parametrize("before", [None, 30, 50])
@pytest.mark.parametrize("day", [1, 4, 10])
def test_a_word_that_is_corrected_on_any_day_counts_as_it_is_then(
    before: int | None, ends: int | None, day: int
) -> None:
    world = salon()
    Told("gold", before, 0).tell(world)
    world.live_until(NOON + day * DAY)
    Told("gold", ends, 0).tell(world)
    sent = [day]
    while not world.subjects(id_of(1)) and sent[-1] < 100:
        sent.append(sent[-1] + 1)
        world.live_until(NOON + sent[-1] * DAY)

    # Or at once, where the day is over.
    assert sent[-1] == (100 if ends is None else max(ends - 7, day + 1))


@pytest.mark.parametrize("seed", range(20))
def test_nobody_is_lost_or_told_twice_whoever_dies(seed: int) -> None:
    world = SequenceWorld(business(), seed=seed)
    world.add(customer(1))
    world.set_up(send("it ends"), wait(DAY), trigger=ENDING, reentry=Reentry.AFTER_EXIT)
    words = [Told(world.random.choice(MEMBERSHIPS), world.random.choice([None, 9, 9, 12]), n) for n in range(5)]
    world.chaos = Chaos(death=0.05, duplicate=0.2)
    for each in world.random.sample(words, 5):
        while True:
            try:
                world._mortal("hear", partial(each.tell, world))
            except (WorkerDiedError, BrokenCallError):
                continue
            break
    world.live_until(NOON + 6 * DAY)
    world.chaos = Chaos()
    world.live_until(NOON + 30 * DAY)

    assert max(world.mailer.went_out.values(), default=1) == 1
    unsure = sum(each.status == "uncertain" for each in world.messages.rows.values())
    assert len(world.subjects(id_of(1))) + unsure == len(ends_of(words))
    assert waits_for(world) is None


def test_the_same_end_told_each_night_is_told_of_once() -> None:
    world = salon()
    for night in range(20):
        world.has_membership(1, f"night {night}", (NOON + 10 * DAY).date())
        world.live_until(world.clock.now() + DAY)

    assert len(world.subjects(id_of(1))) == 1


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(2, 30), min_size=1, max_size=45), st.sampled_from([4, 300]))
@example([10] * 31, 300)
@example([2, 2], 300)
def test_each_of_many_memberships_is_told_of_once_at_most(ends: list[int], most: int) -> None:
    world = salon()
    world.set_up(send("it ends", category=Category.TRANSACTIONAL), trigger=ENDING, reentry=Reentry.AFTER_EXIT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rebound.sequences.application.enrol.MOST_FORMER", most)
        for number, days in enumerate(ends):
            world.has_membership(1, f"m{number}", (NOON + days * DAY).date(), membership_id=f"of {number}")
        world.live_until(NOON + 60 * DAY)

    told = len(world.subjects(id_of(1)))
    assert min(len(ends), most) <= told <= len(ends)
    assert waits_for(world) is None


def test_what_has_come_is_forgotten_and_makes_room() -> None:
    world = salon()
    Told("gold", 10, 0).tell(world)
    one = replace(world.enrolment(id_of(1)), due_at=NOON + 10 * DAY).left(LeftBecause.ENDED, NOON)
    (done,) = one.done(NOON)
    after = replace(one, entry_key="another", former=(done,), due_at=NOON + 20 * DAY)

    assert len(after.done(NOON + 13 * DAY)) == 2
    assert len(after.done(NOON + 14 * DAY)) == 1
    assert after.done(NOON + 24 * DAY) == ()
    assert replace(after, entry_key="").done(NOON) == (done,)


def test_never_is_once_for_all_memberships() -> None:
    world = salon(reentry=Reentry.NEVER)
    for each in (Told("gold", 20, 2), Told("yoga", 40, 1)):
        each.tell(world)
    world.live_until(NOON + 100 * DAY)

    assert len(world.subjects(id_of(1))) == 1


def test_a_word_that_is_taken_back_before_it_is_due_is_none() -> None:
    world = salon()
    word = Told("gold", 20, 0)
    word.tell(world)
    world.activity.cells.clear()
    world.live_until(NOON + 30 * DAY)

    assert world.subjects(id_of(1)) == []
    assert world.enrolment(id_of(1)).left_because is LeftBecause.EXIT


@pytest.mark.parametrize("late", Late)
def test_what_came_due_while_it_was_off_is_late_and_the_next_end_is_waited_for(late: Late) -> None:
    world = salon()
    for each in (Told("gold", 20, 2), Told("yoga", 60, 1)):
        each.tell(world)
    switch(world, OFF)
    world.live_until(NOON + 15 * DAY)
    switch(world, ON, late)
    world.live_until(NOON + 16 * DAY)
    assert len(world.subjects(id_of(1))) == (late is Late.GO_ON)
    world.live_until(NOON + 70 * DAY)

    assert len(world.subjects(id_of(1))) == 1 + (late is Late.GO_ON)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 25), st.booleans()), max_size=6))
def test_whom_it_is_for_is_asked_when_it_is_due(told: list[tuple[int, bool]]) -> None:
    world = salon(filter={"not": {"tag": "staff"}})
    Told("gold", 20, 2).tell(world)
    for day, is_staff in sorted(told):
        world.live_until(NOON + day * DAY + HOUR)
        add, remove = ("staff", None) if is_staff else (None, "staff")
        world.customer_service.retag(BUSINESS_ID, id_of(1), add=add, remove=remove)
    world.live_until(NOON + 30 * DAY)
    # It is due at midnight, when the thirteenth day begins.
    staff = [is_staff for day, is_staff in sorted(told) if day < 13][-1:] == [True]

    assert len(world.subjects(id_of(1))) == (not staff)
    assert world.enrolment(id_of(1)).left_because is (LeftBecause.NOT_MATCHING if staff else LeftBecause.ENDED)


def test_whom_it_is_not_for_by_then_waits_for_the_next_end() -> None:
    world = salon(filter={"tag": "vip"})
    for each in (Told("gold", 20, 2), Told("yoga", 60, 1)):
        each.tell(world)
    world.live_until(NOON + 30 * DAY)
    assert waits_for(world) == "yoga#2027-01-19"
    world.customer_service.retag(BUSINESS_ID, id_of(1), add="vip")
    world.live_until(NOON + 70 * DAY)

    assert world.subjects(id_of(1)) == ["it ends"]


def test_who_is_taken_out_is_told_of_the_next_membership() -> None:
    world = salon()
    for each in (Told("gold", 20, 2), Told("yoga", 60, 1)):
        each.tell(world)
    for _ in range(2):
        assert waits_for(world) in ("gold#2026-12-10", "yoga#2027-01-19")
        world.sequence_service.take_out(BUSINESS_ID, SEQUENCE_ID, id_of(1))

    assert waits_for(world) is None


def test_another_membership_does_not_end_it_and_its_own_does() -> None:
    exits = (ExitOn(Happening(kind=Kind.MEMBERSHIP_EXPIRING), is_goal=True),)
    world = salon(exit_on=exits)
    sequence = world.set_up(
        send("it ends"), wait(3 * DAY), send("tomorrow"), trigger=ENDING, reentry=Reentry.AFTER_EXIT, exit_on=exits
    )
    assert sequence.version == 2
    Told("gold", 10, 2).tell(world)
    world.live_until(NOON + 4 * DAY)
    world.has_membership(1, "other", (NOON + 300 * DAY).date(), membership_id="yoga")
    assert waits_for(world) == "gold#2026-11-30"
    world.has_membership(1, "renewed", (NOON + 375 * DAY).date())

    # Which is where both begin to wait for the next end that is to come.
    assert waits_for(world) == "yoga#2027-09-16"
    world.live_until(NOON + 380 * DAY)
    assert world.subjects(id_of(1)).count("it ends") == 3


def tell_package(world: SequenceWorld, event_id: str, left: int, at: datetime, package_id: str = "ten") -> None:
    world.did(1, event_id, EventKind.PACKAGE, package_id=package_id, credits_left=left, at=at)


@pytest.mark.parametrize("package_id", ["ten", "five"])
def test_a_package_that_was_filled_up_before_its_last_credit_was_told_begins_nothing(package_id: str) -> None:
    world = salon(trigger=Happening(kind=Kind.PACKAGE_LAST_CREDIT))
    tell_package(world, "filled", 10, NOON - HOUR, package_id)
    tell_package(world, "used", 0, NOON - 2 * HOUR)
    world.live_until(NOON + HOUR)

    assert len(world.subjects(id_of(1))) == (package_id != "ten")


@pytest.mark.parametrize("membership_id", ["gold", "yoga"])
def test_a_renewal_that_was_made_good_before_its_failing_was_told_begins_nothing(membership_id: str) -> None:
    world = salon(trigger=Happening(kind=Kind.RENEWAL_FAILED))
    world.has_membership(1, "paid", membership_id=membership_id, at=NOON - HOUR)
    world.has_membership(1, "failed", status=MembershipStatus.RENEWAL_FAILED, at=NOON - 2 * HOUR)
    world.live_until(NOON + HOUR)

    assert len(world.subjects(id_of(1))) == (membership_id != "gold")


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.sampled_from(MembershipStatus), st.integers(1, 4)), max_size=6, unique=True),
    st.data(),
)
def test_only_what_was_paid_later_makes_a_failed_renewal_good(
    words: list[tuple[MembershipStatus, int]], data: st.DataObject
) -> None:
    world = salon(trigger=Happening(kind=Kind.RENEWAL_FAILED))
    ids = data.draw(st.permutations(range(len(words))))
    for number, (status, hours) in zip(ids, words, strict=True):
        world.has_membership(1, f"m{number}", status=status, at=NOON - hours * HOUR)
    world.live_until(NOON + 2 * HOUR)

    failed = [hours for status, hours in words if status is MembershipStatus.RENEWAL_FAILED]
    paid = [hours for status, hours in words if status is MembershipStatus.ACTIVE]
    is_told = bool(failed) and min(failed) <= min(paid, default=5)
    assert len(world.subjects(id_of(1))) == is_told


@pytest.mark.parametrize(("used", "before"), [("p9", "p10"), ("p10", "p9")])
def test_two_credits_of_one_moment_are_two_whatever_their_ids(used: str, before: str) -> None:
    world = salon(trigger=Happening(kind=Kind.PACKAGE_LAST_CREDIT))
    tell_package(world, before, 1, NOON)
    tell_package(world, used, 0, NOON)
    world.live_until(NOON + 2 * HOUR)

    assert len(world.subjects(id_of(1))) == 1
