"""Sequences: listed, read, switched, and who is where in them."""

import re
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from rebound.sequences.application.switch import SwitchCarriers
from rebound.staff.domain import Role
from tests.integration.conftest import Stack
from tests.integration.console.conftest import check, sign_in
from tests.integration.console.desk import Desk, Seen
from tests.integration.console.test_campaign import counted
from tests.integration.sequences.test_sequences import goes_on
from tests.integration.sequences.test_step_results import counted as steps_counted

MOST_REQUESTS: Final = 8
TEXT: Final = {"channel": "sms", "category": "marketing", "content": {"body": "See you soon, ##{{first_name}}"}}
EMAIL: Final = {"channel": "email", "category": "marketing", "content": {"subject": "Welcome", "text": "Dear you"}}
FIRST_VISIT: Final[dict[str, Any]] = {
    "name": "First visit",
    "trigger": {"kind": "visit", "class_type": "yoga"},
    "filter": {"all": [{"tag": "new"}, {"not": {"segment": "vip"}}]},
    "steps": [
        {"wait": {"days": 3, "until_local": "10:00"}},
        {"send": EMAIL},
        {
            "if": {"visits": {"at_least": 1, "within_days": 30}},
            "then": [{"tag": {"add": "came back"}}, {"exit": {}}],
            "else": [{"wait": {"days": 7, "for_event": {"kind": "reply"}}}, {"send": TEXT}],
        },
    ],
    "exit_on": [{"kind": "booking", "goal": True}, {"kind": "tag_added", "tag": "gone"}],
    "status": "on",
}


@pytest.fixture
def customer(stack: Stack) -> str:
    """Amara, who may be in sequences for new customers."""
    assert stack.api("PUT", "/v1/segments/vip", {"name": "VIP", "filter": {"tag": "vip"}}).status == 200
    row = {"first_name": "Amara", "last_name": "Osei", "email": "amara@example.com", "general_tags": ["new"]}
    return str(stack.api("POST", "/v1/customers", row).body["customer_id"])


@pytest.fixture
def sequence(stack: Stack, customer: str) -> str:
    """Of five steps; nobody is in it."""
    answer = stack.api("PUT", "/v1/sequences/first", FIRST_VISIT)
    assert answer.status == 200, answer.text
    return "first"


def begin(stack: Stack, sequence: str, customer: str) -> None:
    """Begin it, and come to its first wait."""
    given = {"customer_id": customer, "entry_key": "1"}
    assert stack.api("POST", f"/v1/sequences/{sequence}/enrolments", given).body["enrolled"]
    goes_on(stack)


def standing(stack: Stack, sequence: str, customer: str) -> dict[str, Any]:
    path, query = f"/v1/sequences/{sequence}/enrolments", {"customer_id": customer}
    [found] = stack.api("GET", path, query=query).body["items"]
    return dict(found)


def words(seen: Seen) -> str:
    """What a page says, without its elements."""
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", seen.text))


def test_the_pages_are_for_everybody(
    console: str, stack: Stack, sequence: str, customer: str, at_width: Page, width: str
) -> None:
    begin(stack, sequence, customer)
    sign_in(at_width, console)
    for address in ("sequences", f"sequences/{sequence}", f"sequences/{sequence}/people"):
        at_width.goto(f"{console}/{address}")
        check(at_width, f"{address.replace('/', '-')}-{width}")


def test_a_sequence_reads_as_sentences(stack: Stack, sequence: str) -> None:
    seen = words(Desk(stack).sign_in().get(f"/console/sequences/{sequence}"))
    for each in (
        "When the customer visits (Type of class: yoga)",
        "Tag: new and not (is in the segment “VIP”)",
        "Wait 3 days, then until 10:00",
        "Send an email: Welcome",
        "If: visited in the last 30 days",
        "Give the tag “came back”",
        "Leave the sequence",
        "Wait until the customer answers a text, at most 7 days",
        "Send a text: See you soon, ##{{first_name}}",
        "When the customer books Goal",
        "When the customer gets a tag (Tag: gone)",
    ):
        assert each in seen


@pytest.mark.parametrize(
    "path",
    [
        "sequences",
        "sequences/*",
        "sequences/*/short",
        "sequences/*/people",
        "sequences/*/history",
        "sequences/*/messages/2",
    ],
)
def test_a_page_needs_few_requests(stack: Stack, sequence: str, customer: str, path: str) -> None:
    begin(stack, sequence, customer)
    desk, path = Desk(stack).sign_in(), f"/console/{path}".replace("*", sequence)
    desk.get(path)
    with counted() as names:
        assert desk.get(path).status == 200
    assert len(names) <= MOST_REQUESTS, "\n".join(names)


