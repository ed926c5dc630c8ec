"""Rate and quota of the providers: shares, bookings, turns, brakes and stops."""

from collections import Counter
from collections.abc import Sequence
from copy import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.domain.business import EMAIL_ACCOUNT, SendingAccount
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.campaigns.domain.chunks import ChunkKey, ChunkState
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.messages import MessageStatus
from rebound.rates.adapters import SesQuota
from rebound.rates.domain import (
    HORIZON,
    LINGERING,
    LONGEST_STOP,
    RECOVERY,
    SHORTEST_STOP,
    SLOWEST,
    Flow,
    Lane,
    Quota,
    RateState,
    Throttled,
)
from rebound.sending.application.acquire_send_slot import QUOTA_GOOD_FOR, SlotResult
from rebound.sending.domain.chunk_tasks import ChunkTask, lane_of
from rebound.sending.domain.recipients import Accepted, OutgoingEmail, SendResult
from tests.contract.campaigns.fakes import adds_up
from tests.fakes.making import BUSINESS_ID, NOON, SHORT_GREETING, business, campaign, customer, id_of
from tests.fakes.world import World

SECOND = timedelta(seconds=1)
BULK = Flow(BUSINESS_ID, Lane.BULK)
OTHER = "b" * 26


class Turns:
    """A world whose worker only takes what is on the queues, in the order in which it becomes visible."""

    def __init__(self, quota: Quota) -> None:
        self.world = World(business(), business(business_id=OTHER), ranges=1)
        self.world.quotas.now = quota
        self.handed: list[tuple[datetime, str, Lane]] = []
        self.receives: Counter[str] = Counter()

    def queue(self, business_id: str, lane: Lane, chunks: int, size: int = 50) -> None:
        for number in range(chunks):
            key = ChunkKey(business_id, f"campaign-{lane}", f"chunk#000#{number:07d}")
            self.world.chunk_queue.put(Channel.EMAIL, [ChunkTask(key, size, lane)])

    def run(self, lasting: timedelta) -> None:
        """Take each message as soon as it is visible, and note when its chunk is admitted."""
        end = self.world.clock.now() + lasting
        while True:
            queues = [queue for (channel, _), queue in self.world.chunk_queue.queues.items() if queue.messages]
            soonest = min((at for queue in queues if (at := queue.next_visible_at) is not None), default=None)
            if soonest is None or soonest > end:
                return
            self.world.clock.move_to(max(soonest, self.world.clock.now()))
            for queue in queues:
                for waiting in queue.receive(self.world.random):
                    self.receives[waiting.name] += 1
                    if (
                        self.world.send_email.acquire_slot(Channel.EMAIL, waiting.body, EMAIL_ACCOUNT)
                        is SlotResult.SEND
                    ):
                        self.handed.append((self.world.clock.now(), waiting.body.key.business_id, waiting.body.lane))
                    queue.delete(waiting.name)

    def rate(self, business_id: str | None = None, lane: Lane | None = None, within: timedelta = HORIZON) -> float:
        """Emails a second that were handed over within a time from the start."""
        taken = [
            at
            for at, whose, way in self.handed
            if business_id in (None, whose) and lane in (None, way) and at - NOON < within
        ]
        return len(taken) * 50 / within.total_seconds()


def test_a_campaign_goes_out_at_the_rate_of_the_account_and_no_faster_in_any_second() -> None:
    turns = Turns(Quota(rate=100.0))
    turns.queue(BUSINESS_ID, Lane.BULK, 100)
    turns.run(timedelta(hours=1))
    seconds = Counter(int((at - NOON).total_seconds()) for at, _, _ in turns.handed)

    assert len(turns.handed) == 100
    assert max(seconds.values()) * 50 <= 2 * 100
    assert turns.handed[-1][0] - NOON == pytest.approx(timedelta(seconds=50), abs=2 * SECOND)


def test_waiting_uses_up_no_receives_and_a_campaign_within_the_horizon_waits_once() -> None:
    turns = Turns(Quota(rate=100.0))
    turns.queue(BUSINESS_ID, Lane.BULK, 100)
    turns.run(timedelta(hours=1))

    assert set(turns.receives.values()) == {1}
    assert len(turns.receives) <= 200


def test_a_long_campaign_keeps_the_rate_to_its_end() -> None:
    turns = Turns(Quota(rate=50.0))
    turns.queue(BUSINESS_ID, Lane.BULK, 600)
    turns.run(timedelta(hours=2))
    took = (turns.handed[-1][0] - NOON).total_seconds()

    assert len(turns.handed) == 600
    # Ten minutes at the rate; what was sent away without a turn may come back a little late.
    assert 595 <= took <= 600 * 1.1


