"""What a link in an email does, by the requests that mail programs, scanners and browsers make (RFC 8058)."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from html.parser import HTMLParser
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rebound.businesses.domain.business import TextAnswers
from rebound.consent.domain.consent import Consent, ConsentEvidence
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConcurrentChangeError
from rebound.kernel.languages import LANGUAGES
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.links import Link, Purpose, write_token
from rebound.preferences.domain import Choice, Switches, chosen, unsubscribed
from rebound.preferences.http.links import MAX_BODY, respond
from rebound.preferences.http.pages import page_words
from tests.fakes.making import (
    BUSINESS_ID,
    at,
    business,
    contact_key,
    contacts_of,
    customer,
    id_of,
    message,
    message_key,
)
from tests.fakes.world import World

ONE_CLICK: Final = "List-Unsubscribe=One-Click"
FORM: Final = "application/x-www-form-urlencoded"
VOID: Final = {"meta", "input", "br", "hr", "!doctype"}
PROMOTIONAL: Final = [category for category in Category if category.is_promotional]


@dataclass
class Answer:
    """What a mail program or a browser sees."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def head(self) -> str:
        found = re.search("<h1>(.*)</h1>", self.body)
        assert found is not None
        return found[1]

    @property
    def switched_off(self) -> set[str]:
        """The scopes whose switches are off, as they are shown and as the form says that they are shown."""
        ticked = set(re.findall('name="([a-z]+)" id="[a-z]+" value="on" checked', self.body))
        off = set(re.findall('name="was_([a-z]+)" value="off"', self.body))
        assert off == set(Scope) - ticked
        assert (Scope.ALL in off) is ('value="off" checked' in self.body)
        return off

    def form(self, **moved: str) -> str:
        """What a browser sends of the page's form: what is ticked, but for the boxes that are ``moved`` first."""
        shown = dict(re.findall('name="(was_[a-z]+)" value="(on|off)"', self.body))
        ticked = dict(re.findall('name="([a-z]+)" id="[a-z]+" value="(on|off)" checked', self.body))
        sent = {**shown, **ticked, **moved}
        return "&".join(f"{name}={value}" for name, value in sent.items() if value or name == Scope.ALL)


class Site:
    """The public pages of a world with customers 1 and 2 and a message to customer 1."""

    def __init__(self, language: str | None = None, **given: Any) -> None:
        self.world = World(business(**given))
        self._browser = {"accept-language": language} if language else {}
        people = [customer(1, language=language), customer(2)]
        self.world.customers.save(people, contacts_of(*people))
        self.world.messages.record_new([message(1)])

    def token(self, purpose: Purpose = Purpose.UNSUBSCRIBE, scope: Scope = Scope.MARKETING) -> str:
        return write_token(Link.to(purpose, contact_key(1), message_key(1), scope), self.world.link_keyring.keys())

    def ask(
        self,
        method: str,
        path: str,
        body: str | None = None,
        content_type: str | None = FORM,
        *,
        base64_encoded: bool = False,
    ) -> Answer:
        event = {
            "httpMethod": method,
            "path": path,
            "headers": {**self._browser, **({"content-type": content_type} if content_type else {})} or None,
            "body": body,
            "isBase64Encoded": base64_encoded,
        }
        answer = respond(event, self.world)
        return Answer(answer["statusCode"], answer["headers"], answer["body"])

    def click(self, scope: Scope = Scope.MARKETING) -> Answer:
        return self.ask("POST", f"/v1/unsubscribe/{self.token(scope=scope)}", ONE_CLICK)

    def choose(self, choice: Choice) -> Answer:
        return self.save(f"choice={choice}")

    def save(self, body: str) -> Answer:
        return self.ask("POST", f"/v1/preferences/{self.token(Purpose.PREFERENCES)}", body)

    def page(self) -> Answer:
        return self.ask("GET", f"/v1/preferences/{self.token(Purpose.PREFERENCES)}")

    def consent(self, number: int = 1) -> Consent:
        key = contact_key(number)
        return self.world.contacts.get_many([key])[key].consent

    @property
    def stored(self) -> str:
        """Everything that could have been changed."""
        world = self.world
        return repr((world.contacts.rows, world.contacts.hashed, world.customers.rows, world.messages.rows))


