"""Posting a campaign: checked whole, accepted once, counted at every moment."""

from copy import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.application.timing import Timing
from rebound.campaigns.application.campaign_service import NewCampaign
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.kernel.audiences import Audience
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError, InvalidInputError, NotFoundError
from rebound.messages.domain.messages import MessageStatus
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import EmailContent
from tests.fakes.making import BUSINESS_ID, GREETING, at, business, customer
from tests.fakes.world import World, always

NEW = NewCampaign("x", Category.MARKETING, Channel.EMAIL, Selection(filter={"all": []}), GREETING)
audiences = st.builds(
    lambda targeted, excluded: Audience(targeted + sum(excluded.values()), MappingProxyType(excluded)),
    st.integers(0, 50),
    st.dictionaries(st.sampled_from(["opted_out", "no_address"]), st.integers(0, 9)),
)


@given(audiences, audiences)
def test_audiences_add_up_together(one: Audience, other: Audience) -> None:
    both = one.plus(other)

    assert both.matched == one.matched + other.matched == both.targeted + sum(both.excluded.values())
    assert both.targeted == one.targeted + other.targeted


def test_a_campaign_starts_at_once_or_is_scheduled() -> None:
    world = World()
    now = world.campaign_service.post(BUSINESS_ID, NEW).campaign
    past = world.campaign_service.post(BUSINESS_ID, replace(NEW, timing=Timing(at(-5)))).campaign
    later = world.campaign_service.post(BUSINESS_ID, replace(NEW, timing=Timing(at(60)))).campaign

    assert [campaign_id for _, campaign_id in world.runner.started] == [now.campaign_id, past.campaign_id]
    assert world.runner.scheduled == {(BUSINESS_ID, later.campaign_id): {at(60)}}
    assert later.status is CampaignStatus.SCHEDULED


def test_a_request_that_is_tried_again_is_the_same_campaign() -> None:
    world = World()
    first, again = (world.campaign_service.post(BUSINESS_ID, NEW, "request-1").campaign for _ in range(2))

    assert again.campaign_id == first.campaign_id
    assert len(world.campaigns.rows) == len(world.runner.started) == 1


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"selection": Selection(segment_id="none")}, ["segment_id"]),
        ({"selection": Selection(filter={"tag": 1})}, ["filter.tag"]),
        ({"content": EmailContent("##{{x}}", "##{{y}}")}, ["content.subject", "content.html"]),
        ({"timing": Timing(at(0) + timedelta(days=366))}, ["send_at"]),
        (
            {"selection": Selection(segment_id="none"), "content": EmailContent("##{{x}}", "h")},
            ["content.subject", "segment_id"],
        ),
    ],
)
def test_everything_that_is_wrong_is_named_and_nothing_is_kept(change: dict[str, object], fields: list[str]) -> None:
    world = World()
    with pytest.raises(InvalidInputError) as raised:
        world.campaign_service.post(BUSINESS_ID, replace(NEW, **change))  # type: ignore[arg-type]

    assert [error.field for error in raised.value.errors] == fields
    assert world.campaigns.rows == {}
    assert world.runner.started == []


def test_a_business_that_cannot_send_cannot_post() -> None:
    with pytest.raises(ConflictError, match="email_from"):
        World(business(email_from=None)).campaign_service.post(BUSINESS_ID, NEW)


def test_counts_add_up_while_a_campaign_is_under_way() -> None:
    world = World(ranges=1)
    world.add(*(customer(n) for n in range(1, 80)), customer(100, email=None))
    campaign_id = world.campaign_service.post(BUSINESS_ID, NEW).campaign.campaign_id
    world.plan_campaign(BUSINESS_ID, campaign_id)
    world.expand_campaign(BUSINESS_ID, campaign_id, 0, always)
    world._send_one()
    world.pump_streams()
    view = world.campaign_service.get(BUSINESS_ID, campaign_id)
    queued = world.read_recipients(BUSINESS_ID, campaign_id, status=MessageStatus.QUEUED, limit=100, cursor=None).items

    assert (view.audience.matched, view.audience.targeted, dict(view.audience.excluded)) == (80, 79, {"no_address": 1})
    assert sum(view.results.values()) == 79
    assert view.results[MessageStatus.QUEUED] == len(queued) in (29, 50)


@pytest.mark.parametrize("limit", [1, 7, 60, 299, 300, 500])
def test_the_messages_of_a_campaign_come_in_pages_each_once(limit: int) -> None:
    world = World()
    world.add(*(customer(n) for n in range(300)))
    campaign_id = world.campaign_service.post(BUSINESS_ID, NEW).campaign.campaign_id
    world.run(campaign_id)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = world.read_recipients(
            BUSINESS_ID, campaign_id, status=MessageStatus.DELIVERED, limit=limit, cursor=cursor
        )
        assert len(page.items) <= limit
        assert len({row.key for row in page.items}) == len({row.key.message_id for row in page.items})
        seen.extend(row.key.customer_id for row in page.items)
        cursor = page.next_cursor
        if cursor is None:
            break

    assert sorted(seen) == sorted(row.customer_id for row in world.customers.rows.values())


def test_the_carrier_of_a_single_message_is_no_campaign() -> None:
    world = World()
    world.add(customer(1))
    world.post_message(
        BUSINESS_ID,
        customer_id=customer(1).customer_id,
        category=Category.ONE_TO_ONE,
        channel=Channel.EMAIL,
        content=GREETING,
    )
    (carrier,) = world.campaigns.rows.values()
    for read in (
        lambda: world.campaign_service.get(BUSINESS_ID, carrier.campaign_id),
        lambda: world.read_recipients(BUSINESS_ID, carrier.campaign_id, status=None, limit=9, cursor=None),
    ):
        with pytest.raises(NotFoundError):
            read()
