"""Without the marketing bundle, bulk email reaches fewer than 75 recipients on one local day of the business."""

from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.businesses.domain.business import RECIPIENT_LIMIT, Bundle
from rebound.eligibility.application.preview_audience import Question
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.messages.domain.messages import MessageStatus
from rebound.segments.domain.selections import Selection
from tests.fakes.making import BUSINESS_ID, business, customer, id_of
from tests.fakes.world import World

LIMITED: Final = business(bundles=frozenset({Bundle.PREMIUM}), time_zone="America/New_York")
BULK: Final = [category for category in Category if category.is_bulk]
OTHERS: Final = [category for category in Category if not category.is_bulk]


def world_of(customers: int, sender: object = LIMITED) -> World:
    world = World(sender) if sender is LIMITED else World(business())
    world.add(*(customer(number) for number in range(1, customers + 1)))
    for number in range(1, customers + 1):
        world.outcomes[customer(number).email or ""] = ()
    return world


def to(*numbers: int) -> Selection:
    return Selection(customer_ids=tuple(id_of(number) for number in numbers))


def sent(world: World) -> int:
    return sum(message.status is MessageStatus.SENT for message in world.messages.rows.values())


def test_promotional_and_one_to_one_campaigns_are_bulk_and_reminders_never() -> None:
    assert set(OTHERS) == {Category.REMINDER, Category.TRANSACTIONAL}


@pytest.mark.parametrize("category", BULK)
@pytest.mark.parametrize(("customers", "goes"), [(RECIPIENT_LIMIT - 1, True), (RECIPIENT_LIMIT, False), (80, False)])
def test_so_many_are_refused_whole_and_the_answer_says_why(category: Category, customers: int, goes: bool) -> None:
    world = world_of(customers)
    posted = world.post(category=category)
    ended = world.run(posted.campaign.campaign_id)

    excluded = {} if goes else {"recipient_limit": customers}
    assert (posted.foreseen and posted.foreseen.excluded, ended.audience.excluded) == (excluded, excluded)
    assert (ended.audience.matched, sent(world)) == (customers, customers if goes else 0)
    assert bool(world.mailer.calls) is goes


@pytest.mark.parametrize("category", OTHERS)
def test_others_are_never_refused(category: Category) -> None:
    world = world_of(80)
    assert world.run(world.post(category=category).campaign.campaign_id).audience.excluded == {}
    assert (sent(world), world.bulk_days.reads, world.bulk_days.writes) == (80, 0, 0)


def test_texts_and_single_messages_are_never_refused() -> None:
    world = world_of(80)
    world.run(world.post(Channel.SMS).campaign.campaign_id)
    world.run(world.post(selection=to(*range(1, 75))).campaign.campaign_id)
    for number in range(1, 4):
        world.post_message(
            BUSINESS_ID,
            customer_id=id_of(number),
            category=Category.MARKETING,
            channel=Channel.EMAIL,
            content=world.post(is_draft=True).campaign.content,
        )
    world.rest()

    assert {row.reason for row in world.messages.rows.values() if row.status is MessageStatus.EXCLUDED} == set()


def test_who_has_the_bundle_pays_nothing_for_it() -> None:
    world = world_of(80, business())
    world.run(world.post().campaign.campaign_id)

    assert (sent(world), world.bulk_days.reads, world.bulk_days.writes) == (80, 0, 0)


def test_the_campaigns_of_a_local_day_count_together_and_the_next_day_begins_anew() -> None:
    world = world_of(80)
    first = world.run(world.post(selection=to(*range(1, 41))).campaign.campaign_id)
    refused = world.run(world.post(category=Category.ONE_TO_ONE, selection=to(*range(41, 76))).campaign.campaign_id)
    fits = world.run(world.post(category=Category.LOYALTY, selection=to(*range(41, 75))).campaign.campaign_id)
    assert (first.audience.targeted, refused.audience.excluded, fits.audience.targeted) == (
        40,
        {"recipient_limit": 35},
        34,
    )

    world.clock.move(timedelta(days=1))
    assert world.run(world.post(selection=to(*range(1, 75))).campaign.campaign_id).audience.targeted == 74


def test_the_day_is_that_of_the_business() -> None:
    world = world_of(80)
    evening = world.clock.now().replace(hour=3, minute=30)  # 22:30 or 23:30 of the day before in New York
    world.clock.move(evening + timedelta(days=1) - world.clock.now())
    world.run(world.post(selection=to(*range(1, 75))).campaign.campaign_id)
    world.clock.move(timedelta(minutes=10))
    same_day = world.post(selection=to(75)).foreseen
    world.clock.move(timedelta(hours=2))
    next_day = world.post(selection=to(75)).foreseen

    assert same_day is not None
    assert next_day is not None
    assert (same_day.excluded, next_day.excluded) == ({"recipient_limit": 1}, {})


def test_whoever_is_left_out_anyway_does_not_count() -> None:
    world = world_of(74)
    world.add(*(customer(number, email=None) for number in range(75, 81)))
    ended = world.run(world.post().campaign.campaign_id)

    assert (ended.audience.matched, ended.audience.excluded, sent(world)) == (80, {"no_address": 6}, 74)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 60), min_size=2, max_size=4), st.randoms())
def test_campaigns_at_once_never_pass_the_limit_together(sizes: list[int], order: object) -> None:
    world = world_of(60)
    campaigns = [world.post(selection=to(*range(1, size + 1))).campaign.campaign_id for size in sizes]
    order.shuffle(campaigns)  # type: ignore[attr-defined]
    for campaign_id in campaigns:
        world.begin(campaign_id)
    for campaign_id in campaigns:
        world.begin(campaign_id)
        world.end(campaign_id)
    world.rest()
    views = [world.campaign_service.get(BUSINESS_ID, campaign_id) for campaign_id in campaigns]

    assert sum(view.audience.targeted for view in views) < RECIPIENT_LIMIT
    for view in views:
        assert view.audience.targeted in (0, view.audience.matched)
        assert view.audience.excluded == ({} if view.audience.targeted else {"recipient_limit": view.audience.matched})
    assert sum(view.audience.targeted for view in views) == sent(world)


@pytest.mark.parametrize("customers", [74, 75])
def test_a_preview_says_the_same_and_names_the_same(customers: int) -> None:
    world = world_of(customers)
    question = Question({"all": []}, Channel.EMAIL, Category.MARKETING)
    previewed = world.preview_audience(BUSINESS_ID, question)
    named = world.preview_audience.recipients(BUSINESS_ID, question, limit=100, cursor=None)

    assert previewed is not None
    assert previewed.excluded == ({} if customers < RECIPIENT_LIMIT else {"recipient_limit": 75})
    assert len([one for one in named.items if one.decision == "recipient_limit"]) == (0 if customers < 75 else 75)
