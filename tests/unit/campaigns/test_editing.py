"""Campaigns are edited until they begin, wholly or not at all; copies and drafts are sent by nobody but their owner."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.businesses.application.timing import Timing
from rebound.campaigns.application.campaign_service import CampaignsWanted, CampaignView, NewCampaign
from rebound.campaigns.application.edit_campaign import CampaignChange
from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import (
    ChangedMeanwhileError,
    ConcurrentChangeError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
)
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import UNWRITTEN, Content, EmailContent
from tests.fakes.making import BUSINESS_ID, GREETING, at, business, customer, id_of
from tests.fakes.world import World

OTHER = EmailContent("Another", "<p>Other</p>", "Other")
TO_TWO = Selection(customer_ids=(id_of(1), id_of(2)))


def world_of(people: int = 3) -> World:
    world = World(ranges=1)
    world.add(*(customer(n) for n in range(1, people + 1)))
    return world


def later(world: World, seconds: float = 3600, **given_: Any) -> Campaign:
    return world.post(timing=Timing(world.clock.now() + timedelta(seconds=seconds)), **given_).campaign


def said(content: Content) -> CampaignChange:
    return CampaignChange(content=lambda _: content)


def timed(send_at: datetime | None) -> CampaignChange:
    return CampaignChange(timing=lambda before: Timing(send_at, expires_at=before.expires_at))


def meant(selection: Selection) -> CampaignChange:
    return CampaignChange(selection=lambda _: selection)


def stored(world: World, campaign: Campaign) -> Campaign:
    return world.campaigns.get(BUSINESS_ID, campaign.campaign_id)


def subjects(world: World) -> list[str]:
    return [email.content.subject for email in world.mailer.emails]


def test_an_edit_is_in_what_is_sent() -> None:
    world = world_of()
    campaign = later(world)
    change = CampaignChange(
        name="Winter", category=Category.LOYALTY, content=lambda _: OTHER, selection=lambda _: TO_TWO,
        exclude_failed=False, include_customer_ids=frozenset({id_of(1)}),
    )  # fmt: skip
    view = world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, change)
    world.clock.move(timedelta(hours=1))
    run = world.run(campaign.campaign_id)

    assert view.foreseen is not None
    assert (view.foreseen.matched, run.audience.matched) == (2, 2)
    assert view.campaign == stored_before_run(run.campaign, view)
    assert subjects(world) == ["Another", "Another"]
    assert (run.campaign.name, run.campaign.category, run.campaign.exclude_failed) == (
        "Winter",
        Category.LOYALTY,
        False,
    )


def stored_before_run(ran: Campaign, view: CampaignView) -> Campaign:
    """What the edit answered says the same as what ran, but for what the run adds."""
    names = ("name", "category", "channel", "selection", "content", "exclude_failed", "include_customer_ids", "send_at")
    assert all(getattr(ran, name) == getattr(view.campaign, name) for name in names)
    return view.campaign


def test_what_is_not_named_stays() -> None:
    world = world_of()
    campaign = later(world)
    changed = world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, CampaignChange(name="Winter")).campaign

    assert changed == stored(world, campaign)
    assert {
        name for name in Campaign.__struct_fields__ if getattr(changed, name) != getattr(campaign, name)
    } == {"name", "version"}  # fmt: skip


@pytest.mark.parametrize("begun_by", ["plan", "end"])
def test_what_has_begun_is_not_edited(begun_by: str) -> None:
    world = world_of()
    campaign = world.post().campaign
    if begun_by == "plan":
        world.begin(campaign.campaign_id)
    else:
        world.run(campaign.campaign_id)
    before = stored(world, campaign)
    with pytest.raises(ConflictError) as raised:
        world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, said(OTHER))

    assert raised.value.code == ("campaign_begun" if begun_by == "plan" else "campaign_ended")
    assert raised.value.members == {"campaign_status": before.status}
    assert stored(world, campaign) == before


def test_a_campaign_that_is_about_to_begin_is_not_edited() -> None:
    world = world_of()
    campaign = world.post().campaign
    with pytest.raises(ConflictError, match="begun"):
        world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, said(OTHER))


def between(world: World, happens: Callable[[], object]) -> None:
    """Let something happen once, between the next read of a campaign and the write that follows from it."""
    replace = world.campaigns.replace

    def replaced(before: Campaign, after: Campaign) -> None:
        world.campaigns.replace = replace  # type: ignore[method-assign]
        happens()
        replace(before, after)

    world.campaigns.replace = replaced  # type: ignore[method-assign]


@settings(max_examples=30, deadline=None)
@given(st.booleans(), st.sampled_from(["content", "audience", "time"]))
def test_an_edit_that_races_the_start_is_in_it_wholly_or_refused(edit_is_first: bool, what: str) -> None:
    world = world_of()
    campaign = later(world)
    world.clock.move(timedelta(hours=1))
    change = {"content": said(OTHER), "audience": meant(TO_TWO), "time": timed(world.clock.now() + timedelta(hours=9))}
    refused: list[str] = []

    def edit() -> None:
        try:
            world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, change[what])
        except ConflictError as error:
            refused.append(error.code)

    if edit_is_first:
        between(world, edit)
        with pytest.raises(ConcurrentChangeError):
            world.plan_campaign(BUSINESS_ID, campaign.campaign_id)
    else:
        between(world, lambda: world.plan_campaign(BUSINESS_ID, campaign.campaign_id))
        edit()

    assert refused == ([] if edit_is_first else ["campaign_begun"])
    if edit_is_first and what == "time":
        assert world.plan_campaign(BUSINESS_ID, campaign.campaign_id) == ()
        world.clock.move(timedelta(hours=9))
    world.run(campaign.campaign_id)
    new = edit_is_first
    assert len(subjects(world)) == (2 if new and what == "audience" else 3)
    assert {subject == "Another" for subject in subjects(world)} == {new and what == "content"}


def test_a_campaign_that_is_moved_starts_at_its_new_time_alone() -> None:
    world = world_of()
    campaign = later(world)
    new = at(7200)
    world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, timed(new))
    assert world.runner.scheduled[BUSINESS_ID, campaign.campaign_id] == {at(3600), new}

    world.clock.move(timedelta(hours=1))
    assert world.plan_campaign(BUSINESS_ID, campaign.campaign_id) == ()
    look = world.look_at_campaign(BUSINESS_ID, campaign.campaign_id, 0)
    assert look.for_the_state_machine()["not_due"] is True
    assert stored(world, campaign).status is CampaignStatus.SCHEDULED
    world.clock.move(timedelta(hours=1))
    assert world.run(campaign.campaign_id).campaign.status is CampaignStatus.COMPLETED
    assert len(subjects(world)) == 3


def test_a_schedule_whose_clock_is_ahead_starts_the_campaign_all_the_same() -> None:
    world = world_of()
    campaign = later(world)
    world.clock.move(timedelta(hours=1) - timedelta(milliseconds=70))

    assert world.plan_campaign(BUSINESS_ID, campaign.campaign_id) == range(1)
    assert world.clock.now() >= at(3600)


@pytest.mark.parametrize("when", [None, at(-60)])
def test_a_campaign_that_is_moved_to_now_begins(when: datetime | None) -> None:
    world = world_of()
    campaign = later(world)
    view = world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, timed(when))

    assert view.campaign.status is CampaignStatus.EXPANDING
    assert world.runner.started == [(BUSINESS_ID, campaign.campaign_id)]


def test_a_paused_campaign_is_edited_and_begins_when_it_is_resumed() -> None:
    world = world_of()
    campaign = later(world)
    world.steer_campaign.pause(BUSINESS_ID, campaign.campaign_id)
    view = world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, timed(None))
    assert view.campaign.status is CampaignStatus.PAUSED
    assert world.runner.started == []
    world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, said(OTHER))

    resumed = world.steer_campaign.resume(BUSINESS_ID, campaign.campaign_id)
    assert resumed.campaign.status is CampaignStatus.EXPANDING
    assert world.runner.started == [(BUSINESS_ID, campaign.campaign_id)]
    world.run(campaign.campaign_id)
    assert set(subjects(world)) == {"Another"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (said(EmailContent("##{{x}}", "h")), "content.subject"),
        (meant(Selection(segment_id="none")), "segment_id"),
        (meant(Selection(filter={"tag": 1})), "filter.tag"),
        (timed(at(400 * 86400)), "send_at"),
    ],
)
def test_a_wrong_edit_names_its_field_and_changes_nothing(change: CampaignChange, field: str) -> None:
    world = world_of()
    campaign = later(world)
    before = stored(world, campaign)
    with pytest.raises(InvalidInputError) as raised:
        world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, change)

    assert [error.field for error in raised.value.errors] == [field]
    assert stored(world, campaign) == before
    with pytest.raises(NotFoundError):
        world.edit_campaign.change("another", campaign.campaign_id, change)


def test_a_segment_that_is_gone_keeps_nobody_from_naming_another() -> None:
    world = world_of()
    world.segment_service.put(BUSINESS_ID, "vips", "VIPs", {"tag": "vip"})
    campaign = later(world, selection=Selection(segment_id="vips"))
    world.segment_service.delete(BUSINESS_ID, "vips")
    world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, CampaignChange(name="Winter"))
    view = world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, meant(TO_TWO))

    assert (view.campaign.name, view.campaign.selection) == ("Winter", TO_TWO)


def draft(world: World, **given_: Any) -> Campaign:
    return world.post(is_draft=True, **given_).campaign


def test_a_draft_is_kept_and_nothing_sends_it_until_it_is_announced() -> None:
    world = World(business(email_from=None))
    world.add(customer(1))
    campaign = draft(world, timing=Timing(at(3600)))
    for move in (world.steer_campaign.pause, world.steer_campaign.resume):
        with pytest.raises(ConflictError, match="draft"):
            move(BUSINESS_ID, campaign.campaign_id)
    assert (world.runner.started, dict(world.runner.scheduled)) == ([], {})
    world.clock.move(timedelta(hours=2))
    assert world.plan_campaign(BUSINESS_ID, campaign.campaign_id) == ()
    with pytest.raises(InvalidInputError, match="send_at"):
        world.edit_campaign.announce(BUSINESS_ID, campaign.campaign_id)
    world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, timed(None))
    with pytest.raises(ConflictError, match="email_from"):
        world.edit_campaign.announce(BUSINESS_ID, campaign.campaign_id)

    assert stored(world, campaign).status is CampaignStatus.DRAFT


@pytest.mark.parametrize("seconds", [None, 3600])
def test_an_announced_draft_is_sent_once_however_often_it_is_announced(seconds: int | None) -> None:
    world = world_of()
    campaign = draft(world, timing=Timing(None if seconds is None else at(seconds)))
    view = world.edit_campaign.announce(BUSINESS_ID, campaign.campaign_id)
    again = world.edit_campaign.announce(BUSINESS_ID, campaign.campaign_id)

    assert view.campaign == again.campaign
    assert view.campaign.status is (CampaignStatus.EXPANDING if seconds is None else CampaignStatus.SCHEDULED)
    assert len(world.runner.started) == (seconds is None)
    assert world.runner.scheduled == ({} if seconds is None else {(BUSINESS_ID, campaign.campaign_id): {at(3600)}})
    world.clock.move(timedelta(seconds=seconds or 0))
    world.run(campaign.campaign_id)
    assert len(subjects(world)) == 3
    with pytest.raises(ConflictError, match="completed"):
        world.edit_campaign.announce(BUSINESS_ID, campaign.campaign_id)


def test_a_draft_is_given_up() -> None:
    world = world_of()
    campaign = draft(world)
    world.steer_campaign.cancel(BUSINESS_ID, campaign.campaign_id)

    assert stored(world, campaign).status is CampaignStatus.CANCELLED
    with pytest.raises(ConflictError):
        world.edit_campaign.announce(BUSINESS_ID, campaign.campaign_id)


def test_a_copy_is_a_draft_of_the_same_without_a_time() -> None:
    world = world_of()
    world.segment_service.put(BUSINESS_ID, "all", "All", {"all": []})
    original = later(
        world, name="Autumn", selection=Selection(segment_id="all"), exclude_failed=False,
        include_customer_ids=frozenset({id_of(1)}),
    )  # fmt: skip
    world.clock.move(timedelta(hours=1))
    world.run(original.campaign_id)
    started, emails = list(world.runner.started), len(subjects(world))
    view = world.edit_campaign.copy(BUSINESS_ID, original.campaign_id)
    copied = view.campaign

    same = {"name", "category", "channel", "content", "exclude_failed", "include_customer_ids"}
    assert all(getattr(copied, name) == getattr(original, name) for name in same)
    assert copied.selection == Selection(segment_id="all")
    assert (copied.status, copied.send_at, copied.run_id) == (CampaignStatus.DRAFT, None, None)
    assert copied.campaign_id != original.campaign_id
    assert (world.runner.started, len(subjects(world))) == (started, emails)
    assert view.foreseen is not None
    assert view.foreseen.targeted == 3


def test_a_copy_takes_changes_with_it_and_is_made_once_for_a_request() -> None:
    world = world_of()
    original = later(world)
    change = CampaignChange(name="Winter", content=lambda _: OTHER, timing=lambda _: Timing(at(7200)))
    first, again = (
        world.edit_campaign.copy(BUSINESS_ID, original.campaign_id, change, request="copy-1") for _ in range(2)
    )

    assert first.campaign.campaign_id == again.campaign.campaign_id
    assert (first.campaign.name, first.campaign.content, first.campaign.send_at) == ("Winter", OTHER, at(7200))
    assert stored(world, original) == original.__replace__(version=1)
    assert world.runner.scheduled == {(BUSINESS_ID, original.campaign_id): {at(3600)}}


def test_a_post_that_is_tried_again_after_an_edit_leaves_the_edit() -> None:
    world = world_of()
    new = NewCampaign("Autumn", Category.MARKETING, Channel.EMAIL, TO_TWO, GREETING, timing=Timing(at(3600)))
    campaign = world.campaign_service.post(BUSINESS_ID, new, "post-1").campaign
    world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, timed(at(7200)))
    world.runner.scheduled.clear()
    world.campaign_service.post(BUSINESS_ID, new, "post-1")

    assert world.runner.scheduled == {(BUSINESS_ID, campaign.campaign_id): {at(7200)}}


MOVES = st.one_of(
    st.tuples(st.just("time"), st.one_of(st.none(), st.integers(0, 300))),
    st.tuples(st.sampled_from(["pause", "resume", "announce", "again"]), st.none()),
    st.tuples(st.just("wait"), st.integers(1, 120)),
)


@settings(max_examples=48, deadline=None)
@given(st.booleans(), st.integers(1, 300), st.lists(MOVES, max_size=12))
def test_whatever_is_done_to_it_before_a_campaign_runs_once_at_its_time_and_not_before(
    is_draft: bool, minutes: int, moves: list[tuple[str, int | None]]
) -> None:
    world = world_of(1)
    campaign = world.post(timing=Timing(at(minutes * 60)), is_draft=is_draft).campaign
    fired: set[tuple[datetime, str]] = set()

    def executions() -> None:
        """Every schedule whose time has come starts an execution, and so does every start."""
        now = world.clock.now()
        due = {(when, campaign.campaign_id) for when in world.runner.scheduled[BUSINESS_ID, campaign.campaign_id]}
        starts = {(at(), name) for name in world.runner.starts}
        for start in sorted({*due, *starts} - fired):
            if start[0] > now:
                continue
            fired.add(start)
            before = stored(world, campaign)
            world.plan_campaign(BUSINESS_ID, campaign.campaign_id)
            after = stored(world, campaign)
            if after.run_id != before.run_id:
                assert before.run_id is None
                assert before.send_at is None or before.send_at <= now
                assert before.status in (CampaignStatus.SCHEDULED, CampaignStatus.EXPANDING, CampaignStatus.PAUSED)

    def move(what: str, value: int | None) -> None:
        match what:
            case "time":
                when = None if value is None else at(value * 60)
                if when is not None and when < world.clock.now() - timedelta(minutes=4):
                    when = None
                world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, timed(when))
            case "pause":
                world.steer_campaign.pause(BUSINESS_ID, campaign.campaign_id)
            case "resume":
                world.steer_campaign.resume(BUSINESS_ID, campaign.campaign_id)
            case "announce" | "again":
                world.edit_campaign.announce(BUSINESS_ID, campaign.campaign_id)
            case _:
                world.clock.move(timedelta(minutes=value or 0))

    for what, value in moves:
        try:
            move(what, value)
        except (ConflictError, InvalidInputError):
            continue
        executions()
    if stored(world, campaign).status is CampaignStatus.DRAFT:
        world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, timed(None))
        world.edit_campaign.announce(BUSINESS_ID, campaign.campaign_id)
    world.clock.move(timedelta(hours=9))
    executions()
    world.steer_campaign.resume(BUSINESS_ID, campaign.campaign_id)
    executions()

    assert stored(world, campaign).run_id is not None
    world.run(campaign.campaign_id)
    assert len(subjects(world)) == 1


WORDS = ["autumn", "Offer", "WINTER", "Ärger", "arger", "off"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(list(Category)), st.booleans()), max_size=12),
    st.sampled_from([None, *WORDS]),
    st.sampled_from([None, *Category]),
    st.sampled_from([None, CampaignStatus.DRAFT, CampaignStatus.EXPANDING, CampaignStatus.PAUSED]),
    st.integers(1, 5),
)
def test_a_list_has_all_that_match_and_its_pages_are_full(
    posted: list[tuple[str, Category, bool]],
    q: str | None,
    category: Category | None,
    status: CampaignStatus | None,
    limit: int,
) -> None:
    world = World(business(loyalty_interval_days=None))
    for name, of, is_draft in posted:
        world.post(name=f"The {name} one", category=of, is_draft=is_draft)
    plain = {"Ärger": "arger"}
    matching = [
        name
        for name, of, is_draft in reversed(posted)
        if (category in (None, of))
        and status in (None, CampaignStatus.DRAFT if is_draft else CampaignStatus.EXPANDING)
        and (q is None or plain.get(q, q).lower() in plain.get(name, name).lower())
    ]
    pages: list[list[str]] = []
    cursor: str | None = None
    while True:
        page = world.campaign_service.page(BUSINESS_ID, limit, cursor, CampaignsWanted(status, category, q))
        pages.append([view.campaign.name for view in page.items])
        cursor = page.next_cursor
        if cursor is None:
            break

    assert [name for page in pages for name in page] == [f"The {name} one" for name in matching]
    assert all(len(page) == limit for page in pages[:-1])


@pytest.mark.parametrize("q", [" ", "\N{ZERO WIDTH SPACE}"])
def test_a_list_that_looks_for_nothing_is_refused(q: str) -> None:
    with pytest.raises(InvalidInputError):
        World().campaign_service.page(BUSINESS_ID, 5, None, CampaignsWanted(q=q))


def test_a_campaign_that_is_moved_while_it_is_paused_has_a_schedule_for_when_it_is_resumed() -> None:
    world = world_of()
    campaign = later(world)
    world.steer_campaign.pause(BUSINESS_ID, campaign.campaign_id)
    world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, timed(at(7200)))
    world.clock.move(timedelta(hours=1))
    assert world.plan_campaign(BUSINESS_ID, campaign.campaign_id) == ()
    resumed = world.steer_campaign.resume(BUSINESS_ID, campaign.campaign_id).campaign

    assert resumed.status is CampaignStatus.SCHEDULED
    assert at(7200) in world.runner.scheduled[BUSINESS_ID, campaign.campaign_id]


def test_a_start_that_found_nothing_to_do_is_not_in_the_way_of_the_next() -> None:
    world = world_of()
    campaign = world.post().campaign
    assert world.runner.started == [(BUSINESS_ID, campaign.campaign_id)]
    world.steer_campaign.pause(BUSINESS_ID, campaign.campaign_id)
    world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, timed(at(7200)))
    assert world.plan_campaign(BUSINESS_ID, campaign.campaign_id) == ()
    world.steer_campaign.resume(BUSINESS_ID, campaign.campaign_id)
    world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, timed(None))

    assert world.runner.started == [(BUSINESS_ID, campaign.campaign_id)] * 2
    assert world.run(campaign.campaign_id).campaign.status is CampaignStatus.COMPLETED


def test_a_draft_may_have_no_words_yet_and_is_announced_only_once_it_has() -> None:
    world = world_of()
    draft = world.post(content=UNWRITTEN[0], is_draft=True).campaign
    changed = world.edit_campaign.change(BUSINESS_ID, draft.campaign_id, CampaignChange(category=Category.LOYALTY))
    with pytest.raises(InvalidInputError) as refused:
        world.edit_campaign.announce(BUSINESS_ID, draft.campaign_id)
    assert [error.field for error in refused.value.errors] == ["content"]
    assert stored(world, draft) == changed.campaign
    world.edit_campaign.change(BUSINESS_ID, draft.campaign_id, said(OTHER))
    world.edit_campaign.announce(BUSINESS_ID, draft.campaign_id)
    world.run(draft.campaign_id)
    assert set(subjects(world)) == {"Another"}


def test_what_is_no_draft_has_words() -> None:
    world = world_of()
    with pytest.raises(InvalidInputError):
        world.post(content=UNWRITTEN[0])
    campaign = later(world)
    with pytest.raises(InvalidInputError):
        world.edit_campaign.change(BUSINESS_ID, campaign.campaign_id, said(UNWRITTEN[0]))


def test_a_change_that_rests_on_another_state_is_refused_and_changes_nothing() -> None:
    world = world_of()
    draft = world.post(is_draft=True).campaign
    was = stored(world, draft)
    now = world.edit_campaign.change(BUSINESS_ID, draft.campaign_id, said(OTHER), version=was.version).campaign
    with pytest.raises(ChangedMeanwhileError):
        world.edit_campaign.change(BUSINESS_ID, draft.campaign_id, said(GREETING), version=was.version)
    with pytest.raises(ChangedMeanwhileError):
        world.edit_campaign.announce(BUSINESS_ID, draft.campaign_id, version=was.version)
    assert stored(world, draft) == now


def test_whoever_does_not_ask_whom_it_reaches_is_not_told() -> None:
    world = world_of()
    draft = world.post(is_draft=True).campaign
    change = world.edit_campaign.change
    assert change(BUSINESS_ID, draft.campaign_id, said(OTHER), foresees=False).foreseen is None
    assert change(BUSINESS_ID, draft.campaign_id, said(OTHER)).foreseen is not None
