"""Messages and campaigns that are made from templates: what each recipient gets, and what it costs."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.businesses.application.timing import Timing
from rebound.businesses.domain.business import TextAnswers
from rebound.campaigns.application.edit_campaign import CampaignChange
from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.customers.domain import Customer
from rebound.eligibility.application.preview_audience import Question
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import InvalidInputError
from rebound.messages.domain.messages import MessageStatus
from rebound.sending.domain.single_messages import MessageChange, Posted
from rebound.templates.application.make_version import NewVersion
from rebound.templates.domain.content import Content, EmailContent, MadeFrom, TemplateContent, TextContent
from rebound.templates.domain.typed_values import VariableType
from rebound.templates.domain.variables import Variable
from tests.contract.templates.fakes import MemoryTemplateBook
from tests.fakes.making import BUSINESS_ID, business, customer, id_of
from tests.fakes.world import World

TEXTS: Mapping[str, Content] = {
    "de": TextContent("Hallo ##{{first_name}}, ##{{price}}"),
    "en": TextContent("Hi ##{{first_name}}, ##{{price}}"),
    "fr": TextContent("Salut ##{{first_name}}, ##{{price}}"),
}
PRICE: Mapping[str, Variable] = {
    "price": Variable(VariableType.MONEY, required=True, default={"amount": "5", "currency": "EUR"})
}


def save(
    world: World, contents: Mapping[str, Content] = TEXTS, variables: Mapping[str, Variable] = PRICE, **more: Any
) -> None:
    channel = Channel.EMAIL if isinstance(next(iter(contents.values())), EmailContent) else Channel.SMS
    new = NewVersion(
        name="Prices", channel=channel, category=Category.TRANSACTIONAL, variables=variables, contents=contents, **more
    )
    world.template_service.put(BUSINESS_ID, "prices", new)


def made(world: World, channel: Channel = Channel.SMS, **variables: Any) -> TemplateContent:
    made_from = MadeFrom("prices", None, variables)
    return world.template_contents.made(BUSINESS_ID, made_from, channel, Category.TRANSACTIONAL)


def salon(*customers: Customer, **given: Any) -> World:
    world = World(business(**given), ranges=1)
    world.add(*(customers or (customer(1),)))
    return world


def handed(world: World) -> list[str]:
    scripts = (world.mailer, world.texter(business().text_provider))
    return [each.subject or each.body for script in scripts for each in script.handed]


def post(world: World, **given: Any) -> Posted:
    defaults: dict[str, Any] = {"customer_id": id_of(1), "category": Category.TRANSACTIONAL, "channel": Channel.SMS}
    return world.post_message.posted(BUSINESS_ID, **(defaults | given))


def campaign(world: World, content: Content | TemplateContent, **given: Any) -> str:
    defaults: dict[str, Any] = {"category": Category.TRANSACTIONAL, "content": content, "channel": Channel.SMS}
    return world.post(**(defaults | given)).campaign.campaign_id


def test_everybody_reads_their_own_language_or_the_businesss_or_english() -> None:
    people = [customer(n, first_name=f"C{n}", language=language) for n, language in enumerate(("de", "fr", "pt", None))]
    world = salon(*people, text_answers=TextAnswers(language="fr"))
    save(world)
    world.run(campaign(world, made(world, price="12.5 EUR")))

    assert sorted(text.split(",")[0] for text in handed(world)) == ["Hallo C0", "Salut C1", "Salut C2", "Salut C3"]


def test_english_is_for_those_of_whose_language_there_is_nothing_and_else_what_there_is() -> None:
    world = salon(customer(1, language="pt"), text_answers=TextAnswers(language="es"))
    save(world)
    post(world, content=made(world))
    save(world, {"de": TEXTS["de"]})
    post(world, content=made(world))
    world.rest()

    assert sorted(text.split()[0] for text in handed(world)) == ["Hallo", "Hi"]


def test_values_are_written_for_whoever_reads_them() -> None:
    world = salon(customer(1, first_name="Ana", language="de"), country="DE")
    save(world)
    post(world, content=made(world, price={"amount": "1234.5", "currency": "EUR"}))
    world.rest()

    assert handed(world) == ["Hallo Ana, 1.234,50 €"]


def test_a_message_says_what_the_template_said_when_it_was_posted() -> None:
    world = salon(customer(1, first_name="Ana", language="de"))
    save(world)
    later = Timing(world.clock.now() + timedelta(days=3))
    post(world, content=made(world), timing=later)
    save(world, {"de": TextContent("Anders")}, {})
    world.template_service.delete(BUSINESS_ID, "prices")
    world.rest()

    assert [text.split(",")[0] for text in handed(world)] == ["Hallo Ana"]


def test_a_campaign_says_what_the_template_said_when_it_was_announced() -> None:
    world = salon(customer(1, language="de"))
    save(world)
    draft = campaign(world, made(world, price="7 EUR"), is_draft=True)
    assert world.campaigns.get(BUSINESS_ID, draft).content == TemplateContent(
        MadeFrom("prices", None, {"price": {"amount": "7.00", "currency": "EUR"}})
    )
    save(world, {"de": TextContent("Neu: ##{{price}}")})
    world.edit_campaign.announce(BUSINESS_ID, draft)
    save(world, {"de": TextContent("Zu spät: ##{{price}}")})
    world.run(draft)

    assert [text.split(":")[0] for text in handed(world)] == ["Neu"]


def test_a_scheduled_campaign_keeps_its_version_through_edits_and_a_copy_takes_the_next() -> None:
    world = salon(customer(1, language="de"))
    save(world)
    at = world.clock.now() + timedelta(days=1)
    scheduled = campaign(world, made(world), timing=Timing(at))
    save(world, {"de": TextContent("Neu: ##{{price}}")})
    world.edit_campaign.change(BUSINESS_ID, scheduled, CampaignChange(name="N", category=Category.REMINDER))
    copied = world.edit_campaign.copy(BUSINESS_ID, scheduled).campaign.campaign_id
    world.clock.move_to(at)
    world.run(scheduled)
    world.edit_campaign.announce(BUSINESS_ID, copied)
    world.run(copied)

    assert [text.split()[0] for text in handed(world)] == ["Hallo", "Neu:"]


def test_a_draft_whose_template_is_gone_or_asks_for_more_is_not_announced() -> None:
    world = salon()
    save(world)
    draft = campaign(world, made(world, price="7 EUR"), is_draft=True)
    save(world, {"en": TextContent("Hi")}, {})
    with pytest.raises(InvalidInputError, match=r"variables\.price"):
        world.edit_campaign.announce(BUSINESS_ID, draft)
    world.template_service.delete(BUSINESS_ID, "prices")
    with pytest.raises(InvalidInputError, match="template_id"):
        world.edit_campaign.announce(BUSINESS_ID, draft)
    assert world.campaigns.get(BUSINESS_ID, draft).status is CampaignStatus.DRAFT
    # What is not about the template can be edited all the same.
    assert world.edit_campaign.change(BUSINESS_ID, draft, CampaignChange(name="Later")).campaign.name == "Later"
    assert world.edit_campaign.copy(BUSINESS_ID, draft).foreseen is not None


def test_a_message_in_which_a_required_variable_says_nothing_is_refused_and_a_campaign_leaves_out_whom_it_lacks() -> (
    None
):
    world = salon(customer(1), customer(2, language="de"))
    declared = {
        "birthday": Variable(VariableType.DATE, required=True),
        "price": Variable(VariableType.MONEY, required=True),
    }
    save(world, {"en": TextContent("##{{birthday}} ##{{price}}")}, declared)
    with pytest.raises(InvalidInputError) as refused:
        post(world, content=made(world, price=" "))
    assert [error.field for error in refused.value.errors] == ["variables.birthday", "variables.price"]
    assert handed(world) == []
    waiting = post(world, content=TextContent("Hi"), timing=Timing(world.clock.now() + timedelta(days=1)))
    with pytest.raises(InvalidInputError, match=r"variables\.birthday"):
        world.steer_message.change(
            BUSINESS_ID,
            waiting.message.key.message_id,
            MessageChange(content=lambda _: made(world, price="3 EUR")),
        )


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Ana", "J" * 50]), st.sampled_from([None, "1990-02-28"]), st.sampled_from(["de", "en"])
        ),
        min_size=1,
        max_size=5,
    ),
    st.booleans(),
    st.sampled_from(["##{{birthday}}", "##{{first_name}}" * 40, "Hi ##{{note}}"]),
    st.sampled_from([None, " ", "x" * 900]),
)
def test_what_is_foreseen_is_what_happens(
    people: list[tuple[str, str | None, str]], required: bool, body: str, note: str | None
) -> None:
    world = salon(
        *(
            customer(n, first_name=name, birthday=birthday, language=language)
            for n, (name, birthday, language) in enumerate(people)
        )
    )
    declared = {
        "birthday": Variable(VariableType.TEXT, required=required),
        "note": Variable(VariableType.TEXT),
    }
    save(world, {"en": TextContent(body), "de": TextContent(f"{body} ##{{{{note}}}} ##{{{{note}}}}")}, declared)
    content = made(world, note=note)
    question = Question({"all": []}, Channel.SMS, Category.TRANSACTIONAL, content=content)
    audience = world.preview_audience(BUSINESS_ID, question)
    view = world.post(channel=Channel.SMS, category=Category.TRANSACTIONAL, content=content)
    done = world.run(view.campaign.campaign_id)

    assert audience == view.foreseen
    assert view.foreseen is not None
    assert {k: v for k, v in view.foreseen.excluded.items() if v} == {
        k: v for k, v in done.audience.excluded.items() if v
    }
    assert view.foreseen.targeted == done.audience.targeted == len(handed(world))
    assert not any("{{" in text for text in handed(world))


def test_a_whole_address_of_the_templates_own_stands_as_it_is_in_links_and_texts() -> None:
    world = salon(customer(1, email="ana@example.com"))
    declared = {"url": Variable(VariableType.URL, required=True)}
    html = '<p>##{{first_name}} <a href="##{{url}}">Sign</a> <a href="https://x.example/?to=##{{url}}">or</a></p>'
    save(world, {"en": EmailContent("Sign", html)}, declared)
    content = made(world, Channel.EMAIL, url="https://salon.example.com/sign?a=1&b=2")
    world.post_message(
        BUSINESS_ID, customer_id=id_of(1), category=Category.TRANSACTIONAL, channel=Channel.EMAIL, content=content
    )
    world.rest()
    [email] = world.mailer.emails

    assert 'href="https://salon.example.com/sign?a=1&amp;b=2"' in email.content.html
    assert "to=https%3A%2F%2Fsalon.example.com%2Fsign%3Fa%3D1%26b%3D2" in email.content.html
    assert "( https://salon.example.com/sign?a=1&b=2 )" in email.content.text


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often templates are read, by kind of read."""
    counted: Counter[str] = Counter()
    for name in ("get", "version", "versions", "page", "save"):
        real = getattr(MemoryTemplateBook, name)

        def count(*given: Any, _name: str = name, _real: Any = real) -> Any:
            counted[_name] += 1
            return _real(*given)

        monkeypatch.setattr(MemoryTemplateBook, name, count)
    return counted


