"""A text goes out only with segments reserved for it, whatever happens on its way (truth 15)."""

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.businesses.domain.business import Business
from rebound.businesses.domain.text_plan import TextPlan
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import Outcome, Receipt
from rebound.messages.domain.messages import MessageStatus
from rebound.rates.domain import Throttled
from rebound.sending.domain.recipients import Refused, Unknown
from rebound.templates.domain.content import TextContent
from rebound.text_plans.domain import name_of
from tests.fakes.making import BUSINESS_ID, business, customer
from tests.fakes.watching import Boundary, Turns, WorkerDiedError
from tests.fakes.world import Chaos, World, always

MONTH: Final = "2026-11"
LONG: Final = TextContent("Hi ##{{first_name}}, " + "x" * 300)
"""Three segments, with any short name."""
NOT_VALID: Final = "21211"


def planned(included: int, **given: Any) -> Business:
    return business(text_plan=TextPlan(included, inbound_texts=True), owner_email="owner@juniper.example.com", **given)


def phone(number: int) -> str:
    return f"+1415555{2000 + number:04d}"


def world_of(people: int, settings_: Business, seed: int = 0) -> World:
    world = World(settings_, seed=seed)
    world.add(*(customer(n, mobile_phone=phone(n), email=None) for n in range(1, people + 1)))
    return world


def used(world: World) -> int:
    """What is used, which is the sum of the entries at any moment."""
    month = world.text_ledger.month(BUSINESS_ID, MONTH)
    assert month.used == sum(entry.segments for entry in world.text_ledger.rows.values())
    return month.used


def went_out(world: World) -> int:
    return sum(
        handed.went_out for provider in (Provider.TWILIO, Provider.SNS) for handed in world.texter(provider).handed
    )


def test_a_business_without_a_plan_pays_for_nothing() -> None:
    world = world_of(60, business())
    view = world.run(world.post(Channel.SMS).campaign.campaign_id)

    assert went_out(world) == view.audience.targeted == 60
    assert (world.text_ledger.reads, world.text_ledger.writes) == (0, 0)
    assert all(message.segments is None for message in world.messages.rows.values())


def test_two_campaigns_at_once_send_as_many_as_are_included() -> None:
    world = world_of(20, planned(10))
    campaigns = [world.post(Channel.SMS).campaign.campaign_id for _ in range(2)]
    for campaign_id in campaigns:
        world.begin(campaign_id)
    for campaign_id in campaigns:
        world.end(campaign_id)
    world.rest()

    assert went_out(world) == used(world) == 10
    excluded = Counter[str]()
    for campaign_id in campaigns:
        view = world.campaign_service.get(BUSINESS_ID, campaign_id)
        assert view.audience.matched == sum(view.audience.excluded.values()) + view.audience.targeted
        excluded.update(view.audience.excluded)
    assert excluded["text_plan_exhausted"] == 30
    assert len(world.rebound_mail.sent) == 2


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**16), included=st.integers(1, 30))
def test_senders_that_take_turns_at_every_call_never_pass_the_plan(seed: int, included: int) -> None:
    world = world_of(12, planned(included), seed)
    for _ in range(3):
        world.begin(world.post(Channel.SMS).campaign.campaign_id)
    tasks = [
        waiting.body
        for queue in world.chunk_queue.queues.values()
        for _ in range(len(queue.messages))
        for waiting in queue.receive(world.random)
    ]
    turns = Turns(seed)
    world.checkpoint = turns.checkpoint
    turns.run([partial(world.send_text, task, f"worker-{n}", always) for n, task in enumerate(tasks)])

    assert len(tasks) > 1
    assert went_out(world) == used(world) == min(included, 36)


def test_longer_texts_count_their_segments() -> None:
    world = world_of(5, planned(10))
    world.run(world.post(Channel.SMS, content=LONG).campaign.campaign_id)

    assert (went_out(world), used(world)) == (3, 9)


def test_what_the_provider_does_not_take_is_given_back() -> None:
    world = world_of(3, planned(10))
    world.twilio_texter.answer(phone(1), Refused(NOT_VALID))
    world.twilio_texter.answer(phone(2), Throttled("20429"), Throttled("20429"))
    world.run(world.post(Channel.SMS).campaign.campaign_id)

    assert (went_out(world), used(world)) == (2, 2)


def test_what_nobody_knows_of_keeps_what_it_has_reserved() -> None:
    world = world_of(2, planned(10))
    world.twilio_texter.answer(phone(1), Unknown("HTTP 500"), went_out=False)
    world.run(world.post(Channel.SMS).campaign.campaign_id)

    assert (went_out(world), used(world)) == (1, 2)


@pytest.mark.parametrize(("said", "counted"), [(None, 3), (0, 3), (3, 3), (2, 2), (5, 5)])
def test_the_answer_of_the_provider_settles(said: int | None, counted: int) -> None:
    world = world_of(1, planned(10))
    world.twilio_texter.segments = lambda _: said
    world.run(world.post(Channel.SMS, content=LONG).campaign.campaign_id)

    assert used(world) == counted
    [message] = world.messages.rows.values()
    assert message.segments == counted