def test_who_is_in_an_earlier_version_is_read_in_few_requests_too(stack: Stack, sequence: str, customer: str) -> None:
    template = {"name": "Spring", "channel": "email", "category": "marketing", "content": EMAIL["content"]}
    assert stack.api("PUT", "/v1/templates/spring", {**template, "status": "published"}).status == 200
    asks = [{"wait": {"days": 1}}, {"if": {"segment": "vip"}}]
    for send in (EMAIL, {**EMAIL, "content": None, "template_id": "spring"}, TEXT):
        given = {**FIRST_VISIT, "reentry": "after_exit", "steps": [*asks, {"send": send}]}
        assert stack.api("PUT", "/v1/sequences/first", given).status == 200
        row = {"first_name": "Bea", "last_name": send["channel"], "general_tags": ["new"]}
        begin(stack, sequence, str(stack.api("POST", "/v1/customers", row).body["customer_id"]))
    desk, path = Desk(stack).sign_in(), "/console/sequences/first/people"
    desk.get(path)
    with counted() as names:
        seen = words(desk.get(path))
    assert len(names) <= MOST_REQUESTS, "\n".join(names)
    assert seen.count("If: is in the segment") == 3
    assert ("Version 1" in seen, "Version 2" in seen, "Version 3" in seen) == (False, True, True)


def test_it_is_switched_and_deleted_without_scripts(
    console: str, stack: Stack, sequence: str, without_scripts: Page
) -> None:
    page = without_scripts
    sign_in(page, console)
    page.goto(f"{console}/sequences")
    page.get_by_role("link", name="First visit", exact=True).click()
    page.get_by_role("button", name="Switch it off").click()
    assert page.get_by_role("status").inner_text() == "It is off."
    assert stack.api("GET", "/v1/sequences/first").body["status"] == "off"
    page.get_by_label("Lapses").check()
    page.get_by_role("button", name="Switch it on").click()
    found = stack.api("GET", "/v1/sequences/first").body
    assert (found["status"], found["late"]) == ("on", "lapse")
    page.get_by_text("Delete this sequence").first.click()
    page.get_by_role("button", name="Delete this sequence").click()
    assert page.locator("#sure-wrong").is_visible()
    page.get_by_label("Yes, delete it").check()
    page.get_by_role("button", name="Delete this sequence").click()
    page.wait_for_url("**/sequences?done=deleted")
    assert stack.api("GET", "/v1/sequences").body["items"] == []