# --- RFC 8058 ---------------------------------------------------------------------------------------------------------


def multipart(name: str = "List-Unsubscribe", value: str = "One-Click", boundary: str = "xyz") -> str:
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n--{boundary}--\r\n'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (ONE_CLICK, FORM),
        (ONE_CLICK, f"{FORM}; charset=utf-8"),
        (ONE_CLICK, "Application/X-WWW-Form-Urlencoded"),
        (ONE_CLICK + "\r\n", FORM),
        (multipart(), "multipart/form-data; boundary=xyz"),
        (multipart(), 'Multipart/Form-Data; boundary="xyz"'),
    ],
)
@pytest.mark.parametrize("encoded", [True, False])
def test_one_click_of_a_mail_program_unsubscribes_at_once(body: str, content_type: str, encoded: bool) -> None:
    site = Site()
    sent = base64.b64encode(body.encode()).decode() if encoded else body
    answer = site.ask("POST", f"/v1/unsubscribe/{site.token()}", sent, content_type, base64_encoded=encoded)

    assert answer.status == 200
    assert "set-cookie" not in {name.lower() for name in answer.headers}
    assert site.consent().opted_out == (Scope.MARKETING,)
    assert site.consent().of(Scope.MARKETING).opt_out == ConsentEvidence(
        at(0), Scope.MARKETING, opted_out=True, source=ConsentSource.ONE_CLICK, message_id=message_key(1).message_id
    )


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (None, None),
        ("", FORM),
        ("List-Unsubscribe=", FORM),
        ("List-Unsubscribe=Two-Clicks", FORM),
        ("list-unsubscribe=One-Click", FORM),
        ("choice=nothing", FORM),
        ('{"List-Unsubscribe": "One-Click"}', "application/json"),
        (multipart("other"), "multipart/form-data; boundary=xyz"),
        (multipart(), "multipart/form-data"),
        (multipart(), "multipart/form-data; boundary=abc"),
        ("&".join(f"f{n}=1" for n in range(40)), FORM),
    ],
)
def test_a_post_that_is_not_the_one_click_changes_nothing_and_shows_the_button(
    body: str | None, content_type: str | None
) -> None:
    site = Site()
    before = site.stored
    answer = site.ask("POST", f"/v1/unsubscribe/{site.token()}", body, content_type)

    assert (answer.status, site.stored) == (400, before)
    assert "<button" in answer.body


def test_again_is_once_and_the_time_is_that_of_the_first() -> None:
    site = Site()
    writes = site.world.contacts.writes
    for minute in range(3):
        assert site.click().status == 200
        site.world.clock.move_to(at(60 * (minute + 1)))

    assert [said.at for said in site.consent().statements] == [at(0)]
    assert site.world.contacts.writes - writes == 1


@pytest.mark.parametrize("scope", Scope)
def test_a_click_stops_what_the_message_was_and_no_more(scope: Scope) -> None:
    site = Site()
    site.click(scope)

    assert site.consent().opted_out == (scope,)
    assert site.page().switched_off == {scope}


def test_what_staff_wrote_down_becomes_the_customers_own_word() -> None:
    site = Site()
    by_staff = ConsentEvidence(at(-5), Scope.MARKETING, opted_out=True, source=ConsentSource.STAFF)
    site.world.know(contact_key(1), by_staff)
    site.click()
    out = site.consent().of(Scope.MARKETING).opt_out

    assert out is not None
    assert out.source is ConsentSource.ONE_CLICK


# --- reading changes nothing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.PREFERENCES])
@pytest.mark.parametrize("body", [None, ONE_CLICK, "choice=nothing"])
def test_who_only_looks_changes_nothing(method: str, purpose: Purpose, body: str | None) -> None:
    site = Site()
    before = site.stored
    answer = site.ask(method, f"/v1/{purpose}/{site.token(purpose)}", body)

    assert (answer.status, site.stored) == (200, before)
    assert bool(answer.body) is (method == "GET")
    assert "no-store" in answer.headers["Cache-Control"]


