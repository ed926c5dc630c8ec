"""What stands at the edges of sending: counts, waits, codes and ids that nothing else looks at."""

from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.application.timing import Timing
from rebound.businesses.domain.business import EMAIL_ACCOUNT
from rebound.businesses.domain.frequency import FrequencyCap
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.campaigns.domain.chunks import ChunkKey, ChunkState
from rebound.consent.domain.consent import ConsentEvidence
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import InvalidInputError
from rebound.kernel.provider_codes import Provider, look_up
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.rates.domain import HORIZON, LONGEST_STOP, Flow, Lane, Quota, RateState, Stop
from rebound.sending.application import run_campaign
from rebound.sending.application.acquire_send_slot import SlotResult
from rebound.sending.domain.chunk_tasks import LONGEST_DELAY, ChunkTask, DeferredChunkTask
from rebound.sending.domain.recipients import Refused, Unknown
from rebound.templates.domain.content import EmailContent, TextContent
from rebound.templates.domain.rendering import size_of
from tests.fakes.making import BUSINESS_ID, at, business, chunk, contact_key, customer, id_of
from tests.fakes.world import Chaos, World, always

NO_CREDENTIALS: Final = Refused("20003", "Authenticate")
NOT_A_NUMBER: Final = Refused("21211", "Not a number")


def salon(people: int, **given: Any) -> World:
    world = World(business(**given), ranges=1)
    world.add(*(customer(number) for number in range(1, people + 1)))
    return world


def post_to_one(world: World, channel: Channel, **given: Any) -> Message:
    """Post a message to the first customer."""
    content = EmailContent("Hi", text="Hi") if channel is Channel.EMAIL else TextContent("Hi")
    return world.post_message(
        BUSINESS_ID,
        customer_id=id_of(1),
        category=Category.ONE_TO_ONE,
        channel=channel,
        content=content,
        **given,
    )


def phone(number: int) -> str:
    return customer(number).mobile_phone or ""


# --- texts that are refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refused", [1, 9])
def test_a_few_texts_refused_for_our_own_fault_have_failed_after_one_attempt(refused: int) -> None:
    world = salon(12)
    for number in range(1, refused + 1):
        world.twilio_texter.answer(phone(number), NO_CREDENTIALS)
    view = world.run(world.post(Channel.SMS).campaign.campaign_id)

    assert view.campaign.status is CampaignStatus.COMPLETED
    assert len(world.twilio_texter.handed) == 12
    assert view.results[MessageStatus.FAILED] == refused
    assert view.results[MessageStatus.DELIVERED] == 12 - refused


def test_numbers_that_are_refused_pause_nothing_however_many_they_are() -> None:
    world = salon(12)
    for number in range(1, 13):
        world.twilio_texter.answer(phone(number), NOT_A_NUMBER)
    view = world.run(world.post(Channel.SMS).campaign.campaign_id)

    assert view.campaign.status is CampaignStatus.COMPLETED
    assert view.results[MessageStatus.BOUNCED] == 12


def test_a_message_to_one_person_that_is_refused_for_our_own_fault_fails_at_once() -> None:
    world = salon(1)
    world.twilio_texter.answer(phone(1), NO_CREDENTIALS)
    world.post_message(
        BUSINESS_ID,
        customer_id=id_of(1),
        category=Category.ONE_TO_ONE,
        channel=Channel.SMS,
        content=TextContent("Hi"),
    )
    world.rest()

    assert [message.status for message in world.messages.rows.values()] == [MessageStatus.FAILED]
    assert len(world.twilio_texter.handed) == 1


def test_the_reason_of_a_pause_names_the_last_code_and_how_many_were_tried() -> None:
    """After two that were sent, ten are refused."""
    world = salon(12)
    campaign_id = world.post(Channel.SMS).campaign.campaign_id
    world.begin(campaign_id)
    (only,) = world.chunks.rows.values()
    numbers = {id_of(number): number for number in range(1, 13)}
    for place, customer_id in enumerate(only.customer_ids[2:]):
        code = "20003" if place < 9 else "21608"
        world.twilio_texter.answer(phone(numbers[customer_id]), Refused(code))
    world.rest()
    paused = world.campaigns.get(BUSINESS_ID, campaign_id)

    assert paused.status is CampaignStatus.PAUSED
    assert "refused 10 of 12 messages" in (paused.paused_because or "")
    assert "21608" in (paused.paused_because or "")


def test_who_does_not_exist_is_named_as_the_field_that_is_wrong() -> None:
    world = salon(1)
    with pytest.raises(InvalidInputError) as refused:
        world.post_message(
            BUSINESS_ID,
            customer_id=id_of(2),
            category=Category.REMINDER,
            channel=Channel.SMS,
            content=TextContent("Hi"),
        )

    assert [(wrong.field, wrong.message) for wrong in refused.value.errors] == [
        ("customer_id", "There is no such customer.")
    ]


