"""Composing a campaign: its steps, with scripts and without, by keyboard alone, and what two people do at once."""

import re
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from rebound.console.http.campaigns import check as compose_check
from rebound.staff.domain import Role
from tests.integration.conftest import Stack
from tests.integration.console.conftest import OWNER, check, sign_in
from tests.integration.console.desk import Desk, Seen
from tests.integration.console.test_customers import counted
from tests.integration.jobs.test_jobs import run

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


def shown(seen: Seen) -> dict[str, str]:
    """What the form of the last step says about what it showed."""
    [who] = re.findall(r'name="who" value="([0-9a-f]*)"', seen.text)
    return {"version": version(seen), "who": who}


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


@pytest.mark.parametrize("step", ["what", "check", "frame"])
def test_a_step_of_a_campaign_made_from_a_template_needs_few_requests(stack: Stack, step: str) -> None:
    content = {"subject": "Hello ##{{class}}", "text": "Come."}
    template = {"name": "Spring", "channel": "email", "category": "marketing", "content": content}
    declared = {"class": {"type": "text", "required": True}}
    assert stack.api("PUT", "/v1/templates/spring", {**template, "variables": declared}).status == 200
    desk = Desk(stack).sign_in()
    chosen = {"say": "template", "template_id": "spring", "variables.class": "Yoga"}
    path = f"/console/campaigns/{made(desk, said=chosen)}/{step}"
    assert ("Yoga" in desk.get(path).text) is (step != "frame")
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
    sent = {"do": "send", "number": "2", **shown(desk.get(f"{path}/check"))}
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
    sent = {"do": "send", "number": "2", **shown(desk.get(f"{path}/check"))}
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
        ("*/what", {**VOUCHER, "voucher.valid_days": "9" * 5000}, "voucher.valid_days"),
        ("*/what", {**VOUCHER, "voucher.valid_days": "", "voucher.valid_until": "9999-12-31"}, "voucher.valid_until"),
        ("*/when", {"when": "at"}, "send_at"),
        ("*/when", {"when": "at", "send_at": "soon"}, "send_at"),
        ("*/when", {"when": "at", "send_at": "2001-01-01T10:00"}, "send_at"),
        ("*/when", {"when": "at", "send_at": "9999-12-31T23:59"}, "send_at"),
        ("*/when", {"when": "local", "send_at": "0001-01-01T00:00"}, "send_at"),
        ("*/when", {"when": "now", "expires_at": "9999-12-31T23:59"}, "expires_at"),
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


NAME_OF_FOCUS: Final = """() => {
  const at = document.activeElement;
  return ((at.labels && at.labels.length ? at.labels[0].innerText : at.innerText) || "").trim();
}"""