# --- tokens that are none ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.PREFERENCES])
def test_a_forged_link_gets_a_friendly_page_and_changes_nothing(method: str, purpose: Purpose) -> None:
    site = Site()
    before = site.stored
    token = site.token(purpose)
    other = next(each for each in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES) if each is not purpose)
    forged = ["x", "%00", "é", "A" * 600, token[:-2], token[::-1], "B" + token[1:], site.token(other), token + "A"]
    for each in forged:
        answer = site.ask(method, f"/v1/{purpose}/{each}", ONE_CLICK + "&choice=nothing")
        assert answer.status == 404
        if method != "HEAD":
            assert answer.head == "This link does not work"

    assert site.stored == before


def test_a_link_of_another_business_is_about_that_business_alone() -> None:
    site = Site()
    key = ContactKey("studio-maple", Channel.EMAIL, "ana1@example.com")
    elsewhere = Link.to(Purpose.UNSUBSCRIBE, key, MessageKey("studio-maple", id_of(1), message_key(1).message_id))
    answer = site.ask("POST", f"/v1/unsubscribe/{write_token(elsewhere, site.world.link_keyring.keys())}", ONE_CLICK)

    assert (answer.status, site.consent().statements) == (404, frozenset())


@given(
    st.text(max_size=300),
    st.sampled_from([FORM, "multipart/form-data; boundary=x", "text/plain", "", "multipart/form-data; boundary="])
    | st.text(max_size=60),
    st.booleans(),
)
@example("--x\r\n\r\n--x--", "multipart/form-data; boundary=x", False)
@example("%", FORM, True)
@example("a", "\nmultipart/form-data", False)
def test_whatever_is_posted_is_answered(body: str, content_type: str, encoded: bool) -> None:
    site = Site()
    for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES):
        path = f"/v1/{purpose}/{site.token(purpose)}"
        assert site.ask("POST", path, body, content_type, base64_encoded=encoded).status == 400
    assert site.consent() == Consent()


def test_a_body_that_is_too_large_is_not_read() -> None:
    site = Site()
    answer = site.ask("POST", f"/v1/unsubscribe/{site.token()}", ONE_CLICK + "&x=" + "y" * MAX_BODY)

    assert (answer.status, site.consent()) == (413, Consent())


def test_who_meets_others_writing_the_same_contact_is_asked_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()

    def busy(*_: object) -> None:
        raise ConcurrentChangeError

    monkeypatch.setattr(site.world.contacts, "save", busy)
    answer = site.click()

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


# --- whom it speaks for -----------------------------------------------------------------------------------------------


def test_everybody_who_shares_the_address_is_unsubscribed_with_it() -> None:
    site = Site()
    site.world.customer_service.change(BUSINESS_ID, id_of(2), {"email": "ANA1@example.com"})
    site.click()

    assert site.world.contacts.rows[contact_key(1)].customer_ids == {id_of(1), id_of(2)}
    assert site.consent().opted_out == (Scope.MARKETING,)


def test_the_new_address_of_a_customer_is_left_alone() -> None:
    site = Site()
    site.world.customer_service.change(BUSINESS_ID, id_of(1), {"email": "new@example.com"})
    site.click()
    new = ContactKey(BUSINESS_ID, Channel.EMAIL, "new@example.com")

    assert site.consent().opted_out == (Scope.MARKETING,)
    assert site.world.contacts.get_many([new])[new].consent == Consent()


def test_a_deleted_customer_unsubscribes_and_is_still_when_they_come_again() -> None:
    site = Site()
    site.world.customer_service.delete(BUSINESS_ID, id_of(1))
    assert site.click().status == 200
    view = site.world.customer_service.create(
        BUSINESS_ID, {"first_name": "Ana", "last_name": "Silva", "email": "ana1@example.com"}
    )

    assert view.customer.customer_id != id_of(1)
    assert site.consent().opted_out == (Scope.MARKETING,)
    assert site.ask("POST", f"/v1/preferences/{site.token(Purpose.PREFERENCES)}", "choice=everything").status == 200
    assert site.consent().opted_out == ()


