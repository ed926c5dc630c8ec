"""Tests of campaigns: who gets them has agreed behind a link, and they touch nobody's campaign, consent or counts."""

import re
from copy import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.businesses.domain.business import Business, DoubleOptIn, Switches
from rebound.businesses.domain.frequency import FrequencyCap
from rebound.businesses.domain.quiet_hours import QuietHours, QuietWindow
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.reachability import Failure
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConflictError, InvalidInputError, NotFoundError, TooSoonError
from rebound.kernel.languages import LANGUAGES
from rebound.kernel.placeholders import PLACEHOLDER
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import TESTED
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.preferences.application.campaigns_tried import MARK, QUESTIONS_A_DAY, TESTS_AN_HOUR
from rebound.preferences.domain import test_question as question_about_tests
from rebound.preferences.http.links import respond
from rebound.templates.domain.content import MAX_TEXT_CHARACTERS, EmailContent, TextContent, marked
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, business, customer
from tests.fakes.world import World

OWNER = "owner@salon.example.com"
PHONE = "+14155550177"
LINK = re.compile(r"https?://[^\s\"<]+/v1/(confirm|unsubscribe|preferences)/([A-Za-z0-9_-]+)")


def name(world: World, *recipients: str) -> Business:
    return world.change_settings(BUSINESS_ID, {"test_recipients": list(recipients)})


def links(text: str) -> dict[str, str]:
    """The links of a message by what they are for."""
    return {found[1]: f"/v1/{found[1]}/{found[2]}" for found in LINK.finditer(text)}


def open_link(world: World, path: str, body: str | None = None) -> Any:
    event = {
        "httpMethod": "GET" if body is None else "POST",
        "path": path,
        "headers": {"content-type": "application/x-www-form-urlencoded"},
        "body": body,
        "isBase64Encoded": False,
    }
    return respond(event, world)


def asked_of(world: World, channel: Channel) -> dict[str, str]:
    """The links in what was sent last on a channel."""
    if channel is Channel.EMAIL:
        return links(world.mailer.emails[-1].content.text)
    return links(world.twilio_texter.handed[-1].body)


def agreed(channel: Channel = Channel.EMAIL, **given_: Any) -> World:
    world = World(business(**given_))
    name(world, OWNER if channel is Channel.EMAIL else PHONE)
    world.rest()
    assert open_link(world, asked_of(world, channel)["confirm"], "confirm=yes")["statusCode"] == 200
    world.mailer.emails.clear()
    world.twilio_texter.handed.clear()
    return world


def send(world: World, campaign_id: str, to: str = OWNER) -> Message:
    message = world.send_test(BUSINESS_ID, campaign_id, to)
    world.rest()
    return world.messages.rows[message.key]


@pytest.mark.parametrize(("channel", "address"), [(Channel.EMAIL, OWNER), (Channel.SMS, PHONE)])
def test_whoever_is_named_is_asked_with_a_link_and_counts_once_they_have_pressed_the_button(
    channel: Channel, address: str
) -> None:
    world = World()
    assert name(world, address).confirmed_test_recipients == ()
    world.rest()
    path = asked_of(world, channel)["confirm"]
    for body in (None, "", "confirm=no"):
        assert "<form" in open_link(world, path, body)["body"]
        assert world.businesses.get(BUSINESS_ID).confirmed_test_recipients == ()
    done = open_link(world, path, "confirm=yes")
    first = world.businesses.get(BUSINESS_ID).test_recipients
    world.clock.move(timedelta(days=3))
    again = open_link(world, path, "confirm=yes")

    assert (done["statusCode"], again["statusCode"], done["body"]) == (200, 200, again["body"])
    assert world.businesses.get(BUSINESS_ID).test_recipients == first
    assert world.businesses.get(BUSINESS_ID).confirmed_test_recipients == (address,)
    assert "<form" not in open_link(world, path)["body"]
    # Naming them again keeps what they said, and asks nobody; taking them off forgets it.
    assert name(world, address, address).confirmed_test_recipients == (address,)
    name(world)
    assert open_link(world, path, "confirm=yes")["statusCode"] == 404
    assert name(world, address).confirmed_test_recipients == ()


def test_no_contact_learns_anything_of_the_answer() -> None:
    world = World()
    world.add(customer(1, email=OWNER))
    name(world, OWNER)
    world.rest()
    before = world.contacts.rows[ContactKey(BUSINESS_ID, Channel.EMAIL, OWNER)]
    open_link(world, asked_of(world, Channel.EMAIL)["confirm"], "confirm=yes")

    assert world.contacts.rows[ContactKey(BUSINESS_ID, Channel.EMAIL, OWNER)] == before


