"""Pause, resume and cancel: nothing is handed over meanwhile, nobody is skipped and nobody is sent to twice."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.application.timing import Timing
from rebound.campaigns.application.campaign_service import CampaignView
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError
from rebound.messages.domain.messages import MessageStatus
from tests.fakes.making import BUSINESS_ID, customer
from tests.fakes.world import Chaos, World


class SteeredWorld(World):
    """A world in which somebody pauses and resumes the campaign at any time, and cancels it if asked to."""

    campaign_id: str
    cancels: bool = False

    def _tick(self) -> bool:
        status = self.status
        dice = self.random.random()
        if status is CampaignStatus.PAUSED:
            if dice < 0.3:
                self.steer_campaign.resume(BUSINESS_ID, self.campaign_id)
        elif status in (CampaignStatus.EXPANDING, CampaignStatus.SENDING) and dice < 0.2:
            self.steer_campaign.pause(BUSINESS_ID, self.campaign_id)
        elif self.cancels and status is CampaignStatus.SENDING and dice < 0.4:
            self.steer_campaign.cancel(BUSINESS_ID, self.campaign_id)
        return super()._tick() or status is CampaignStatus.PAUSED

    @property
    def status(self) -> CampaignStatus:
        """Where the campaign stands."""
        return self.campaigns.get(BUSINESS_ID, self.campaign_id).status


STORM = Chaos(death=0.01, duplicate=0.2, early=0.1, reminders=0.05)


def handed_over(world: World) -> Counter[str]:
    return Counter(
        key.customer_id for script in (world.mailer, world.twilio_texter) for key in script.went_out.elements()
    )


def steered(seed: int, channel: Channel, chaos: Chaos, *, cancels: bool) -> tuple[SteeredWorld, CampaignView]:
    world = SteeredWorld(seed=seed)
    world.chaos = chaos
    world.add(*(customer(number) for number in range(1, 121)))
    world.campaign_id = world.post(channel).campaign.campaign_id
    world.cancels = cancels
    return world, world.run(world.campaign_id)


def check(view: CampaignView) -> None:
    assert view.audience.matched == sum(view.audience.excluded.values()) + view.audience.targeted
    assert sum(view.results.values()) == view.audience.targeted
    assert view.results[MessageStatus.QUEUED] == 0


@given(st.integers(0, 1 << 30), st.sampled_from(Channel), st.booleans())
def test_pauses_at_any_time_skip_nobody_and_repeat_nobody(seed: int, channel: Channel, calm: bool) -> None:
    world, view = steered(seed, channel, Chaos() if calm else STORM, cancels=False)

    check(view)
    assert view.campaign.status is CampaignStatus.COMPLETED
    assert view.audience.matched == 120
    assert max(handed_over(world).values()) == 1
    if calm:
        assert len(handed_over(world)) == 120


@given(st.integers(0, 1 << 30), st.sampled_from(Channel))
def test_a_cancellation_ends_everybody_who_was_not_handed_over(seed: int, channel: Channel) -> None:
    world, view = steered(seed, channel, Chaos(), cancels=True)

    check(view)
    sent = len(handed_over(world))
    assert view.results[MessageStatus.CANCELLED] == view.audience.targeted - sent
    assert (view.campaign.status is CampaignStatus.CANCELLED) or sent == 120


@pytest.mark.parametrize("channel", Channel)
def test_while_a_campaign_is_paused_nothing_is_handed_over(channel: Channel) -> None:
    world = World()
    world.add(*(customer(number) for number in range(1, 121)))
    campaign_id = world.post(channel).campaign.campaign_id
    for index in world.plan_campaign(BUSINESS_ID, campaign_id):
        world.expand_campaign(BUSINESS_ID, campaign_id, index, lambda: True)
    world.steer_campaign.pause(BUSINESS_ID, campaign_id)
    world.rest()

    assert not handed_over(world)
    world.steer_campaign.resume(BUSINESS_ID, campaign_id)
    world.rest()
    assert len(handed_over(world)) == 120


def test_a_pause_between_the_decision_and_the_call_holds() -> None:
    world = World()
    world.add(customer(1))
    campaign_id = world.post().campaign.campaign_id
    for index in world.plan_campaign(BUSINESS_ID, campaign_id):
        world.expand_campaign(BUSINESS_ID, campaign_id, index, lambda: True)
    get_many: Any = world.contacts.get_many
    paused = False

    def and_pause(*given: Any) -> Any:
        nonlocal paused
        if not paused:
            paused = True
            world.steer_campaign.pause(BUSINESS_ID, campaign_id)
        return get_many(*given)

    world.contacts.get_many = and_pause  # type: ignore[method-assign,assignment]
    world.rest()

    assert paused
    assert not handed_over(world)


def test_what_has_ended_cannot_be_steered() -> None:
    world = World()
    world.add(customer(1))
    campaign_id = world.post().campaign.campaign_id
    world.run(campaign_id)
    for steer in (world.steer_campaign.pause, world.steer_campaign.resume, world.steer_campaign.cancel):
        with pytest.raises(ConflictError, match="completed"):
            steer(BUSINESS_ID, campaign_id)


def test_a_scheduled_campaign_that_is_paused_waits_for_its_resume_when_its_time_comes() -> None:
    world = World()
    world.add(customer(1))
    campaign_id = world.post(timing=Timing(world.clock.now() + timedelta(hours=1))).campaign.campaign_id
    world.steer_campaign.pause(BUSINESS_ID, campaign_id)
    assert world.steer_campaign.resume(BUSINESS_ID, campaign_id).campaign.status is CampaignStatus.SCHEDULED
    world.steer_campaign.pause(BUSINESS_ID, campaign_id)
    world.clock.move(timedelta(hours=1))
    for index in world.plan_campaign(BUSINESS_ID, campaign_id):
        world.expand_campaign(BUSINESS_ID, campaign_id, index, lambda: True)
    world.rest()
    assert not handed_over(world)

    world.steer_campaign.resume(BUSINESS_ID, campaign_id)
    world.rest()
    assert len(handed_over(world)) == 1