def test_a_page_shows_the_address_of_the_link_and_not_one_that_the_log_only_guessed() -> None:
    site = Site()
    site.world.messages.rows[message_key(1)] = message(1, address="guess@example.com")
    view = site.world.follow_links.show(site.token(Purpose.PREFERENCES), Purpose.PREFERENCES)
    site.click()
    guess = ContactKey(BUSINESS_ID, Channel.EMAIL, "guess@example.com")

    assert view.address == "ana1@example.com"
    assert site.consent().opted_out == (Scope.MARKETING,)
    assert site.world.contacts.get_many([guess])[guess].consent == Consent()


def test_a_page_that_is_opened_after_a_removal_shows_no_address_and_no_hash_of_one() -> None:
    site = Site()
    site.click()
    site.world.customer_service.delete(BUSINESS_ID, id_of(1))
    hashed = contact_key(1).hashed
    # As the log is once the address has been taken out of it.
    site.world.messages.rows[message_key(1)] = message(1, address=hashed.address)
    page = site.ask("GET", f"/v1/preferences/{site.token(Purpose.PREFERENCES)}")
    view = site.world.follow_links.show(site.token(Purpose.PREFERENCES), Purpose.PREFERENCES)

    assert page.status == 200
    assert hashed.address not in page.body
    assert hashed.address.removeprefix("sha256:") not in page.body
    assert view.address in (None, "ana1@example.com")


# --- choosing ---------------------------------------------------------------------------------------------------------

statements = st.builds(
    ConsentEvidence,
    st.integers(-1000, 1000).map(at),
    st.sampled_from(Scope),
    st.booleans(),
    st.sampled_from(ConsentSource),
)


SAID: Final = {
    Choice.EVERYTHING: dict.fromkeys(Scope, True),
    Choice.NO_LOYALTY: {Scope.ALL: True, Scope.MARKETING: True, Scope.LOYALTY: False, Scope.TRANSACTIONAL: True},
    Choice.NO_MARKETING: {Scope.ALL: True, Scope.MARKETING: False, Scope.TRANSACTIONAL: True},
    Choice.NOTHING: {Scope.ALL: False},
}
"""What the pages of former versions said of which scope."""


@given(st.lists(statements, max_size=8), st.sampled_from(Choice))
def test_whatever_was_said_before_the_choice_holds_afterwards(before: list[ConsentEvidence], choice: Choice) -> None:
    consent = Consent().join(*before)
    after = consent.join(*chosen(consent, choice, at(0), "m"))
    stated = {said for said in after.statements if said not in consent.statements}

    assert {scope: scope not in after.opted_out for scope in SAID[choice]} == SAID[choice]
    assert all(consent.of(scope) == after.of(scope) for scope in set(Scope) - set(SAID[choice]))
    assert {said.source for said in stated} <= {ConsentSource.ONE_CLICK}
    assert chosen(after, choice, at(5000), "m") == ()


@given(st.lists(statements, max_size=8), st.sampled_from(Scope))
def test_one_click_holds_whatever_was_said_before_it(before: list[ConsentEvidence], scope: Scope) -> None:
    consent = Consent().join(*before)
    after = consent.join(*unsubscribed(consent, scope, at(0), "m"))

    assert after.of(scope).opted_out
    assert unsubscribed(after, scope, at(2000), "m") == ()


@pytest.mark.parametrize("choice", Choice)
def test_what_is_chosen_is_shown_and_said_to_be_saved(choice: Choice) -> None:
    site = Site()
    answer = site.choose(choice)

    off = {scope for scope, wanted in SAID[choice].items() if not wanted}
    assert (answer.status, answer.switched_off) == (200, off)
    assert 'role="status">Saved.' in answer.body
    assert site.page().switched_off == off


