"""Messages to one person that wait for a day far off, and that are changed or cancelled before they are handed over."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.application.timing import Timing
from rebound.businesses.domain.frequency import FrequencyCap
from rebound.campaigns.domain.chunks import ChunkState
from rebound.consent.domain.consent import ConsentEvidence
from rebound.eligibility.domain.eligibility import Exclusion, Send
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.rates.domain import Lane, Throttled
from rebound.sending.domain.message_timers import FAR, left_until
from rebound.sending.domain.single_messages import CancelledBecause, MessageChange, Posted
from rebound.templates.domain.content import Content, EmailContent, TextContent
from rebound.timers.domain import AHEAD
from tests.fakes.making import BUSINESS_ID, at, business, contact_key, customer, id_of
from tests.fakes.watching import Boundary
from tests.fakes.world import Chaos, World

DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
APPOINTMENT: Final = "a-7"
CHANNELS: Final = pytest.mark.parametrize("channel", list(Channel))
Interruption = Callable[[World, Posted], object]
"""What a client asks for about a message."""


def cancelled(world: World, posted: Posted) -> Message:
    return world.steer_message.cancel(BUSINESS_ID, posted.message.key.message_id).message


def changed(world: World, posted: Posted, text: str | None = None, timing: Timing | None = None) -> Message:
    """Change what it says, or when it is sent."""
    asked = MessageChange(
        content=None if text is None else lambda carrier: words(carrier.channel, text),
        timing=None if timing is None else lambda _: timing,
    )
    return world.steer_message.change(BUSINESS_ID, posted.message.key.message_id, asked).message


def salon(**given: Any) -> World:
    world = World(business(**given), ranges=1)
    world.add(customer(1), customer(2))
    return world


def words(channel: Channel, text: str = "See you soon") -> Content:
    return EmailContent(text, text=text) if channel is Channel.EMAIL else TextContent(text)


def post(world: World, channel: Channel = Channel.SMS, timing: Timing | None = None, **given: Any) -> Posted:
    """A reminder to the first customer."""
    defaults: dict[str, Any] = {"customer_id": id_of(1), "category": Category.REMINDER, "content": words(channel)}
    return world.post_message.posted(BUSINESS_ID, channel=channel, timing=timing, **(defaults | given))


def remind(world: World, channel: Channel = Channel.SMS, hours: float = 24, **given: Any) -> Posted:
    """A reminder so long before an appointment that begins in thirty days, or at ``starts_at``."""
    starts_at = given.pop("starts_at", world.clock.now() + 30 * DAY)
    timing = Timing(appointment_at=starts_at, lead=timedelta(hours=hours))
    return post(world, channel, timing, appointment_id=APPOINTMENT, **given)


def handed(world: World) -> list[tuple[str, str]]:
    """What was handed over, in order: to whom, and what it said."""
    return [(each.to, each.subject or each.body) for script in scripts(world) for each in script.handed]


def scripts(world: World) -> tuple[Any, Any]:
    return world.mailer, world.twilio_texter


def logged(world: World, posted: Posted | Message) -> Message:
    message = posted.message if isinstance(posted, Posted) else posted
    return world.messages.rows[message.key]


# --- waiting for a day far off ----------------------------------------------------------------------------------------


@CHANNELS
@pytest.mark.parametrize("ahead", [FAR + timedelta(seconds=1), 8 * DAY, 365 * DAY])
def test_a_message_for_a_day_far_off_waits_in_the_table_and_is_sent_within_seconds_of_its_time(
    channel: Channel, ahead: timedelta
) -> None:
    world = salon()
    posted = post(world, channel, Timing(world.clock.now() + ahead))
    waits_there, goes_round = len(world.timers.rows), len(world.deferred_queue.queue.messages)
    due = world.clock.now() + ahead
    world.live_until(due - timedelta(milliseconds=1))
    before = handed(world)
    world.live_until(due + timedelta(seconds=3))

    assert (waits_there, goes_round) == (1, 0)
    assert (before, len(handed(world))) == ([], 1)
    assert logged(world, posted).status in (MessageStatus.SENT, MessageStatus.DELIVERED)
    assert world.timers.rows == set()


def test_one_that_is_near_goes_round_as_before() -> None:
    world = salon()
    post(world, timing=Timing(world.clock.now() + FAR))

    assert world.timers.rows == set()
    assert len(world.deferred_queue.queue.messages) == 1


def test_what_waits_costs_nothing_until_a_sweep_takes_it() -> None:
    world = salon()
    post(world, timing=Timing(world.clock.now() + 100 * DAY))
    world.live_until(at(60))
    reached: list[str] = []
    world.checkpoint = lambda where: reached.append(str(where))
    world.live_until(world.clock.now() + 99 * DAY)

    assert reached == []
    assert world.next_at == at(0) + 100 * DAY - AHEAD


def test_the_decision_is_taken_again_at_its_time() -> None:
    world = salon()
    posted = post(world, timing=Timing(world.clock.now() + 20 * DAY))
    said = ConsentEvidence(world.clock.now(), Scope.ALL, opted_out=True, source=ConsentSource.KEYWORD)
    world.know(contact_key(1, Channel.SMS), said)
    world.rest()

    assert (logged(world, posted).status, logged(world, posted).reason) == (MessageStatus.EXCLUDED, "opted_out")


def test_a_local_time_is_found_where_the_customer_is_by_then() -> None:
    """Woken when the first clock on earth shows it, and held from there as the customer's own clock says."""
    world = salon(time_zone="America/Los_Angeles")
    local = datetime(2026, 12, 20, 9)  # noqa: DTZ001 - what a clock shows
    post(world, timing=Timing(local_time=local))
    [timer] = world.timers.rows
    world.rest()

    assert timer.due_at == datetime(2026, 12, 19, 19, tzinfo=UTC)
    assert len(handed(world)) == 1
    assert timedelta() <= world.clock.now() - datetime(2026, 12, 20, 17, tzinfo=UTC) < MINUTE


