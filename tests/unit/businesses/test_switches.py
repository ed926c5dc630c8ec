"""What a business has switched off, or has not booked, does not go out, and who asks is told which switch it is."""

from collections.abc import Mapping
from copy import replace
from typing import Any

import pytest

from rebound.businesses.domain.business import Barrier, Switches
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.eligibility.application.preview_audience import Question
from rebound.eligibility.domain.explanation import attempt_sentence
from rebound.kernel.audiences import Audience
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError, InvalidInputError
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.templates.domain.content import Content, EmailContent, TextContent
from tests.contract.campaigns.fakes import adds_up
from tests.fakes.making import BUSINESS_ID, business, customer, everybody, id_of
from tests.fakes.world import World, always

CHANNELS = pytest.mark.parametrize("channel", list(Channel))
OFF = {Channel.EMAIL: Switches(email=False), Channel.SMS: Switches(sms=False)}
CONTENT: Mapping[Channel, Content] = {
    Channel.EMAIL: EmailContent("Tomorrow at ten", text="Please confirm."),
    Channel.SMS: TextContent("Tomorrow at ten. Please answer C to confirm."),
}


def salon(**given: Any) -> World:
    world = World(business(**given), ranges=1)
    world.add(*(customer(number) for number in (1, 2, 3)))
    return world


def change(world: World, **given: Any) -> None:
    world.businesses.replace(replace(world.businesses.get(BUSINESS_ID), **given))


def remind(world: World, channel: Channel = Channel.SMS, **given: Any) -> Message:
    return world.post_message(
        BUSINESS_ID,
        customer_id=id_of(1),
        category=Category.REMINDER,
        channel=channel,
        content=CONTENT[channel],
        **given,
    )


@CHANNELS
def test_a_channel_that_is_off_takes_neither_campaign_nor_message_and_says_which_switch(channel: Channel) -> None:
    world = salon(switches=OFF[channel])
    name = "switches.email" if channel is Channel.EMAIL else "switches.sms"
    with pytest.raises(ConflictError, match=name):
        world.post(channel)
    with pytest.raises(ConflictError, match=name):
        remind(world, channel)
    asked = Question(everybody(), channel, Category.TRANSACTIONAL)

    assert world.preview_audience(BUSINESS_ID, asked) == Audience(3, {"channel_off": 3})
    assert world.campaigns.rows == {}


@CHANNELS
def test_the_other_channel_goes_on(channel: Channel) -> None:
    other = next(each for each in Channel if each is not channel)
    world = salon(switches=OFF[other])
    campaign_id = world.post(channel).campaign.campaign_id

    assert world.run(campaign_id).results[MessageStatus.DELIVERED] == 3


@CHANNELS
def test_what_is_queued_when_the_switch_goes_off_is_left_out(channel: Channel) -> None:
    world = salon()
    campaign_id = world.post(channel).campaign.campaign_id
    remind(world, channel)
    world.plan_campaign(BUSINESS_ID, campaign_id)
    world.expand_campaign(BUSINESS_ID, campaign_id, 0, always)
    change(world, switches=OFF[channel])
    world.rest()
    view = world.run(campaign_id)
    (single,) = [row for row in world.messages.rows.values() if row.campaign_id is None]

    assert (world.mailer if channel is Channel.EMAIL else world.twilio_texter).handed == []
    assert (view.campaign.status, view.audience.excluded) == (CampaignStatus.COMPLETED, {"channel_off": 3})
    assert adds_up(view)
    assert (single.status, single.reason, single.barrier) == (
        MessageStatus.EXCLUDED,
        "channel_off",
        Barrier.SWITCHED_OFF,
    )
    assert attempt_sentence(single).endswith(f"had switched {'emails' if channel is Channel.EMAIL else 'texts'} off.")
    assert {row.barrier for row in world.messages.rows.values()} == {Barrier.SWITCHED_OFF}


@CHANNELS
def test_what_is_queued_when_the_sender_goes_says_so(channel: Channel) -> None:
    world = salon()
    posted = remind(world, channel)
    change(world, email_from=None, text_from=None)
    world.rest()

    assert "had no sender set for" in attempt_sentence(world.messages.rows[posted.key])


@CHANNELS
def test_a_scheduled_campaign_finds_the_channel_off_at_its_expansion(channel: Channel) -> None:
    world = salon()
    campaign_id = world.post(channel).campaign.campaign_id
    change(world, switches=OFF[channel])
    view = world.run(campaign_id)

    assert view.audience == Audience(3, {"channel_off": 3})
    assert world.chunks.rows == {}


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"switches": Switches(text_confirmations=False)}, "switches.text_confirmations"),
        ({"bundles": frozenset()}, "premium bundle"),
        ({"switches": Switches(text_confirmations=False), "bundles": frozenset()}, "switches.text_confirmations"),
    ],
)
def test_only_texts_that_ask_for_a_confirmation_need_its_switch_and_the_bundle(
    settings: Mapping[str, Any], named: str
) -> None:
    world = salon(**settings)
    with pytest.raises(ConflictError, match=named):
        remind(world, appointment_id="a-1", asks_confirmation=True)
    remind(world, appointment_id="a-1")
    remind(world, Channel.EMAIL, appointment_id="a-1")
    world.rest()

    assert (len(world.twilio_texter.handed), len(world.mailer.handed)) == (1, 1)


@pytest.mark.parametrize(
    ("settings", "barrier", "said"),
    [
        ({"switches": Switches(text_confirmations=False)}, Barrier.CONFIRMATIONS_OFF, "text confirmations off"),
        ({"bundles": frozenset()}, Barrier.NO_BUNDLE, "premium bundle"),
    ],
)
def test_a_confirmation_that_waits_when_the_bundle_ends_is_left_out(
    settings: Mapping[str, Any], barrier: Barrier, said: str
) -> None:
    world = salon()
    asked = remind(world, appointment_id="a-1", asks_confirmation=True)
    change(world, **settings)
    world.rest()
    row = world.messages.rows[asked.key]

    assert (row.status, row.reason, world.twilio_texter.handed) == (MessageStatus.EXCLUDED, "channel_off", [])
    assert (row.appointment_id, row.asks_confirmation, row.barrier) == ("a-1", True, barrier)
    assert said in attempt_sentence(row)


def test_a_message_keeps_its_appointment_to_the_end() -> None:
    world = salon()
    asked = remind(world, appointment_id="a-1", asks_confirmation=True)
    world.rest()
    row = world.messages.rows[asked.key]

    assert (row.status, row.appointment_id, row.asks_confirmation) == (MessageStatus.DELIVERED, "a-1", True)


@pytest.mark.parametrize(
    ("channel", "appointment_id", "why"), [(Channel.EMAIL, "a-1", "Only texts"), (Channel.SMS, None, "appointment_id")]
)
def test_only_a_text_about_an_appointment_can_ask_for_a_confirmation(
    channel: Channel, appointment_id: str | None, why: str
) -> None:
    world = salon()
    with pytest.raises(InvalidInputError, match=why):
        remind(world, channel, appointment_id=appointment_id, asks_confirmation=True)

    assert world.messages.rows == {}