@given(
    st.lists(statements, max_size=8),
    st.lists(st.tuples(st.sampled_from(Scope), st.booleans()), max_size=6, unique_by=lambda moved: moved[0]),
    st.data(),
)
def test_switches_are_independent_and_come_to_the_same_in_any_order(
    before: list[ConsentEvidence], moved: list[tuple[Scope, bool]], data: st.DataObject
) -> None:
    consent = Consent().join(*before)
    shown = {scope: not consent.of(scope).opted_out for scope in Scope}
    in_turn = consent
    for scope, wanted in data.draw(st.permutations(moved)):
        # Each from a page of its own that was opened before any of them was saved.
        in_turn = in_turn.join(*chosen(in_turn, Switches(shown, {**shown, scope: wanted}), at(0), "m"))
    at_once = consent.join(*chosen(consent, Switches(shown, {**shown, **dict(moved)}), at(0), "m"))

    assert in_turn == at_once
    assert set(at_once.opted_out) == {scope for scope, wanted in {**shown, **dict(moved)}.items() if not wanted}
    assert all(at_once.of(scope) == consent.of(scope) for scope in set(Scope) - {scope for scope, _ in moved})


@given(st.lists(statements, max_size=8), st.lists(statements, max_size=4), st.sampled_from(Scope))
def test_a_page_that_was_open_leaves_what_was_changed_elsewhere(
    before: list[ConsentEvidence], meanwhile: list[ConsentEvidence], scope: Scope
) -> None:
    opened = Consent().join(*before)
    shown = {each: not opened.of(each).opted_out for each in Scope}
    now = opened.join(*meanwhile)
    after = now.join(*chosen(now, Switches(shown, {**shown, scope: not shown[scope]}), at(0), "m"))

    assert after.of(scope).opted_out is shown[scope]
    assert all(after.of(each) == now.of(each) for each in Scope if each is not scope)


@pytest.mark.parametrize("scope", Scope)
def test_each_switch_of_the_page_moves_alone_there_and_back(scope: Scope) -> None:
    site = Site()
    off, on = ("off", "on") if scope is Scope.ALL else ("", "on")
    left = site.save(site.page().form(**{scope: off}))
    assert (left.status, left.switched_off, site.consent().opted_out) == (200, {scope}, (scope,))
    back = site.save(left.form(**{scope: on}))
    assert (back.status, back.switched_off, site.consent().opted_out) == (200, set(), ())


def test_a_page_that_is_saved_as_it_was_changes_nothing() -> None:
    site = Site()
    site.click(Scope.TRANSACTIONAL)
    before = site.stored
    answer = site.save(site.page().form())

    assert (answer.status, answer.switched_off, site.stored) == (200, {Scope.TRANSACTIONAL}, before)


def test_what_staff_change_while_the_page_is_open_stays() -> None:
    site = Site()
    open_since = site.page()
    site.world.know(contact_key(1), ConsentEvidence(at(1), Scope.MARKETING, opted_out=True, source=ConsentSource.STAFF))
    answer = site.save(open_since.form(transactional=""))

    assert answer.switched_off == {Scope.MARKETING, Scope.TRANSACTIONAL}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "choice=",
        "choice=all",
        "choice=everything%00",
        "x=y",
        "marketing=on",
        "was_marketing=on&marketing=perhaps",
        "was_marketing=yes",
        "was_marketing=on&transactional=on",
        "was_all=on&choice=some",
    ],
)
def test_a_choice_that_there_is_not_changes_nothing(body: str) -> None:
    site = Site()
    answer = site.ask("POST", f"/v1/preferences/{site.token(Purpose.PREFERENCES)}", body)

    assert (answer.status, site.consent()) == (400, Consent())


@pytest.mark.parametrize("source", ConsentSource)
def test_the_owner_of_an_address_can_take_back_whatever_was_said(source: ConsentSource) -> None:
    site = Site()
    for scope in Scope:
        site.world.know(contact_key(1), ConsentEvidence(at(30), scope, opted_out=True, source=source))
    answer = site.choose(Choice.EVERYTHING)

    assert (answer.switched_off, site.consent().opted_out) == (set(), ())


def test_who_unsubscribed_gets_back_what_held_before_with_one_press() -> None:
    site = Site()
    site.click(Scope.LOYALTY)
    site.click(Scope.TRANSACTIONAL)
    answer = site.click()
    [(action, fields)] = re.findall('action="([^"]+)">((?:<input type="hidden"[^>]*>)+)', answer.body)
    path = f"/v1/{action.removeprefix('../')}"
    form = "&".join("=".join(pair) for pair in re.findall('name="([a-z_]+)" value="([a-z]+)"', fields))

    assert form == "was_marketing=off&marketing=on"
    assert site.ask("POST", path, form).switched_off == {Scope.LOYALTY, Scope.TRANSACTIONAL}