@given(st.lists(st.integers(0, 40 * 24 * 3600), min_size=1, max_size=12), st.integers(0, 1 << 30), st.booleans())
def test_whatever_breaks_each_is_sent_once_and_none_before_its_time(delays: list[int], seed: int, calm: bool) -> None:
    """An outage of some days in the middle is caught up with."""
    world = World(business(), seed=seed, ranges=1)
    world.add(*(customer(number) for number in range(1, len(delays) + 1)))
    world.chaos = Chaos() if calm else Chaos(death=0.03, duplicate=0.2, early=0.1)
    due = {}
    for number, seconds in enumerate(delays, start=1):
        due[id_of(number)] = at(seconds)
        post(world, timing=Timing(at(seconds)), customer_id=id_of(number))
    world.live_until(at(5 * 24 * 3600))
    world.clock.move(3 * DAY)
    times: dict[str, datetime] = {}

    def taken(key: MessageKey, *_: str) -> None:
        times.setdefault(key.customer_id, world.clock.now())

    world.twilio_texter.taken.append(taken)
    world.rest()
    out = world.twilio_texter.went_out

    assert all(count == 1 for count in out.values())
    assert all(times[customer_id] >= due[customer_id] for customer_id in times)
    assert {message.status for message in world.messages.rows.values()} <= {
        MessageStatus.DELIVERED,
        MessageStatus.UNCERTAIN,
    }


def test_after_an_outage_the_oldest_comes_first() -> None:
    world = World(business(), ranges=1)
    world.add(*(customer(number) for number in range(1, 41)))
    for number in range(40, 0, -1):
        post(world, Channel.EMAIL, Timing(at(3600 + 60 * number)), customer_id=id_of(number))
    world.clock.move(10 * HOUR)
    queue = world.chunk_queue.queues[Channel.EMAIL, Lane.PROMPT]
    sweep = world.sweep_timers(lambda: True)
    queued = [waiting.body.key.campaign_id for waiting in queue.messages.values()]

    assert (sweep.woken, sweep.late, sweep.failures) == (40, 40, [])
    assert queued == sorted(queued, reverse=True)


def test_one_that_cannot_be_woken_keeps_back_nothing_else() -> None:
    world = salon()
    post(world, timing=Timing(world.clock.now() + HOUR))
    [good] = world.timers.rows
    world.timers.put(
        [type(good)(at(5), "message", "pigeon#salon#1"), type(good)(at(5), "pigeon", "of a later version")]
    )
    world.clock.move(2 * HOUR)
    sweep = world.sweep_timers(lambda: True)

    assert (sweep.woken, [type(error) for error in sweep.failures]) == (1, [ValueError, KeyError])
    assert len(world.timers.rows) == 2


@given(st.integers(-(10**9), 10**9))
def test_what_is_left_is_whole_seconds_and_never_too_few(microseconds: int) -> None:
    left = left_until(at(0) + timedelta(microseconds=microseconds), at(0))

    assert left.microseconds == 0
    assert max(timedelta(), timedelta(microseconds=microseconds)) <= left
    assert left < max(timedelta(), timedelta(microseconds=microseconds)) + timedelta(seconds=1)


# --- before an appointment --------------------------------------------------------------------------------------------


