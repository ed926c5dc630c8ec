"""Customers correct their own details in a form behind a link, once, and nobody's edit is lost on the way."""

import re
from datetime import date, timedelta
from html import unescape
from typing import Any, Final
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.reachability import ClearedBy, Failure
from rebound.customers.domain import Customer, ProfileEventKind
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConflictError, TooSoonError
from rebound.kernel.languages import LANGUAGES
from rebound.kernel.provider_codes import Provider
from rebound.messages.domain.messages import Message
from rebound.preferences.application.own_profile import FIELDS, Flaw
from rebound.preferences.http.links import respond
from rebound.preferences.http.pages import page_words
from rebound.preferences.http.profile_page import profile_words
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, customer, id_of
from tests.fakes.watching import Boundary, WorkerDiedError
from tests.fakes.world import World

FORM: Final = {"content-type": "application/x-www-form-urlencoded"}
WORDS: Final = profile_words("en")


class Desk:
    """A customer was asked to look through their details."""

    def __init__(self, channel: Channel | None = Channel.EMAIL, **fields: Any) -> None:
        self.world = World()
        self.world.add(customer(1, **{"day_phone": "+14155550177", **fields}))
        self.message: Message = self.world.ask_for_update(BUSINESS_ID, id_of(1), channel)
        self.world.rest()
        self.path = self.link()

    def link(self) -> str:
        """The link in what was sent last."""
        sent = self.world.mailer.emails[-1].content.text if self.message.channel is Channel.EMAIL else self.text
        [url] = dict.fromkeys(re.findall(r"https://[\w./-]+/v1/profile/[\w-]+", sent))
        return str(urlsplit(url).path.removeprefix("/live"))

    @property
    def text(self) -> str:
        """The text that was sent last."""
        return self.world.texter(Provider.TWILIO).handed[-1].body

    def ask(self, form: dict[str, str] | None = None, **more: Any) -> tuple[int, str]:
        event: dict[str, Any] = {
            "httpMethod": "GET" if form is None else "POST",
            "path": self.path,
            "headers": FORM,
            "body": None if form is None else urlencode(form),
            "isBase64Encoded": False,
            **more,
        }
        answer = respond(event, self.world)
        return answer["statusCode"], answer["body"]

    def heads(self, form: dict[str, str] | None = None, **more: Any) -> tuple[int, str]:
        status, page = self.ask(form, **more)
        found = re.search("<h1>(.*)</h1>", page)
        assert found is not None
        return status, found[1]

    def shown(self, page: str | None = None) -> dict[str, str]:
        """The fields of the form as a browser would send them back."""
        page = self.ask()[1] if page is None else page
        found = dict(re.findall(r'<input[^>]* name="(\w+)" value="([^"]*)"', page))
        return {name: unescape(value) for name, value in found.items()}

    @property
    def stored(self) -> Customer:
        return self.world.customers.get(BUSINESS_ID, id_of(1))

    @property
    def events(self) -> list[tuple[ProfileEventKind, tuple[str, ...], str | None]]:
        found = self.world.profile_history.before(BUSINESS_ID, id_of(1), None, 10)
        return [(event.kind, event.fields, event.via) for event in found]


def test_the_form_shows_what_is_known_and_reading_it_changes_nothing() -> None:
    desk = Desk()
    before = desk.stored
    fields = desk.shown()

    assert {name: fields[name] for name in FIELDS} == {name: fields[f"was_{name}"] for name in FIELDS}
    assert (fields["email"], fields["day_phone"], fields["birthday"]) == (before.email, "+14155550177", "")
    assert desk.stored == before


def test_what_is_filled_in_is_the_customers_own_edit_and_claims_the_profile() -> None:
    desk = Desk()
    given = {**desk.shown(), "last_name": "Lund", "email": "new@example.com", "day_phone": "", "birthday": "1990-12-31"}

    assert desk.heads(given) == (200, WORDS.saved)
    assert (desk.stored.last_name, desk.stored.email, desk.stored.day_phone) == ("Lund", "new@example.com", None)
    assert str(desk.stored.birthday) == "1990-12-31"
    assert desk.stored.claimed_at == desk.world.clock.now()
    assert desk.events == [
        (ProfileEventKind.EDITED_BY_CUSTOMER, ("last_name", "email", "day_phone", "birthday"), "form")
    ]


def test_it_is_filled_in_once_and_a_reload_says_so_kindly() -> None:
    desk = Desk()
    given = {**desk.shown(), "last_name": "Lund"}
    desk.ask(given)
    after = desk.stored

    assert desk.heads(given) == desk.heads() == (200, WORDS.used)
    assert desk.heads({**given, "last_name": "Other"}) == (200, WORDS.used)
    assert desk.stored == after


