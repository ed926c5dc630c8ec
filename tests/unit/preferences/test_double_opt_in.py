"""Double opt-in: the question goes out once a day, and only the customer's own answer lets marketing through."""

import re
from datetime import timedelta

import pytest

from rebound.businesses.domain.business import DoubleOptIn
from rebound.consent.domain.consent import ConsentEvidence
from rebound.kernel.audiences import Audience
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConflictError, InvalidInputError, NotFoundError, TooSoonError
from rebound.kernel.languages import LANGUAGES
from rebound.kernel.placeholders import PLACEHOLDER
from rebound.kernel.provider_codes import Provider
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.preferences.domain import opt_in_question
from rebound.preferences.http.links import respond
from rebound.templates.domain.content import EmailContent, TextContent
from rebound.templates.domain.footers import footer_words
from rebound.templates.domain.rendering import check_content
from rebound.templates.domain.text_size import size_of_text
from tests.fakes.making import BUSINESS_ID, GREETING, SHORT_GREETING, at, business, contact_key, customer, id_of
from tests.fakes.watching import Boundary, BrokenCallError
from tests.fakes.world import World

WANTED = DoubleOptIn(email=True, sms=True)
BUSINESS = "business_name"


def world_of(number: int = 1, **settings: object) -> World:
    world = World(business(double_opt_in=WANTED, **settings))
    world.add(*(customer(n) for n in range(1, number + 1)))
    return world


def ask(world: World, number: int = 1, channel: Channel = Channel.EMAIL) -> Message:
    return world.ask_for_confirmation(BUSINESS_ID, id_of(number), channel)


def answered(source: ConsentSource, scope: Scope, seconds: float = 60) -> ConsentEvidence:
    return ConsentEvidence(at(seconds), scope, opted_out=False, source=source)


@pytest.mark.parametrize("channel", list(Channel))
def test_the_question_is_a_transactional_message_and_goes_to_who_gets_no_marketing_yet(channel: Channel) -> None:
    world = world_of()
    assert world.post(channel).foreseen == Audience(1, {"not_confirmed": 1})
    asked = ask(world, channel=channel)
    world.rest()

    sent = world.messages.rows[asked.key]
    assert (sent.category, sent.status) == (Category.TRANSACTIONAL, MessageStatus.DELIVERED)
    assert world.contacts.rows[contact_key(1, channel)].consent.statements == frozenset()


@pytest.mark.parametrize("channel", list(Channel))
def test_the_question_goes_to_who_wants_no_reminders_and_offers_no_click_out(channel: Channel) -> None:
    world = world_of()
    world.know(
        contact_key(1, channel), ConsentEvidence(at(0), Scope.TRANSACTIONAL, opted_out=True, source=ConsentSource.STAFF)
    )
    content = GREETING if channel is Channel.EMAIL else SHORT_GREETING
    others = [
        world.post_message(BUSINESS_ID, customer_id=id_of(1), category=each, channel=channel, content=content)
        for each in (Category.REMINDER, Category.TRANSACTIONAL, Category.ONE_TO_ONE)
    ]
    asked = ask(world, channel=channel)
    world.rest()
    became = [(world.messages.rows[each.key].status, world.messages.rows[each.key].reason) for each in others]

    assert world.messages.rows[asked.key].status is MessageStatus.DELIVERED
    assert became == [(MessageStatus.EXCLUDED, "opted_out")] * 2 + [(MessageStatus.DELIVERED, None)]
    assert [email.headers for email in world.mailer.emails] == [{}] * len(world.mailer.emails)


@pytest.mark.parametrize(
    ("channel", "answer"),
    [
        (Channel.EMAIL, answered(ConsentSource.DOUBLE_OPT_IN, Scope.MARKETING)),
        (Channel.EMAIL, answered(ConsentSource.ONE_CLICK, Scope.MARKETING)),
        (Channel.SMS, answered(ConsentSource.KEYWORD, Scope.ALL)),
    ],
)
def test_the_customers_own_answer_lets_marketing_through(channel: Channel, answer: ConsentEvidence) -> None:
    world = world_of()
    ask(world, channel=channel)
    world.know(contact_key(1, channel), answer)

    assert world.post(channel).foreseen == Audience(1, {})
    with pytest.raises(ConflictError, match="confirmed already"):
        ask(world, channel=channel)


