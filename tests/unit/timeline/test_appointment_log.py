"""What happened about an appointment: sent, delivered or not, confirmed or unclear."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import Outcome
from rebound.messages.domain.appointments import BY_LINK, Answered, AppointmentEntry, MessagePosted, confirmed_at
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.templates.domain.content import Content, EmailContent, TextContent
from rebound.timeline.application.read_timeline import AppointmentLog
from rebound.timeline.domain import sentence_of_answer, sentence_of_message
from rebound.timeline.http import AppointmentLogAnswer
from tests.fakes.making import BUSINESS_ID, at, customer, id_of, message, message_key
from tests.fakes.world import World

ASK: Content = TextContent("Tomorrow at ten. Please answer C to confirm.")
NUMBER = "+14155560001"


def salon() -> World:
    world = World()
    world.add(customer(1), customer(2))
    return world


def remind(world: World, appointment_id: str = "a-1", content: Content = ASK, **given: Any) -> Message:
    channel = Channel.SMS if isinstance(content, TextContent) else Channel.EMAIL
    told = world.post_message(
        BUSINESS_ID,
        customer_id=id_of(1),
        category=Category.REMINDER,
        channel=channel,
        content=content,
        appointment_id=appointment_id,
        **given,
    )
    world.clock.move(timedelta(minutes=1))
    return told


def log_of(world: World, appointment_id: str = "a-1", limit: int = 10, cursor: str | None = None) -> AppointmentLog:
    return world.read_appointment_log(BUSINESS_ID, appointment_id, limit, cursor)


def sentences(log: AppointmentLog) -> list[str]:
    return [entry.sentence for entry in AppointmentLogAnswer.of("a-1", log, defaultdict(lambda: None)).items]


def test_everything_about_an_appointment_stands_in_its_log_with_what_became_of_it() -> None:
    world = salon()
    world.outcomes["ana1@example.com"] = ((Outcome.FAILED, "Permanent/NoEmail", 1.0),)
    remind(world, asks_confirmation=True)
    remind(world, content=EmailContent("Tomorrow at ten", text="See you"))
    remind(world, "a-2")
    assert sentences(log_of(world)) == [
        "About to send reminder email to ana1@example.com.",
        f"About to send text confirmation to {NUMBER}.",
    ]
    world.rest()

    assert sentences(log_of(world)) == [
        "Could not deliver reminder email to ana1@example.com. This mailbox does not exist.",
        f"Sent text confirmation to {NUMBER}, and it was delivered.",
    ]
    assert sentences(log_of(world, "a-2")) == [f"Sent reminder text to {NUMBER}, and it was delivered."]
    assert (log_of(world, "a-3").entries, log_of(world, "a-3").next_cursor) == ([], None)
    assert world.read_appointment_log("other", "a-1", 10, None).entries == []


def test_an_answer_confirms_until_the_customer_is_asked_again() -> None:
    world = salon()
    remind(world, asks_confirmation=True)
    assert log_of(world).confirmed_at is None
    world.appointments.record(BUSINESS_ID, "a-1", Answered(world.clock.now(), "SM1", confirmed=False))
    assert log_of(world).confirmed_at is None
    world.clock.move(timedelta(minutes=1))
    confirmed = world.clock.now()
    world.appointments.record(BUSINESS_ID, "a-1", Answered(confirmed, "SM2", confirmed=True))
    world.clock.move(timedelta(minutes=1))
    remind(world)
    assert log_of(world).confirmed_at == confirmed
    assert sentences(log_of(world))[1:3] == [
        "Confirmed via text.",
        "Answered by text, and it is not clear what is meant: somebody should read it.",
    ]
    remind(world, asks_confirmation=True)

    assert log_of(world).confirmed_at is None
    assert log_of(world, limit=1).confirmed_at is None


@given(st.integers(1, 6))
def test_pages_put_together_are_the_log_and_each_says_whether_it_is_confirmed(limit: int) -> None:
    world = salon()
    for _ in range(2):
        remind(world, asks_confirmation=True)
    world.appointments.record(BUSINESS_ID, "a-1", Answered(world.clock.now(), "SM1", confirmed=True))
    world.clock.move(timedelta(minutes=1))
    for _ in range(3):
        remind(world)
    whole = log_of(world, limit=100)
    pages = [log_of(world, limit=limit)]
    while pages[-1].next_cursor is not None:
        pages.append(log_of(world, limit=limit, cursor=pages[-1].next_cursor))

    assert [entry for page in pages for entry in page.entries] == whole.entries
    assert {page.confirmed_at for page in pages} == {whole.confirmed_at}
    assert whole.confirmed_at is not None


def test_a_message_that_is_posted_again_under_the_same_request_is_one_entry() -> None:
    world = salon()
    remind(world, request="r-1")
    remind(world, request="r-1")

    assert len(log_of(world).entries) == 1


def entries() -> st.SearchStrategy[list[AppointmentEntry]]:
    told = st.booleans().map(lambda asks: MessagePosted(at(0), message_key(), asks))
    answered = st.tuples(st.integers(0, 9), st.booleans()).map(lambda said: Answered(at(said[0]), "SM1", said[1]))
    return st.lists(told | answered, max_size=6)


@given(entries())
def test_what_confirms_is_an_answer_that_no_question_comes_after(newest_first: list[AppointmentEntry]) -> None:
    asked = [n for n, entry in enumerate(newest_first) if isinstance(entry, MessagePosted) and entry.asks_confirmation]
    since = newest_first[: asked[0]] if asked else newest_first
    said = [entry.at for entry in since if isinstance(entry, Answered) and entry.confirmed]

    assert confirmed_at(newest_first) == (said[0] if said else None)


@pytest.mark.parametrize("status", list(MessageStatus))
@pytest.mark.parametrize("category", list(Category))
@pytest.mark.parametrize("address", ["", "ana1@example.com"])
def test_every_message_has_its_sentence(status: MessageStatus, category: Category, address: str) -> None:
    said = sentence_of_message(message(1, status, category=category, address=address, provider=Provider.SES))

    assert said.endswith(".")
    assert said[0].isupper()
    assert (address in said, "  " in said, "to ." in said, "None" in said) == (True, False, False, False)


def test_every_answer_has_its_sentence() -> None:
    assert sentence_of_answer(Answered(at(0), "SM1", confirmed=True)) == "Confirmed via text."
    by_link = Answered(at(0), f"{BY_LINK}01M7W6C3805FEE6AD6R1F2WA02", confirmed=True)
    assert sentence_of_answer(by_link) == "Confirmed via the link in an email."
    assert "not clear" in sentence_of_answer(Answered(at(0), "SM1", confirmed=False))
