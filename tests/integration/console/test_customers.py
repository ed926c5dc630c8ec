"""The list of customers and the pages of one: what is done there by hand, and what is refused."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
from botocore.client import BaseClient
from markupsafe import escape
from playwright.sync_api import Page

from rebound.access.domain import acting
from rebound.consent.domain.consent import ConsentEvidence
from rebound.console.http import customers_cleaned
from rebound.console.http.frame import SESSION
from rebound.console.wiring import use_cases
from rebound.contacts.domain.reachability import Failure
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.provider_codes import Provider
from rebound.staff.domain import Role
from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import Stack
from tests.integration.console.conftest import OWNER, check, sign_in
from tests.integration.console.site import event_of
from tests.integration.inbound.test_received_texts import text
from tests.integration.jobs.test_jobs import run

TABS: Final = ("", "/family", "/activity", "/points", "/timeline", "/waiting", "/sequences")
MOST_REQUESTS: Final = 8
ATTACK: Final = '"><script>alert(1)</script>'


@pytest.fixture
def anna(stack: Stack) -> str:
    return made(stack, first_name="Anna", last_name="Berg", email="anna@example.com", mobile_phone="+14155550101")


@pytest.fixture
def boris(stack: Stack) -> str:
    return made(stack, first_name="Boris", last_name=ATTACK, email="boris@example.com", general_tags=["old"])


def made(stack: Stack, **profile: Any) -> str:
    customer_id: str = stack.api("POST", "/v1/customers", profile).body["customer_id"]
    return customer_id


Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(stack: Stack) -> Ask:
    """Asks for a page, or sends a form, as somebody with a role, without a browser."""
    kept: dict[Role, tuple[str, str]] = {}

    def sent(method: str, path: str, cookie: str, form: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"host": "localhost", "origin": "http://localhost", "cookie": cookie}
        headers["content-type"] = "application/x-www-form-urlencoded"
        body = urlencode(form or {}, doseq=True) if method == "POST" else None
        answer: dict[str, Any] = stack.invoke("serve_console", event_of(method, f"/console/{path}", headers, body))
        return answer

    def signed_in(role: Role) -> tuple[str, str]:
        if role not in kept:
            behind, email = use_cases(), f"{role}@salon.example.com"
            # A business keeps an owner.
            behind.invite(BUSINESS_ID, OWNER, Role.OWNER, console_url="http://localhost/console")
            behind.invite(BUSINESS_ID, email, role, console_url="http://localhost/console")
            page = sent("GET", f"sign-in/{behind.make_link(email, BUSINESS_ID)}", "")
            fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page["body"]))
            answer = sent("POST", "sign-in-link", "", fields)
            cookie = next(
                each.partition(";")[0]
                for each in answer["multiValueHeaders"]["Set-Cookie"]
                if each.startswith(f"{SESSION}=")
            )
            listed = sent("GET", "customers", cookie)["body"]
            kept[role] = (cookie, re.findall(r'name="csrf" value="([^"]+)"', listed)[0])
        return kept[role]

    def asked(method: str, path: str, form: dict[str, Any] | None = None, role: Role = Role.OWNER) -> dict[str, Any]:
        cookie, csrf = signed_in(role)
        return sent(method, path, cookie, {"csrf": csrf, **(form or {})})

    return asked


@contextmanager
def counted() -> Iterator[list[str]]:
    """The names of the requests to AWS made meanwhile."""
    names: list[str] = []
    call: Any = vars(BaseClient)["_make_api_call"]

    def noted(client: Any, name: str, given: Any) -> Any:
        names.append(f"{name} {given.get('TableName') or list(given.get('RequestItems', {}))}")
        return call(client, name, given)

    with patch.object(BaseClient, "_make_api_call", noted):
        yield names


@pytest.mark.parametrize("tab", ["customers", *(f"customers/*{tab}" for tab in TABS)])
def test_a_page_needs_few_requests(stack: Stack, anna: str, boris: str, ask: Ask, tab: str) -> None:
    stack.api("PUT", "/v1/segments/vip", {"name": "VIP", "filter": {"field": "first_name", "op": "is", "value": "A"}})
    path = tab.replace("*", anna)
    ask("GET", path)
    with counted() as names:
        assert ask("GET", path)["statusCode"] == 200
    assert len(names) <= MOST_REQUESTS, names


def test_where_somebody_is_in_sequences_is_a_page_of_few_requests(stack: Stack, anna: str, ask: Ask) -> None:
    stack.api("PUT", "/v1/segments/new", {"name": "New", "filter": {"not": {"tag": "old"}}})
    opted = {"consent": {"channel": "email", "scope": "marketing", "is": "opted_out"}}
    filters = {"a": None, "b": {"segment": "new"}, "c": opted, "d": {"not": opted}, "e": {"visits": {"at_least": 1}}}
    for sequence_id, tree in filters.items():
        wait: dict[str, Any] = {"wait": {"days": 2}}
        given = {"trigger": {"kind": "visit"}, "steps": [wait], "status": "on", "filter": tree}
        answer = stack.api("PUT", f"/v1/sequences/{sequence_id}", {**given, "name": f"<b>{sequence_id}"})
        assert answer.status == 200, answer.text
    stack.api("POST", "/v1/sequences/a/enrolments", {"customer_id": anna, "entry_key": "1"})
    ask("GET", f"customers/{anna}/sequences")
    with counted() as names:
        page = ask("GET", f"customers/{anna}/sequences")["body"]

    assert len(names) <= MOST_REQUESTS, names
    for said in ("Is about to go on.", "&lt;b&gt;b", "it begins with a visit", "do not match its filter", "Begun on "):
        assert said in page
    assert page.count("do not match its filter") == 2
    assert "Sequences, and why not" in ask("GET", f"customers/{anna}")["body"]


def test_every_tab_of_a_customer_is_for_everybody(
    console: str, stack: Stack, anna: str, boris: str, at_width: Page, width: str
) -> None:
    page = at_width
    stack.api("POST", f"/v1/customers/{anna}/relations", {"relationship": "friend", "customer_id": boris})
    stack.api("POST", f"/v1/customers/{anna}/points", {"delta": 30, "reason": "welcome", "who": "desk"})
    sign_in(page, console)
    for tab in TABS:
        page.goto(f"{console}/customers/{anna}{tab}")
        check(page, f"customer{tab.replace('/', '-')}-{width}")


def test_those_who_are_ticked_are_deleted_once_their_number_is_typed(
    console: str, stack: Stack, anna: str, boris: str, page: Page
) -> None:
    sign_in(page, console)
    page.get_by_label("Tick all on this page").check()
    page.get_by_label("Choose: Anna Berg").uncheck()
    page.get_by_role("button", name="Delete the ticked ones").click()
    page.get_by_label("Type the number").wait_for()
    check(page, "customers-clean-up-desk")
    page.get_by_label("Type the number").fill("2")
    page.get_by_role("button", name="Delete them for good").click()
    assert "it is 1" in page.locator("#number-wrong").inner_text()
    page.get_by_label("Type the number").fill("1")
    page.get_by_role("button", name="Delete them for good").click()
    page.wait_for_url("**/customers/clean-up/*")
    check(page, "customers-cleaning-desk")
    job = stack.api("GET", f"/v1/jobs/{page.url.rpartition('/')[2]}").body
    assert job["kind"] == "bulk_delete"
    request = use_cases().job_service.get(BUSINESS_ID, job["job_id"]).job.request
    assert (request["customer_ids"], request["confirm_count"]) == ([boris], 1)


def test_all_that_are_found_are_deleted_exported_and_counted(stack: Stack, anna: str, boris: str, ask: Ask) -> None:
    stack.api("PUT", "/v1/segments/old", {"name": "Old", "filter": {"tag": "old"}})
    found = {"segment": "old"}
    assert "1 customer." in ask("POST", "customers", {**found, "count": "1"})["body"]
    question = ask("POST", "customers/clean-up", {**found, "of": "all"})["body"]
    assert "1 customer will be deleted." in question
    form = {**found, "count": "1", "found": boris, "number": "1", "once": "x"}
    begun = ask("POST", "customers/clean-up-begun", form)
    assert begun["statusCode"] == 303
    # Sent twice it is one clean-up.
    assert ask("POST", "customers/clean-up-begun", form)["headers"]["Location"] == begun["headers"]["Location"]
    job_id = begun["headers"]["Location"].rpartition("/")[2]
    assert use_cases().job_service.get(BUSINESS_ID, job_id).job.request["wanted"]["segment"]
    assert ask("POST", "customers/export", found)["statusCode"] == 303
    listed = ask("POST", "customers", found)["body"]
    assert "boris@example.com" in listed
    assert "anna@example.com" not in listed


def test_whoever_was_not_among_those_found_stays(stack: Stack, anna: str, boris: str, ask: Ask) -> None:
    question = ask("POST", "customers/clean-up", {"tag": "old", "of": "all"})["body"]
    named = re.findall(r'name="found" value="([^"]+)"', question)
    assert named == [boris]
    stack.api("PATCH", f"/v1/customers/{boris}", {"general_tags": []})
    stack.api("PATCH", f"/v1/customers/{anna}", {"general_tags": ["old"]})
    form = {"tag": "old", "found": boris, "count": "1", "number": "1", "once": "x"}
    begun = ask("POST", "customers/clean-up-begun", form)
    job = run(stack, {"job_id": begun["headers"]["Location"].rpartition("/")[2]})
    assert job["status"] == "refused"
    assert [stack.api("GET", f"/v1/customers/{each}").status for each in (anna, boris)] == [200, 200]


def test_of_more_than_are_named_nobody_goes_in_the_place_of_another(
    stack: Stack, anna: str, boris: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customers_cleaned, "MOST_NAMED", 0)
    question = ask("POST", "customers/clean-up", {"tag": "old", "of": "all"})["body"]
    fields = {name: value for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', question) if name != "csrf"}
    assert "found" not in fields
    unmarked = {name: value for name, value in fields.items() if name != "mark"}
    assert ask("POST", "customers/clean-up-begun", {**unmarked, "number": "1"})["statusCode"] == 422
    stack.api("PATCH", f"/v1/customers/{boris}", {"general_tags": []})
    stack.api("PATCH", f"/v1/customers/{anna}", {"general_tags": ["old"]})
    begun = ask("POST", "customers/clean-up-begun", {**fields, "number": "1"})
    job = run(stack, {"job_id": begun["headers"]["Location"].rpartition("/")[2]})
    assert (job["status"], "not the same" in job["reason"]) == ("refused", True)
    assert [stack.api("GET", f"/v1/customers/{each}").status for each in (anna, boris)] == [200, 200]


@pytest.mark.parametrize("number", ["9" * 5000, "²", "-1", "1.0", ""])
@pytest.mark.parametrize("also", ["count", "found", "customer"])
def test_what_is_no_number_deletes_nobody(boris: str, ask: Ask, number: str, also: str) -> None:
    form = {"tag": "old", also: number, "number": number, "once": "x"}
    answer = ask("POST", "customers/clean-up-begun", form)
    assert answer["statusCode"] == 422


@pytest.mark.parametrize(
    ("failed", "found"), [("phone", {"Anna"}), ("email", set()), ("any", {"Anna"}), ("both", set())]
)
def test_those_whom_nothing_reaches_are_found_by_the_filter_that_the_page_offers(
    stack: Stack, anna: str, boris: str, ask: Ask, failed: str, found: set[str]
) -> None:
    contacts = use_cases().ports.contacts
    key = use_cases().ports.customers.get(BUSINESS_ID, anna).contact_key(Channel.SMS)
    assert key is not None
    refused = Failure(datetime.now(UTC), "m-1", Provider.TWILIO, "30005")
    contacts.save(contacts.get_many([key])[key].with_evidence(refused))
    use_cases().copy_flags(BUSINESS_ID, [use_cases().ports.customers.get(BUSINESS_ID, anna)])
    offered = re.findall(r'<option value="(\w*)"', ask("GET", "customers")["body"])
    assert failed in offered
    listed = ask("POST", "customers", {"failed": failed})["body"]
    assert {name for name in ("Anna", "Boris") if f">{name} " in listed} == found
    assert ("Number unknown, since" in listed) == bool(found)


def test_who_ticks_nobody_gets_the_list_again_and_is_told(anna: str, boris: str, ask: Ask) -> None:
    answer = ask("POST", "customers/clean-up", {"of": "chosen", "tag": "old"})
    assert answer["statusCode"] == 422
    assert "Tick at least one" in answer["body"]
    assert boris in answer["body"]
    assert anna not in answer["body"]
    assert 'id="tag" name="tag" value="old"' in answer["body"]


@pytest.mark.parametrize("form", [{"of": "all"}, {"of": "chosen"}, {"of": "all", "segment": "none"}])
def test_nobody_is_deleted_whom_one_did_not_choose(anna: str, ask: Ask, form: dict[str, str]) -> None:
    answer = ask("POST", "customers/clean-up", form)
    assert answer["statusCode"] == 422
    assert 'name="number"' not in answer["body"]


@pytest.mark.parametrize(
    "path",
    ["customers/clean-up", "customers/clean-up-begun", "customers/export"]
    + [f"customers/*{tab}" for tab in ("", "/confirm", "/consent", "/ask", "/family", "/points")],
)
def test_a_viewer_changes_nothing(anna: str, ask: Ask, path: str) -> None:
    assert ask("POST", path.replace("*", anna), {}, Role.VIEWER)["statusCode"] == 403


def test_a_viewer_sees_no_button(anna: str, boris: str, ask: Ask) -> None:
    for path in ("customers", *(f"customers/{anna}{tab}" for tab in TABS)):
        page = ask("GET", path, role=Role.VIEWER)["body"]
        forms = re.findall(r'<form method="post" action="[^"]*?((?:customers|sign-out)[^"]*)"', page)
        assert {form for form in forms if not form.startswith("sign-out")} <= {"customers"}, path


def test_the_desk_deletes_nobody_in_bulk(anna: str, ask: Ask) -> None:
    assert ask("POST", "customers/clean-up", {"of": "chosen", "customer": anna}, Role.STAFF)["statusCode"] == 403
    assert "clean-up" not in ask("GET", "customers", role=Role.STAFF)["body"]


def test_all_of_a_profile_is_edited_on_the_page_and_only_what_was_changed(
    stack: Stack, anna: str, boris: str, ask: Ask
) -> None:
    shown = ask("GET", f"customers/{anna}")["body"]
    was = {f"was_{name}": "" for name in re.findall(r'name="was_(\w+)"', shown)}
    assert len(was) > 20
    was |= {f"was_{name}": value for name, value in (("first_name", "Anna"), ("reminders_email", "on"))}
    # Boxes that are not ticked are not sent.
    form = {
        **was,
        "first_name": "Anna",
        "last_name": "Berg",
        "was_last_name": "Berg",
        "address_city": "Bern",
        "language": "it",
        "reminders_push": "on",
        "cc": f"{boris}, boss@example.com",
        "referred_by": "Carla",
    }
    assert ask("POST", f"customers/{anna}", form)["statusCode"] == 303
    now = stack.api("GET", f"/v1/customers/{anna}").body
    assert (now["address"]["city"], now["language"], now["referred_by"]) == ("Bern", "it", "Carla")
    assert now["reminders"] == {"email": False, "sms": True, "push": True}
    assert now["cc"] == [boris, "boss@example.com"]
    assert now["email"] == "anna@example.com"


def test_a_profile_that_is_the_customers_own_says_why_it_is_locked(stack: Stack, anna: str, ask: Ask) -> None:
    stack.api("PATCH", "/v1/business", {"shares_customers": True})
    use_cases().customer_service.change(BUSINESS_ID, anna, {"last_name": "Bergé"}, by_customer=True)
    shown = ask("GET", f"customers/{anna}")["body"]
    assert re.search(r'id="email"[^>]*aria-describedby="email-hint"[^>]*readonly', shown)
    assert re.search(r'id="email-hint">Locked: only the customer', shown)
    assert not re.search(r'id="referred_by"[^>]*readonly', shown)
    answer = ask("POST", f"customers/{anna}", {"was_email": "anna@example.com", "email": "other@example.com"})
    assert answer["statusCode"] == 409
    assert "email-wrong" in answer["body"]


def test_consent_is_switched_with_who_did_it_and_words_are_asked_for(stack: Stack, anna: str, ask: Ask) -> None:
    path, form = f"customers/{anna}/consent", {"channel": "email", "scope": "marketing"}
    assert ask("POST", path, {**form, "to": "out"})["statusCode"] == 303
    scopes = stack.api("GET", f"/v1/customers/{anna}/consent").body["channels"]["email"]["scopes"]
    assert (scopes["marketing"]["opted_out"], scopes["marketing"]["who"]) == (True, "owner@salon.example.com")
    assert f"({OWNER})" in ask("GET", f"customers/{anna}/timeline")["body"]
    assert ask("POST", path, {**form, "to": "in"})["statusCode"] == 303
    assert ask("POST", path, {**form, "to": "sideways"})["statusCode"] == 422


def test_everything_that_is_done_with_a_customer_is_in_the_timeline_with_who(
    stack: Stack, anna: str, boris: str, ask: Ask
) -> None:
    stack.invoke("receive_text", text(From="+14155550101", Body="please stop texting me"))
    path, staff = f"customers/{anna}", Role.STAFF
    done = {
        path: {"was_last_name": "Berg", "last_name": "Bergé", "was_language": "", "language": "it"},
        f"{path}/confirm": {"channel": "email"},
        f"{path}/ask": {},
        f"{path}/family": {"do": "add", "other_id": boris, "relationship": "friend", "once": "a"},
        f"{path}/points": {"delta": "5", "reason": "sorry", "once": "a"},
        f"{path}/consent": {"channel": "email", "scope": "marketing", "to": "out"},
        "replies/SM1": {"decision": "keep"},
    }
    for address, form in done.items():
        assert ask("POST", address, form, staff)["statusCode"] == 303, address
    [relation] = stack.api("GET", f"/v1/{path}/relations").body["items"]
    assert ask("POST", f"{path}/family", {"do": "remove", **relation}, staff)["statusCode"] == 303
    who = "staff@salon.example.com"
    shown = ask("GET", f"{path}/timeline")["body"]
    for sentence in (
        f"{who} changed last name and language.",
        f"{who} said that the email is right.",
        f"{who} had the customer asked to check their details.",
        f"as friend ({who}).",
        f"No longer linked with Boris {escape(ATTACK)} as friend ({who}).",
        f"Opted out of marketing emails through staff ({who}).",
        f"It was read, and texts go on ({who}).",
        f"Let marketing texts through again ({who}).",
    ):
        assert sentence in shown, sentence
    assert f"{who} added 5 points: sorry." in ask("GET", f"{path}/points")["body"]
    # Programs are nobody in particular.
    stack.api("PATCH", f"/v1/{path}", {"last_name": "Berg"})
    assert ask("GET", f"{path}/timeline")["body"].count("changed") == shown.count("changed")


def test_who_texted_stop_is_told_where_to_text_start(stack: Stack, anna: str, ask: Ask) -> None:
    contacts = use_cases().ports.contacts
    key = use_cases().ports.customers.get(BUSINESS_ID, anna).contact_key(Channel.SMS)
    assert key is not None
    stop = ConsentEvidence(datetime.now(UTC), Scope.ALL, True, ConsentSource.KEYWORD)
    contacts.save(contacts.get_many([key])[key].with_evidence(stop))
    shown = ask("GET", f"customers/{anna}")["body"]
    assert "Texts are stopped since" in shown
    answer = ask("POST", f"customers/{anna}/consent", {"channel": "sms", "scope": "all", "to": "in"})
    assert answer["statusCode"] == 409
    assert "Only the customer can undo this" in answer["body"]


def test_family_is_found_linked_and_removed_also_without_scripts(
    console: str, stack: Stack, anna: str, boris: str, without_scripts: Page
) -> None:
    page = without_scripts
    sign_in(page, console)
    page.goto(f"{console}/customers/{anna}/family")
    page.get_by_label("What they are to the customer").fill("friend")
    page.get_by_label("Find a customer").fill("boris")
    page.get_by_role("button", name="Find").click()
    assert page.get_by_label("What they are to the customer").input_value() == "friend"
    page.get_by_role("radio").check()
    page.get_by_role("button", name="Add").click()
    assert page.get_by_role("status").inner_text() == "Saved."
    assert page.locator("tbody").inner_text().startswith(f"Boris {ATTACK}")
    [relation] = stack.api("GET", f"/v1/customers/{boris}/relations").body["items"]
    assert (relation["customer_id"], relation["status"]) == (anna, "accepted")
    page.get_by_role("button", name="Remove").click()
    assert stack.api("GET", f"/v1/customers/{boris}/relations").body["items"] == []


def test_family_is_asked_first_where_that_is_wished(stack: Stack, anna: str, boris: str, ask: Ask) -> None:
    path = f"customers/{anna}/family"
    form = {"do": "add", "other_id": boris, "relationship": "friend", "ask": "1", "once": "a"}
    assert ask("POST", path, form)["statusCode"] == 303
    assert "Asked, no answer yet" in ask("GET", path)["body"]
    wrong = ask("POST", path, {"do": "add", "relationship": "", "once": "b"})
    assert wrong["statusCode"] == 422
    assert "relationship-wrong" in wrong["body"]
    assert "q-wrong" in wrong["body"]


def test_points_are_booked_once_with_a_reason(stack: Stack, anna: str, ask: Ask) -> None:
    path = f"customers/{anna}/points"
    for _ in range(2):
        assert ask("POST", path, {"delta": "+5", "reason": "sorry", "once": "a"})["statusCode"] == 303
    assert "5 points" in ask("GET", path)["body"]
    assert "sorry" in ask("GET", f"customers/{anna}/points")["body"]
    for form in ({"delta": "many", "reason": "x"}, {"delta": "1", "reason": ""}):
        answer = ask("POST", path, {**form, "once": "b"})
        assert answer["statusCode"] == 422
        assert "-wrong" in answer["body"]
    assert ask("POST", path, {"delta": "-9", "reason": "x", "once": "c"})["statusCode"] == 409


def test_a_customer_is_asked_to_check_their_details_once_a_day(stack: Stack, anna: str, ask: Ask) -> None:
    assert ask("POST", f"customers/{anna}/ask")["statusCode"] == 303
    assert len(stack.received("PROMPT_EMAIL_QUEUE_URL")) == 1
    again = ask("POST", f"customers/{anna}/ask")
    assert again["statusCode"] == 409
    assert "tomorrow" in again["body"]


@pytest.mark.parametrize("tab", ["timeline", "points"])
def test_a_long_list_of_what_happened_has_pages(stack: Stack, anna: str, ask: Ask, tab: str) -> None:
    for number in range(31):
        who = f"who-{number}@salon.example.com"
        use_cases().book_points(BUSINESS_ID, anna, 1, "welcome", who)
        with acting(who):
            use_cases().customer_service.confirm(BUSINESS_ID, anna, Channel.EMAIL)
    first = ask("GET", f"customers/{anna}/{tab}")["body"]
    assert "who-30@" in first
    assert "who-0@" not in first
    cursor = re.search(rf"{tab}\?(cursor=[^\"]+)", first)
    assert cursor is not None
    assert "who-0@" in ask("GET", f"customers/{anna}/{tab}?{cursor[1]}")["body"]
