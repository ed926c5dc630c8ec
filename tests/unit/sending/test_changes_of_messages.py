"""Changes of messages that wait, and of appointments: in any order, beside senders, and broken off anywhere."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.application.timing import Timing
from rebound.businesses.domain.quiet_hours import QuietHours, QuietWindow
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConcurrentChangeError, ConflictError, FieldError, InvalidInputError, NotFoundError
from rebound.kernel.times import write_time
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.rates.domain import Throttled
from rebound.sending.application.steer_appointment import Rescheduled
from rebound.sending.domain.single_messages import CancelledBecause, Posted, timing_of
from tests.fakes.making import BUSINESS_ID, at, business, contact_key, customer, id_of
from tests.fakes.watching import Boundary, BrokenCallError, WorkerDiedError
from tests.fakes.world import Chaos, World
from tests.unit.sending.test_taking_back import (
    APPOINTMENT,
    BEFORE_THE_MARK,
    CHANNELS,
    DAY,
    HOUR,
    MINUTE,
    beside,
    cancelled,
    changed,
    handed,
    logged,
    post,
    remind,
    salon,
    scripts,
)

AFRESH: Final = "Come an hour earlier"
ENDED: Final = frozenset(MessageStatus) - {MessageStatus.QUEUED, MessageStatus.SENDING}


def moved(world: World, starts_at: datetime) -> Rescheduled:
    return world.steer_appointment.reschedule(BUSINESS_ID, APPOINTMENT, starts_at)


def ids(messages: list[Message]) -> set[str]:
    return {message.key.message_id for message in messages}


# --- what it says -----------------------------------------------------------------------------------------------------


@CHANNELS
@pytest.mark.parametrize("ahead", [timedelta(), MINUTE, 20 * DAY])
def test_what_is_sent_is_what_was_said_last(channel: Channel, ahead: timedelta) -> None:
    world = salon()
    posted = post(world, channel, Timing(world.clock.now() + ahead) if ahead else None)
    changed(world, posted, text="Come tomorrow")
    changed(world, posted, text=AFRESH)
    world.rest()

    assert [said for _, said in handed(world)] == [AFRESH]
    assert logged(world, posted).status is MessageStatus.DELIVERED


@CHANNELS
@pytest.mark.parametrize(("call", "side"), BEFORE_THE_MARK)
def test_a_change_beside_a_sender_counts_until_it_has_marked_the_chunk(channel: Channel, call: str, side: str) -> None:
    world = salon()
    posted = post(world, channel)
    [said] = beside(world, posted, call, side, partial(changed, text=AFRESH))

    assert not isinstance(said, ConflictError)
    assert [each for _, each in handed(world)] == [AFRESH]


@CHANNELS
def test_a_change_after_the_mark_is_refused(channel: Channel) -> None:
    world = salon()
    posted = post(world, channel)
    [said] = beside(world, posted, "chunks.mark", "after", partial(changed, text=AFRESH))

    assert isinstance(said, ConflictError)
    assert said.code == "message_in_hand"
    assert len(handed(world)) == 1
    assert AFRESH not in handed(world)[0]


def test_content_is_checked_as_when_it_is_posted_and_nothing_is_changed() -> None:
    world = salon()
    posted = post(world, timing=Timing(at(9999)))
    before = dict(world.campaigns.rows), dict(world.chunks.rows), dict(world.messages.rows)
    with pytest.raises(InvalidInputError) as refused:
        changed(world, posted, text="Hello ##{{frist_name}}")

    assert [error.field for error in refused.value.errors] == ["content.body"]
    assert (dict(world.campaigns.rows), dict(world.chunks.rows), dict(world.messages.rows)) == before


# --- when it is sent --------------------------------------------------------------------------------------------------

TIMES: Final = [timedelta(minutes=3), HOUR, 40 * DAY]


@CHANNELS
@pytest.mark.parametrize("first", [timedelta(), *TIMES])
@pytest.mark.parametrize("then", [timedelta(), *TIMES])
def test_it_is_sent_once_at_the_time_that_was_set_last(channel: Channel, first: timedelta, then: timedelta) -> None:
    world = salon()
    posted = post(world, channel, Timing(at(0) + first) if first else None)
    answered = changed(world, posted, timing=Timing(at(0) + then) if then else Timing())
    world.live_until(at(0) + then - timedelta(milliseconds=1))
    before = len(handed(world))
    world.live_until(at(0) + then + timedelta(seconds=40))

    assert answered.held_until == (at(0) + then if then else None)
    assert (before, len(handed(world))) == (1 if not then and first == then else 0, 1) or not then
    assert len(handed(world)) == 1
    world.rest()
    assert len(handed(world)) == 1


def test_a_message_that_the_night_holds_can_still_be_changed_although_its_time_is_over() -> None:
    night = QuietHours(sms=QuietWindow(datetime(2026, 1, 1, 3).time(), datetime(2026, 1, 1, 12).time()))  # noqa: DTZ001
    world = salon(quiet_hours=night)
    posted = post(world, timing=Timing(at(60)))
    world.clock.move(2 * MINUTE)
    answered = changed(world, posted, text=AFRESH, timing=Timing(at(60), expires_at=at(0) + DAY))
    world.rest()

    assert answered.held_until is not None
    assert [said for _, said in handed(world)] == [AFRESH]


@pytest.mark.parametrize(
    ("timing", "field"),
    [
        (Timing(at(-3600)), "send_at"),
        (Timing(at(0) + 366 * DAY), "send_at"),
        (Timing(expires_at=at(-5)), "expires_at"),
        (Timing(at(60), expires_at=at(60)), "expires_at"),
        (Timing(appointment_at=at(9999)), "starts_at"),
    ],
)
def test_a_time_that_cannot_be_meant_changes_nothing(timing: Timing, field: str) -> None:
    world = salon()
    posted = post(world, timing=Timing(at(99999)))
    before = dict(world.campaigns.rows), dict(world.chunks.rows)
    with pytest.raises(InvalidInputError) as refused:
        changed(world, posted, timing=timing)

    assert [error.field for error in refused.value.errors] == [field]
    assert (dict(world.campaigns.rows), dict(world.chunks.rows)) == before


@pytest.mark.parametrize(
    "timing",
    [
        partial(Timing, at(0) + 3 * DAY),
        partial(Timing, at(0) + 4 * DAY),
        partial(Timing, local_time=(at(0) + 4 * DAY).replace(tzinfo=None)),
    ],
)
def test_a_time_after_its_appointment_has_begun_is_refused_and_the_message_waits_as_before(
    timing: Callable[..., Timing],
) -> None:
    world = salon()
    posted = remind(world, hours=1, starts_at=at(0) + 3 * DAY)
    before = dict(world.campaigns.rows), dict(world.chunks.rows), dict(world.messages.rows)
    begun = timing(appointment_at=at(0) + 3 * DAY)
    refusals: list[FieldError] = []
    for request in (
        lambda: changed(world, posted, timing=begun),
        lambda: post(world, timing=begun, appointment_id=APPOINTMENT),
    ):
        with pytest.raises(InvalidInputError) as refused:
            request()
        refusals += refused.value.errors

    says = f"Must be before the appointment starts at {write_time(at(0) + 3 * DAY)}."
    assert [(error.field, error.message) for error in refusals] == [("send_at", says)] * 2
    assert (dict(world.campaigns.rows), dict(world.chunks.rows), dict(world.messages.rows)) == before


def test_a_message_may_be_sent_at_once_right_up_to_its_appointment() -> None:
    world = salon()
    posted = remind(world, hours=1, starts_at=at(7200))
    changed(world, posted, timing=Timing(appointment_at=at(7200)))
    world.rest()

    assert logged(world, posted).status is MessageStatus.DELIVERED


def test_a_time_of_its_own_takes_a_reminder_off_its_appointment_which_still_ends_it() -> None:
    world = salon()
    posted = remind(world, hours=1, starts_at=at(0) + 3 * DAY)
    changed(world, posted, timing=Timing(at(0) + DAY, appointment_at=at(0) + 3 * DAY))
    done, again = moved(world, at(0) + 5 * DAY), moved(world, at(0) + 5 * DAY)
    [carrier] = [each for each in world.campaigns.rows.values() if each.single]

    assert timing_of(carrier) == Timing(at(0) + DAY, appointment_at=at(0) + 5 * DAY)
    assert done == again == Rescheduled(at(0) + 5 * DAY)
    assert carrier.expires_at == at(0) + 5 * DAY
    assert logged(world, posted).held_until == at(0) + DAY
    assert ids(moved(world, at(-60)).expired) == {posted.message.key.message_id}


def test_a_message_to_somebody_who_is_gone_cannot_be_changed_and_can_be_cancelled() -> None:
    world = salon()
    posted = post(world, timing=Timing(at(99999)))
    world.customer_service.delete(BUSINESS_ID, id_of(1))
    with pytest.raises(NotFoundError):
        changed(world, posted, text=AFRESH)

    assert cancelled(world, posted).status is MessageStatus.CANCELLED


def test_the_question_stays_open_for_as_long_after_the_new_time() -> None:
    world = salon()
    posted = post(world, asks_confirmation=True, appointment_id=APPOINTMENT, timing=Timing(at(9999)))
    told: list[Any] = []
    ask = world.appointments.ask
    world.appointments.ask = lambda key, asked, sent_at=None: (told.append(sent_at), ask(key, asked, sent_at))[1]  # type: ignore[func-returns-value,method-assign]
    changed(world, posted, timing=Timing(at(0) + 90 * DAY))

    assert told == [at(0) + 90 * DAY]


# --- an appointment that is moved or cancelled ------------------------------------------------------------------------


def test_what_is_sent_before_an_appointment_moves_with_it() -> None:
    world = salon()
    day, hour = remind(world, hours=24), remind(world, hours=1)
    week = remind(world, hours=24 * 7)
    fixed = post(world, timing=Timing(at(0) + 9 * DAY), appointment_id=APPOINTMENT)
    done = moved(world, at(0) + 2 * DAY)

    assert done.starts_at == at(0) + 2 * DAY
    assert ids(done.moved) == {day.message.key.message_id, hour.message.key.message_id}
    assert ids(done.sent_now) == {week.message.key.message_id}
    assert done.expired == []
    assert logged(world, fixed).held_until == at(0) + 9 * DAY
    assert {message.held_until for message in done.moved} == {at(0) + DAY, at(0) + 47 * HOUR}
    world.rest()
    assert len(handed(world)) == 4


def test_an_appointment_that_has_begun_leaves_its_reminders_out_at_once() -> None:
    world = salon()
    posted = remind(world)
    done = moved(world, at(-60))

    assert ids(done.expired) == {posted.message.key.message_id}
    assert (logged(world, posted).status, logged(world, posted).reason) == (MessageStatus.EXCLUDED, "expired")
    world.rest()
    assert handed(world) == []


def test_a_reminder_that_the_night_holds_until_the_appointment_has_begun_is_too_late() -> None:
    night = QuietHours(sms=QuietWindow(datetime(2026, 1, 1, 3).time(), datetime(2026, 1, 1, 12).time()))  # noqa: DTZ001
    world = salon(quiet_hours=night)
    posted = remind(world, hours=1, starts_at=at(3 * 3600))
    world.rest()

    assert (logged(world, posted).status, logged(world, posted).reason) == (MessageStatus.EXCLUDED, "expired")


def test_moving_it_again_to_the_same_time_says_and_does_the_same() -> None:
    world = salon()
    remind(world)
    remind(world, hours=2)
    first, again = moved(world, at(0) + 9 * DAY), moved(world, at(0) + 9 * DAY)
    world.rest()

    assert first == again
    assert len(handed(world)) == 2


def test_what_was_handed_over_is_left_alone() -> None:
    world = salon()
    done, waits = remind(world, starts_at=at(7200)), remind(world, hours=1, starts_at=at(7200))
    world.live_until(at(60))
    answered = moved(world, at(0) + 9 * DAY)

    assert ids(answered.moved) == {waits.message.key.message_id}
    assert logged(world, done).status is MessageStatus.DELIVERED


def test_all_that_waits_about_an_appointment_is_cancelled_and_listed_also_a_second_time() -> None:
    world = salon()
    waits = [remind(world), post(world, timing=Timing(at(9999)), appointment_id=APPOINTMENT)]
    other = post(world, timing=Timing(at(9999)), appointment_id="another")
    by_itself = remind(world)
    cancelled(world, by_itself)
    first = world.steer_appointment.cancel(BUSINESS_ID, APPOINTMENT)
    again = world.steer_appointment.cancel(BUSINESS_ID, APPOINTMENT)
    world.rest()

    assert ids(first) == ids(again) == {each.message.key.message_id for each in waits}
    assert {message.reason for message in first} == {CancelledBecause.APPOINTMENT}
    assert len(handed(world)) == 1
    assert logged(world, other).status is MessageStatus.DELIVERED


def test_of_an_appointment_that_nobody_knows_there_is_nothing_to_move_or_cancel() -> None:
    world = salon()

    assert moved(world, at(9999)) == Rescheduled(at(9999))
    assert world.steer_appointment.cancel(BUSINESS_ID, "nobody's") == []


def test_one_that_is_in_hand_while_its_appointment_moves_follows_when_it_comes_back() -> None:
    world = salon()
    posted = remind(world, starts_at=at(7200))
    script = scripts(world)[1]
    script.answer(customer(1).mobile_phone or "", Throttled("busy"))

    def later(world: World, _: Posted) -> Rescheduled:
        return moved(world, at(0) + 9 * DAY)

    [said] = beside(world, posted, "chunks.mark", "after", later)

    assert said == Rescheduled(at(0) + 9 * DAY)
    assert [each.went_out for each in script.handed] == [False, True]
    assert world.clock.now() >= at(0) + 8 * DAY


def boundaries_of(work: Callable[[World], object], prepare: Callable[[], World]) -> int:
    """How many boundaries some work comes to."""
    world, count = prepare(), 0

    def counted(_: Boundary) -> None:
        nonlocal count
        count += 1

    world.checkpoint = counted
    work(world)
    return count


def with_reminders() -> World:
    world = salon()
    for hours in (24, 2, 24 * 20):
        remind(world, hours=hours)
    return world


EARLIER, LATER = at(0) + 25 * DAY, at(0) + 40 * DAY
MOVES: Final = boundaries_of(lambda world: moved(world, EARLIER), with_reminders)


@pytest.mark.parametrize("number", range(0, MOVES, 3))
def test_of_two_that_move_an_appointment_at_once_both_end_with_the_later(number: int) -> None:
    world, seen = with_reminders(), 0

    def other(_: Boundary) -> None:
        nonlocal seen
        seen += 1
        if seen == number + 1:
            moved(world, LATER)

    world.checkpoint = other
    done = moved(world, EARLIER)
    time = world.appointments.time(BUSINESS_ID, APPOINTMENT)
    carriers = [each for each in world.campaigns.rows.values() if each.single]

    assert time is not None
    assert done.starts_at == time.starts_at
    assert {carrier.appointment_at for carrier in carriers} == {time.starts_at}
    world.rest()
    assert len(handed(world)) == 3
    assert all(message.status is MessageStatus.DELIVERED for message in world.messages.rows.values())


# --- broken off anywhere ----------------------------------------------------------------------------------------------


def one_waits(ahead: timedelta = HOUR) -> World:
    world = salon()
    starts_at = at(0) + ahead + 2 * HOUR
    remind(world, hours=2, starts_at=starts_at, asks_confirmation=True)
    return world


def the_one(world: World) -> Posted:
    [message] = world.messages.rows.values()
    carrier = world.steer_message.get(BUSINESS_ID, message.key.message_id).carrier
    assert carrier is not None
    return Posted(message, carrier, business(), customer(1))


REQUESTS: Final[dict[str, Callable[[World], object]]] = {
    "cancel": lambda world: cancelled(world, the_one(world)),
    "cancel all": lambda world: world.steer_appointment.cancel(BUSINESS_ID, APPOINTMENT),
    "change the words": lambda world: changed(world, the_one(world), text=AFRESH),
    "now": lambda world: changed(world, the_one(world), timing=Timing()),
    "sooner": lambda world: changed(world, the_one(world), timing=Timing(at(120))),
    "later": lambda world: changed(world, the_one(world), timing=Timing(at(0) + 50 * DAY)),
    "move": lambda world: moved(world, at(0) + 30 * DAY),
    "move to now": lambda world: moved(world, at(3600)),
    "move to the past": lambda world: moved(world, at(-60)),
}
BROKEN: Final = [(name, number) for name, work in REQUESTS.items() for number in range(boundaries_of(work, one_waits))]


@pytest.mark.parametrize("stop", [WorkerDiedError, BrokenCallError])
@pytest.mark.parametrize("tries_again", [False, True])
@pytest.mark.parametrize("ahead", [HOUR, 9 * DAY])
def test_wherever_a_request_breaks_off_the_message_comes_to_one_end(
    stop: type[BaseException], tries_again: bool, ahead: timedelta
) -> None:
    wrong = []
    for name, number in BROKEN:
        world, seen, code = one_waits(ahead), 0, ""

        def here(where: Boundary, number: int = number) -> None:
            nonlocal seen
            seen += 1
            if seen == number + 1:
                raise stop(str(where))

        world.checkpoint = here
        try:
            world._mortal("api", partial(REQUESTS[name], world))
        except (WorkerDiedError, BrokenCallError):
            world.checkpoint = lambda _: None
        if tries_again:
            try:
                REQUESTS[name](world)
            except ConflictError as error:
                # The first one came through, but for its answer.
                code = error.code
        world.rest()
        [message] = world.messages.rows.values()
        out = len(handed(world))
        taken_back = name in ("cancel", "cancel all", "move to the past")
        fine = message.status in ENDED and out <= 1 and (out == 1) == (message.status is MessageStatus.DELIVERED)
        fine &= code in ("", "message_not_waiting")
        if tries_again:
            fine &= out == (0 if taken_back else 1)
            fine &= name != "change the words" or handed(world)[0][1] == AFRESH
        if taken_back and out == 0:
            fine &= world.appointments.asked(contact_key(1, Channel.SMS)) == [] or not tries_again
        if not fine:
            wrong.append((name, number, message.status, message.reason, out))

    assert wrong == []


Step = tuple[str, int]
STEPS: Final = st.lists(
    st.tuples(st.sampled_from(["words", "time", "cancel", "move", "live"]), st.integers(0, 20 * 24 * 3600)),
    min_size=1,
    max_size=10,
)


@given(STEPS, st.integers(0, 1 << 30), st.sampled_from(Channel), st.booleans())
def test_however_it_is_changed_it_is_sent_once_as_was_asked_last_or_not_at_all(
    steps: list[Step], seed: int, channel: Channel, calm: bool
) -> None:
    world = World(business(), seed=seed, ranges=1)
    world.add(customer(1))
    world.chaos = Chaos() if calm else Chaos(death=0.02, duplicate=0.2, early=0.1)
    posted = remind(world, channel, hours=1, starts_at=at(0) + 5 * DAY)
    said, due, cancelled_at = "See you soon", at(0) + 5 * DAY - HOUR, None
    follows = True
    for number, (what, seconds) in enumerate(steps):
        now = world.clock.now()
        try:
            match what:
                case "words":
                    changed(world, posted, text=f"Words {number}")
                    said = f"Words {number}"
                case "time":
                    changed(world, posted, timing=Timing(now + timedelta(seconds=seconds)))
                    due, follows = now + timedelta(seconds=seconds), False
                case "cancel":
                    cancelled(world, posted)
                    cancelled_at = now
                case "move":
                    done = moved(world, now + timedelta(seconds=seconds))
                    if follows and ids(done.moved) | ids(done.sent_now):
                        due = now + timedelta(seconds=seconds) - HOUR
                case _:
                    world.live_until(now + timedelta(seconds=seconds))
        except (ConflictError, ConcurrentChangeError, InvalidInputError):
            continue
    sent_at = world.clock.now() if handed(world) else None
    world.rest()
    sent_at = sent_at or world.clock.now()
    out = [each for script in scripts(world) for each in script.handed if each.went_out]
    message = logged(world, posted)

    assert len(out) <= 1
    assert message.status in ENDED
    if cancelled_at is not None and message.status is MessageStatus.CANCELLED:
        assert out == []
    if out:
        assert (out[0].subject or out[0].body) == said
        assert sent_at >= due