# --- chunks that come back --------------------------------------------------------------------------------------------


def test_what_is_held_comes_back_on_its_own_channel() -> None:
    world = salon(1)
    tasks = [
        DeferredChunkTask(channel, ChunkTask(chunk(f"chunk#000#000000{n}").key, n, lane), at(0), at(-60), 0)
        for n, (channel, lane) in enumerate([(c, lane) for c in Channel for lane in Lane], start=1)
    ]
    world.release_held(tasks)
    found = {
        place: [waiting.body for waiting in queue.messages.values()]
        for place, queue in world.chunk_queue.queues.items()
    }

    assert found == {(held.channel, held.task.lane): [held.task] for held in tasks}


def test_what_is_held_under_settings_that_have_changed_is_looked_at_on_its_own_channel() -> None:
    world = salon(1)
    tasks = {
        channel: DeferredChunkTask(
            channel, ChunkTask(chunk(f"chunk#000#{n:07d}").key, 7, Lane.BULK), at(900), at(-60), 0
        )
        for n, channel in enumerate(Channel)
    }
    world.settings_of_business.change(BUSINESS_ID, {"name": "Salon Vale"})
    world.release_held(list(tasks.values()))

    for channel, held in tasks.items():
        (waiting,) = world.chunk_queue.queues[channel, Lane.BULK].messages.values()
        assert waiting.body == held.to_look_again(at(0))
    assert not world.deferred_queue.queue.messages


def test_a_requeue_that_runs_out_of_time_goes_on_after_the_page_that_it_has_done() -> None:
    world = salon(0)
    campaign_id = world.post(Channel.SMS).campaign.campaign_id
    names = [f"chunk#000#{number:07d}" for number in range(45)]
    for name in names:
        world.chunks.add(replace(chunk(name), key=ChunkKey(BUSINESS_ID, campaign_id, name)))
    cursor, rounds = None, 0
    while True:
        cursor = world.requeue_campaign(BUSINESS_ID, campaign_id, cursor, lambda: False)
        rounds += 1
        if cursor is None:
            break
    queue = world.chunk_queue.queues[Channel.SMS, Lane.BULK]

    assert rounds == 3
    assert [waiting.body.key.chunk for waiting in queue.messages.values()] == names
    queue.messages.clear()
    assert world.requeue_campaign(BUSINESS_ID, campaign_id, None, always) is None
    assert len(queue.messages) == 45


def test_a_resume_before_the_campaign_is_planned_looks_for_no_chunks() -> None:
    world = salon(3)
    campaign_id = world.post().campaign.campaign_id
    for expected in (0, 1):
        world.steer_campaign.pause(BUSINESS_ID, campaign_id)
        world.steer_campaign.resume(BUSINESS_ID, campaign_id)
        assert len(world.runner.requeues) == expected
        world.begin(campaign_id)


def test_a_first_attempt_that_leaves_somebody_out_looks_for_no_places() -> None:
    """Only an attempt that died may have left some."""
    world = salon(3, frequency_caps=(FrequencyCap("One", (Category.MARKETING,), at_most=1, within_days=7),))
    campaign_id = world.post().campaign.campaign_id
    world.begin(campaign_id)
    stop = ConsentEvidence(at(0), Scope.ALL, opted_out=True, source=ConsentSource.PROVIDER)
    for number in (1, 2, 3):
        world.know(contact_key(number), stop)
    before = world.frequencies.reads
    world.rest()

    assert [message.status for message in world.messages.rows.values()] == [MessageStatus.EXCLUDED] * 3
    # One read for each at the decision.
    assert (world.frequencies.reads - before, world.frequencies.writes) == (3, 0)


# --- rates ------------------------------------------------------------------------------------------------------------


@given(
    waiting=st.integers(1, 400),
    size=st.integers(1, 50),
    rate=st.sampled_from([1.0, 14.0, 200.0]),
    seed=st.integers(0, 9),
)
def test_a_chunk_without_room_comes_back_when_a_part_of_what_waits_is_sent(
    waiting: int, size: int, rate: float, seed: int
) -> None:
    world = World(business(), seed=seed)
    world.quotas.now = Quota(rate)
    world.rates.book = lambda *_: None  # type: ignore[method-assign]
    world.chunk_queue.waiting = lambda channel, lane: waiting * (channel is Channel.EMAIL and lane is Lane.BULK)  # type: ignore[method-assign]
    task = ChunkTask(ChunkKey(BUSINESS_ID, "campaign", "chunk#000#0000000"), size, Lane.BULK)
    assert world.send_email.acquire_slot(Channel.EMAIL, task, EMAIL_ACCOUNT) is SlotResult.NOTHING
    delay, backlog = world.chunk_queue.delays[-1], timedelta(seconds=waiting * size / rate)

    assert delay <= min(max(backlog * 0.75, HORIZON * 0.75), LONGEST_DELAY)
    assert delay >= min(max(backlog * 0.25, HORIZON * 0.5), LONGEST_DELAY)