def test_a_big_business_does_not_starve_a_small_one() -> None:
    turns = Turns(Quota(rate=100.0))
    turns.queue(BUSINESS_ID, Lane.BULK, 1000)
    turns.run(timedelta(minutes=3))
    began = turns.world.clock.now()
    turns.queue(OTHER, Lane.BULK, 10)
    turns.run(timedelta(minutes=2))
    small = [at for at, whose, _ in turns.handed if whose == OTHER]

    assert len(small) == 10
    assert small[-1] - began <= timedelta(seconds=10 + 2)


def test_a_transactional_message_does_not_wait_behind_a_million_others() -> None:
    turns = Turns(Quota(rate=14.0))
    turns.queue(BUSINESS_ID, Lane.BULK, 2000)
    turns.run(timedelta(minutes=5))
    began = turns.world.clock.now()
    turns.queue(BUSINESS_ID, Lane.PROMPT, 1, size=1)
    turns.run(SECOND)

    assert [at - began for at, _, lane in turns.handed if lane is Lane.PROMPT] == [timedelta()]


def test_a_chunk_that_is_done_already_uses_up_nothing_of_the_rate() -> None:
    world = World(ranges=1)
    world.add(customer(1))
    campaign_id = world.post().campaign.campaign_id
    world.run(campaign_id)
    before = world.rates.current(EMAIL_ACCOUNT.name, world.clock.now())
    task = ChunkTask(ChunkKey(BUSINESS_ID, campaign_id, "chunk#000#0000000"), 50, Lane.BULK)
    world.send_email(task, "worker")

    assert world.chunks.state(task.key) is ChunkState.DONE
    assert world.rates.current(EMAIL_ACCOUNT.name, world.clock.now()).booked == before.booked
    assert world.chunk_queue.waiting(Channel.EMAIL, Lane.BULK) == 0


# --- braking and stopping ---------------------------------------------------------------------------------------------


def test_a_throttle_slows_everybody_down_and_the_rate_recovers() -> None:
    state = RateState()
    braked = replace(state, brake=state.braked(NOON), braked_at=NOON)
    harder = replace(braked, brake=braked.braked(NOON + SECOND), braked_at=NOON + SECOND)
    rates = [braked.rate_of(BULK, 100.0, NOON + seconds * SECOND) for seconds in range(0, 70, 5)]

    assert rates[0] == pytest.approx(70.0)
    assert rates == sorted(rates)
    assert rates[-1] == 100.0
    assert harder.rate_of(BULK, 100.0, NOON + SECOND) < rates[0]
    assert replace(state, brake=SLOWEST, braked_at=NOON).braked(NOON) == SLOWEST
    assert braked.released(NOON + RECOVERY) == 1.0


@pytest.mark.parametrize("channel", list(Channel))
def test_a_throttle_answer_brakes_the_account_it_came_from(channel: Channel) -> None:
    world = World(ranges=1)
    world.add(customer(1))
    script = world.mailer if channel is Channel.EMAIL else world.twilio_texter
    code = "ACCOUNT_THROTTLED" if channel is Channel.EMAIL else "20429"
    script.answer(customer(1).address(channel) or "", Throttled(code))
    account = EMAIL_ACCOUNT if channel is Channel.EMAIL else business().text_account
    view = world.run(world.post(channel).campaign.campaign_id)

    assert world.rates.current(account.name, world.clock.now()).braked_at is not None
    assert view.campaign.status is CampaignStatus.COMPLETED
    assert adds_up(view)


def test_a_fault_that_is_no_throttle_does_not_brake() -> None:
    world = World(ranges=1)
    world.add(customer(1))
    world.mailer.answer("ana1@example.com", Throttled("TRANSIENT_FAILURE"))
    world.run(world.post().campaign.campaign_id)

    assert world.rates.current(EMAIL_ACCOUNT.name, world.clock.now()).braked_at is None


def test_when_the_allowance_of_the_day_is_used_up_nothing_is_tried_until_it_may_have_renewed() -> None:
    world = World(ranges=1)
    world.add(*(customer(number) for number in range(1, 121)))
    calls: list[datetime] = []
    hand_over = world.mailer.send

    def send(sender: str, emails: Sequence[OutgoingEmail], reply_to: str | None = None) -> Sequence[SendResult]:
        calls.append(world.clock.now())
        if len(calls) == 1:
            return [Throttled("ACCOUNT_DAILY_QUOTA_EXCEEDED", daily=True)] * len(emails)
        return hand_over(sender, emails, reply_to)

    world.mailer.send = send  # type: ignore[method-assign]
    view = world.run(world.post().campaign.campaign_id)

    assert view.results[MessageStatus.DELIVERED] == 120
    # One chunk has run into the end of the quota; the other two were not even tried before it may have renewed.
    assert len(calls) == 4
    assert min(calls[1:]) - calls[0] >= SHORTEST_STOP


