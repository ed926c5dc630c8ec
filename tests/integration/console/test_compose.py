"""Composing a campaign: its steps, with scripts and without, by keyboard alone, and what two people do at once."""

import re
from typing import Any, Final

import pytest
from playwright.sync_api import Page

from rebound.staff.domain import Role
from tests.integration.conftest import Stack
from tests.integration.console.conftest import check, sign_in
from tests.integration.console.desk import Desk, Seen
from tests.integration.console.test_customers import counted

ATTACK: Final = '"><script>alert(1)</script>'
MOST_REQUESTS: Final = 8
FIRST: Final = {"name": "Spring", "channel": "email", "category": "marketing", "segment_id": "spring", "once": "1"}
EMAIL: Final = {"say": "own", "subject": "Hello ##{{first_name}}", "text": "Come and see us."}

VOUCHER: Final = {**EMAIL, "voucher.kind": "percent", "voucher.value": "3", "voucher.valid_days": "3"}


@pytest.fixture(autouse=True)
def salon(stack: Stack) -> dict[str, str]:
    """Three customers of a segment, of whom one has no address; and one besides."""
    ids = {}
    for name, last, email in (
        ("Amara", "Osei", "amara@example.com"),
        ("Boris", ATTACK, "boris@example.com"),
        ("Chen", "Wu", None),
        ("Dora", "Doe", "dora@example.com"),
    ):
        tags = [] if name == "Dora" else ["spring"]
        row = {"first_name": name, "last_name": last, "email": email, "general_tags": tags}
        ids[name] = stack.api("POST", "/v1/customers", row).body["customer_id"]
    assert stack.api("PUT", "/v1/segments/spring", {"name": "Spring people", "filter": {"tag": "spring"}}).status == 200
    return ids


def made(desk: Desk, first: dict[str, str] = FIRST, said: dict[str, str] | None = EMAIL) -> str:
    """A draft that has gone through the steps; its id."""
    campaign_id: str = desk.post("/console/campaigns/new", first).location.split("/")[-2]
    if said is not None:
        assert desk.post(f"/console/campaigns/{campaign_id}/what", {**said, "do": "on"}).status == 303
    return campaign_id


def version(seen: Seen) -> str:
    [found] = set(re.findall(r'name="version" value="([0-9]+)"', seen.text))
    return str(found)


def campaigns(stack: Stack) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = stack.api("GET", "/v1/campaigns").body["items"]
    return rows


def test_a_campaign_is_written_checked_and_sent_without_scripts(
    console: str, stack: Stack, without_scripts: Page
) -> None:
    page = without_scripts
    sign_in(page, console)
    page.goto(f"{console}/campaigns")
    page.get_by_role("link", name="Write a campaign").click()
    page.get_by_label("Name of the campaign").fill("Spring offer")
    page.get_by_label("For whom").select_option("Spring people")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_label("Subject").fill("Hello ##{{first_name}}")
    page.get_by_label("Text", exact=True).fill("Come and see us.")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("button", name="Save and go on").click()
    assert "2 people get it" in page.locator("#who").inner_text()
    assert "Amara" in page.locator("#preview").inner_text()
    page.get_by_label("How many people").fill("3")
    page.get_by_role("button", name="Send now").click()
    assert "it is 2" in page.locator("#number-wrong").inner_text()
    assert campaigns(stack)[0]["status"] == "draft"
    page.get_by_label("How many people").fill("2")
    page.get_by_role("button", name="Send now").click()
    [row] = campaigns(stack)
    assert (row["name"], row["status"], row["segment_id"]) == ("Spring offer", "expanding", "spring")


STEPS: Final = ("whom", "what", "when", "check", "who")


def test_every_step_is_for_everybody(console: str, stack: Stack, at_width: Page, width: str) -> None:
    campaign_id = made(Desk(stack).sign_in("other@salon.example.com"))
    sign_in(at_width, console)
    for address in ("campaigns", "campaigns/new", *(f"campaigns/{campaign_id}/{step}" for step in STEPS)):
        at_width.goto(f"{console}/{address}")
        check(at_width, f"{address.replace(campaign_id, 'one').replace('/', '-')}-{width}")


@pytest.mark.parametrize("step", ["", *(f"/*/{step}" for step in (*STEPS, "frame"))])
def test_a_step_needs_few_requests(stack: Stack, step: str) -> None:
    desk = Desk(stack).sign_in()
    path = f"/console/campaigns{step}".replace("*", made(desk))
    desk.get(path)
    with counted() as names:
        assert desk.get(path).status == 200
    assert len(names) <= MOST_REQUESTS, names