@given(st.text(alphabet="ab#-", min_size=1), st.sampled_from(Lane))
def test_a_flow_is_read_as_it_was_written_whatever_its_business_is_called(business_id: str, lane: Lane) -> None:
    assert Flow.parse(str(Flow(business_id, lane))) == Flow(business_id, lane)


def test_a_stop_goes_on_from_the_one_before_unless_that_is_over_for_as_long_as_a_stop_can_be() -> None:
    before = RateState(stop=Stop(at(0), at(60)))
    moment = timedelta(microseconds=1)

    assert before.next_stop(at(60) + LONGEST_STOP - moment).since == at(0)
    assert before.next_stop(at(60) + LONGEST_STOP).since == at(60) + LONGEST_STOP


def test_a_provider_of_texts_is_asked_for_by_the_business_alone() -> None:
    world = salon(1, text_provider=Provider.SNS)
    world.run(world.post(Channel.SMS).campaign.campaign_id)

    assert len(world.sns_texter.handed) == 1
    assert world.twilio_texter.handed == []


# --- the first attempt and the moments around it ----------------------------------------------------------------------


@pytest.mark.parametrize("channel", list(Channel))
def test_a_first_attempt_does_not_ask_what_earlier_ones_have_recorded(channel: Channel) -> None:
    world = salon(3)
    world.begin(world.post(channel).campaign.campaign_id)
    asked: list[str] = []
    world.checkpoint = asked.append
    assert world._send_one()

    assert "chunks.finish" in asked
    assert "messages.get_many" not in asked


@pytest.mark.parametrize("channel", list(Channel))
def test_a_chunk_and_its_messages_have_their_times_from_the_clock(channel: Channel) -> None:
    world = salon(2)
    world.clock.move(timedelta(minutes=1))
    world.begin(world.post(channel).campaign.campaign_id)
    (only,) = world.chunks.rows.values()
    world.clock.move(timedelta(minutes=1))
    assert world._send_one()

    assert only.created_at == at(60)
    assert {(message.queued_at, message.sent_at) for message in world.messages.rows.values()} == {(at(60), at(120))}


@pytest.mark.parametrize("channel", list(Channel))
def test_a_message_of_which_nobody_knows_has_the_time_of_the_call(channel: Channel) -> None:
    world = salon(1)
    script = world.mailer if channel is Channel.EMAIL else world.twilio_texter
    script.answer(customer(1).address(channel) or "", Unknown("ReadTimeoutError"))
    world.begin(world.post(channel).campaign.campaign_id)
    world.clock.move(timedelta(minutes=1))
    assert world._send_one()

    assert [(message.status, message.sent_at) for message in world.messages.rows.values()] == [
        (MessageStatus.UNCERTAIN, at(60))
    ]


def test_an_email_campaign_that_is_paused_after_the_decision_sets_its_chunk_aside_at_once() -> None:
    world = salon(3)
    campaign_id = world.post().campaign.campaign_id
    world.begin(campaign_id)

    def pause(where: str) -> None:
        if where == "contacts.get_many":
            world.checkpoint = lambda _: None
            world.steer_campaign.pause(BUSINESS_ID, campaign_id)

    world.checkpoint = pause
    assert world._send_one()
    (only,) = world.chunks.rows.values()

    assert (only.state, only.owner, len(only.remaining)) == (ChunkState.PENDING, None, 3)
    assert world.mailer.handed == []


def test_a_turn_that_was_booked_before_the_account_stopped_is_booked_again_afterwards() -> None:
    world = salon(1)
    world.rates.stop(EMAIL_ACCOUNT.name, Stop(at(0), at(300)))
    task = ChunkTask(ChunkKey(BUSINESS_ID, "campaign", "chunk#000#0000000"), 5, Lane.BULK, turn_at=at(9))
    assert world.send_email.acquire_slot(Channel.EMAIL, task, EMAIL_ACCOUNT) is SlotResult.NOTHING
    (waiting,) = world.chunk_queue.queues[Channel.EMAIL, Lane.BULK].messages.values()

    assert (waiting.body, world.chunk_queue.delays[-1]) == (replace(task, turn_at=None), timedelta(seconds=300))