def test_a_press_of_the_button_alone_confirms_and_clears_the_flags() -> None:
    desk = Desk(Channel.SMS)
    key = desk.stored.contact_key(Channel.EMAIL)
    assert key is not None
    desk.world.know(key, Failure(desk.world.clock.now(), "m", Provider.SES, NO_SUCH_MAILBOX))
    desk.world.pump_streams()
    desk.world.clock.move(timedelta(hours=1))
    assert WORDS.fails in desk.ask()[1]

    assert desk.heads(desk.shown()) == (200, WORDS.saved)
    desk.world.pump_streams()
    reachability = desk.world.contacts.get_many([key])[key].reachability
    assert reachability.cleared is not None
    assert (reachability.cleared.by, reachability.failures) == (ClearedBy.CUSTOMER, frozenset())
    assert not desk.stored.failed_email
    assert desk.events == [(ProfileEventKind.CONFIRMED_BY_CUSTOMER, ("email", "mobile_phone"), "form")]


@pytest.mark.parametrize("asked", [Channel.EMAIL, None])
def test_an_address_that_bounced_is_mended_by_the_other_channel(asked: Channel | None) -> None:
    world = World()
    world.add(customer(1))
    key = customer(1).contact_key(Channel.EMAIL)
    assert key is not None
    world.know(key, Failure(world.clock.now(), "m", Provider.SES, NO_SUCH_MAILBOX))

    assert world.ask_for_update(BUSINESS_ID, id_of(1), asked).channel is Channel.SMS


def test_where_no_channel_is_left_that_is_said() -> None:
    world = World()
    world.add(customer(1, mobile_phone=None))
    key = customer(1).contact_key(Channel.EMAIL)
    assert key is not None
    world.know(key, Failure(world.clock.now(), "m", Provider.SES, NO_SUCH_MAILBOX))

    with pytest.raises(ConflictError) as refused:
        world.ask_for_update(BUSINESS_ID, id_of(1), Channel.EMAIL)
    assert (refused.value.code, refused.value.members) == (
        "no_channel_left",
        {"reasons": ["email: invalid", "sms: no_address"]},
    )


@pytest.mark.parametrize("scope", [Scope.ALL, Scope.TRANSACTIONAL])
def test_who_wants_no_texts_of_this_kind_is_asked_by_email(scope: Scope) -> None:
    world = World()
    world.add(customer(1))
    key = customer(1).contact_key(Channel.SMS)
    assert key is not None
    world.know(key, ConsentEvidence(world.clock.now(), scope, opted_out=True, source=ConsentSource.KEYWORD))

    assert world.ask_for_update(BUSINESS_ID, id_of(1), Channel.SMS).channel is Channel.EMAIL


@given(st.lists(st.tuples(st.sampled_from([None, *Channel]), st.integers(0, 20)), min_size=1, max_size=12))
def test_each_address_is_asked_once_a_day_whatever_is_asked_for(asked: list[tuple[Channel | None, int]]) -> None:
    world = World()
    world.add(customer(1))
    sent = set[tuple[Channel, date]]()
    for channel, hours in asked:
        world.clock.move(timedelta(hours=hours))
        now = world.clock.now()
        today = now.astimezone(ZoneInfo(world.businesses.get(BUSINESS_ID).time_zone)).date()
        due = (channel or Channel.EMAIL, today)
        if due not in sent:
            assert world.ask_for_update(BUSINESS_ID, id_of(1), channel).channel is due[0]
            sent.add(due)
            continue
        with pytest.raises(TooSoonError) as refused:
            world.ask_for_update(BUSINESS_ID, id_of(1), channel)
        tomorrow = (now + timedelta(seconds=refused.value.wait_seconds)).astimezone(ZoneInfo("UTC"))
        assert tomorrow > now
    assert len([each for each in world.messages.rows.values() if each.campaign_id is None]) == len(sent)


def test_another_address_may_be_asked_on_the_same_day() -> None:
    world = World()
    world.add(customer(1))
    world.ask_for_update(BUSINESS_ID, id_of(1), Channel.EMAIL)
    world.customer_service.change(BUSINESS_ID, id_of(1), {"email": "other@example.com"})

    assert world.ask_for_update(BUSINESS_ID, id_of(1), Channel.EMAIL).channel is Channel.EMAIL