def test_who_stops_marketing_without_reminders_is_not_told_that_these_still_come() -> None:
    site = Site()
    assert "You still get emails about your appointments and purchases." in site.click().body
    site.click(Scope.TRANSACTIONAL)
    answer = site.click()

    assert "about your appointments" not in answer.body
    assert "You still get emails that we write to you alone." in answer.body


def test_texts_that_a_word_stopped_come_back_by_a_word_alone() -> None:
    site = Site()
    texted = contact_key(1, Channel.SMS)
    site.world.messages.record(
        [message(1, key=message_key(1, "01M7W6C3805FEE6AD6R1F2WA09"), channel=Channel.SMS, address=texted.address)]
    )
    link = Link.to(Purpose.PREFERENCES, texted, message_key(1, "01M7W6C3805FEE6AD6R1F2WA09"))
    path = f"/v1/preferences/{write_token(link, site.world.link_keyring.keys())}"
    site.world.know(texted, ConsentEvidence(at(0), Scope.ALL, opted_out=True, source=ConsentSource.KEYWORD))
    before = site.stored
    answer = site.ask("POST", path, "choice=everything")

    assert site.stored == before
    assert "Text START to +14155550100" in answer.body
    assert "<form" not in answer.body


# --- the pages themselves ---------------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """Reads a page as strictly as an eye that checks it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if "style" not in self.open else ""

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.seen if name == tag]


def pages_of(site: Site) -> list[Answer]:
    """Every page that there is."""
    found = []
    for scope in Scope:
        path = f"/v1/unsubscribe/{site.token(scope=scope)}"
        found += [site.ask("GET", path), site.ask("POST", path, "x"), site.ask("POST", path, ONE_CLICK)]
        found.append(site.ask("GET", path))
    found += [site.choose(choice) for choice in Choice]
    found.append(site.ask("GET", "/v1/unsubscribe/x"))
    found.append(site.ask("POST", "/v1/unsubscribe/x", "x" * 5000))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_whole_readable_and_runs_nothing(language: str) -> None:
    for answer in pages_of(Site(language=language)):
        page = Reader(answer.body)
        assert answer.body.startswith("<!doctype html>\n")
        assert page.all("html") == [{"lang": language}]
        assert answer.headers["Content-Language"] == language
        assert not set("{}") & set(page.text)
        assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
        assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
        names = {name for name, _ in page.seen}
        assert not names & {"script", "img", "link", "iframe", "object", "svg"}
        for _, attributes in page.seen:
            assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for form in page.all("form"):
            assert form["method"] == "post"
        labelled = {label["for"] for label in page.all("label")}
        assert {field["id"] for field in page.all("input") if field["type"] != "hidden"} == labelled
        assert "ana1@" not in answer.body


def test_pages_are_in_the_customers_language_and_else_in_that_of_the_business() -> None:
    site = Site(text_answers=TextAnswers(language="fr"))
    path = f"/v1/unsubscribe/{site.token()}"
    assert site.ask("GET", path).head == "Ne plus recevoir nos offres et actualités&nbsp;?"
    site.world.customer_service.change(BUSINESS_ID, id_of(1), {"language": "de"})
    site.world.customer_service.change(BUSINESS_ID, id_of(2), {"language": "pt", "email": "ana1@example.com"})
    assert site.ask("GET", path).head == "Unsere Angebote und Neuigkeiten abbestellen?"
    site.world.customer_service.delete(BUSINESS_ID, id_of(1))

    assert site.ask("POST", path, ONE_CLICK).head == "Désabonnement effectué"


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (None, "en"),
        ("", "en"),
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        ("nl, DE;q=0.5, fr", "de"),
        ("nl,*", "en"),
        (",;q=\x00\u00e9", "en"),
    ],
)
def test_a_page_that_is_about_nobody_is_in_a_language_of_the_browser(asked: str | None, answered: str) -> None:
    event = {"httpMethod": "GET", "path": "/v1/unsubscribe/x", "headers": {"Accept-Language": asked}, "body": None}
    answer = respond(event, Site().world)

    assert answer["headers"]["Content-Language"] == answered
    assert page_words(answered).no_such_link in answer["body"]


