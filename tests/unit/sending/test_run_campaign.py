"""A whole campaign, from the post to the close, over the fakes and under chaos: nothing is lost, everything adds up."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from copy import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.campaigns.domain.chunks import CHUNK_SIZE, ChunkState
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.reachability import Failure
from rebound.customers.domain import Customer
from rebound.eligibility.application.preview_audience import Question
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.provider_codes import (
    DEFAULT_TEXT_PROVIDER,
    TEXT_PROVIDERS,
    FailureClass,
    Provider,
    all_codes,
    look_up,
)
from rebound.kernel.receipts import Outcome
from rebound.messages.domain.messages import MessageStatus
from rebound.rates.domain import Lane, Throttled
from rebound.segments.domain.segments import Segment
from rebound.segments.domain.selections import Selection
from rebound.sending.application import run_campaign
from rebound.sending.application.run_campaign import MOST_POLLS
from rebound.sending.domain.recipients import Accepted, Refused, SendResult, Unknown
from tests.contract.campaigns.fakes import adds_up
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, business, contact_key, customer, id_of
from tests.fakes.watching import Turns
from tests.fakes.world import Chaos, World, always

SHARED = "family@example.com"


@st.composite
def worlds(draw: st.DrawFn, channel: Channel) -> World:
    """A population with everything that makes a difference, providers with moods, and chaos."""
    provider = Provider.SES if channel is Channel.EMAIL else draw(st.sampled_from(TEXT_PROVIDERS))
    world = World(
        business(text_provider=DEFAULT_TEXT_PROVIDER if channel is Channel.EMAIL else provider),
        seed=draw(st.integers(0, 1 << 30)),
        ranges=draw(st.sampled_from([1, 2, 5])),
    )
    script = world.mailer if channel is Channel.EMAIL else world.texter(provider)
    codes = (row.code for row in all_codes() if row.provider is provider)
    bad = next(code for code in codes if look_up(provider, code).failure_class is FailureClass.INVALID)
    refusal = "MESSAGE_REJECTED" if channel is Channel.EMAIL else bad
    for number in range(draw(st.sampled_from([1, 3, 52, 70]))):
        who = customer(number)
        kind = draw(st.sampled_from(["plain"] * 8 + ["none", "shared", "out", "flagged", "bounces", "late", "silent"]))
        if kind == "none":
            who = replace(who, email=None, mobile_phone=None)
        elif kind == "shared":
            who = replace(who, email=SHARED, mobile_phone="+14155569999")
        world.add(who)
        key, address = who.contact_key(channel), who.address(channel)
        if key is None or address is None:
            continue
        if kind == "out":
            world.know(key, ConsentEvidence(at(-5), Scope.MARKETING, True, ConsentSource.COMPLAINT))
        elif kind == "flagged":
            world.know(key, Failure(at(-5), "old", provider, bad))
        world.outcomes[address] = {
            "bounces": ((Outcome.FAILED, bad, 1.0),),
            "late": ((Outcome.DELIVERED, None, 1.0), (Outcome.FAILED, bad, 9.0)),
            "silent": (),
        }.get(kind, ((Outcome.SENT, None, 0.5), (Outcome.DELIVERED, None, 1.0)))
        mood = draw(st.sampled_from(["fine"] * 8 + ["throttled", "throttled twice", "refused", "lost", "went out"]))
        answers: dict[str, list[SendResult]] = {
            "throttled": [Throttled("ACCOUNT_THROTTLED")],
            "throttled twice": [Throttled("ACCOUNT_THROTTLED"), Throttled("daily", daily=True)],
            "refused": [Refused(refusal)],
            "lost": [Unknown("ReadTimeoutError")],
            "went out": [Unknown("ReadTimeoutError")],
        }
        script.answer(address, *answers.get(mood, []), went_out=mood == "went out")
    world.chaos = draw(
        st.sampled_from(
            [Chaos(), Chaos(duplicate=0.3, early=0.3), Chaos(0.02, 0.2, 0.2, 0.1), Chaos(0.08, 0.3, 0.3, 0.2)]
        )
    )
    return world


def check_at_rest(world: World, channel: Channel, category: Category) -> None:
    posted = world.post(channel, category=category)
    view = world.run(posted.campaign.campaign_id)

    assert view.campaign.status is CampaignStatus.COMPLETED
    assert view.audience.matched == len(world.customers.rows)
    assert adds_up(view)
    assert view.results[MessageStatus.QUEUED] == 0
    statuses = Counter(message.status for message in world.messages.rows.values())
    assert {status: count for status, count in view.results.items() if count} == {
        status: count for status, count in statuses.items() if status is not MessageStatus.EXCLUDED
    }
    assert {chunk.state for chunk in world.chunks.rows.values()} <= {ChunkState.DONE}
    recipients = [customer_id for chunk in world.chunks.rows.values() for customer_id in chunk.customer_ids]
    assert len(recipients) == len(set(recipients))
    for script in (world.mailer, *map(world.texter, TEXT_PROVIDERS)):
        assert all(count == 1 for count in script.went_out.values())
        # Also what only might have gone out is never handed over again.
        for index, handed in enumerate(script.handed):
            if not isinstance(handed.result, Throttled):
                assert handed.key not in {later.key for later in script.handed[index + 1 :]}


@given(worlds(Channel.EMAIL), st.sampled_from([Category.MARKETING, Category.REMINDER]))
def test_whatever_happens_an_email_campaign_adds_up_and_nobody_is_mailed_twice(
    world: World, category: Category
) -> None:
    check_at_rest(world, Channel.EMAIL, category)


@given(worlds(Channel.SMS), st.sampled_from([Category.MARKETING, Category.REMINDER]))
def test_whatever_happens_a_text_campaign_adds_up_and_nobody_is_texted_twice(world: World, category: Category) -> None:
    check_at_rest(world, Channel.SMS, category)


def salon(*customers: Customer) -> World:
    world = World()
    world.add(*customers)
    return world


def sent(world: World) -> list[str]:
    return sorted(world.mailer.addresses)


def test_a_campaign_goes_to_everybody_who_may_have_it_and_says_why_the_others_do_not() -> None:
    world = salon(*(customer(n) for n in range(1, 5)), customer(5, email=None))
    world.know(contact_key(1), ConsentEvidence(at(0), Scope.MARKETING, True, ConsentSource.COMPLAINT))
    world.know(contact_key(2), Failure(at(0), "m", Provider.SES, NO_SUCH_MAILBOX))
    view = world.run(world.post().campaign.campaign_id)

    assert dict(view.audience.excluded) == {"opted_out": 1, "invalid_contact": 1, "no_address": 1}
    assert (view.audience.matched, view.audience.targeted) == (5, 2)
    assert view.results[MessageStatus.DELIVERED] == 2
    assert sent(world) == ["ana3@example.com", "ana4@example.com"]


def test_a_stop_that_comes_while_the_campaign_runs_moves_the_recipient_from_targeted_to_excluded() -> None:
    world = salon(customer(1), customer(2))
    campaign_id = world.post().campaign.campaign_id
    for index in world.plan_campaign(BUSINESS_ID, campaign_id):
        world.expand_campaign(BUSINESS_ID, campaign_id, index, always)
    before = world.campaign_service.get(BUSINESS_ID, campaign_id)
    world.know(contact_key(1), ConsentEvidence(at(0), Scope.ALL, True, ConsentSource.PROVIDER))
    view = world.run(campaign_id)

    assert (before.audience.targeted, before.results[MessageStatus.QUEUED]) == (2, 2)
    assert (view.audience.targeted, dict(view.audience.excluded)) == (1, {"opted_out": 1})
    assert sent(world) == ["ana2@example.com"]
    assert adds_up(view)


def test_a_customer_who_is_deleted_meanwhile_is_left_out_as_not_found() -> None:
    world = salon(customer(1), customer(2))
    campaign_id = world.post().campaign.campaign_id
    for index in world.plan_campaign(BUSINESS_ID, campaign_id):
        world.expand_campaign(BUSINESS_ID, campaign_id, index, always)
    world.customer_service.delete(BUSINESS_ID, id_of(1))
    view = world.run(campaign_id)

    assert dict(view.audience.excluded) == {"not_found": 1}
    assert adds_up(view)


def test_a_list_of_customers_counts_those_who_do_not_exist() -> None:
    world = salon(customer(1), customer(2))
    listed = Selection(customer_ids=(id_of(1), id_of(77)))
    view = world.run(world.post(selection=listed).campaign.campaign_id)

    assert dict(view.audience.excluded) == {"not_found": 1}
    assert (view.audience.matched, sent(world)) == (2, ["ana1@example.com"])


def test_a_segment_is_read_when_the_campaign_is_planned_and_not_again() -> None:
    world = salon(customer(1, general_tags=("vip",)), customer(2))
    world.segments.put(Segment(BUSINESS_ID, "vips", "VIPs", {"tag": "vip"}, at(0)))
    campaign_id = world.post(selection=Selection(segment_id="vips")).campaign.campaign_id
    ranges = world.plan_campaign(BUSINESS_ID, campaign_id)
    world.segments.delete(BUSINESS_ID, "vips")

    assert world.plan_campaign(BUSINESS_ID, campaign_id) == ranges
    assert world.run(campaign_id).audience.matched == 1


def test_a_campaign_fails_when_its_segment_is_gone_as_it_is_planned() -> None:
    world = salon(customer(1))
    world.segments.put(Segment(BUSINESS_ID, "vips", "VIPs", {"tag": "vip"}, at(0)))
    campaign_id = world.post(selection=Selection(segment_id="vips")).campaign.campaign_id
    world.segments.delete(BUSINESS_ID, "vips")

    assert world.plan_campaign(BUSINESS_ID, campaign_id) == ()
    ended = world.campaigns.get(BUSINESS_ID, campaign_id)
    assert (ended.status, ended.failure) == (CampaignStatus.FAILED, "No such segment.")


def test_a_preview_is_what_the_send_does_when_nothing_changes_between() -> None:
    world = salon(*(customer(n, general_tags=("vip",) if n % 2 else ()) for n in range(20)), customer(21, email=None))
    world.know(contact_key(3), Failure(at(0), "m", Provider.SES, NO_SUCH_MAILBOX))
    tree = {"any": [{"tag": "vip"}, {"not": {"field": "email", "present": True}}]}
    preview = world.preview_audience(BUSINESS_ID, Question(tree, Channel.EMAIL, Category.MARKETING))
    view = world.run(world.post(selection=Selection(filter=tree)).campaign.campaign_id)

    assert preview is not None
    assert view.audience.matched == preview.matched == 11
    assert dict(view.audience.excluded) == dict(preview.excluded)


def one_page() -> Callable[[], bool]:
    """Time for one page."""
    looks = iter([True])
    return lambda: next(looks, False)


def test_an_expansion_that_runs_out_of_time_goes_on_where_it_stopped() -> None:
    world = World(ranges=1)
    world.add(*(customer(n, email=None if n % 7 == 0 else f"ana{n}@example.com") for n in range(1200)))
    campaign_id = world.post().campaign.campaign_id
    (*indexes,) = world.plan_campaign(BUSINESS_ID, campaign_id)
    for index in indexes:
        while not world.expand_campaign(BUSINESS_ID, campaign_id, index, one_page()):
            continue
    view = world.run(campaign_id)

    assert view.audience.matched == 1200
    assert len(set(sent(world))) == len(sent(world)) == view.audience.targeted == 1028


def test_a_range_that_is_done_is_not_enqueued_again() -> None:
    world = World(ranges=1)
    world.add(*(customer(n) for n in range(120)))
    campaign_id = world.post().campaign.campaign_id
    world.plan_campaign(BUSINESS_ID, campaign_id)
    for _ in range(3):
        assert world.expand_campaign(BUSINESS_ID, campaign_id, 0, always)

    assert len(world.chunk_queue.queues[Channel.EMAIL, Lane.BULK].messages) == 3


def test_chunks_are_full_but_for_the_last_of_each_range() -> None:
    world = salon(*(customer(n) for n in range(700)))
    campaign_id = world.post().campaign.campaign_id
    for index in world.plan_campaign(BUSINESS_ID, campaign_id):
        world.expand_campaign(BUSINESS_ID, campaign_id, index, always)
    sizes = [len(chunk.customer_ids) for chunk in world.chunks.rows.values()]

    assert sum(sizes) == 700
    assert max(sizes) == CHUNK_SIZE
    assert len([size for size in sizes if size < CHUNK_SIZE]) <= 4


@pytest.mark.parametrize("seed", range(25))
def test_two_expansions_of_one_range_beside_each_other_and_a_sender_make_no_second_message(seed: int) -> None:
    world = World(ranges=1, seed=seed)
    world.add(*(customer(n) for n in range(120)))
    campaign_id = world.post().campaign.campaign_id
    world.plan_campaign(BUSINESS_ID, campaign_id)
    turns = Turns(seed)
    world.checkpoint = turns.checkpoint

    def expand() -> None:
        for _ in range(10):
            with suppress(ConcurrentChangeError):
                world.expand_campaign(BUSINESS_ID, campaign_id, 0, always)
                return

    def send() -> None:
        for _ in range(12):
            turns.checkpoint("")
            world._send_one()

    turns.run([expand, expand, send])
    view = world.run(campaign_id)

    assert view.audience.matched == 120
    assert adds_up(view)
    assert set(world.mailer.went_out.values()) == {1}


def test_planning_twice_keeps_the_run() -> None:
    world = salon(customer(1))
    campaign_id = world.post().campaign.campaign_id
    world.plan_campaign(BUSINESS_ID, campaign_id)
    run_id = world.campaigns.get(BUSINESS_ID, campaign_id).run_id
    world.clock.move(timedelta(minutes=1))
    world.plan_campaign(BUSINESS_ID, campaign_id)

    assert run_id is not None
    assert world.campaigns.get(BUSINESS_ID, campaign_id).run_id == run_id


def test_a_campaign_that_has_ended_is_not_planned_again_and_keeps_its_end() -> None:
    world = salon(customer(1))
    campaign_id = world.post().campaign.campaign_id
    world.close_campaign.fail(BUSINESS_ID, campaign_id, "No such segment.")
    world.clock.move(timedelta(minutes=1))
    world.close_campaign.complete(BUSINESS_ID, campaign_id)
    ended = world.campaigns.get(BUSINESS_ID, campaign_id)

    assert list(world.plan_campaign(BUSINESS_ID, campaign_id)) == []
    assert (ended.status, ended.failure, ended.completed_at) == (CampaignStatus.FAILED, "No such segment.", at(0))


def test_while_nothing_is_handed_over_the_wait_grows_with_the_age_of_the_campaign_within_bounds() -> None:
    world = salon(*(customer(n) for n in range(1_000)))
    campaign_id = world.post().campaign.campaign_id
    for index in world.plan_campaign(BUSINESS_ID, campaign_id):
        world.expand_campaign(BUSINESS_ID, campaign_id, index, always)
    waits = []
    for age in (0, 4, 100, 100_000):
        world.clock.move_to(at(age))
        waits.append(world.drain_campaign(BUSINESS_ID, campaign_id, 0).wait_seconds)

    # Two seconds for a thousand at the rate that is guessed at, and two until they are counted.
    assert waits == [4, 4, 10, 300]


@pytest.mark.parametrize(
    ("age", "handed", "wait"),
    [
        # 50 of 200 took 20 seconds, so the rest takes 60 at this pace; but no longer than the campaign is old.
        (20, 50, 20),
        # 150 took 30 seconds: 10 more, and two until they are counted.
        (30, 150, 12),
        (6_000, 50, 300),
    ],
)
def test_the_wait_is_what_the_rest_takes_at_the_pace_so_far(age: int, handed: int, wait: int) -> None:
    world = salon(*(customer(n) for n in range(200)))
    campaign_id = world.post().campaign.campaign_id
    for index in world.plan_campaign(BUSINESS_ID, campaign_id):
        world.expand_campaign(BUSINESS_ID, campaign_id, index, always)
    world.tallies.add(campaign_id, "shard-0", {MessageStatus.SENT: handed}, after=None, position="1")
    world.clock.move_to(at(age))

    assert world.drain_campaign(BUSINESS_ID, campaign_id, 0).wait_seconds == wait


@pytest.mark.parametrize(("customers", "ranges"), [(0, 1), (1, 1), (3, 1), (4, 2), (12, 4), (500, 4)])
def test_a_business_gets_as_many_ranges_as_its_customers_are_worth(customers: int, ranges: int) -> None:
    world = salon(*(customer(n) for n in range(customers)))

    assert len(world.plan_campaign(BUSINESS_ID, world.post().campaign.campaign_id)) == ranges


def test_a_very_long_drain_goes_on_in_a_new_execution() -> None:
    world = salon(customer(1))
    campaign_id = world.post().campaign.campaign_id
    world.begin(campaign_id)

    assert not world.drain_campaign(BUSINESS_ID, campaign_id, 0).in_new_execution
    assert world.drain_campaign(BUSINESS_ID, campaign_id, MOST_POLLS - 1).in_new_execution


def test_a_range_that_is_not_done_is_expanded_on_before_anything_is_taken_for_drained() -> None:
    world = salon(*(customer(n) for n in range(20)))
    campaign_id = world.post().campaign.campaign_id
    ranges = world.plan_campaign(BUSINESS_ID, campaign_id)
    world.expand_campaign(BUSINESS_ID, campaign_id, 2, always)
    world.expand_campaign(BUSINESS_ID, campaign_id, 3, lambda: False)
    first = world.drain_campaign(BUSINESS_ID, campaign_id, 4)
    status = world.campaigns.get(BUSINESS_ID, campaign_id).status
    for index in first.ranges:
        world.expand_campaign(BUSINESS_ID, campaign_id, index, always)
    second = world.drain_campaign(BUSINESS_ID, campaign_id, first.polls)

    assert list(ranges) == [0, 1, 2, 3]
    assert (first.ranges, first.drained, first.polls, status) == ((0, 1, 3), False, 4, CampaignStatus.EXPANDING)
    assert (second.ranges, second.drained, second.polls) == ((), False, 5)


def test_the_ranges_of_a_campaign_that_has_ended_are_left_alone() -> None:
    world = salon(customer(1))
    campaign_id = world.post().campaign.campaign_id
    world.plan_campaign(BUSINESS_ID, campaign_id)
    world.close_campaign.fail(BUSINESS_ID, campaign_id, "It cannot go on.")
    looked = world.drain_campaign(BUSINESS_ID, campaign_id, 0)

    assert (looked.ranges, looked.drained) == ((), True)


def test_drain_says_that_the_campaign_is_sending() -> None:
    world = salon(customer(1))
    campaign_id = world.post().campaign.campaign_id
    world.begin(campaign_id)
    world.drain_campaign(BUSINESS_ID, campaign_id, 0)

    assert world.campaigns.get(BUSINESS_ID, campaign_id).status is CampaignStatus.SENDING


def test_a_campaign_to_nobody_completes() -> None:
    world = World()
    view = world.run(world.post().campaign.campaign_id)

    assert view.campaign.status is CampaignStatus.COMPLETED
    assert view.audience.matched == 0


def test_a_flag_is_cleared_by_the_delivery_of_a_campaign_that_includes_flagged_contacts() -> None:
    world = salon(customer(1))
    world.know(contact_key(1), Failure(at(-5), "m", Provider.SES, NO_SUCH_MAILBOX))
    world.run(world.post(exclude_failed=False).campaign.campaign_id)

    assert (
        not world.customer_service.get(BUSINESS_ID, id_of(1)).contacts[Channel.EMAIL].verdict(business().policy).invalid
    )
    assert not world.customers.get(BUSINESS_ID, id_of(1)).failed_email


def test_the_script_of_the_fake_provider_is_followed() -> None:
    world = salon(customer(1))
    world.mailer.answer("ana1@example.com", Throttled("ACCOUNT_THROTTLED"))
    world.run(world.post().campaign.campaign_id)

    assert [type(handed.result) for handed in world.mailer.handed] == [Throttled, Accepted]


def test_a_range_that_has_begun_and_is_not_done_is_expanded_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_campaign, "PAGE", 2)
    world = World(ranges=1)
    world.add(*(customer(n) for n in range(20)))
    campaign_id = world.post().campaign.campaign_id
    world.plan_campaign(BUSINESS_ID, campaign_id)
    looks = iter([True, True])
    world.expand_campaign(BUSINESS_ID, campaign_id, 0, lambda: next(looks, False))
    [begun] = world.expansion.list(campaign_id)
    drained = world.drain_campaign(BUSINESS_ID, campaign_id, 0)

    assert (bool(begun.cursor), begun.done) == (True, False)
    assert (drained.ranges, drained.drained) == ((0,), False)