@pytest.mark.parametrize(("milliseconds", "result"), [(999, SlotResult.SEND), (1000, SlotResult.NOTHING)])
def test_a_turn_in_less_than_a_queue_can_delay_is_now(milliseconds: int, result: SlotResult) -> None:
    world = salon(1)
    world.quotas.now = Quota(14.0)
    turn_at = at(0) + timedelta(milliseconds=milliseconds)
    task = ChunkTask(ChunkKey(BUSINESS_ID, "campaign", "chunk#000#0000000"), 5, Lane.BULK, turn_at)

    assert world.send_email.acquire_slot(Channel.EMAIL, task, EMAIL_ACCOUNT) is result


def test_the_pace_is_reckoned_from_the_start_of_the_run_and_not_from_the_post() -> None:
    """A campaign may have waited for its time for days."""
    world = salon(200)
    campaign_id = world.post().campaign.campaign_id
    world.clock.move(timedelta(days=3))
    for index in world.plan_campaign(BUSINESS_ID, campaign_id):
        world.expand_campaign(BUSINESS_ID, campaign_id, index, always)
    world.tallies.add(campaign_id, "shard-0", {MessageStatus.SENT: 100}, after=None, position="1")
    world.clock.move(timedelta(seconds=20))

    # A hundred took twenty seconds, and so will the others, and two until they are counted; but no longer than so far.
    assert world.drain_campaign(BUSINESS_ID, campaign_id, 0).wait_seconds == 20


def test_whatever_a_client_may_write_has_a_size() -> None:
    assert [size_of(text) for text in ("", "a", "ä", "🎉", "\ud800")] == [0, 1, 1, 2, 1]


@pytest.mark.parametrize("channel", list(Channel))
def test_the_reason_of_a_pause_says_who_refused_what_and_what_to_do(channel: Channel) -> None:
    world = salon(12)
    provider, code = (
        (Provider.SES, "ACCOUNT_SENDING_PAUSED") if channel is Channel.EMAIL else (Provider.TWILIO, "21608")
    )
    script = world.mailer if channel is Channel.EMAIL else world.twilio_texter
    for number in range(1, 13):
        script.answer(customer(number).email or "" if channel is Channel.EMAIL else phone(number), Refused(code))
    campaign_id = world.post(channel).campaign.campaign_id
    world.begin(campaign_id)
    world.rest()
    reason = world.campaigns.get(BUSINESS_ID, campaign_id).paused_because or ""

    row = look_up(provider, code)
    refused = "12 of 12" if channel is Channel.EMAIL else "10 of 10"
    assert reason.startswith(f"Paused by itself: {provider} refused {refused} messages at once ({row.reason}, {code}).")
    assert row.sentence in reason


@pytest.mark.parametrize("channel", list(Channel))
def test_a_message_to_one_person_takes_one_turn(channel: Channel) -> None:
    world = salon(1)
    post_to_one(world, channel)
    [waiting] = [each for queue in world.chunk_queue.queues.values() for each in queue.messages.values()]
    task = waiting.body

    assert task.size == 1


def test_a_message_to_one_person_at_a_local_time_waits_for_their_own_clock() -> None:
    world = World(business())
    world.add(customer(1, mobile_phone="+447900000001", time_zone="Asia/Tokyo"))
    nine = datetime(2026, 11, 21, 9)  # noqa: DTZ001 - a clock on the wall
    message = post_to_one(world, Channel.SMS, timing=Timing(local_time=nine))

    assert message.held_until == datetime(2026, 11, 21, tzinfo=UTC)


def test_an_email_to_one_person_keeps_a_receipt_that_came_before_the_record_of_the_send() -> None:
    world = salon(1)
    world.chaos = Chaos(early=1.0)
    post_to_one(world, Channel.EMAIL)
    world.rest()

    assert [row.status for row in world.messages.rows.values()] == [MessageStatus.DELIVERED]


def test_where_nobody_shares_an_address_nobody_is_asked_who_does() -> None:
    world = salon(120)
    reached: set[str] = set()
    world.checkpoint = reached.add
    world.run(world.post().campaign.campaign_id)

    assert not {where for where in reached if where.startswith(("shared_addresses.", "departures."))}


def test_only_those_who_share_an_address_claim_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a chunk from one page to the next is still known as sharing, and nobody else is."""
    monkeypatch.setattr(run_campaign, "PAGE", 2)
    monkeypatch.setattr(run_campaign, "CHUNK_SIZE", 3)
    world = World(ranges=1)
    world.add(*(customer(number) for number in range(1, 12)))
    world.add(*(customer(number, email="family@example.com") for number in (21, 22)))
    world.run(world.post().campaign.campaign_id)

    assert len(world.mailer.handed) == 12
    assert [row.digest for row in world.shared_addresses.rows.values()] == [
        ContactKey(BUSINESS_ID, Channel.EMAIL, "family@example.com").digest
    ]