def test_what_a_page_may_do_is_said_to_the_browser() -> None:
    for answer in pages_of(Site()):
        [style] = re.findall("<style>(.*?)</style>", answer.body, re.DOTALL)
        digest = base64.b64encode(sha256(style.encode()).digest()).decode()
        assert answer.headers["Content-Security-Policy"] == (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@given(st.text(min_size=1, max_size=40))
@example("<script>alert(1)</script>")
@example('Bob & "Ann"')
def test_a_business_has_its_name_on_the_page_and_no_markup(name: str) -> None:
    site = Site(name=name)
    body = site.ask("GET", f"/v1/unsubscribe/{site.token()}").body

    assert f'<p class="business">{escape(name)}</p>' in body
    assert "script" not in {tag for tag, _ in Reader(body).seen}


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio"."""

    def luminance(colour: str) -> float:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_everything_on_a_page_can_be_told_from_its_ground() -> None:
    """WCAG 2.2 AA: 4.5 for text, 3 for the edges of controls; by day and by night."""
    body = Site().ask("GET", "/v1/unsubscribe/x").body
    schemes = [
        dict(re.findall(r"--([\w-]+): (#\w{6})", part)) for part in re.findall(r":root \{(.*?)\}", body, re.DOTALL)
    ]

    assert len(schemes) == 2
    for colours in (schemes[0], {**schemes[0], **schemes[1]}):
        for ink, ground, least in (
            ("ink", "paper", 4.5),
            ("soft", "paper", 4.5),
            ("act", "paper", 4.5),
            ("on-act", "act", 4.5),
            ("good", "good-ground", 4.5),
            ("line", "paper", 3),
        ):
            assert contrast(colours[ink], colours[ground]) >= least, (ink, ground)


# --- the question of double opt-in ------------------------------------------------------------------------------------


def test_the_link_in_the_question_shows_a_button_and_only_its_press_confirms_and_only_once() -> None:
    site = Site()
    path = f"/v1/confirm/{site.token(Purpose.CONFIRM)}"
    before = site.stored
    looks = [site.ask(method, path) for method in ("GET", "HEAD")]
    slips = [
        site.ask("POST", path, body) for body in (None, "", "confirm=", "confirm=no", ONE_CLICK, "choice=everything")
    ]

    assert ([look.status for look in looks], [slip.status for slip in slips]) == ([200, 200], [400] * 6)
    assert site.stored == before
    assert all("<button" in answer.body for answer in (looks[0], *slips))
    for minute in range(3):
        done = site.ask("POST", path, "confirm=yes")
        site.world.clock.move_to(at(60 * (minute + 1)))
        assert (done.status, done.head) == (200, "Thank you, that is confirmed")
    assert site.consent().statements == {
        ConsentEvidence(
            at(0), Scope.MARKETING, False, ConsentSource.DOUBLE_OPT_IN, message_id=message_key(1).message_id
        )
    }
    assert site.consent().is_confirmed
    assert site.ask("GET", path).head == "Thank you, that is confirmed"


def test_who_confirms_after_having_stopped_everything_gets_it_again() -> None:
    site = Site()
    for scope, source in ((Scope.ALL, ConsentSource.ONE_CLICK), (Scope.MARKETING, ConsentSource.COMPLAINT)):
        site.world.know(contact_key(1), ConsentEvidence(at(-5), scope, opted_out=True, source=source))
    site.ask("POST", f"/v1/confirm/{site.token(Purpose.CONFIRM)}", "confirm=yes")

    assert (site.consent().opted_out, site.consent().is_confirmed) == ((), True)


@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.PREFERENCES])
def test_no_other_link_confirms(purpose: Purpose) -> None:
    site = Site()
    before = site.stored
    answer = site.ask("POST", f"/v1/confirm/{site.token(purpose)}", "confirm=yes")

    assert (answer.status, site.stored) == (404, before)
