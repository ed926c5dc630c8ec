"""What somebody goes through: steps in order, waits, conditions, what ends it, and what is off."""

from datetime import UTC, datetime, time, timedelta
from itertools import permutations

import pytest

from rebound.activity.domain.events import MembershipStatus
from rebound.businesses.domain.quiet_hours import QuietHours, QuietWindow
from rebound.kernel.errors import ConflictError
from rebound.messages.domain.messages import MessageStatus
from rebound.sequences.domain.enrolments import LeftBecause, Stage
from rebound.sequences.domain.happenings import Happened, Happening, Kind
from rebound.sequences.domain.sequences import ExitOn, Late, Reentry, SequenceStatus
from rebound.sequences.domain.steps import Exit, Tag
from rebound.sequences.domain.tasks import StepTask
from tests.fakes.making import BUSINESS_ID, NO_QUIET_HOURS, NOON, business, customer, id_of
from tests.unit.sequences.worlds import DAY, HOUR, SEQUENCE_ID, SequenceWorld, send, steps, tag, tagged, wait


def enrol(world: SequenceWorld, number: int = 1, entry: str = "e1") -> bool:
    return world.sequence_service.enrol(BUSINESS_ID, SEQUENCE_ID, id_of(number), entry)


def hear(world: SequenceWorld, kind: Kind, key: str, number: int = 1, **given: object) -> None:
    happened = Happened(kind=kind, key=key, at=world.clock.now(), **given)  # type: ignore[arg-type]
    world.hear_happenings(BUSINESS_ID, id_of(number), [happened])


def test_steps_are_done_in_order_each_at_its_time(world: SequenceWorld) -> None:
    world.set_up(send("one"), wait(DAY), send("two"), send("three"), wait(HOUR), tag("done"))
    assert enrol(world)
    world.live_until(NOON + HOUR)
    assert world.subjects(id_of(1)) == ["one"]
    assert world.enrolment(id_of(1)).standing is Stage.WAITING

    world.live_until(NOON + DAY + HOUR / 2)
    # What is sent at once goes in any order.
    assert sorted(world.subjects(id_of(1))) == ["one", "three", "two"]
    world.live_until(NOON + 2 * DAY)
    assert world.customers.get(BUSINESS_ID, id_of(1)).general_tags == ("done",)
    assert world.enrolment(id_of(1)).left_because is LeftBecause.ENDED


def test_a_condition_is_asked_when_it_is_due(world: SequenceWorld) -> None:
    world.set_up(wait(DAY), tagged("vip", steps(send("for vips")), steps(send("for others"))), send("for all"))
    for number in (1, 2):
        enrol(world, number)
    world.live_until(NOON + HOUR)
    world.customer_service.retag(BUSINESS_ID, id_of(1), add="VIP")
    world.customer_service.retag(BUSINESS_ID, id_of(2), remove="vip")
    world.live_until(NOON + 2 * DAY)

    assert sorted(world.subjects(id_of(1))) == ["for all", "for vips"]
    assert sorted(world.subjects(id_of(2))) == ["for all", "for others"]


def test_a_condition_behind_a_tag_asks_about_what_was_given(world: SequenceWorld) -> None:
    world.set_up(tag("thanked"), tagged("thanked", steps(tag("again"))), tagged("again", steps(send("for both"))))
    enrol(world, 1)
    enrol(world, 2)
    world.live_until(NOON + DAY)

    assert world.subjects(id_of(1)) == world.subjects(id_of(2)) == ["for both"]
    assert world.customers.get(BUSINESS_ID, id_of(2)).general_tags == ("vip", "thanked", "again")


def test_a_step_that_ends_it_ends_it(world: SequenceWorld) -> None:
    world.set_up(tagged("vip", steps(Exit())), send("for others"))
    enrol(world, 1)
    enrol(world, 2)
    world.live_until(NOON + DAY)

    assert world.subjects(id_of(1)) == ["for others"]
    assert world.subjects(id_of(2)) == []
    assert world.enrolment(id_of(2)).is_over


def test_who_waits_for_an_event_goes_on_when_it_happens_and_at_the_latest_at_the_end(world: SequenceWorld) -> None:
    world.set_up(wait(3 * DAY, for_event=Happening(kind=Kind.VISIT)), send("after"))
    enrol(world, 1)
    enrol(world, 2)
    world.live_until(NOON + HOUR)
    hear(world, Kind.BOOKING, "b1")
    world.live_until(NOON + 2 * HOUR)
    assert world.subjects(id_of(1)) == []
    hear(world, Kind.VISIT, "v1")
    world.live_until(NOON + 3 * HOUR)

    assert world.subjects(id_of(1)) == ["after"]
    assert world.subjects(id_of(2)) == []
    world.live_until(NOON + 4 * DAY)
    assert world.subjects(id_of(1)) == world.subjects(id_of(2)) == ["after"]