def test_a_request_that_died_goes_on_with_its_message() -> None:
    boundaries = 0
    for number in range(1, 60):
        world, left = World(), number
        world.add(customer(1))

        def stop(where: Boundary) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise WorkerDiedError(str(where))

        world.checkpoint = stop
        try:
            world.ask_for_update(BUSINESS_ID, id_of(1), Channel.EMAIL, "r")
        except WorkerDiedError:
            boundaries += 1
        else:
            break
        world.checkpoint = lambda _: None
        world.ask_for_update(BUSINESS_ID, id_of(1), Channel.EMAIL, "r")
        world.rest()
        assert len(world.mailer.emails) == 1
        with pytest.raises(TooSoonError):
            world.ask_for_update(BUSINESS_ID, id_of(1), Channel.EMAIL, "s")
    assert boundaries > 8


@pytest.mark.parametrize(("days", "flaw"), [(1, None), (2, Flaw.FUTURE), (400_000, Flaw.FUTURE)])
def test_nobody_is_born_in_the_future(days: int, flaw: Flaw | None) -> None:
    desk = Desk()
    today = desk.world.clock.now().astimezone(ZoneInfo(desk.world.businesses.get(BUSINESS_ID).time_zone)).date()
    _, page = desk.ask({**desk.shown(), "birthday": str(today + timedelta(days=days))})
    wrong = dict(re.findall(r'<p class="wrong" id="(\w+)-0">(.*?)</p>', page))

    assert wrong == ({} if flaw is None else {"birthday": WORDS.flaws[flaw]})
    assert (desk.stored.birthday is None) is (flaw is not None)


@pytest.mark.parametrize("birthday", ["1990-W05-1", "19900201", "1990-02-30", "2999-W01-1"])
def test_what_is_no_day_is_not_said_to_lie_ahead(birthday: str) -> None:
    _, page = Desk().ask({**Desk().shown(), "birthday": birthday})

    assert re.findall(r'<p class="wrong" id="birthday-0">(.*?)</p>', page) == [WORDS.flaws[Flaw.DATE]]


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_written() -> None:
    desk = Desk()
    before = desk.stored
    status, page = desk.ask(
        {
            **desk.shown(),
            "first_name": " ",
            "last_name": "Lund",
            "email": "no address",
            "mobile_phone": "12",
            "birthday": "yesterday",
        }
    )
    wrong = dict(re.findall(r'<p class="wrong" id="(\w+)-0">(.*?)</p>', page))

    assert (status, WORDS.please_check in page) == (400, True)
    assert wrong == {
        "first_name": WORDS.flaws[Flaw.REQUIRED],
        "email": WORDS.flaws[Flaw.EMAIL],
        "mobile_phone": WORDS.flaws[Flaw.MOBILE],
        "birthday": WORDS.flaws[Flaw.DATE],
    }
    assert desk.shown(page)["last_name"] == "Lund"
    assert 'aria-describedby="email-0" aria-invalid="true"' in page
    assert desk.stored == before
    assert desk.heads({**desk.shown(page), **{n: desk.shown()[n] for n in wrong}}) == (200, WORDS.saved)
    assert desk.stored.last_name == "Lund"


def test_of_two_edits_at_once_none_is_lost_and_the_other_fields_go_in() -> None:
    desk = Desk()
    fields = desk.shown()
    desk.world.customer_service.change(
        BUSINESS_ID, id_of(1), {"last_name": "Desk", "day_phone": "+14155550188", "email": "desk@example.com"}
    )
    status, page = desk.ask({**fields, "last_name": "Lund", "first_name": "Mia", "email": "desk@example.com"})

    assert (status, WORDS.contested in page) == (400, True)
    assert "<strong>Desk</strong>" in page
    assert set(desk.shown(page)) == {"last_name", "was_last_name", "seen"}
    assert (desk.stored.first_name, desk.stored.last_name, desk.stored.day_phone) == ("Mia", "Desk", "+14155550188")
    assert desk.heads() == (200, WORDS.head)
    assert desk.heads(desk.shown(page)) == (200, WORDS.saved)
    assert (desk.stored.last_name, desk.stored.email) == ("Lund", "desk@example.com")
    assert desk.heads() == (200, WORDS.used)
    assert [fields for _, fields, _ in desk.events] == [("last_name",), ("first_name",)]


def test_who_gave_another_address_with_the_first_press_can_settle_the_rest() -> None:
    desk = Desk()
    fields = desk.shown()
    desk.world.customer_service.change(BUSINESS_ID, id_of(1), {"last_name": "Desk"})
    _, page = desk.ask({**fields, "last_name": "Lund", "email": "new@example.com"})

    assert desk.heads({**desk.shown(page), "last_name": "Desk"}) == (200, WORDS.saved)
    assert (desk.stored.last_name, desk.stored.email) == ("Desk", "new@example.com")