@CHANNELS
def test_a_reminder_is_sent_so_long_before_its_appointment(channel: Channel) -> None:
    world = salon()
    posted = remind(world, channel)
    world.live_until(at(0) + 29 * DAY - MINUTE)
    before = handed(world)
    world.live_until(at(0) + 29 * DAY + MINUTE)

    assert posted.message.held_until == at(0) + 29 * DAY
    assert (before, len(handed(world))) == ([], 1)


def test_a_time_that_is_over_is_now_and_an_appointment_that_has_begun_is_too_late() -> None:
    world = salon()
    late = remind(world, starts_at=at(3600))
    begun = remind(world, starts_at=at(-60))
    foreseen = [world.foresee_message(posted).decision for posted in (late, begun)]
    world.rest()

    assert isinstance(foreseen[0], Send)
    assert foreseen[1] is Exclusion.EXPIRED
    assert logged(world, late).status is MessageStatus.DELIVERED
    assert (logged(world, begun).status, logged(world, begun).reason) == (MessageStatus.EXCLUDED, "expired")


@pytest.mark.parametrize(
    ("timing", "field"),
    [
        (Timing(lead=HOUR), "starts_at"),
        (Timing(at(9999), lead=HOUR, appointment_at=at(99999)), "send_before"),
        (Timing(local_time=datetime(2026, 12, 1), lead=HOUR, appointment_at=at(99999)), "send_before"),  # noqa: DTZ001
        (Timing(appointment_at=at(99999), expires_at=at(9999)), "expires_at"),
        (Timing(appointment_at=at(0) + 366 * DAY, lead=HOUR), "starts_at"),
        (Timing(appointment_at=at(0) - 366 * DAY, lead=HOUR), "starts_at"),
        (Timing(appointment_at=datetime.min.replace(tzinfo=UTC), lead=HOUR), "starts_at"),
        (Timing(appointment_at=datetime.max.replace(tzinfo=UTC), lead=HOUR), "starts_at"),
    ],
)
def test_a_relation_that_cannot_be_meant_is_refused(timing: Timing, field: str) -> None:
    world = salon()
    with pytest.raises(InvalidInputError) as refused:
        post(world, timing=timing, appointment_id=APPOINTMENT)

    assert [error.field for error in refused.value.errors] == [field]
    assert world.messages.rows == {}


def test_an_appointment_that_begins_wants_its_name() -> None:
    world = salon()
    with pytest.raises(InvalidInputError) as refused:
        post(world, timing=Timing(appointment_at=at(9999), lead=HOUR))

    assert [error.field for error in refused.value.errors] == ["appointment_id"]


# --- cancelling -------------------------------------------------------------------------------------------------------


@CHANNELS
@pytest.mark.parametrize("ahead", [timedelta(), MINUTE, 20 * DAY])
def test_a_cancelled_message_is_never_handed_over_and_says_why(channel: Channel, ahead: timedelta) -> None:
    world = salon()
    posted = post(world, channel, Timing(world.clock.now() + ahead) if ahead else None)
    answered = world.steer_message.cancel(BUSINESS_ID, posted.message.key.message_id)
    again = world.steer_message.cancel(BUSINESS_ID, posted.message.key.message_id)
    world.rest()

    assert handed(world) == []
    assert answered.message == again.message == logged(world, posted)
    assert (answered.message.status, answered.message.reason) == (
        MessageStatus.CANCELLED,
        CancelledBecause.REQUESTED,
    )
    assert world.timers.rows == set()
    assert {chunk.state for chunk in world.chunks.rows.values()} == {ChunkState.DONE}


@CHANNELS
def test_what_was_handed_over_cannot_be_taken_back(channel: Channel) -> None:
    world = salon()
    posted = post(world, channel)
    world.rest()
    for steer in (cancelled, changed):
        with pytest.raises(ConflictError) as refused:
            steer(world, posted)
        assert (refused.value.code, refused.value.members) == ("message_not_waiting", {"message_status": "delivered"})
    assert len(handed(world)) == 1


def test_one_that_is_left_out_is_not_waiting_either() -> None:
    world = salon()
    posted = post(world, timing=Timing(expires_at=at(60)))
    world.clock.move(HOUR)
    world.rest()
    with pytest.raises(ConflictError) as refused:
        world.steer_message.cancel(BUSINESS_ID, posted.message.key.message_id)

    assert refused.value.members == {"message_status": "excluded"}