@pytest.mark.parametrize(("said", "counted"), [(None, 3), (0, 3), (3, 3), (2, 2), (5, 5)])
def test_a_receipt_settles_however_often_it_comes(said: int | None, counted: int) -> None:
    world = world_of(1, planned(10, text_provider=Provider.SNS))
    world.run(world.post(Channel.SMS, content=LONG).campaign.campaign_id)
    [message] = world.messages.rows.values()
    receipt = Receipt(Provider.SNS, Outcome.DELIVERED, world.clock.now(), message.key, segments=said)
    for _ in range(2):
        assert not world.apply_receipts({"1": [receipt]}).again

    assert used(world) == counted


def test_a_receipt_of_a_business_without_a_plan_reads_nothing_more() -> None:
    world = world_of(1, business(text_provider=Provider.SNS))
    world.run(world.post(Channel.SMS, content=LONG).campaign.campaign_id)
    [message] = world.messages.rows.values()
    world.apply_receipts({"1": [Receipt(Provider.SNS, Outcome.DELIVERED, world.clock.now(), message.key, segments=5)]})

    assert (world.text_ledger.reads, world.text_ledger.writes) == (0, 0)


def test_a_campaign_that_is_cancelled_gives_back_what_it_has_not_used() -> None:
    world = world_of(30, planned(100))
    campaign_id = world.post(Channel.SMS).campaign.campaign_id
    sent = 0

    def cancel(*_: object) -> None:
        nonlocal sent
        sent += 1
        if sent == 5:
            world.steer_campaign.cancel(BUSINESS_ID, campaign_id)

    world.twilio_texter.taken.append(cancel)
    world.run(campaign_id)

    assert went_out(world) == used(world) < 30


def test_after_an_upgrade_a_running_campaign_goes_on() -> None:
    world = world_of(120, planned(60))
    campaign_id = world.post(Channel.SMS).campaign.campaign_id
    sent = 0

    def upgrade(*_: object) -> None:
        nonlocal sent
        sent += 1
        if sent == 10:
            world.businesses.replace(planned(1000, version=world.businesses.get(BUSINESS_ID).version))

    world.twilio_texter.taken.append(upgrade)
    world.run(campaign_id)

    assert went_out(world) == used(world) > 60


def test_a_single_text_that_is_taken_back_gives_back_what_a_dead_sender_reserved() -> None:
    """One that dies before it marks the chunk leaves its reservation to whoever comes next."""
    world = world_of(1, planned(10))
    posted = world.post_message(
        BUSINESS_ID,
        customer_id=customer(1).customer_id,
        category=Category.TRANSACTIONAL,
        channel=Channel.SMS,
        content=TextContent("Hello"),
    )

    def die(boundary: Boundary) -> None:
        if boundary == "chunks.mark" and boundary.side == "before":
            raise WorkerDiedError

    world.checkpoint = die
    world._send_one()
    world.checkpoint = lambda _: None
    assert used(world) == 1
    world.clock.move(timedelta(minutes=5))
    world.steer_message.cancel(BUSINESS_ID, posted.key.message_id)

    assert used(world) == 0
    world.rest()
    assert (went_out(world), used(world)) == (0, 0)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    included=st.integers(0, 12),
    people=st.integers(1, 9),
    campaigns=st.integers(1, 2),
    long=st.booleans(),
    said=st.none() | st.integers(0, 1),
)
def test_whatever_dies_no_more_goes_out_than_is_included_and_the_sum_is_right(
    seed: int, included: int, people: int, campaigns: int, long: bool, said: int | None
) -> None:
    """Deaths at any call, redelivery, early receipts: what went out is counted, and nothing that did not."""
    world = world_of(people, planned(included), seed)
    world.chaos = Chaos(death=0.02, duplicate=0.2, early=0.2)
    world.twilio_texter.segments = lambda _: said
    world.twilio_texter.answer(phone(1), Throttled("20429"), Refused(NOT_VALID))
    ids = [
        world.post(Channel.SMS, **({"content": LONG} if long else {})).campaign.campaign_id for _ in range(campaigns)
    ]
    for campaign_id in ids:
        world.begin(campaign_id)
    for campaign_id in ids:
        world.end(campaign_id)
    world.rest()
    world.chaos = Chaos()
    world.rest()

    each = 3 if long else 1
    by_key = world.twilio_texter.went_out
    assert max(by_key.values(), default=0) <= 1
    entries = world.text_ledger.rows
    assert used(world) <= included
    for key in by_key:
        assert entries[name_of(key)].segments in {each, said}
    uncertain = {m.key for m in world.messages.rows.values() if m.status is MessageStatus.UNCERTAIN}
    assert set(entries) <= {name_of(key) for key in {*by_key, *uncertain}}
    for campaign_id in ids:
        view = world.campaign_service.get(BUSINESS_ID, campaign_id)
        assert view.audience.matched == sum(view.audience.excluded.values()) + view.audience.targeted
        assert view.audience.targeted == sum(view.results.values())
    world.clock.move(timedelta(minutes=30))
    world.rest()
    subjects = Counter(subject for _, _, subject, _ in world.rebound_mail.sent)
    assert len(subjects) == len(world.text_ledger.month(BUSINESS_ID, MONTH).notes)