def test_an_address_is_asked_once_a_day_however_often_it_is_named() -> None:
    world = World()
    for _ in range(3):
        name(world, OWNER)
        world.rest()
    assert len(world.mailer.emails) == 1
    world.clock.move(timedelta(days=1))
    name(world, OWNER)
    world.rest()
    assert len(world.mailer.emails) == 2


def test_a_business_asks_only_so_many_addresses_a_day_and_names_nobody_then() -> None:
    world = World()
    for number in range(QUESTIONS_A_DAY):
        name(world, f"a{number}@example.com")
    before = world.businesses.get(BUSINESS_ID)
    with pytest.raises(TooSoonError) as raised:
        name(world, "one-more@example.com")

    assert 0 < raised.value.wait_seconds <= 86400
    assert world.businesses.get(BUSINESS_ID) == before


@pytest.mark.parametrize("bad", ["", "nobody", "a@", "+1", "12", "owner@example.com, b@example.com"])
def test_what_is_no_address_is_refused_and_nothing_changed(bad: str) -> None:
    world = World()
    with pytest.raises(InvalidInputError, match="place 2"):
        name(world, OWNER, bad)

    assert world.businesses.get(BUSINESS_ID).test_recipients == ()
    world.rest()
    assert world.mailer.emails == []


@pytest.mark.parametrize(
    ("recipient", "given_"),
    [
        (OWNER, {"email_from": None}),
        (PHONE, {"text_from": None}),
        (OWNER, {"switches": Switches(email=False)}),
    ],
)
def test_who_cannot_be_asked_yet_is_asked_when_they_are_named_again(recipient: str, given_: dict[str, Any]) -> None:
    world = World(business(**given_))
    assert len(name(world, recipient).test_recipients) == 1
    world.rest()
    assert (world.mailer.emails, world.twilio_texter.handed) == ([], [])
    now = world.businesses.get(BUSINESS_ID)
    world.businesses.replace(replace(business(version=now.version), test_recipients=now.test_recipients))
    name(world, recipient)
    world.rest()

    assert len(world.mailer.emails) + len(world.twilio_texter.handed) == 1


def test_a_test_is_what_the_campaign_says_marked_and_filled_in_and_in_no_counts() -> None:
    world = agreed()
    world.add(customer(1))
    content = EmailContent("Hello ##{{first_name}}", "<p>Dear ##{{full_name}}</p>", None)
    campaign_id = world.post(is_draft=True, content=content).campaign.campaign_id
    before = world.campaign_service.get(BUSINESS_ID, campaign_id)
    message = send(world, campaign_id)
    [email] = world.mailer.emails

    assert (message.status, message.campaign_id, message.key.customer_id) == (MessageStatus.DELIVERED, None, TESTED)
    assert (email.to, email.content.subject) == (OWNER, "[Test] Hello Alex")
    assert "Dear Alex Example" in email.content.html
    assert {"unsubscribe", "preferences"} <= links(email.content.text).keys()
    assert world.campaign_service.get(BUSINESS_ID, campaign_id) == before
    world.edit_campaign.announce(BUSINESS_ID, campaign_id)
    view = world.run(campaign_id)
    assert (view.audience.matched, view.results[MessageStatus.DELIVERED]) == (1, 1)
    assert world.campaign_service.page(BUSINESS_ID, 9, None).items[0].campaign.campaign_id == campaign_id
    assert len(world.campaign_service.page(BUSINESS_ID, 9, None).items) == 1


def test_a_text_is_tried_too_in_the_middle_of_the_night_and_whatever_the_caps_say() -> None:
    night = QuietWindow(at(-3600).time(), at(36000).time(), frozenset(Category))
    cap = FrequencyCap("none", (Category.MARKETING,), 1, 30)
    world = agreed(
        Channel.SMS, quiet_hours=QuietHours(sms=night, email=night), frequency_caps=(cap,),
        double_opt_in=DoubleOptIn(email=True, sms=True),
    )  # fmt: skip
    campaign_id = world.post(Channel.SMS, is_draft=True).campaign.campaign_id
    for _ in range(2):
        assert send(world, campaign_id, PHONE).status is MessageStatus.DELIVERED

    assert [(each.to, each.body) for each in world.twilio_texter.handed] == [(PHONE, "[Test] Hi Alex")] * 2
    assert world.frequencies.rows == {}


@pytest.mark.parametrize("purpose", ["unsubscribe", "preferences"])
@pytest.mark.parametrize("is_customer", [False, True])
def test_the_links_in_a_test_do_nothing_and_say_so(purpose: str, is_customer: bool) -> None:
    world = agreed()
    if is_customer:
        world.add(customer(1, email=OWNER))
    send(world, world.post(is_draft=True).campaign.campaign_id)
    path = links(world.mailer.emails[-1].content.text)[purpose]
    before = dict(world.contacts.rows)
    pages = {
        open_link(world, path, body)["body"]
        for body in (None, "List-Unsubscribe=One-Click", "choice=nothing", "choice=everything", "confirm=yes", "")
    }

    assert len(pages) == 1
    assert "This was a test" in pages.pop()
    assert world.contacts.rows == before


