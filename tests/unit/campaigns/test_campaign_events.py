"""The bus hears of a campaign when it pauses, completes or bounces too much, once for each write that did it."""

from copy import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.campaigns.application.project_campaigns import ProjectCampaigns
from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus, FinalWords
from rebound.kernel.audiences import Audience
from rebound.kernel.channels import Channel
from rebound.kernel.events import BounceRateWarned, CampaignCompleted, CampaignPaused, DomainEvent, PausedBy
from rebound.kernel.pages import RowChange
from rebound.kernel.receipts import Outcome
from tests.contract.campaigns.fakes import MemoryChunkLedger, MemoryExpansionLedger, MemoryTallyBook
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, at, bare, campaign, customer
from tests.fakes.world import Chaos, World

WARNING = FinalWords(total=612, hard_bounces=14)


def told(before: Campaign | None, after: Campaign) -> list[DomainEvent]:
    expansion, tallies, world = MemoryExpansionLedger(MemoryChunkLedger()), MemoryTallyBook(), World()
    events = world.domain_events
    progress = expansion.get(CAMPAIGN_ID, 0)
    expansion.commit(replace(progress, audience=Audience(9, {"opted_out": 2, "no_address": 0})))
    tallies.add(
        CAMPAIGN_ID, "s", {"delivered": 3, "final": 4, "failed": 1, "fault": 1, "sent": 2}, after=None, position="1"
    )
    project = ProjectCampaigns(expansion=expansion, tallies=tallies, publish=world.publish_events)
    trips = project(RowChange(before, after, "change-1", at(0)))
    paused = [event for event in events.published if isinstance(event, CampaignPaused)]
    assert trips == sum(event.by is PausedBy.BREAKER for event in paused)
    return [bare(event) for event in events.published]


def test_a_pause_says_who_asked_for_it() -> None:
    sending = campaign(status=CampaignStatus.SENDING, version=3)
    by_person = replace(sending, status=CampaignStatus.PAUSED, version=4)
    by_itself = replace(by_person, paused_because="Too much failed.")

    assert told(sending, by_person) == [
        CampaignPaused(BUSINESS_ID, CAMPAIGN_ID, PausedBy.PERSON, None, 4, "change-1"),
    ]
    paused = told(sending, by_itself)
    assert paused == [
        CampaignPaused(BUSINESS_ID, CAMPAIGN_ID, PausedBy.BREAKER, "Too much failed.", 4, "change-1"),
    ]


def test_a_completion_has_the_counts_that_add_up_and_no_markers() -> None:
    sending = campaign(status=CampaignStatus.SENDING, version=3)
    [completed] = told(sending, replace(sending, status=CampaignStatus.COMPLETED, version=4))

    assert completed == CampaignCompleted(
        BUSINESS_ID,
        CAMPAIGN_ID,
        matched=9,
        excluded={"opted_out": 2},
        targeted=7,
        results={"queued": 1, "sent": 2, "delivered": 3, "bounced": 0, "failed": 1, "uncertain": 0, "cancelled": 0},
        version=4,
        change_id="change-1",
    )


def test_a_warning_is_told_once() -> None:
    sending = campaign(status=CampaignStatus.SENDING, version=3)
    warned = replace(sending, bounce_warning=WARNING, version=4)

    assert told(sending, warned) == [BounceRateWarned(BUSINESS_ID, CAMPAIGN_ID, 14, 612, 4, "change-1")]
    assert told(warned, replace(warned, version=5)) == []
    stopped = told(sending, replace(warned, status=CampaignStatus.PAUSED, paused_because="Too much."))
    assert [type(event) for event in stopped] == [BounceRateWarned, CampaignPaused]


@pytest.mark.parametrize("status", CampaignStatus)
def test_a_write_that_changes_no_status_tells_nothing_and_so_does_a_single_message(status: CampaignStatus) -> None:
    same = campaign(status=status)
    single = campaign(status=status, single=True, bounce_warning=WARNING)

    assert told(same, replace(same, version=9)) == []
    assert told(None, single) == []
    assert told(replace(single, status=CampaignStatus.EXPANDING, bounce_warning=None), single) == []


class ResumingWorld(World):
    """A world in which somebody resumes the campaign each time that it is paused."""

    campaign_id: str

    def _tick(self) -> bool:
        paused = self.campaigns.get(BUSINESS_ID, self.campaign_id).status is CampaignStatus.PAUSED
        if paused and self.random.random() < 0.3:
            self.steer_campaign.resume(BUSINESS_ID, self.campaign_id)
        return super()._tick() or paused


@given(st.integers(0, 1 << 30))
def test_whatever_dies_each_transition_is_told_and_a_repetition_is_known_by_its_change(seed: int) -> None:
    world = ResumingWorld(seed=seed)
    world.chaos = Chaos(death=0.02, duplicate=0.2)
    world.add(*(customer(number) for number in range(1, 121)))
    for number in range(1, 121):
        world.outcomes[f"+1415556{number:04d}"] = ((Outcome.FAILED, "30007", 1.0),)
    world.campaign_id = world.post(Channel.SMS).campaign.campaign_id
    view = world.run(world.campaign_id)
    written = [
        change.after.status
        for changes in world.campaigns.stream.everything().values()
        for change in changes
        if change.before is not None and change.before.status is not change.after.status
    ]
    distinct = {event.change_id: event for event in world.domain_events.published if isinstance(event, CampaignPaused)}
    completions = {event.change_id for event in world.domain_events.published if isinstance(event, CampaignCompleted)}

    assert view.campaign.status is CampaignStatus.COMPLETED
    assert len(distinct) == written.count(CampaignStatus.PAUSED)
    assert all(event.by is PausedBy.BREAKER and event.reason for event in distinct.values())
    assert len(completions) == 1