@pytest.mark.parametrize("is_goal", [True, False])
def test_what_ends_it_ends_it_while_somebody_waits(world: SequenceWorld, is_goal: bool) -> None:
    ends = ExitOn(Happening(kind=Kind.BOOKING), is_goal=is_goal)
    world.set_up(wait(DAY), send("never"), exit_on=(ends,))
    enrol(world)
    world.live_until(NOON + HOUR)
    hear(world, Kind.BOOKING, "b1")
    world.live_until(NOON + 2 * DAY)

    assert world.subjects(id_of(1)) == []
    assert world.enrolment(id_of(1)).left_because is (LeftBecause.GOAL if is_goal else LeftBecause.EXIT)


def test_a_trigger_that_is_told_again_is_nothing_and_once_is_once(world: SequenceWorld) -> None:
    world.set_up(send("hello"), trigger=Happening(kind=Kind.VISIT))
    for key in ("v1", "v1", "v2"):
        hear(world, Kind.VISIT, key)
        world.live_until(world.clock.now() + HOUR)

    assert world.subjects(id_of(1)) == ["hello"]


def test_after_an_exit_another_trigger_begins_it_again_and_an_old_one_does_not(world: SequenceWorld) -> None:
    world.set_up(send("hello"), wait(DAY), trigger=Happening(kind=Kind.VISIT), reentry=Reentry.AFTER_EXIT)
    for key in ("v1", "v1", "v2"):
        hear(world, Kind.VISIT, key)
        world.live_until(world.clock.now() + HOUR)
    # v2 came while they were inside, and began nothing.
    assert world.subjects(id_of(1)) == ["hello"]
    world.live_until(NOON + 2 * DAY)
    for key in ("v1", "v3"):
        hear(world, Kind.VISIT, key)
        world.live_until(world.clock.now() + HOUR)

    assert world.subjects(id_of(1)) == ["hello", "hello"]
    assert len({each.key for each in world.mailer.handed}) == 2


@pytest.mark.parametrize("reentry", Reentry)
@pytest.mark.parametrize("told", [*permutations(["v1", "v2", "v1", "v2"])])
def test_what_is_told_again_before_the_first_step_takes_nobody_out(
    world: SequenceWorld, reentry: Reentry, told: tuple[str, ...]
) -> None:
    trigger = Happening(kind=Kind.VISIT)
    world.set_up(send("hello"), trigger=trigger, reentry=reentry, exit_on=(ExitOn(trigger),))
    for key in told:
        hear(world, Kind.VISIT, key)
    world.live_until(NOON + HOUR)

    assert world.subjects(id_of(1)) == ["hello"]
    assert world.enrolment(id_of(1)).left_because is LeftBecause.ENDED


def test_only_those_of_the_filter_begin(world: SequenceWorld) -> None:
    world.set_up(send("hello"), filter={"tag": "vip"})

    assert not enrol(world, 1)
    assert enrol(world, 2)


def test_a_membership_that_expires_is_told_of_in_time_and_one_that_is_renewed_is_not(world: SequenceWorld) -> None:
    trigger = Happening(kind=Kind.MEMBERSHIP_EXPIRING, days_before=7)
    world.set_up(send("it ends soon"), trigger=trigger)
    ends = NOON + 30 * DAY
    for number in (1, 2):
        world.has_membership(number, "one", ends.date())
    world.live_until(NOON + 22 * DAY)
    world.has_membership(2, "two", (ends + 365 * DAY).date())
    world.live_until(NOON + 24 * DAY)
    assert world.subjects(id_of(1)) == ["it ends soon"]
    assert world.subjects(id_of(2)) == []
    world.has_membership(2, "three", status=MembershipStatus.CANCELLED)
    world.live_until(NOON + 400 * DAY)

    assert world.subjects(id_of(2)) == []


def test_while_it_is_off_nothing_goes_out_and_on_again_what_is_late_goes_on(world: SequenceWorld) -> None:
    world.set_up(send("one"), wait(DAY), send("two"))
    enrol(world)
    world.live_until(NOON + HOUR)
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.OFF)
    world.live_until(NOON + 3 * DAY)
    assert world.subjects(id_of(1)) == ["one"]
    with pytest.raises(ConflictError):
        enrol(world, 2)
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.ON)
    world.run_jobs()
    world.live_until(NOON + 4 * DAY)

    assert world.subjects(id_of(1)) == ["one", "two"]


