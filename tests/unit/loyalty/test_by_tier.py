"""Campaigns that say something else to each tier: everybody is in one part, and all parts stand alike."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from rebound.businesses.application.timing import Timing
from rebound.campaigns.application.campaign_service import CampaignView
from rebound.campaigns.application.edit_campaign import CampaignChange
from rebound.campaigns.domain.by_tier import children_ids
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.eligibility.application.preview_audience import Question
from rebound.jobs.domain import JobKind, audience_of
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError, InvalidInputError
from rebound.loyalty.domain.tiers import Tier
from rebound.messages.domain.messages import MessageStatus
from rebound.segments.domain.segments import Segment
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import EmailContent
from tests.contract.campaigns.fakes import adds_up
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, at, customer, id_of
from tests.fakes.world import Chaos, World
from tests.unit.loyalty.test_ranking import INACTIVE, LOYAL, NEW, NONE, TOP, world_of

DAY = timedelta(days=1)
EVERYBODY: Mapping[str, Any] = {"all": []}


def saying(*tiers: str) -> dict[str, Any]:
    contents = {tier: EmailContent(f"To the {tier}", None, "Thanks, ##{{first_name}}.") for tier in tiers}
    return {"category": Category.LOYALTY, "content": next(iter(contents.values())), "contents": contents}


def salon(seed: int = 0, **given: Any) -> World:
    """Two who are new, one on top, two inactive, two without a tier, of whom one has no address, and a favourite."""
    world = world_of(NEW, (3,), TOP, INACTIVE, LOYAL, NONE, seed=seed, **given)
    world.add(customer(7, email=None, mobile_phone=None), customer(8, favourite=True))
    return world


def posted(world: World, *tiers: str, **given: Any) -> CampaignView:
    return world.post(**{**saying(*tiers), **given})


def subjects(world: World) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for email in world.mailer.emails:
        found[email.content.subject] = found.get(email.content.subject, 0) + 1
    return found


def test_each_tier_gets_its_own_and_the_rest_is_left_out() -> None:
    world = salon()
    foreseen = posted(world, "new", "top", "favourite").foreseen
    [(_, parent_id)] = world.campaigns.rows
    view = world.run(parent_id)

    assert foreseen == view.audience
    assert (view.audience.matched, view.audience.targeted) == (8, 4)
    assert view.audience.excluded == {"no_tier_content": 3, "no_address": 1}
    assert subjects(world) == {"To the new": 2, "To the top": 1, "To the favourite": 1}
    assert view.campaign.status is CampaignStatus.COMPLETED
    assert [(child.campaign.tier, child.campaign.status, child.audience.matched) for child in view.children] == [
        ("favourite", CampaignStatus.COMPLETED, 1),
        ("new", CampaignStatus.COMPLETED, 2),
        ("top", CampaignStatus.COMPLETED, 1),
    ]
    assert all(child.campaign.parent_id == parent_id for child in view.children)
    assert adds_up(view)
    assert all(map(adds_up, view.children))
    assert view.results[MessageStatus.DELIVERED] == 4


def test_a_saved_segment_is_asked_for_its_tiers_as_well() -> None:
    world = salon()
    world.segment_service.put(BUSINESS_ID, "some", "Some", {"field": "first_name", "in": ["Ana1", "Ana3", "Ana6"]})
    view = world.run(posted(world, "new", selection=Selection(segment_id="some")).campaign.campaign_id)

    assert (view.audience.matched, view.audience.targeted) == (3, 1)
    assert view.audience.excluded == {"no_tier_content": 2}


@pytest.mark.parametrize("seed", range(6))
def test_deaths_and_repetition_neither_lose_nor_double_anybody(seed: int) -> None:
    world = salon(seed, ranges=3)
    campaign_id = posted(world, *Tier).campaign.campaign_id
    world.chaos = Chaos(death=0.02, duplicate=0.2, early=0.1)
    view = world.run(campaign_id)

    assert adds_up(view)
    assert (view.audience.matched, view.audience.targeted) == (8, 6)
    assert sum(subjects(world).values()) <= 6
    assert view.campaign.status is CampaignStatus.COMPLETED
    assert {child.campaign.status for child in view.children} == {CampaignStatus.COMPLETED}


def test_what_is_planned_stays_when_the_ranking_changes_meanwhile() -> None:
    world = salon()
    campaign_id = posted(world, "top").campaign.campaign_id
    world.plan_campaign(BUSINESS_ID, campaign_id)
    ranking = world.rankings.get(BUSINESS_ID)
    assert ranking is not None
    world.rankings.latest.clear()
    for index in world.plan_campaign(BUSINESS_ID, campaign_id):
        world.expand_campaign(BUSINESS_ID, campaign_id, index, lambda: True)
    world.rest()

    assert subjects(world) == {"To the top": 1}


def test_pause_resume_and_cancel_go_to_the_children() -> None:
    world = salon()
    campaign_id = posted(world, "new", "top").campaign.campaign_id
    world.begin(campaign_id)
    parent = world.campaigns.get(BUSINESS_ID, campaign_id)

    def children() -> set[CampaignStatus]:
        return {world.campaigns.get(BUSINESS_ID, each).status for each in children_ids(parent)}

    world.steer_campaign.pause(BUSINESS_ID, campaign_id)
    world.rest()
    assert children() == {CampaignStatus.PAUSED}
    assert not world.mailer.emails
    world.steer_campaign.resume(BUSINESS_ID, campaign_id)
    assert children() == {CampaignStatus.SENDING}
    view = world.steer_campaign.cancel(BUSINESS_ID, campaign_id)
    world.rest()
    assert children() == {CampaignStatus.CANCELLED}
    assert [child.campaign.status for child in view.children] == [CampaignStatus.CANCELLED] * 2
    assert adds_up(world.campaign_service.get(BUSINESS_ID, campaign_id))


def test_a_cancellation_while_the_children_are_written_reaches_them() -> None:
    world = salon()
    campaign_id = posted(world, "new", "top").campaign.campaign_id
    add = world.campaigns.add

    def cancelled_first(campaign: Any) -> None:
        world.campaigns.add = add  # type: ignore[method-assign]
        world.steer_campaign.cancel(BUSINESS_ID, campaign_id)
        add(campaign)

    world.campaigns.add = cancelled_first  # type: ignore[method-assign]
    world.plan_campaign(BUSINESS_ID, campaign_id)

    assert {each.status for each in world.campaigns.rows.values()} == {CampaignStatus.CANCELLED}


def test_drafts_are_edited_copied_and_announced() -> None:
    world = salon()
    draft = posted(world, "new", is_draft=True).campaign
    change = CampaignChange(contents=lambda _: saying("new", "top")["contents"])
    view = world.edit_campaign.change(BUSINESS_ID, draft.campaign_id, change)
    assert view.foreseen is not None
    assert view.foreseen.targeted == 3
    copied = world.edit_campaign.copy(BUSINESS_ID, draft.campaign_id).campaign
    assert copied.contents == view.campaign.contents
    world.edit_campaign.announce(BUSINESS_ID, draft.campaign_id)
    world.run(draft.campaign_id)
    assert subjects(world) == {"To the new": 2, "To the top": 1}
    # A copy of what has been sent is for whom the campaign was for, and a copy of a child for its tier.
    again = world.edit_campaign.copy(BUSINESS_ID, draft.campaign_id).campaign
    assert (again.selection, again.contents) == (Selection(filter=EVERYBODY), view.campaign.contents)
    child = world.edit_campaign.copy(BUSINESS_ID, children_ids(draft_of(world, draft.campaign_id))[0]).campaign
    assert (child.selection.filter, child.contents) == ({"all": [EVERYBODY, {"tier": "new"}]}, None)
    everybody = CampaignChange(content=lambda _: EmailContent("To all", None, "Hello"))
    assert world.edit_campaign.change(BUSINESS_ID, copied.campaign_id, everybody).campaign.contents is None


def draft_of(world: World, campaign_id: str) -> Any:
    return world.campaigns.get(BUSINESS_ID, campaign_id)


def test_each_tier_and_the_segment_have_their_week() -> None:
    world = salon()
    posted(world, "new", "top")
    with pytest.raises(ConflictError) as refusal:
        posted(world, "top", "loyal")
    assert refusal.value.code == "loyalty_week_taken"
    posted(world, "loyal")
    with pytest.raises(ConflictError):
        world.post(category=Category.LOYALTY, selection=Selection(filter={"tier": "loyal"}))
    posted(world, "inactive", timing=Timing(world.clock.now() + DAY))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"category": Category.MARKETING}, "contents"),
        ({"selection": Selection(customer_ids=(id_of(1),))}, "contents"),
        ({"contents": {"new": EmailContent("Hi ##{{frist_name}}", None, "x")}}, "contents.new.subject"),
    ],
)
def test_what_cannot_be_by_tier_is_refused(given: Mapping[str, Any], field: str) -> None:
    world = salon()
    with pytest.raises(InvalidInputError) as error:
        posted(world, "new", **given)
    assert [each.field for each in error.value.errors] == [field]
    assert not world.campaigns.rows


def test_a_filter_by_tier_means_the_same_in_previews_lists_and_counts() -> None:
    world = salon()
    world.segments.put(Segment(BUSINESS_ID, "best", "Best", {"tier": "top"}, at(0)))
    for tier, expected in {"new": 2, "top": 1, "inactive": 2, "loyal": 0, "favourite": 1}.items():
        question = Question({"tier": tier}, Channel.EMAIL, Category.LOYALTY)
        audience = world.preview_audience(BUSINESS_ID, question)
        assert audience is not None
        assert audience.matched == expected
        assert world.post(selection=Selection(filter={"not": {"tier": tier}})).foreseen.matched == 8 - expected  # type: ignore[union-attr]
    assert world.post(selection=Selection(segment_id="best")).foreseen.matched == 1  # type: ignore[union-attr]
    for wrong in ("gold", 7, None):
        with pytest.raises(InvalidInputError):
            world.post(selection=Selection(filter={"tier": wrong}))


@pytest.mark.parametrize("tiers", [("new", "top", "favourite"), tuple(Tier)])
def test_a_count_by_tier_as_a_job_is_of_whom_it_is_sent_to(tiers: tuple[str, ...]) -> None:
    world, said = salon(), saying(*tiers)
    question = Question(EVERYBODY, Channel.EMAIL, said["category"], content=said["content"], contents=said["contents"])
    pinned = world.preview_audience.pin(BUSINESS_ID, question)
    view = world.run_to_end(world.job_service.start(BUSINESS_ID, JobKind.PREVIEW, pinned.written(), about=CAMPAIGN_ID))
    counted = audience_of(view.counts[0])
    named = {reason: {one.customer_id for one in view.spared if one.reason == reason} for reason in counted.excluded}
    listed = world.preview_audience.recipients(BUSINESS_ID, pinned, limit=100, cursor=None).items
    posted(world, *tiers)
    [(_, parent_id)] = [key for key, row in world.campaigns.rows.items() if row.parent_id is None]
    sent = world.run(parent_id)

    assert counted == sent.audience == world.preview_audience(BUSINESS_ID, pinned)
    assert {reason: len(ids) for reason, ids in named.items()} == dict(counted.excluded)
    assert {each.customer.customer_id: each.decision for each in listed if isinstance(each.decision, str)} == {
        customer_id: reason for reason, ids in named.items() for customer_id in ids
    }
    assert len(listed) == counted.matched