def test_switching_on_that_did_not_come_to_its_end_is_said_and_asked_once_more(
    stack: Stack, sequence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, address = Desk(stack).sign_in(), f"sequences/{sequence}"
    assert stack.api("PATCH", f"/v1/{address}", {"status": "off"}).status == 200

    def dies(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(SwitchCarriers, "resume", dies)
        assert stack.api("PATCH", f"/v1/{address}", {"status": "on"}).status == 500
    [warning] = stack.api("GET", f"/v1/{address}").body["warnings"]
    assert (warning["kind"], warning["step_id"]) == ("unfinished", None)
    assert warning["message"] in words(desk.get(f"/console/{address}"))
    assert desk.post(f"/console/{address}/switch", {"do": "on"}).status == 303

    assert stack.api("GET", f"/v1/{address}").body["warnings"] == []
    assert warning["message"] not in words(desk.get(f"/console/{address}"))


def test_who_is_where_is_found_let_in_and_taken_out(
    console: str, stack: Stack, sequence: str, customer: str, page: Page
) -> None:
    sign_in(page, console)
    page.goto(f"{console}/sequences/{sequence}/people")
    expect(page.get_by_text("Nobody has been in it yet.")).to_be_visible()
    page.get_by_label("Name, email or number").type("amara")
    page.get_by_role("button", name="Let them begin Amara Osei").click()
    expect(page.get_by_role("status")).to_have_text("They have begun.")
    goes_on(stack)
    page.reload()
    row = page.locator("tbody tr")
    expect(row).to_contain_text("Wait 3 days, then until 10:00")
    expect(row).to_contain_text("Send an email: Welcome")
    assert "amara" not in page.url
    row.get_by_role("button", name="Take out").click()
    expect(page.get_by_role("status")).to_have_text("Taken out.")
    expect(row).to_contain_text("taken out by hand")
    assert standing(stack, sequence, customer)["left_because"] == "removed"


def test_the_same_click_twice_lets_somebody_begin_once_and_who_may_not_is_told_so(
    stack: Stack, sequence: str, customer: str
) -> None:
    desk, path = Desk(stack).sign_in(), f"/console/sequences/{sequence}"
    form = {"customer": customer, "once": "1"}
    seen = [desk.post(f"{path}/begin", form).location.rpartition("=")[2] for _ in range(2)]
    assert seen == ["begun", "not_begun"]
    out = [desk.post(f"{path}/take-out", form).location.rpartition("=")[2] for _ in range(2)]
    assert out == ["taken_out", "not_inside"]
    assert desk.post(f"{path}/take-out", {"customer": "0" * 32}).location.endswith("not_inside")
    stack.api("PATCH", "/v1/sequences/first", {"status": "off"})
    refused = desk.post(f"{path}/begin", {"customer": customer, "once": "2"})
    assert (refused.status, "Switch it on first." in refused.text) == (409, True)


def test_what_somebody_else_has_changed_is_not_deleted(stack: Stack, sequence: str) -> None:
    desk, path = Desk(stack).sign_in(), f"/console/sequences/{sequence}"
    [tag] = re.findall(r'name="tag" value="([^"]*)"', desk.get(path).text)
    assert stack.api("PUT", "/v1/sequences/first", {**FIRST_VISIT, "name": "Theirs"}).status == 200
    seen = desk.post(f"{path}/delete", {"tag": tag, "sure": "1"})
    assert (seen.status, "Theirs" in seen.text) == (409, True)
    assert stack.api("GET", "/v1/sequences/first").status == 200


def test_who_only_looks_on_sees_no_buttons(stack: Stack, sequence: str, customer: str) -> None:
    begin(stack, sequence, customer)
    viewer, path = Desk(stack).sign_in("viewer@salon.example.com", Role.VIEWER), f"/console/sequences/{sequence}"
    for address in (path, f"{path}/people"):
        seen = viewer.get(address).text
        assert "Amara" in seen or address == path
        assert re.findall(r'action="[^"]*/(switch|delete|begin|take-out)"', seen) == []
    for what in ("switch", "delete", "begin", "take-out"):
        assert viewer.post(f"{path}/{what}", {"do": "off", "customer": customer, "sure": "1"}).status == 403
    assert standing(stack, sequence, customer)["standing"] == "waiting"


def test_the_counts_stand_beside_the_steps(
    console: str, stack: Stack, sequence: str, customer: str, page: Page
) -> None:
    begin(stack, sequence, customer)
    steps_counted(stack)
    sign_in(page, console)
    page.goto(f"{console}/sequences")
    expect(page.locator("tbody")).to_contain_text("1 inside")
    page.goto(f"{console}/sequences/{sequence}")
    expect(page.locator("ol.does > li").first).to_contain_text("1 came here · 1 waits")
    expect(page.locator("ol.does > li").nth(1)).to_contain_text("0 came here")


def test_what_became_of_the_messages_of_a_step_is_read_in_few_requests(
    stack: Stack, sequence: str, customer: str
) -> None:
    steps = [{"id": "hello", "send": EMAIL}, {"wait": {"days": 1}}]
    assert stack.api("PUT", "/v1/sequences/first", {**FIRST_VISIT, "steps": steps}).status == 200
    begin(stack, sequence, customer)
    steps_counted(stack)
    desk, path = Desk(stack).sign_in(), "/console/sequences/first"
    assert "messages/hello" in desk.get(path).text
    with counted() as names:
        assert desk.get(f"{path}/messages/hello").status == 200
    assert len(names) <= MOST_REQUESTS, "\n".join(names)
    assert desk.get(f"{path}/messages/nothing").status == 404


def test_who_waits_in_an_earlier_version_is_moved(stack: Stack, sequence: str, customer: str) -> None:
    begin(stack, sequence, customer)
    steps = [{"tag": {"add": "welcome"}}, {"id": "1", "wait": {"days": 9}}, {"send": EMAIL}]
    assert stack.api("PUT", "/v1/sequences/first", {**FIRST_VISIT, "steps": steps}).body["version"] == 2
    steps_counted(stack)
    desk, path = Desk(stack).sign_in(), "/console/sequences/first"
    assert "1 is inside on version 1." in words(desk.get(path))
    with counted() as names:
        asked = desk.get(f"{path}/move?version=1")
    assert len(names) <= MOST_REQUESTS, "\n".join(names)
    assert "1 waits here" in words(asked)
    assert '<option value="1" selected>' in asked.text
    assert desk.post(f"{path}/move", {"version": "1", "to.0": "3", "once": "1"}).status == 422
    for _ in range(2):
        seen = desk.post(f"{path}/move", {"version": "1", "to.0": "1", "once": "01M7W6ARGFEXM6PVNM0V1C8F99"})
        assert seen.location.endswith("done=moved")
    assert len(set(re.findall(r'href="[^"]*jobs/(\w+)"', desk.get("/console/jobs").text))) == 1
    for version in ("2", "0", "x", "9" * 99):
        assert desk.get(f"{path}/move?version={version}").status == 404