def test_on_again_what_is_late_lapses_by_choice(world: SequenceWorld) -> None:
    world.set_up(send("one"), wait(DAY), send("two"))
    enrol(world)
    world.live_until(NOON + HOUR)
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.OFF)
    enrolled_late = world.clock.now()
    world.live_until(enrolled_late + 3 * DAY)
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.ON, Late.LAPSE)
    world.run_jobs()
    world.live_until(NOON + 9 * DAY)

    assert world.subjects(id_of(1)) == ["one"]
    assert world.enrolment(id_of(1)).left_because is LeftBecause.LAPSED


def test_what_is_late_lapses_also_where_its_task_comes_before_the_job(world: SequenceWorld) -> None:
    world.set_up(send("one"), wait(DAY), send("two"))
    enrol(world)
    world.live_until(NOON + HOUR)
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.OFF, Late.LAPSE)
    world.clock.move(DAY)
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.ON)
    world.live_until(world.clock.now() + HOUR)

    assert world.subjects(id_of(1)) == ["one"]
    assert world.enrolment(id_of(1)).left_because is LeftBecause.LAPSED


def test_a_condition_asks_about_the_tags_that_the_steps_before_gave(world: SequenceWorld) -> None:
    world.set_up(tag("met"), tagged("met", steps(send("met"))), Tag(remove="met"), tagged("met", steps(send("still"))))
    enrol(world)
    world.live_until(NOON + HOUR)

    assert world.subjects(id_of(1)) == ["met"]


def test_a_message_on_its_way_is_held_while_it_is_off(world: SequenceWorld) -> None:
    world.set_up(send("one"))
    enrol(world)
    [(name, waiting)] = world.step_queue.queue.messages.items()
    assert isinstance(waiting.body, StepTask)
    world.advance_enrolments(waiting.body)
    world.step_queue.queue.delete(name)
    # It is on the senders' queue now.
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.OFF)
    world.live_until(NOON + DAY)
    assert world.subjects(id_of(1)) == []
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.ON)
    world.run_jobs()
    world.live_until(NOON + 2 * DAY)

    assert world.subjects(id_of(1)) == ["one"]


@pytest.mark.parametrize("quiet", [NO_QUIET_HOURS, QuietHours(email=QuietWindow(time(6), time(9)))])
def test_a_message_on_its_way_lapses_with_what_is_late(quiet: QuietHours) -> None:
    world = SequenceWorld(business(quiet_hours=quiet), seed=1)
    world.add(*(customer(number, created_at=NOON - DAY) for number in (1, 2)))
    world.clock.move(-3 * HOUR)
    world.set_up(send("one"), wait(30 * DAY))
    enrol(world)
    [(name, waiting)] = world.step_queue.queue.messages.items()
    assert isinstance(waiting.body, StepTask)
    world.advance_enrolments(waiting.body)
    world.step_queue.queue.delete(name)
    # It is on the senders' queue now.
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.OFF)
    world.live_until(NOON + DAY)
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.ON, Late.LAPSE)
    world.run_jobs()
    world.clock.move(timedelta(minutes=1))
    enrol(world, 2)
    world.live_until(NOON + 3 * DAY)

    assert world.subjects(id_of(1)) == []
    [lapsed] = [each for each in world.messages.rows.values() if each.key.customer_id == id_of(1)]
    assert lapsed.status is MessageStatus.CANCELLED
    # What comes due afterwards goes out.
    assert world.subjects(id_of(2)) == ["one"]


def test_a_message_whose_hour_is_yet_to_come_does_not_lapse() -> None:
    world = SequenceWorld(business(quiet_hours=QuietHours(email=QuietWindow(time(10), time(20)))), seed=1)
    world.add(customer(1))
    world.set_up(send("one"), wait(30 * DAY))
    enrol(world)
    world.live_until(NOON + HOUR)
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.OFF)
    world.live_until(NOON + 2 * HOUR)
    world.sequence_service.switch(BUSINESS_ID, SEQUENCE_ID, SequenceStatus.ON, Late.LAPSE)
    world.run_jobs()
    world.live_until(NOON + 3 * DAY)

    assert world.subjects(id_of(1)) == ["one"]


def test_who_is_inside_stays_on_their_version(world: SequenceWorld) -> None:
    world.set_up(wait(DAY), send("old"))
    enrol(world, 1)
    world.live_until(NOON + HOUR)
    assert world.set_up(wait(HOUR), send("new")).version == 2
    enrol(world, 2)
    world.live_until(NOON + 2 * DAY)

    assert world.subjects(id_of(1)) == ["old"]
    assert world.subjects(id_of(2)) == ["new"]


