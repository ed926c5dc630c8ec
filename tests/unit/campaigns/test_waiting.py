"""What a customer's log says of messages that wait: those that the campaigns will send, and why they have not yet."""

from collections import Counter
from collections.abc import Mapping
from copy import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from rebound.businesses.domain.business import EMAIL_ACCOUNT
from rebound.businesses.domain.quiet_hours import NIGHT, QuietHours
from rebound.campaigns.application.find_waiting import Waiting, WaitReason
from rebound.kernel.channels import Channel
from rebound.kernel.ids import MAX_RANGES, bounds, range_of
from rebound.messages.domain.messages import MessageStatus
from rebound.rates.domain import Throttled
from rebound.segments.domain.selections import Selection
from rebound.sending.application import run_campaign
from tests.fakes.making import BUSINESS_ID, NO_QUIET_HOURS, at, business, customer, everybody, id_of
from tests.fakes.world import World

PEOPLE = 40


def of(world: World, customer_id: str) -> list[Waiting]:
    who = world.customers.get(BUSINESS_ID, customer_id)
    return list(world.find_waiting(who, world.contacts.get_many(who.contact_keys)))


def waiting(world: World, campaign_id: str) -> Mapping[str, Waiting]:
    """Who is said to wait for a message of a campaign."""
    return {
        id_: one
        for (_, id_) in world.customers.rows
        for one in of(world, id_)
        if one.message.campaign_id == campaign_id
    }


def expand_in_part(world: World, campaign_id: str, pages: int) -> None:
    """Plan, and expand so many pages of each range."""
    for index in world.plan_campaign(BUSINESS_ID, campaign_id):
        left = iter([True] * pages)
        world.expand_campaign(BUSINESS_ID, campaign_id, index, partial(next, left, False))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_who_is_said_to_wait_is_who_gets_a_message_later(data: st.DataObject) -> None:
    draw = data.draw
    hours = draw(st.sampled_from([NO_QUIET_HOURS, QuietHours(NIGHT, NIGHT)]))
    world = World(business(quiet_hours=hours), seed=draw(st.integers(0, 1 << 20)), ranges=draw(st.integers(1, 4)))
    for number in range(1, PEOPLE + 1):
        zone = draw(st.sampled_from([None, "Asia/Tokyo"]))
        address = draw(st.sampled_from([f"ana{number}@example.com", None]))
        tags = draw(st.sampled_from([(), ("vip",)]))
        world.add(customer(number, time_zone=zone, email=address, general_tags=tags))
    listed = tuple(draw(st.permutations([id_of(n) for n in range(1, PEOPLE + 1)]))[:25])
    selection = draw(st.sampled_from([Selection(filter={"tag": "vip"}), Selection(customer_ids=listed)]))
    channel = draw(st.sampled_from(Channel))
    with pytest.MonkeyPatch.context() as patched:
        for name, size in (("CHUNK_SIZE", 3), ("PAGE", 5), ("WORTH_A_RANGE", 5)):
            patched.setattr(run_campaign, name, size)
        campaign_id = world.post(channel, selection=selection).campaign.campaign_id
        assert waiting(world, campaign_id) == {}
        expand_in_part(world, campaign_id, draw(st.integers(0, 9)))
        for _ in range(draw(st.integers(0, 6))):
            world._tick()
        logged = {row.customer_id for row in world.messages.rows}
        said = waiting(world, campaign_id)
        for index in range(world.campaigns.get(BUSINESS_ID, campaign_id).ranges):
            while not world.expand_campaign(BUSINESS_ID, campaign_id, index, lambda: True):
                pass
        world.end(campaign_id)
        world.rest()
    sent = {row.customer_id for row, m in world.messages.rows.items() if m.status is not MessageStatus.EXCLUDED}
    event(" ".join(sorted({one.because for one in said.values()})))

    assert said.keys() == sent - logged
    assert all(world.messages.rows[one.message.key].address == one.message.address for one in said.values())
    assert waiting(world, campaign_id) == {}


@given(st.integers(0, (1 << 128) - 1), st.integers(1, MAX_RANGES))
def test_a_range_is_found_by_the_id(number: int, ranges: int) -> None:
    id_ = f"{number:032x}"
    first, last = bounds(range_of(id_, ranges), ranges)

    assert first <= id_ <= last


def campaign_of_all(world: World, channel: Channel = Channel.EMAIL, **given: Any) -> str:
    world.add(*(customer(number) for number in range(1, 4)))
    campaign_id = world.post(channel, selection=Selection(filter=everybody()), **given).campaign.campaign_id
    world.begin(campaign_id)
    return campaign_id


def test_each_reason_is_said_with_its_end_where_that_is_known() -> None:
    asleep = World(business(quiet_hours=QuietHours(NIGHT, NIGHT)))
    night = campaign_of_all(asleep)
    [one] = of(asleep, id_of(1))
    assert (one.because, one.message.held_until) == (WaitReason.QUIET_HOURS, at(4 * 3600))
    assert one.message.campaign_id == night

    paused = World()
    paused.steer_campaign.pause(BUSINESS_ID, campaign_of_all(paused))
    [one] = of(paused, id_of(1))
    assert (one.because, one.message.held_until) == (WaitReason.PAUSED, None)

    in_line = World()
    campaign_of_all(in_line)
    [one] = of(in_line, id_of(1))
    assert (one.because, one.message.held_until) == (WaitReason.TURN, None)

    over = World()
    campaign_of_all(over)
    over.record_throttle(EMAIL_ACCOUNT, [Throttled("DAILY", daily=True)])
    [one] = of(over, id_of(1))
    assert one.because is WaitReason.DAILY_QUOTA
    assert one.message.held_until is not None


def test_who_will_be_left_out_waits_for_nothing() -> None:
    world = World()
    campaign_of_all(world)
    without = replace(world.customers.get(BUSINESS_ID, id_of(1)), email=None)
    world.customers.save([without], [])

    assert of(world, id_of(1)) == []
    assert len(of(world, id_of(2))) == 1


def test_a_look_costs_by_campaigns_under_way_and_not_by_their_size() -> None:
    world = World(ranges=1)
    world.add(*(customer(number) for number in range(1, 1001)))
    reads: Counter[str] = Counter()
    world.checkpoint = lambda where: reads.update([where])
    assert of(world, id_of(7)) == []
    assert sum(reads.values()) <= 2 * 4
    for _ in range(2):
        campaign_id = world.post(selection=Selection(filter=everybody())).campaign.campaign_id
        world.begin(campaign_id)
        world.clock.move(timedelta(seconds=1))
    world.post(selection=Selection(filter=everybody()))
    reads.clear()
    assert len(of(world, id_of(7))) == 2

    assert reads["chunks.get"] <= 2 * 2 * 5
    assert reads["expansion.get"] == 2 * 2
    assert {name.split(".")[0] for name in reads} <= {
        *("campaigns", "messages", "businesses", "expansion", "chunks", "rates", "contacts", "customers", "clock")
    }
