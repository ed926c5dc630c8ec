"""One loyalty campaign a week goes to the same people, whoever posts at once, dies, moves or cancels one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.application.timing import Timing
from rebound.campaigns.application.campaign_service import CampaignView
from rebound.campaigns.application.edit_campaign import CampaignChange
from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus
from rebound.campaigns.domain.loyalty_weeks import UNDER_WAY, audiences_of, free_again_at
from rebound.kernel.categories import Category
from rebound.kernel.errors import ConflictError
from rebound.kernel.times import write_time
from rebound.segments.domain.segments import Segment
from rebound.segments.domain.selections import Selection
from tests.fakes.making import BUSINESS_ID, at, business, campaign, customer, id_of
from tests.fakes.watching import WorkerDiedError
from tests.fakes.world import World

WEEK = timedelta(days=7)
DAY = timedelta(days=1)
EVERYBODY = Selection(filter={"all": []})


def world_of(days: int | None = 7) -> World:
    world = World(business(loyalty_interval_days=days, time_zone="UTC"), ranges=1)
    world.add(*(customer(n) for n in range(1, 4)))
    for name in ("vips", "others"):
        world.segments.put(Segment(BUSINESS_ID, name, name, {"all": []}, at(0)))
    return world


def posted(world: World, after: timedelta | None = None, **given_: Any) -> Campaign:
    timing = Timing() if after is None else Timing(world.clock.now() + after)
    view: CampaignView = world.post(category=Category.LOYALTY, timing=timing, **given_)
    return view.campaign


def to(segment_id: str) -> dict[str, Any]:
    return {"selection": Selection(segment_id=segment_id)}


def refused(call: Callable[[], object]) -> datetime:
    with pytest.raises(ConflictError) as refusal:
        call()
    assert refusal.value.code == "loyalty_week_taken"
    return datetime.fromisoformat(refusal.value.members["free_again_at"])


def test_a_second_one_within_a_week_is_refused_with_the_time_when_it_may_go() -> None:
    world = world_of()
    began = world.clock.now()
    posted(world)
    free = refused(lambda: posted(world, 3 * DAY))

    assert began + WEEK <= free < began + WEEK + timedelta(seconds=1)
    assert len(world.campaigns.rows) == 1
    refused(lambda: world.post(category=Category.LOYALTY, timing=Timing(free - timedelta(seconds=1))))
    world.post(category=Category.LOYALTY, timing=Timing(free))


def test_what_is_free_again_is_free_after_those_that_are_ahead_as_well() -> None:
    world = world_of()
    now = world.clock.now()
    for days in (3, 11, 30):
        posted(world, days * DAY)

    assert refused(lambda: posted(world)) == now + 18 * DAY
    assert refused(lambda: posted(world, 29 * DAY)) == now + 37 * DAY


@pytest.mark.parametrize("category", [each for each in Category if each is not Category.LOYALTY])
def test_other_categories_neither_wait_nor_read_nor_write(category: Category) -> None:
    world = world_of()
    posted(world)
    before = dict(world.loyalty_weeks.rows)
    del world.loyalty_weeks.rows
    world.post(category=category)
    world.post(category=category)

    world.loyalty_weeks.rows = before
    refused(lambda: posted(world))


def test_each_segment_and_each_tier_has_a_week_of_its_own_and_the_rest_share_one() -> None:
    world = world_of()
    for selection in (to("vips"), to("others"), {}):
        posted(world, **selection)
    for selection in (to("vips"), to("others"), {}, {"selection": Selection(customer_ids=(id_of(1),))}):
        refused(lambda chosen=selection: posted(world, **chosen))  # type: ignore[misc]


@pytest.mark.parametrize(
    ("tree", "audiences"),
    [
        ({"tier": "top"}, ("tier#top",)),
        ({"all": [{"tag": "vip"}, {"all": [{"tier": "new"}]}]}, ("tier#new",)),
        ({"segment": "vips"}, ("segment#vips",)),
        ({"all": [{"segment": "vips", "filter": {"tag": "vip"}}, {"tier": "new"}]}, ("segment#vips", "tier#new")),
        ({"any": [{"tier": "top"}, {"tier": "new"}]}, ("tier#new", "tier#top")),
        ({"any": [{"tier": "top"}, {"tag": "vip"}]}, ("others", "tier#top")),
        ({"all": [{"tier": "top"}, {"any": [{"tag": "a"}, {"tag": "b"}]}]}, ("tier#top",)),
        ({"not": {"tier": "top"}}, ("others",)),
        ({"all": []}, ("others",)),
        (None, ("others",)),
    ],
)
def test_a_filter_for_one_tier_or_segment_takes_its_week(tree: Any, audiences: tuple[str, ...]) -> None:
    assert audiences_of(campaign(selection=Selection(filter=tree))) == audiences


@pytest.mark.parametrize("days", [1, 3, 60])
def test_the_business_says_how_many_days(days: int) -> None:
    world = world_of(days)
    now = world.clock.now()
    posted(world, DAY)

    assert refused(lambda: posted(world, DAY + timedelta(hours=1))) == now + (1 + days) * DAY


def test_off_is_no_limit_and_what_was_sent_meanwhile_counts_when_it_is_on_again() -> None:
    world = world_of(None)
    posted(world)
    posted(world)
    world.businesses.replace(business(loyalty_interval_days=7, version=world.businesses.get(BUSINESS_ID).version))

    refused(lambda: posted(world))


def test_a_draft_takes_no_week_until_it_is_announced() -> None:
    world = world_of()
    drafts = [posted(world, is_draft=True) for _ in range(2)]
    world.edit_campaign.announce(BUSINESS_ID, drafts[0].campaign_id)
    refused(lambda: world.edit_campaign.announce(BUSINESS_ID, drafts[1].campaign_id))

    assert world.campaigns.get(BUSINESS_ID, drafts[1].campaign_id).status is CampaignStatus.DRAFT
    # Announcing again what is announced changes nothing.
    world.edit_campaign.announce(BUSINESS_ID, drafts[0].campaign_id)
    copied = world.edit_campaign.copy(BUSINESS_ID, drafts[0].campaign_id).campaign
    refused(lambda: world.edit_campaign.announce(BUSINESS_ID, copied.campaign_id))


def test_an_edit_moves_the_week() -> None:
    world = world_of()
    now = world.clock.now()
    one = posted(world, 2 * DAY)

    def change(**fields: Any) -> None:
        world.edit_campaign.change(BUSINESS_ID, one.campaign_id, CampaignChange(**fields))

    change(timing=lambda _: Timing(now + 20 * DAY))
    two = posted(world, 2 * DAY)
    refused(lambda: change(timing=lambda _: Timing(now + 5 * DAY)))
    change(selection=lambda _: Selection(segment_id="vips"))
    posted(world, 20 * DAY)
    refused(lambda: change(selection=lambda _: EVERYBODY))
    change(category=Category.MARKETING)
    posted(world, 20 * DAY, **to("vips"))
    change(name="Another name")

    assert world.campaigns.get(BUSINESS_ID, two.campaign_id).send_at == now + 2 * DAY


def test_an_edit_that_makes_loyalty_of_a_campaign_claims_its_week() -> None:
    world = world_of()
    posted(world, DAY)
    other = world.post(timing=Timing(world.clock.now() + 2 * DAY)).campaign

    refused(
        lambda: world.edit_campaign.change(BUSINESS_ID, other.campaign_id, CampaignChange(category=Category.LOYALTY))
    )


def test_a_cancelled_one_that_sent_nothing_gives_its_week_back() -> None:
    world = world_of()
    for _ in range(3):
        world.steer_campaign.cancel(BUSINESS_ID, posted(world, 2 * DAY).campaign_id)
        world.steer_campaign.cancel(BUSINESS_ID, posted(world).campaign_id)


def test_a_cancelled_one_that_began_gives_its_week_back_once_nobody_can_get_it_any_more() -> None:
    world = world_of()
    one = posted(world)
    world.plan_campaign(BUSINESS_ID, one.campaign_id)
    world.expand_campaign(BUSINESS_ID, one.campaign_id, 0, lambda: True)
    world.steer_campaign.cancel(BUSINESS_ID, one.campaign_id)
    # Three are queued, and nobody knows yet that they will not be handed over.
    refused(lambda: posted(world))
    world.rest()

    assert not world.mailer.emails
    posted(world)


def test_one_that_sent_something_keeps_its_week_whatever_becomes_of_it() -> None:
    world = world_of()
    one = posted(world)
    world.run(one.campaign_id)

    refused(lambda: posted(world))
    world.clock.move(WEEK)
    posted(world)


def test_one_that_waited_in_a_pause_takes_the_week_in_which_it_is_resumed() -> None:
    world = world_of()
    one = posted(world, DAY)
    world.steer_campaign.pause(BUSINESS_ID, one.campaign_id)
    world.clock.move(9 * DAY)
    two = posted(world)
    refused(lambda: world.steer_campaign.resume(BUSINESS_ID, one.campaign_id))
    world.steer_campaign.cancel(BUSINESS_ID, two.campaign_id)
    world.steer_campaign.resume(BUSINESS_ID, one.campaign_id)

    refused(lambda: posted(world))


def test_a_retry_of_the_same_request_goes_on_with_its_campaign() -> None:
    world = world_of()
    asked: dict[str, Any] = {"category": Category.LOYALTY}
    first = world.post(request="request-1", **asked).campaign
    world.clock.move(timedelta(minutes=1))

    assert world.post(request="request-1", **asked).campaign == world.campaigns.get(BUSINESS_ID, first.campaign_id)
    refused(lambda: world.post(request="request-2", **asked))


def test_a_death_before_the_campaign_is_written_leaves_the_week_to_others_in_a_moment() -> None:
    world = world_of()

    def die(campaign: Campaign) -> None:
        raise WorkerDiedError

    add, world.campaigns.add = world.campaigns.add, die  # type: ignore[method-assign]
    with pytest.raises(WorkerDiedError):
        posted(world, request="request-1")
    world.campaigns.add = add  # type: ignore[method-assign]

    # It may only be slow.
    refused(lambda: posted(world))
    world.clock.move(UNDER_WAY)
    posted(world)
    refused(lambda: posted(world, request="request-1"))


def test_a_retry_after_a_death_has_the_week_that_it_claimed() -> None:
    world = world_of()

    def die(campaign: Campaign) -> None:
        raise WorkerDiedError

    add, world.campaigns.add = world.campaigns.add, die  # type: ignore[method-assign]
    with pytest.raises(WorkerDiedError):
        posted(world, request="request-1")
    world.campaigns.add = add  # type: ignore[method-assign]
    world.clock.move(UNDER_WAY - timedelta(seconds=1))
    posted(world, request="request-1")
    world.clock.move(UNDER_WAY)

    refused(lambda: posted(world))


def test_a_death_at_any_call_leaves_at_most_one_campaign_in_a_week() -> None:
    deaths = 0
    for number in range(1, 60):
        world = world_of()
        calls = 0

        def checkpoint(*_: object, last: int = number) -> None:
            nonlocal calls
            calls += 1
            if calls == last:
                raise WorkerDiedError

        world.checkpoint = checkpoint
        world.step = "post"
        try:
            posted(world, request="request-1")
        except WorkerDiedError:
            deaths += 1
        world.checkpoint = lambda *_: None
        refusals = 0
        for request in ("request-2", "request-1"):
            try:
                posted(world, request=request)
            except ConflictError:
                refusals += 1
        assert refusals == 1
        assert len(world.campaigns.rows) == 1
    assert 10 < deaths < 59


def test_of_two_at_once_one_wins() -> None:
    world = world_of()
    replace = world.loyalty_weeks.replace
    others: list[Campaign] = []

    def overtaken(week: Any) -> None:
        world.loyalty_weeks.replace = replace  # type: ignore[method-assign]
        others.append(posted(world))
        replace(week)

    world.loyalty_weeks.replace = overtaken  # type: ignore[method-assign]
    refused(lambda: posted(world))

    assert [*world.campaigns.rows] == [(BUSINESS_ID, others[0].campaign_id)]


ZONES = ("UTC", "America/New_York", "Australia/Lord_Howe", "Europe/London")
TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda each: each.replace(tzinfo=UTC))  # noqa: DTZ001


@given(at_=TIMES, taken=st.lists(TIMES, max_size=20), days=st.integers(1, 60), zone=st.sampled_from(ZONES))
def test_what_is_free_is_far_from_all_that_is_taken(at_: datetime, taken: list[datetime], days: int, zone: str) -> None:
    free = free_again_at(at_, taken, days, zone)
    nearly = timedelta(days=days, hours=-1)

    assert free >= at_
    assert all(abs(free - each) >= nearly for each in taken)
    assert free_again_at(free, taken, days, zone) == free
    assert datetime.fromisoformat(write_time(free)) == free or free == at_


@given(year=st.integers(2026, 2036), day=st.integers(0, 364), zone=st.sampled_from(ZONES))
def test_the_same_hour_of_the_next_week_is_always_free(year: int, day: int, zone: str) -> None:
    wall = datetime(year, 1, 1, 9) + day * DAY  # noqa: DTZ001 - on a clock on the wall
    this, following = ((wall + weeks * WEEK).replace(tzinfo=ZoneInfo(zone)) for weeks in (0, 1))

    assert free_again_at(following, [this], 7, zone) == following
    assert free_again_at(this, [following], 7, zone) == this