def test_of_a_sequence_that_is_deleted_nothing_goes_out_any_more(world: SequenceWorld) -> None:
    world.set_up(wait(DAY), send("never"))
    enrol(world)
    world.live_until(NOON + HOUR)
    world.sequence_service.delete(BUSINESS_ID, SEQUENCE_ID)
    world.run_jobs()
    world.live_until(NOON + 2 * DAY)
    assert world.enrolments.rows == {}
    # Another of the same name is another.
    world.set_up(send("hello"))
    enrol(world)
    world.live_until(NOON + 3 * DAY)

    assert world.subjects(id_of(1)) == ["hello"]


def test_the_next_sequence_of_the_same_name_keeps_whoever_begins_it(world: SequenceWorld) -> None:
    world.set_up(wait(DAY), send("never"))
    world.sequence_service.delete(BUSINESS_ID, SEQUENCE_ID)
    world.set_up(wait(DAY), send("hello"))
    enrol(world)
    world.run_jobs()
    world.live_until(NOON + 3 * DAY)

    assert world.subjects(id_of(1)) == ["hello"]


def test_somebody_who_is_deleted_half_way_gets_nothing_and_leaves_nothing(world: SequenceWorld) -> None:
    world.set_up(wait(DAY), send("never"), reentry=Reentry.AFTER_EXIT)
    enrol(world)
    world.live_until(NOON + HOUR)
    world.remove_customer(world.customers.get(BUSINESS_ID, id_of(1)))
    world.live_until(NOON + 2 * DAY)

    assert world.subjects(id_of(1)) == []
    assert world.enrolments.rows == {}
    assert world.enrolments.entries == set()


def test_a_message_on_its_way_to_somebody_who_is_deleted_is_left_out(world: SequenceWorld) -> None:
    world.set_up(send("never"))
    enrol(world)
    [(name, waiting)] = world.step_queue.queue.messages.items()
    world.go_on(waiting.body)
    world.step_queue.queue.delete(name)
    world.remove_customer(world.customers.get(BUSINESS_ID, id_of(1)))
    world.live_until(NOON + DAY)

    assert world.subjects(id_of(1)) == []
    assert world.enrolments.rows == {}


@pytest.mark.parametrize("erased_first", [True, False])
@pytest.mark.parametrize("reentry", Reentry)
def test_who_is_deleted_and_imported_again_is_somebody_new(
    world: SequenceWorld, reentry: Reentry, erased_first: bool
) -> None:
    world.set_up(wait(DAY), send("hello"), wait(DAY), reentry=reentry)
    enrol(world)
    world.live_until(NOON + HOUR)
    gone = world.customers.get(BUSINESS_ID, id_of(1))
    world.remove_customer(gone)
    if erased_first:
        world.live_until(NOON + HOUR)
    world.clock.move(HOUR)
    world.add(customer(1, created_at=world.clock.now()))
    # The stream may tell of the deletion only now, and once more later.
    assert enrol(world, entry="e2")
    world.live_until(NOON + 3 * HOUR)
    world.erase_customer(gone)
    assert world.enrolment(id_of(1)).entry_key == "by-hand#e2"
    world.live_until(NOON + DAY + HOUR / 2)
    # The wait of the one before would have been over.
    assert world.subjects(id_of(1)) == []
    world.live_until(NOON + 2 * DAY)

    assert world.subjects(id_of(1)) == ["hello"]


def test_where_somebody_stood_who_is_deleted_nobody_goes_on_who_is_there_again(world: SequenceWorld) -> None:
    world.set_up(wait(HOUR), send("hello"))
    enrol(world)
    world.live_until(NOON + HOUR / 2)
    found = world.enrolment(id_of(1))
    world.remove_customer(world.customers.get(BUSINESS_ID, id_of(1)))
    world.live_until(NOON + HOUR / 2)
    world.add(customer(1, created_at=NOON + HOUR / 2))
    # As if nobody had told of the deletion yet.
    world.enrolments.rows[found.key] = found
    world.live_until(NOON + 2 * HOUR)

    assert world.subjects(id_of(1)) == []
    assert world.enrolment(id_of(1)).left_because is LeftBecause.REMOVED


def test_a_time_of_the_day_is_that_of_the_customer(world: SequenceWorld) -> None:
    world.add(customer(3, time_zone="Asia/Tokyo"))
    world.set_up(wait(timedelta(), until_local=time(10)), send("good morning"))
    for number in (1, 3):
        enrol(world, number)
    # Ten o'clock in Tokyo is one in the morning of UTC, in New York three in the afternoon.
    world.live_until(datetime(2026, 11, 20, 15, 1, tzinfo=UTC))
    assert [world.subjects(id_of(number)) for number in (1, 3)] == [["good morning"], []]
    world.live_until(datetime(2026, 11, 21, 1, 1, tzinfo=UTC))

    assert world.subjects(id_of(3)) == ["good morning"]