def test_it_is_too_late_after_30_days() -> None:
    desk = Desk()
    fields = desk.shown()
    desk.world.clock.move(timedelta(days=30))

    assert desk.heads() == desk.heads(fields) == (410, WORDS.expired)
    assert desk.stored.claimed_at is None


@pytest.mark.parametrize("moved", [True, False], ids=["moved to another address", "deleted"])
def test_an_address_that_is_no_longer_theirs_edits_nothing(moved: bool) -> None:
    desk = Desk()
    fields = desk.shown()
    if moved:
        desk.world.customer_service.change(BUSINESS_ID, id_of(1), {"email": "elsewhere@example.com"})
    else:
        desk.world.customer_service.delete(BUSINESS_ID, id_of(1))

    desk.world.clock.move(timedelta(hours=2))

    assert desk.heads() == desk.heads({**fields, "last_name": "Thief"}) == (410, WORDS.gone)


def test_who_was_not_shown_the_form_while_the_address_was_theirs_cannot_fill_it_in() -> None:
    desk = Desk()
    fields = desk.shown()
    desk.world.customer_service.change(BUSINESS_ID, id_of(1), {"email": "elsewhere@example.com"})

    for seen in ("", "x", "1.1.1", fields["seen"][:-1] + "0"):
        assert desk.heads({**fields, "last_name": "Thief", "seen": seen}) == (410, WORDS.gone)
    assert desk.heads({**fields, "last_name": "Lund"}) == (200, WORDS.saved)


@pytest.mark.parametrize("path", ["/v1/profile/x", "/v1/profile/" + "a" * 16, "/v1/profile/" + "A" * 140])
def test_what_is_no_link_of_ours_gets_a_page_that_says_so(path: str) -> None:
    assert Desk().heads({"last_name": "Thief"}, path=path) == (404, page_words("en").no_such_link)


def test_a_link_for_something_else_opens_no_form() -> None:
    desk = Desk()
    preferences = re.findall(r"/v1/preferences/([\w-]+)", desk.world.mailer.emails[-1].content.text)[0]

    assert desk.heads(path=f"/v1/profile/{preferences}")[0] == 404
    assert desk.heads(path=desk.path.replace("/profile/", "/preferences/"))[0] == 404


def test_no_link_stands_in_what_is_kept_or_shown_of_the_message() -> None:
    desk = Desk()
    token = desk.path.rpartition("/")[2]

    assert token not in repr(desk.world.campaigns.rows)


def test_a_text_has_a_short_link_and_fits_one_segment() -> None:
    desk = Desk(Channel.SMS)

    assert len(desk.path.rpartition("/")[2]) == 16
    assert desk.heads() == (200, WORDS.head)
    assert len(desk.text) <= 160


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_in_the_customers_language(language: str) -> None:
    desk = Desk(language=language)
    words = profile_words(language)
    _, page = desk.ask()

    assert f'<html lang="{language}">' in page
    assert words.head in page
    for label in words.labels.values():
        assert f">{label}</label>" in page
    assert all(words.flaws[flaw] for flaw in Flaw)
    assert desk.heads(desk.shown()) == (200, words.saved)


def test_values_are_shown_as_text_whatever_is_in_them() -> None:
    desk = Desk(last_name='"><script>alert(1)</script>')

    assert "<script>" not in desk.ask()[1]
    assert desk.shown()["last_name"] == '"><script>alert(1)</script>'


def test_who_dies_on_the_way_leaves_all_or_nothing() -> None:
    boundaries = 0
    for number in range(1, 60):
        desk = Desk()
        given = {**desk.shown(), "last_name": "Lund"}
        left = number

        def stop(where: Boundary) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise WorkerDiedError(str(where))

        desk.world.checkpoint = stop
        try:
            desk.ask(given)
        except WorkerDiedError:
            boundaries += 1
        else:
            break
        desk.world.checkpoint = lambda _: None
        used = desk.world.profile_history.form(BUSINESS_ID, id_of(1), desk.message.key.message_id)
        assert (desk.stored.last_name == "Lund") is (used is not None) is (len(desk.events) == 1)
        assert desk.heads(given)[1] in {WORDS.saved, WORDS.used}
        assert (desk.stored.last_name, len(desk.events)) == ("Lund", 1)
    assert boundaries > 8