def test_what_was_sent_twice_is_one_draft_and_is_sent_once(stack: Stack) -> None:
    desk = Desk(stack).sign_in()
    first, second = (desk.post("/console/campaigns/new", FIRST).location for _ in range(2))
    assert first == second
    [row] = campaigns(stack)
    campaign_id = row["campaign_id"]
    path = f"/console/campaigns/{campaign_id}"
    # The second of a double click is of the page before the first.
    said = {**EMAIL, "do": "on", "version": version(desk.get(f"{path}/what"))}
    assert [desk.post(f"{path}/what", said).status for _ in range(2)] == [303, 303]
    sent = {"do": "send", "number": "2", "version": version(desk.get(f"{path}/check"))}
    answers = [desk.post(f"{path}/check", sent) for _ in range(2)]
    assert [desk.go(f"{path}/check", each) for each in answers] == [path, path]
    assert [each["status"] for each in campaigns(stack)] == ["expanding"]


def test_a_change_of_somebody_else_is_told_and_nothing_typed_is_lost(stack: Stack) -> None:
    desk, other = Desk(stack).sign_in(), Desk(stack).sign_in("other@salon.example.com")
    campaign_id = made(desk)
    path = f"/console/campaigns/{campaign_id}/what"
    mine, theirs = ({**EMAIL, "do": "on", "version": version(each.get(path))} for each in (desk, other))
    assert other.post(path, {**theirs, "text": "Theirs."}).status == 303
    seen = desk.post(path, {**mine, "text": "Mine & more."})
    assert seen.status == 409
    assert "Mine &amp; more.</textarea>" in seen.text
    assert "Theirs." in seen.text
    assert desk.post(path, {**mine, "text": "Mine & more.", "version": version(seen)}).status == 303
    assert campaigns_text(stack, campaign_id) == "Mine & more."


def campaigns_text(stack: Stack, campaign_id: str) -> str:
    said: str = stack.api("GET", f"/v1/campaigns/{campaign_id}").body["content"]["text"]
    return said


def test_what_changed_since_it_was_looked_at_is_not_sent(stack: Stack) -> None:
    desk, other = Desk(stack).sign_in(), Desk(stack).sign_in("other@salon.example.com")
    path = f"/console/campaigns/{made(desk)}"
    sent = {"do": "send", "number": "2", "version": version(desk.get(f"{path}/check"))}
    assert other.post(f"{path}/what", {**EMAIL, "text": "Theirs.", "do": "on"}).status == 303
    seen = desk.post(f"{path}/check", sent)
    assert seen.status == 409
    assert campaigns(stack)[0]["status"] == "draft"
    assert desk.post(f"{path}/check", {**sent, "version": version(seen)}).status == 303


@pytest.mark.parametrize(
    ("step", "fields", "beside"),
    [
        ("new", {**FIRST, "name": " "}, "name"),
        ("new", {**FIRST, "segment_id": ""}, "segment_id"),
        ("new", {**FIRST, "segment_id": "nowhere"}, "segment_id"),
        ("new", {**FIRST, "channel": "fax"}, "channel"),
        ("*/what", {**EMAIL, "subject": ""}, "subject"),
        ("*/what", {**EMAIL, "text": "Hello ##{{nick}}"}, "text"),
        ("*/what", {**EMAIL, "say": "template", "template_id": "nowhere"}, "template_id"),
        ("*/what", {**EMAIL, "say": "template"}, "template_id"),
        ("*/what", {**VOUCHER, "voucher.value": "x"}, "voucher.value"),
        ("*/what", {**VOUCHER, "voucher.valid_days": "x"}, "voucher.valid_days"),
        ("*/when", {"when": "at"}, "send_at"),
        ("*/when", {"when": "at", "send_at": "soon"}, "send_at"),
        ("*/when", {"when": "at", "send_at": "2001-01-01T10:00"}, "send_at"),
        ("*/when", {"when": "now", "expires_at": "2001-01-01T10:00"}, "expires_at"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_beside_its_field(stack: Stack, step: str, fields: dict[str, str], beside: str) -> None:
    desk = Desk(stack).sign_in()
    path = f"/console/campaigns/{step}"
    path = path if step == "new" else path.replace("*", made(desk))
    seen = desk.post(path, {"do": "on", **fields})
    assert seen.status == 422
    assert f'id="{beside}-wrong"' in seen.text


def test_who_only_looks_on_writes_nothing(stack: Stack) -> None:
    path = f"/console/campaigns/{made(Desk(stack).sign_in())}"
    viewer = Desk(stack).sign_in("viewer@salon.example.com", Role.VIEWER)
    assert "campaigns/new" not in viewer.get("/console/campaigns").text
    assert [viewer.get(f"{path}/{step}").status for step in STEPS] == [403] * len(STEPS)
    assert viewer.post(f"{path}/check", {"do": "send", "number": "2"}).status == 403
    assert campaigns(stack)[0]["status"] == "draft"