def tab_to(page: Page, name: str) -> None:
    """Go on by the tabulator until what is called so has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(NAME_OF_FOCUS) == name:
            return
    raise AssertionError(f"{name!r} cannot be reached")


def test_a_text_is_written_measured_and_sent_by_keyboard_alone(
    console: str, stack: Stack, salon: dict[str, str], page: Page
) -> None:
    for place, name in enumerate(("Amara", "Boris")):
        number = {"mobile_phone": f"+1415555010{place}"}
        assert stack.api("PATCH", f"/v1/customers/{salon[name]}", number).status == 200
    sign_in(page, console)
    page.goto(f"{console}/campaigns")
    keys = page.keyboard
    tab_to(page, "Write a campaign")
    keys.press("Enter")
    page.wait_for_url("**/campaigns/new")
    tab_to(page, "Name of the campaign")
    keys.type("Spring text")
    tab_to(page, "Email")
    keys.press("ArrowDown")
    tab_to(page, "For whom")
    keys.type("Spring")
    tab_to(page, "Save and go on")
    keys.press("Enter")
    page.wait_for_url("**/what")
    tab_to(page, "Text")
    keys.type("Dear ##{{first_name}}, come and see us, 20 % off – ł")
    measured = page.locator("#measured")
    expect(measured.locator("mark").last).to_have_text("ł")
    keys.press("Backspace")
    expect(measured.locator("mark")).to_have_count(1)
    check(page, "compose-text-desk")
    tab_to(page, "Save and go on")
    keys.press("Enter")
    page.wait_for_url("**/when")
    tab_to(page, "Save and go on")
    keys.press("Enter")
    page.wait_for_url("**/check")
    expect(page.locator(".bubble")).to_contain_text("Dear Amara, come and see us")
    check(page, "compose-text-check-desk")
    tab_to(page, "How many people get it? Type 2")
    keys.type("2")
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/campaigns/[0-9A-Z]{26}$"))
    [row] = campaigns(stack)
    assert (row["name"], row["channel"], row["status"]) == ("Spring text", "sms", "expanding")


def test_what_is_typed_as_an_answer_comes_is_measured_too(console: str, stack: Stack, page: Page) -> None:
    campaign_id = made(Desk(stack).sign_in("other@salon.example.com"), {**FIRST, "channel": "sms"}, None)
    sign_in(page, console)
    page.goto(f"{console}/campaigns/{campaign_id}/what")
    # What is measured as the page loads is there: the next answer is that to what is typed.
    expect(page.locator("#measured")).to_contain_text("units used")
    page.evaluate("""document.body.addEventListener("htmx:beforeSwap", () => {
        const text = document.querySelector("#body")
        text.value += "\u0142"
        text.dispatchEvent(new Event("input", {bubbles: true}))
    }, {once: true})""")
    page.get_by_label("Text").fill("Come and see us")

    expect(page.locator("#measured mark")).to_have_text("\u0142")


def test_somebody_is_taken_out_and_another_added_back_by_hand(
    console: str, stack: Stack, salon: dict[str, str], page: Page
) -> None:
    campaign_id = made(Desk(stack).sign_in("other@salon.example.com"))
    sign_in(page, console)
    page.goto(f"{console}/campaigns/{campaign_id}/check")
    page.get_by_role("button", name="Take out Amara Osei").click()
    expect(page.locator("#who")).to_contain_text("1 person gets it")
    page.get_by_role("button", name="Undo Amara Osei").click()
    expect(page.locator("#who")).to_contain_text("2 people get it")
    page.goto(f"{console}/campaigns/{campaign_id}/whom")
    page.get_by_label("Name, email or number").fill("boris")
    page.get_by_role("button", name="Find").click()
    assert "boris" not in page.url
    page.get_by_role("button", name="Add back Boris").click()
    expect(page.locator("#hand ~ form table").first).to_contain_text("Added back")
    assert stack.api("GET", f"/v1/campaigns/{campaign_id}").body["include_customer_ids"] == [salon["Boris"]]


def test_what_is_typed_when_the_session_ends_is_kept(console: str, stack: Stack, page: Page) -> None:
    campaign_id = made(Desk(stack).sign_in("other@salon.example.com"))
    sign_in(page, console)
    page.goto(f"{console}/campaigns/{campaign_id}/what")
    page.get_by_label("Text", exact=True).fill("Typed for an hour.")
    page.context.clear_cookies()
    page.get_by_role("button", name="Save and go on").click()
    sign_in(page.context.new_page(), console)
    for _ in range(2):
        page.get_by_role("button", name="Send again").click()
    page.wait_for_url("**/when")
    assert campaigns_text(stack, campaign_id) == "Typed for an hour."


def test_many_are_counted_in_the_background_before_it_is_sent(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose_check, "MOST_NAMED", 1)
    desk = Desk(stack).sign_in()
    path = f"/console/campaigns/{made(desk)}"
    seen = desk.get(f"{path}/check")
    assert 'name="number"' not in seen.text
    fields = {"version": "1", "do": "send", "number": "2"}
    assert desk.post(f"{path}/check", fields).status == 409
    at = desk.go(f"{path}/check", desk.post(f"{path}/check", {"do": "count", "once": "1"}))
    counting = desk.get(at)
    assert "Counting everybody" in counting.text
    job_page = desk.get(f"/console/jobs/{at.rpartition('=')[2]}").text
    assert f"<dd>{OWNER}</dd>" in job_page
    assert re.search(rf'campaigns/{path.rpartition("/")[2]}">Spring', job_page)
    assert 'hx-trigger="every 2s"' in counting.text
    run(stack, {"job_id": at.rpartition("=")[2]})
    seen = desk.get(at)
    assert "2 people get it" in seen.text
    assert "hx-trigger" not in seen.text
    sent = {"do": "send", "version": version(seen), "count": at.rpartition("=")[2]}
    assert desk.post(f"{path}/check", {**sent, "number": "3"}).status == 422
    assert desk.post(f"{path}/check", {**sent, "number": "2"}).status == 303
    assert [each["status"] for each in campaigns(stack)] == ["expanding"]


def test_a_list_looks_again_only_while_something_runs(stack: Stack) -> None:
    desk = Desk(stack).sign_in()
    path = f"/console/campaigns/{made(desk)}"
    assert "hx-trigger" not in desk.get("/console/campaigns").text
    sent = {"do": "send", "number": "2", **shown(desk.get(f"{path}/check"))}
    assert desk.post(f"{path}/check", sent).status == 303
    listed = desk.get("/console/campaigns").text
    assert 'hx-trigger="every 4s"' in listed
    assert "0 done; 0 found so far" in listed
    assert desk.get("/console/campaigns?status=draft").text.count("hx-trigger") == 0


def test_a_voucher_is_shown_as_it_will_be_changed_and_taken_away(stack: Stack) -> None:
    desk = Desk(stack).sign_in()
    text = "##{{voucher_value}} off with ##{{voucher_code}}"
    campaign_id = made(desk, said={**VOUCHER, "text": text})
    path = f"/console/campaigns/{campaign_id}"
    framed = desk.get(f"{path}/frame").text
    assert "SAMPLE-CODE" in framed
    assert "3" in framed.partition(" off with")[0][-6:]
    changed = {**VOUCHER, "text": text, "voucher.value": "7.5", "do": "save"}
    assert desk.post(f"{path}/what", changed).status == 303
    assert stack.api("GET", f"/v1/campaigns/{campaign_id}").body["voucher"]["value"] == "7.5"
    assert desk.post(f"{path}/what", {**changed, "voucher.kind": ""}).status == 422
    assert desk.post(f"{path}/what", {**changed, "voucher.kind": "", "text": "Come."}).status == 303
    assert stack.api("GET", f"/v1/campaigns/{campaign_id}").body["voucher"] is None
