"""Waivers: how they stand, and posting a version of one."""

import re
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from rebound.console.wiring import use_cases
from rebound.kernel.channels import Channel
from rebound.sequences.domain.waivers import Ask, AskKey, AskState
from rebound.staff.domain import Role
from tests.fakes.making import BUSINESS_ID, at, id_of
from tests.integration.conftest import Stack
from tests.integration.console.conftest import check, sign_in
from tests.integration.console.desk import Desk
from tests.integration.console.test_campaign import counted
from tests.integration.console.test_sequences import MOST_REQUESTS, words
from tests.integration.sequences.test_step_results import counted as told

POSTED: Final = {"version": "1", "note": "Please read & sign <b>.", "url": "https://sign.example.com/rules"}
TYPED: Final = {"waiver_id": "rules", "version": "1", "said": POSTED["note"], "url": POSTED["url"], "sure": "1"}


@pytest.fixture
def waiver(stack: Stack) -> str:
    """Of two versions; of the newest three were asked, one of whom has signed, and a fourth was not reached."""
    for version in ("1", "2"):
        answer = stack.api("POST", "/v1/waivers/rules/versions", {**POSTED, "version": version})
        assert answer.status == 200, answer.text
    states = (AskState.ASKED, AskState.ASKED, AskState.SIGNED, AskState.UNREACHED)
    for number, state in enumerate(states):
        key = AskKey(BUSINESS_ID, "rules", id_of(number))
        asked = Ask.begun(key, 1, Channel.EMAIL, at(0), None)
        use_cases().ports.asks.save(Ask.begun(key, 2, Channel.EMAIL, at(1), asked).by(state))
    told(stack)
    return "rules"


def versions(stack: Stack) -> list[Any]:
    answer = stack.api("GET", "/v1/waivers/rules")
    return [each["version"] for each in answer.body["versions"]] if answer.status == 200 else []


def test_the_pages_are_for_everybody(console: str, stack: Stack, waiver: str, at_width: Page, width: str) -> None:
    sign_in(at_width, console)
    at_width.goto(f"{console}/waivers")
    expect(at_width.locator("tbody td").last).to_contain_text("3 asked · 1 signed · 2 open")
    check(at_width, f"waivers-{width}")
    at_width.get_by_role("link", name=waiver, exact=True).click()
    expect(at_width.get_by_role("heading", name="Version 2 Counts now")).to_be_visible()
    check(at_width, f"waiver-{width}")


def test_a_waiver_is_posted_and_read_without_scripts(console: str, stack: Stack, without_scripts: Page) -> None:
    page = without_scripts
    sign_in(page, console)
    page.goto(f"{console}/sequences")
    page.get_by_role("navigation", name="Sequences").get_by_role("link", name="Waivers").click()
    expect(page.get_by_text("There are no waivers yet.")).to_be_visible()
    page.get_by_label("Id").fill("rules")
    page.get_by_label("Version").fill("1")
    page.get_by_label("Note").fill(POSTED["note"])
    page.get_by_label("Where it is signed").fill(POSTED["url"])
    expect(page.locator("#asked")).to_contain_text("every customer with a coming booking")
    page.get_by_role("button", name="Post and ask").click()
    expect(page.locator("#sure-wrong")).to_be_visible()
    assert versions(stack) == []
    page.get_by_label("Yes, ask them all").check()
    page.get_by_role("button", name="Post and ask").click()
    page.wait_for_url("**/waivers/rules?done=posted")
    expect(page.locator("blockquote")).to_have_text(POSTED["note"])
    [posted] = stack.api("GET", "/v1/waivers/rules").body["versions"]
    assert {name: posted[name] for name in POSTED} == POSTED
    assert "Version of a waiver posted" in words(Desk(stack).sign_in().get("/console/history"))


def test_each_version_says_who_was_asked_and_who_has_signed(stack: Stack, waiver: str) -> None:
    desk = Desk(stack).sign_in()
    seen = words(desk.get(f"/console/waivers/{waiver}"))
    assert re.findall(r"\d asked · \d signed · \d open", seen) == [
        "3 asked · 1 signed · 2 open",
        "4 asked · 0 signed · 4 open",
    ]
    assert "1 more has a coming booking and cannot be written to" in seen


@pytest.mark.parametrize("path", ["waivers", "waivers/rules", "waivers/rules/short", "waivers/rules/history"])
def test_a_page_needs_few_requests(stack: Stack, waiver: str, path: str) -> None:
    desk = Desk(stack).sign_in()
    desk.get(f"/console/{path}")
    with counted() as names:
        assert desk.get(f"/console/{path}").status == 200
    assert len(names) <= MOST_REQUESTS, "\n".join(names)


@pytest.mark.parametrize(
    ("typed", "status", "fields"),
    [
        ({"waiver_id": "house rules"}, 422, ["waiver_id"]),
        ({"waiver_id": "", "version": "", "url": "http://x"}, 422, ["waiver_id", "version", "url"]),
        ({"said": "n" * 501, "sure": ""}, 422, ["said", "sure"]),
        ({"waiver_id": "rules", "version": "3"}, 409, ["waiver_id"]),
        ({"waiver_id": "rules", "version": "2", "said": "Another"}, 409, ["version"]),
        ({"waiver_id": "rules", "version": "1"}, 409, ["version"]),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_changes_nothing(
    stack: Stack, waiver: str, typed: dict[str, str], status: int, fields: list[str]
) -> None:
    desk = Desk(stack).sign_in()
    seen = desk.post("/console/waivers", {**TYPED, "waiver_id": "other", **typed})
    assert (seen.status, re.findall(r'id="(\w+)-wrong"', seen.text)) == (status, fields)
    assert 'value="https://sign.example.com/rules"' in seen.text or "url" in typed
    assert [each["waiver_id"] for each in stack.api("GET", "/v1/waivers").body["items"]] == [waiver]
    assert versions(stack) == ["2", "1"]
    assert "Version of a waiver posted" not in words(desk.get("/console/history"))


def test_the_same_form_twice_posts_one_version_and_is_one_entry(stack: Stack, waiver: str) -> None:
    desk, form = Desk(stack).sign_in(), {**TYPED, "version": "3"}
    for _ in range(2):
        assert desk.post(f"/console/waivers/{waiver}", form).location.endswith("rules?done=posted")
    assert versions(stack) == ["3", "2", "1"]
    history = words(desk.get(f"/console/waivers/{waiver}/history"))
    assert (history.count("Version of a waiver posted"), "Version: 3" in history) == (1, True)
    assert desk.post("/console/waivers/none", form).status == 404


def test_who_only_looks_on_sees_no_form(stack: Stack, waiver: str) -> None:
    viewer = Desk(stack).sign_in("viewer@salon.example.com", Role.VIEWER)
    for path in ("waivers", f"waivers/{waiver}"):
        seen = viewer.get(f"/console/{path}")
        assert (seen.status, "rules" in seen.text, 'name="url"' in seen.text) == (200, True, False)
        assert viewer.post(f"/console/{path}", {**TYPED, "version": "3"}).status == 403
    assert versions(stack) == ["2", "1"]