def test_the_link_in_the_email_leads_to_the_button_that_lets_marketing_through() -> None:
    world = world_of()
    ask(world)
    world.rest()
    [email] = world.mailer.emails
    [link] = set(re.findall(r"https?://[^\s\"<]+/v1/confirm/[A-Za-z0-9_-]+", email.content.html + email.content.text))
    event = {
        "httpMethod": "POST",
        "path": f"/v1/confirm/{link.rpartition('/')[2]}",
        "headers": {"content-type": "application/x-www-form-urlencoded"},
        "body": "confirm=yes",
        "isBase64Encoded": False,
    }
    assert world.post().foreseen == Audience(1, {"not_confirmed": 1})
    answer = respond(event, world)

    assert answer["statusCode"] == 200
    assert world.post().foreseen == Audience(1, {})


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_question_is_in_the_customers_language(language: str) -> None:
    world = world_of()
    world.customer_service.change(BUSINESS_ID, id_of(1), {"language": language})
    for channel in Channel:
        ask(world, channel=channel)
    world.rest()
    asked = opt_in_question(language, Channel.EMAIL)
    assert isinstance(asked, EmailContent)
    [email], [text] = world.mailer.emails, world.twilio_texter.handed

    assert email.content.subject == asked.subject.replace("##{{business_name}}", "Salon Juniper")
    assert footer_words(language).choose in email.content.text
    assert size_of_text(text.body).segments == 1


def test_the_question_asks_the_same_in_every_language() -> None:
    for language in LANGUAGES:
        email, text = opt_in_question(language, Channel.EMAIL), opt_in_question(language, Channel.SMS)
        assert isinstance(email, EmailContent)
        assert isinstance(text, TextContent)
        check_content(email, Category.TRANSACTIONAL)
        check_content(text, Category.TRANSACTIONAL)
        for part in (email.html or "", email.text or ""):
            assert set(PLACEHOLDER.findall(part)) == {"first_name", "business_name", "confirm_url"}
        assert (PLACEHOLDER.findall(email.subject), PLACEHOLDER.findall(text.body)) == ([BUSINESS], [BUSINESS])
        assert re.findall("START|STOP", text.body) == ["START", "STOP"]


@pytest.mark.parametrize("category", [Category.MARKETING, Category.LOYALTY])
def test_marketing_cannot_ask_for_marketing(category: Category) -> None:
    with pytest.raises(InvalidInputError, match="confirm_url"):
        check_content(EmailContent("Hello", None, "##{{confirm_url}}"), category)
    check_content(EmailContent("Hello", None, "##{{confirm_url}}"), Category.TRANSACTIONAL)


@pytest.mark.parametrize("source", [ConsentSource.STAFF, ConsentSource.API, ConsentSource.IMPORT])
def test_nobody_confirms_for_the_customer(source: ConsentSource) -> None:
    world = world_of()
    world.know(contact_key(1), answered(source, Scope.MARKETING))

    assert world.post().foreseen == Audience(1, {"not_confirmed": 1})


def test_the_question_is_sent_once_on_a_day_of_the_business() -> None:
    world = world_of()
    first = ask(world)
    world.clock.move(timedelta(hours=11))
    with pytest.raises(TooSoonError, match="tomorrow"):
        ask(world)
    ask(world, channel=Channel.SMS)
    world.clock.move(timedelta(hours=7))

    assert world.clock.now().date() > at(0).date()
    assert ask(world).key != first.key


def test_who_shares_an_address_is_not_asked_again_on_the_same_day() -> None:
    world = World(business())
    world.add(customer(1), customer(2, email="ana1@example.com"))
    ask(world, 1)
    with pytest.raises(TooSoonError):
        ask(world, 2)
    world.rest()

    assert len(world.mailer.emails) == 1


def test_a_question_that_broke_on_the_way_can_be_asked_again_and_goes_out_once() -> None:
    world = world_of()
    broken: list[Boundary] = []

    def break_once(where: Boundary) -> None:
        if where == "messages.record" and not broken:
            broken.append(where)
            raise BrokenCallError

    world.checkpoint = break_once
    with pytest.raises(BrokenCallError):
        ask(world)
    ask(world)
    world.rest()

    assert broken
    assert len(world.mailer.emails) == 1


@pytest.mark.parametrize("scope", [Scope.ALL, Scope.MARKETING])
def test_who_has_opted_out_is_not_asked(scope: Scope) -> None:
    world = world_of()
    world.know(contact_key(1), ConsentEvidence(at(-9), scope, opted_out=True, source=ConsentSource.ONE_CLICK))
    with pytest.raises(ConflictError, match="opted out"):
        ask(world)


def test_whom_no_question_or_no_answer_can_reach_is_not_asked() -> None:
    over_sns = world_of(text_provider=Provider.SNS)
    with pytest.raises(ConflictError, match="SNS"):
        ask(over_sns, channel=Channel.SMS)
    nowhere = World(business())
    nowhere.add(customer(1, email=None))
    with pytest.raises(ConflictError, match="no email address"):
        ask(nowhere)
    with pytest.raises(NotFoundError):
        ask(nowhere, 2)