def test_a_quota_that_is_used_up_is_seen_before_the_provider_says_so() -> None:
    world = World(ranges=1)
    world.add(customer(1))
    world.quotas.now = Quota(rate=14.0, daily=200, sent_today=200)
    campaign_id = world.post().campaign.campaign_id
    world.plan_campaign(BUSINESS_ID, campaign_id)
    world.expand_campaign(BUSINESS_ID, campaign_id, 0, lambda: True)
    world._send_one()
    held = world.campaign_service.get(BUSINESS_ID, campaign_id)

    assert world.mailer.handed == []
    assert held.held_until == world.clock.now() + SHORTEST_STOP
    world.quotas.now = Quota(rate=14.0, daily=200, sent_today=150)
    world.clock.move(SHORTEST_STOP)
    world.rest()
    assert len(world.mailer.handed) == 1
    assert world.campaign_service.get(BUSINESS_ID, campaign_id).held_until is None


def test_a_stop_takes_as_long_again_as_there_has_been_nothing_to_be_had() -> None:
    state, now, lengths = RateState(), NOON, []
    for _ in range(8):
        stop = state.next_stop(now)
        lengths.append((stop.until - now) // timedelta(minutes=1))
        # Those who come at the same time find the same.
        assert replace(state, stop=stop).next_stop(now + SECOND).since == stop.since == NOON
        state, now = replace(state, stop=stop), stop.until + SECOND
    much_later = now + LONGEST_STOP

    assert lengths == [1, 1, 2, 4, 8, 15, 15, 15]
    assert state.stopped_until(now) is None
    assert state.next_stop(much_later).until == much_later + SHORTEST_STOP


def test_all_workers_together_ask_for_the_quota_once_a_minute() -> None:
    turns = Turns(Quota(rate=100.0))
    turns.queue(BUSINESS_ID, Lane.BULK, 300)
    turns.run(timedelta(minutes=2))

    assert turns.world.quotas.asked <= 1 + 2 * timedelta(minutes=1) / QUOTA_GOOD_FOR


def test_who_comes_while_the_first_answer_about_the_quota_is_under_way_waits_for_it_and_books_at_its_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns = Turns(Quota(rate=100.0))
    turns.queue(BUSINESS_ID, Lane.BULK, 2)
    rest, first = (ChunkTask(ChunkKey(OTHER, "c", f"chunk#000#000000{n}"), 50, Lane.BULK) for n in range(2))
    acquire, asked = turns.world.send_email.acquire_slot, turns.world.quotas.quota

    def slow() -> Quota | None:
        # Another worker comes meanwhile.
        assert acquire(Channel.EMAIL, rest, EMAIL_ACCOUNT) is SlotResult.NOTHING
        return asked()

    monkeypatch.setattr(turns.world.quotas, "quota", slow)
    assert acquire(Channel.EMAIL, first, EMAIL_ACCOUNT) is SlotResult.SEND
    turns.run(timedelta(seconds=5))

    assert len(turns.handed) == 3
    assert max(at - NOON for at, _, _ in turns.handed) <= 3 * SECOND


def test_while_the_provider_cannot_be_asked_it_goes_slowly() -> None:
    turns = Turns(Quota(rate=100.0))
    turns.world.quotas.now = None
    turns.queue(BUSINESS_ID, Lane.BULK, 10, size=10)
    turns.run(timedelta(seconds=60))

    assert 6 <= len(turns.handed) <= 7


# --- shares and lanes -------------------------------------------------------------------------------------------------


@given(
    st.dictionaries(st.sampled_from([Flow(b, lane) for b in "abcd" for lane in Lane]), st.integers(-60, 60)),
    st.floats(0.5, 5000.0),
)
def test_what_all_flows_under_way_may_send_together_is_the_rate(seconds: dict[Flow, int], rate: float) -> None:
    booked = {flow: NOON + offset * SECOND for flow, offset in seconds.items()}
    state = RateState(booked=MappingProxyType(booked))
    under_way = [flow for flow, until in booked.items() if until > NOON - LINGERING]

    assert not under_way or sum(state.rate_of(flow, rate, NOON) for flow in under_way) == pytest.approx(rate)


@pytest.mark.parametrize("category", list(Category))
def test_what_somebody_waits_for_has_a_lane_of_its_own(category: Category) -> None:
    expected = Lane.BULK if category.is_promotional else Lane.PROMPT

    assert lane_of(campaign(category=category)) is expected
    assert lane_of(campaign(category=category, single=True)) is Lane.PROMPT


def test_a_single_message_takes_the_prompt_lane() -> None:
    world = World()
    world.add(customer(1))
    world.post_message(
        BUSINESS_ID,
        customer_id=id_of(1),
        category=Category.MARKETING,
        channel=Channel.SMS,
        content=SHORT_GREETING,
    )

    assert world.chunk_queue.waiting(Channel.SMS, Lane.PROMPT) == 1


@pytest.mark.parametrize(
    ("settings", "account"),
    [
        ({"text_from": "+14155550100", "text_rate": None}, SendingAccount("twilio#+14155550100", 1.0)),
        ({"text_from": "+442079460958", "text_rate": None}, SendingAccount("twilio#+442079460958", 10.0)),
        ({"text_from": "MG" + "0" * 32, "text_rate": None}, SendingAccount("twilio#MG" + "0" * 32, 10.0)),
        ({"text_from": "+14155550100", "text_rate": 75.0}, SendingAccount("twilio#+14155550100", 75.0)),
        ({"text_provider": Provider.SNS, "text_rate": None}, SendingAccount("sns", 20.0)),
    ],
)
def test_a_text_sender_has_the_rate_of_its_kind_or_the_one_that_was_granted(
    settings: dict[str, object], account: SendingAccount
) -> None:
    assert business(**settings).text_account == account


def test_a_cancelled_campaign_does_not_wait_for_its_turn_to_end() -> None:
    world = World(ranges=1)
    world.quotas.now = Quota(rate=0.1)
    world.add(*(customer(number) for number in range(1, 201)))
    campaign_id = world.post().campaign.campaign_id
    world.plan_campaign(BUSINESS_ID, campaign_id)
    world.expand_campaign(BUSINESS_ID, campaign_id, 0, lambda: True)
    world.steer_campaign.cancel(BUSINESS_ID, campaign_id)
    began = world.clock.now()
    while world.clock.now() - began < SECOND and world._tick():
        pass
    view = world.campaign_service.get(BUSINESS_ID, campaign_id)

    assert view.results[MessageStatus.CANCELLED] == 200
    assert adds_up(view)


def test_an_answer_of_the_mailer_is_an_answer() -> None:
    """What ``Turns`` leaves out: that an admitted chunk is really sent."""
    world = World(ranges=1)
    world.add(customer(1))
    world.mailer.answer("ana1@example.com", Accepted("id"))
    view = world.run(world.post().campaign.campaign_id)

    assert world.mailer.went_out[MessageKey(BUSINESS_ID, id_of(1), view.campaign.message_id(id_of(1)))] == 1


# --- what SES says ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "quota"),
    [
        ((50_000.0, 14.0, 12_345.0), Quota(14.0, 50_000, 12_345)),
        ((-1.0, 500.0, 0.0), Quota(500.0)),
        (None, None),
    ],
)
def test_the_quota_of_ses_is_read_from_the_account(
    said: tuple[float, float, float] | None, quota: Quota | None
) -> None:
    client: Any = boto3.client
    ses = client("sesv2", region_name="us-east-1", aws_access_key_id="t", aws_secret_access_key="t")  # noqa: S106
    stub = Stubber(ses)
    if said is None:
        stub.add_client_error("get_account", "TooManyRequestsException", http_status_code=429)
    else:
        daily, rate, sent = said
        allowed = {"Max24HourSend": daily, "MaxSendRate": rate, "SentLast24Hours": sent}
        stub.add_response("get_account", {"SendQuota": allowed})
    with stub:
        assert SesQuota(ses).quota() == quota


def test_what_somebody_waits_for_has_four_times_the_share_of_what_sells() -> None:
    prompt, bulk = Flow(BUSINESS_ID, Lane.PROMPT), Flow(BUSINESS_ID, Lane.BULK)
    state = RateState(booked={prompt: NOON + SECOND, bulk: NOON + SECOND})

    assert (state.rate_of(prompt, 100.0, NOON), state.rate_of(bulk, 100.0, NOON)) == (80.0, 20.0)


def test_a_second_throttle_slows_down_further_than_the_first() -> None:
    world = World()
    rates = []
    for _ in range(3):
        world.clock.move(timedelta(seconds=3))
        world.record_throttle(EMAIL_ACCOUNT, [Throttled("ACCOUNT_THROTTLED")])
        rates.append(world.rates.current(EMAIL_ACCOUNT.name, world.clock.now()).released(world.clock.now()))

    assert 1 > rates[0] > rates[1] > rates[2]
