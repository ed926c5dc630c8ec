"""An appointment is confirmed behind the link in an email that went in place of a text, which is answered with C."""

import re
from typing import Final
from urllib.parse import urlsplit

import pytest

from rebound.businesses.domain.text_plan import TextPlan
from rebound.inbound.domain.replies import IncomingText
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.events import AppointmentConfirmed
from rebound.kernel.languages import LANGUAGES
from rebound.messages.domain.appointments import Answered
from rebound.messages.domain.messages import Message
from rebound.preferences.http.pages import page_words
from rebound.templates.domain.content import Content, EmailContent, TextContent
from tests.fakes.making import BUSINESS_ID, business, contact_key, customer, id_of
from tests.fakes.pages import heading_of
from tests.fakes.watching import Boundary, WorkerDiedError
from tests.fakes.world import World

APPOINTMENT: Final = "a-7"
ASKED: Final = TextContent("Will you come tomorrow, ##{{first_name}}? Answer C.")


class Desk:
    """A business whose text plan is used up has asked a customer to confirm an appointment."""

    def __init__(self, content: Content = ASKED, language: str | None = None) -> None:
        self.world = World(business(text_plan=TextPlan(0)))
        self.world.add(customer(1, language=language))
        self.posted: Message = self.world.post_message(
            BUSINESS_ID,
            customer_id=id_of(1),
            category=Category.REMINDER,
            channel=Channel.SMS,
            content=content,
            appointment_id=APPOINTMENT,
            asks_confirmation=True,
        )
        self.world.rest()
        [self.email] = self.world.mailer.emails
        self.path = urlsplit(self.links(self.email.content.text)[0]).path.removeprefix("/live")

    @staticmethod
    def links(part: str) -> list[str]:
        return list(dict.fromkeys(re.findall(r"https://[\w./-]+/v1/appointment/[\w-]+", part)))

    def open(self, form: str | None = None, path: str | None = None) -> tuple[int, str]:
        return heading_of(self.world, path or self.path, form)

    @property
    def told(self) -> list[AppointmentConfirmed]:
        return [event for event in self.world.domain_events.published if isinstance(event, AppointmentConfirmed)]

    @property
    def answers(self) -> list[Answered]:
        entries = self.world.appointments.page(BUSINESS_ID, APPOINTMENT, 50, None).items
        return [entry for entry in entries if isinstance(entry, Answered)]


WORDS: Final = page_words("en")


def test_the_page_asks_and_its_button_confirms_once() -> None:
    desk = Desk()

    assert desk.open() == (200, WORDS.ask_to_come)
    assert (desk.told, desk.answers) == ([], [])
    assert desk.open("confirm=yes") == desk.open("confirm=yes") == desk.open() == (200, WORDS.coming)
    [told] = desk.told
    assert (told.appointment_id, told.customer_id, told.message_id) == (
        APPOINTMENT,
        id_of(1),
        desk.posted.key.message_id,
    )
    [answered] = desk.answers
    assert answered.confirmed
    assert answered.at == told.confirmed_at


@pytest.mark.parametrize("form", ["", "confirm=no", "List-Unsubscribe=One-Click", "choice=nothing"])
def test_what_is_no_press_of_the_button_changes_nothing(form: str) -> None:
    desk = Desk()

    assert desk.open(form) == (400, WORDS.ask_to_come)
    assert (desk.told, desk.answers) == ([], [])


@pytest.mark.parametrize("path", ["/v1/appointment/x", "/v1/appointment/" + "A" * 140])
def test_what_is_no_link_of_ours_gets_a_page_that_says_so(path: str) -> None:
    assert Desk().open("confirm=yes", path) == (404, WORDS.no_such_link)


def test_a_link_for_something_else_confirms_nothing() -> None:
    desk = Desk()
    preferences = re.findall(r"/v1/preferences/([\w-]+)", desk.email.content.text)[0]

    assert desk.open("confirm=yes", f"/v1/appointment/{preferences}") == (404, WORDS.no_such_link)
    assert desk.open("confirm=yes", desk.path.replace("/appointment/", "/confirm/"))[0] == 404
    assert desk.told == []


def test_a_cancelled_appointment_is_not_confirmed_any_more() -> None:
    desk = Desk()
    desk.world.steer_appointment.cancel(BUSINESS_ID, APPOINTMENT)

    assert desk.open() == desk.open("confirm=yes") == (200, WORDS.nothing_to_confirm)
    assert (desk.told, desk.answers) == ([], [])


def test_what_broke_off_half_way_is_done_by_the_next_press_as_one_answer() -> None:
    boundaries = 0
    for number in range(1, 60):
        desk = Desk()
        left = number

        def stop(where: Boundary) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise WorkerDiedError(str(where))

        desk.world.checkpoint = stop
        try:
            desk.open("confirm=yes")
        except WorkerDiedError:
            boundaries += 1
        else:
            break
        desk.world.checkpoint = lambda _: None
        assert desk.open("confirm=yes") == (200, WORDS.coming)
        assert len({event.change_id for event in desk.told}) == 1, number
        assert len(desk.answers) == 1, number
    assert boundaries > 8


def test_a_text_with_c_does_not_confirm_what_was_asked_by_email() -> None:
    """It is no answer to a text: staff read it."""
    desk = Desk()
    number = contact_key(1, Channel.SMS).address
    ours = "+14155550100"
    desk.world.receive_text(IncomingText("SM1", number, ours, (ours,), "C"))

    assert desk.told == []
    assert desk.open() == (200, WORDS.ask_to_come)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_email_and_the_page_are_in_the_customers_language(language: str) -> None:
    desk = Desk(language=language)

    assert desk.open()[1] == page_words(language).ask_to_come


def test_an_email_that_was_given_has_the_link_in_each_of_its_parts() -> None:
    given = EmailContent("Tomorrow", "<html><body><p>Will you come?</p></body></html>", "Will you come?")
    desk = Desk(TextContent("Answer C", given))

    [in_html], [in_text] = desk.links(desk.email.content.html), desk.links(desk.email.content.text)
    assert in_html == in_text
    assert desk.email.content.html.index(in_html) < desk.email.content.html.index("</body>")
    assert desk.open("confirm=yes") == (200, WORDS.coming)
    assert "{{" not in desk.email.content.html + desk.email.content.text


def test_an_email_that_asks_nothing_has_no_such_link() -> None:
    world = World(business(text_plan=TextPlan(0)))
    world.add(customer(1))
    world.post_message(
        BUSINESS_ID, customer_id=id_of(1), category=Category.REMINDER, channel=Channel.SMS, content=TextContent("Hi")
    )
    world.rest()

    [email] = world.mailer.emails
    assert Desk.links(email.content.html + email.content.text) == []