def opted_out(world: World) -> None:
    statement = ConsentEvidence(at(0), Scope.MARKETING, opted_out=True, source=ConsentSource.ONE_CLICK)
    world.know(ContactKey(BUSINESS_ID, Channel.EMAIL, OWNER), statement)


def bounced(world: World) -> None:
    world.add(customer(1, email=OWNER))
    failure = Failure(at(0), "m", Provider.SES, NO_SUCH_MAILBOX)
    world.know(ContactKey(BUSINESS_ID, Channel.EMAIL, OWNER), failure)


@pytest.mark.parametrize(("happened", "reason"), [(opted_out, "opted_out"), (bounced, "invalid_contact")])
def test_who_has_opted_out_or_cannot_be_reached_gets_no_test(happened: Any, reason: str) -> None:
    world = agreed()
    happened(world)
    message = send(world, world.post(is_draft=True).campaign.campaign_id)

    assert (message.status, message.reason) == (MessageStatus.EXCLUDED, reason)
    assert world.mailer.emails == []


@pytest.mark.parametrize("to", ["other@example.com", PHONE, "nobody", "+1"])
def test_a_test_goes_to_nobody_else(to: str) -> None:
    world = agreed()
    campaign_id = world.post(is_draft=True).campaign.campaign_id
    with pytest.raises(InvalidInputError, match="to:"):
        send(world, campaign_id, to)
    with pytest.raises(NotFoundError):
        send(world, "another")
    name(world, OWNER, "new@example.com")
    with pytest.raises(ConflictError) as raised:
        send(world, campaign_id, "new@example.com")

    assert raised.value.code == "test_recipient_unconfirmed"


def test_a_campaign_is_tried_on_its_own_channel_however_the_address_is_written() -> None:
    world = agreed()
    name(world, OWNER, PHONE)
    texts = world.post(Channel.SMS, is_draft=True).campaign.campaign_id
    with pytest.raises(InvalidInputError, match="must be a number"):
        send(world, texts)
    with pytest.raises(InvalidInputError, match="must be an email address"):
        send(world, world.post(is_draft=True).campaign.campaign_id, "(415) 555-0177")

    emails = world.post(is_draft=True).campaign.campaign_id
    assert (
        send(world, emails, OWNER.replace("salon.example.com", "SALON.example.com")).status is MessageStatus.DELIVERED
    )


def test_an_address_gets_only_so_many_tests_an_hour() -> None:
    world = agreed()
    campaign_id = world.post(is_draft=True).campaign.campaign_id
    world.clock.move(timedelta(minutes=17))
    for _ in range(TESTS_AN_HOUR):
        send(world, campaign_id)
    left = 3600 - (world.clock.now() - world.clock.now().replace(minute=0, second=0, microsecond=0)).total_seconds()
    with pytest.raises(TooSoonError) as raised:
        send(world, campaign_id)

    assert left <= raised.value.wait_seconds < left + 1
    world.clock.move(timedelta(seconds=raised.value.wait_seconds))
    assert send(world, campaign_id).status is MessageStatus.DELIVERED


@settings(max_examples=30, deadline=None)
@given(st.integers(1, MAX_TEXT_CHARACTERS))
def test_a_text_that_could_be_sent_can_be_tried(length: int) -> None:
    content = marked(TextContent("x" * length), MARK)
    assert isinstance(content, TextContent)
    assert len(content.body) <= MAX_TEXT_CHARACTERS


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_question_is_in_the_language_of_the_business(language: str) -> None:
    email, text = question_about_tests(language, Channel.EMAIL), question_about_tests(language, Channel.SMS)
    assert isinstance(email, EmailContent)
    assert isinstance(text, TextContent)
    for part in (email.html or "", email.text or ""):
        assert set(PLACEHOLDER.findall(part)) == {"business_name", "confirm_url"}
    assert PLACEHOLDER.findall(text.body) == ["business_name", "confirm_url"]
    world = World(business())
    settings_now = world.businesses.get(BUSINESS_ID)
    answers = replace(settings_now.text_answers, language=language)
    world.businesses.replace(replace(settings_now, text_answers=answers))
    name(world, OWNER)
    world.rest()
    page = open_link(world, asked_of(world, Channel.EMAIL)["confirm"])
    assert page["headers"]["Content-Language"] == language
    assert email.subject.replace("##{{business_name}}", "Salon Juniper") == world.mailer.emails[-1].content.subject