@pytest.mark.parametrize("message_id", ["", "x", "0" * 26, "01M7W6C3805FEE6AD6R1F2WA02", "é" * 3000])
def test_what_is_not_there_is_not_found(message_id: str) -> None:
    world = salon()
    for steer in (world.steer_message.get, world.steer_message.cancel):
        with pytest.raises(NotFoundError):
            steer(BUSINESS_ID, message_id)


def test_another_businesss_message_and_another_customers_are_not_found() -> None:
    world = World(business(), business(business_id="salon-elm"))
    world.add(customer(1))
    message_id = post(world, timing=Timing(at(99999))).message.key.message_id
    with pytest.raises(NotFoundError):
        world.steer_message.cancel("salon-elm", message_id)
    with pytest.raises(NotFoundError):
        world.steer_message.get(BUSINESS_ID, message_id, id_of(2))
    assert world.steer_message.get(BUSINESS_ID, message_id, id_of(1)).carrier is not None


def test_a_campaigns_message_is_found_with_its_customer_and_cannot_be_steered() -> None:
    world = salon()
    world.run(world.post().campaign.campaign_id)
    message = next(iter(world.messages.rows.values()))
    ids = (BUSINESS_ID, message.key.message_id)

    assert world.steer_message.get(*ids, message.key.customer_id).message == message
    for steer in (world.steer_message.get, world.steer_message.cancel):
        with pytest.raises(NotFoundError):
            steer(*ids)


def beside(world: World, posted: Posted, call: str, side: str, other: Interruption) -> list[object]:
    """Let ``other`` happen while a sender is at a call; what it returned or raised."""
    said: list[object] = []

    def here(where: Boundary) -> None:
        if world.step in ("send_email", "send_text") and where == call and where.side == side and not said:
            said.append(None)
            step, may_die = world.step, world._may_die
            world.step = "beside"
            try:
                said[0] = other(world, posted)
            except ConflictError as error:
                said[0] = error
            world.step, world._may_die = step, may_die

    world.checkpoint = here
    world.rest()
    return said


BEFORE_THE_MARK: Final = [
    ("chunks.claim", "before"),
    ("chunks.claim", "after"),
    ("campaigns.get", "after"),
    ("contacts.get_many", "after"),
    ("chunks.mark", "before"),
]


@CHANNELS
@pytest.mark.parametrize(("call", "side"), BEFORE_THE_MARK)
def test_a_cancellation_beside_a_sender_holds_until_it_has_marked_the_chunk(
    channel: Channel, call: str, side: str
) -> None:
    world = salon()
    posted = post(world, channel)
    [said] = beside(world, posted, call, side, cancelled)

    assert handed(world) == []
    assert not isinstance(said, ConflictError)
    assert logged(world, posted).status is MessageStatus.CANCELLED


@CHANNELS
def test_a_cancellation_after_the_mark_is_refused_and_may_be_tried_again(channel: Channel) -> None:
    world = salon()
    posted = post(world, channel)
    [said] = beside(world, posted, "chunks.mark", "after", cancelled)

    assert isinstance(said, ConflictError)
    assert said.code == "message_in_hand"
    assert len(handed(world)) == 1
    assert logged(world, posted).status is MessageStatus.DELIVERED


@CHANNELS
def test_one_that_comes_back_from_a_busy_provider_can_be_cancelled(channel: Channel) -> None:
    world = salon()
    posted = post(world, channel)
    to = customer(1).address(channel) or ""
    script = scripts(world)[0 if channel is Channel.EMAIL else 1]
    script.answer(to, Throttled("busy"))
    while not script.handed:
        world._tick()
    cancelled(world, posted)
    world.rest()

    assert [each.went_out for each in script.handed] == [False]
    assert logged(world, posted).status is MessageStatus.CANCELLED


def test_a_place_under_a_cap_is_given_back() -> None:
    """The sender has reserved it, and then the message is cancelled before it is marked."""
    cap = FrequencyCap("One", (Category.MARKETING,), 1, 7, None)
    world = salon(frequency_caps=(cap,))
    posted = post(world, Channel.EMAIL, category=Category.MARKETING)
    beside(world, posted, "chunks.mark", "before", cancelled)
    [known] = world.frequencies.get_many(BUSINESS_ID, [id_of(1)]).values()

    assert handed(world) == []
    assert known.hand_overs == ()


def test_a_question_that_is_cancelled_is_not_open_any_more() -> None:
    world = salon()
    posted = post(world, asks_confirmation=True, appointment_id=APPOINTMENT, timing=Timing(at(9999)))
    asked = world.appointments.asked(contact_key(1, Channel.SMS))
    cancelled(world, posted)

    assert len(asked) == 1
    assert world.appointments.asked(contact_key(1, Channel.SMS)) == []