def test_a_version_is_read_once_for_a_chunk_and_nothing_by_who_uses_no_template(reads: Counter[str]) -> None:
    world = salon(*(customer(n) for n in range(120)))
    world.run(campaign(world, TextContent("Hi")))
    post(world, content=TextContent("Hi"))
    world.rest()
    assert (reads.total(), len(handed(world))) == (0, 121)

    save(world)
    content = made(world)
    posted = campaign(world, content)
    reads.clear()
    world.run(posted)

    # Three chunks, and the range that made them; what a process keeps is read by none of them a second time.
    assert (reads, len(handed(world))) == (Counter(version=4), 241)


def test_a_test_of_a_campaign_says_what_is_published_and_that_it_is_one() -> None:
    world = salon()
    save(world)
    content = made(world)
    assert TemplateContent(content.made_from, content.contents, content.declared, mark="[Test] ").in_language(
        "fr"
    ) == TextContent("[Test] Salut ##{{first_name}}, ##{{price}}")


def test_what_was_said_of_a_customer_goes_with_them() -> None:
    world = salon(customer(1))
    save(world)
    posted = post(world, content=made(world, price="7 EUR"), timing=Timing(world.clock.now() + timedelta(days=9)))
    world.customer_service.delete(BUSINESS_ID, id_of(1))
    world.rest()

    assert world.campaigns.get(BUSINESS_ID, posted.carrier.campaign_id).content == TemplateContent(
        MadeFrom("prices", 1, {})
    )
    assert handed(world) == []
    assert world.steer_message.get(BUSINESS_ID, posted.message.key.message_id, id_of(1)).message.status in (
        MessageStatus.EXCLUDED,
        MessageStatus.QUEUED,
    )


def test_a_reminder_moves_with_its_appointment_whatever_the_customer_lacks_by_then() -> None:
    world = salon(customer(1, birthday="1990-02-28"))
    save(world, {"en": TextContent("##{{birthday}}")}, {"birthday": Variable(VariableType.TEXT, required=True)})
    starts_at = world.clock.now() + timedelta(days=30)
    timing = Timing(appointment_at=starts_at, lead=timedelta(hours=24))
    post(world, content=made(world), timing=timing, appointment_id="a-7")
    world.customer_service.change(BUSINESS_ID, id_of(1), {"birthday": None})

    assert len(world.steer_appointment.reschedule(BUSINESS_ID, "a-7", starts_at + timedelta(days=1)).moved) == 1


def test_values_within_a_sentence_are_in_its_language() -> None:
    people = [customer(1, language="en"), customer(2, language="fr")]
    world = salon(*people, text_answers=TextAnswers(language="pt"))
    save(world, {"de": TextContent("Hallo, ##{{price}}")})
    for each in people:
        post(world, customer_id=each.customer_id, content=made(world))
    world.rest()
    assert handed(world) == ["Hallo, 5,00 €"] * 2
