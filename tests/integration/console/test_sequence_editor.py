"""The editor of sequences: steps are put together, moved, and saved, with and without scripts."""

import re
from html.parser import HTMLParser
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from rebound.activity.domain.events import EventKind
from rebound.staff.domain import Role
from tests.integration.conftest import Stack
from tests.integration.console.conftest import check, sign_in
from tests.integration.console.desk import Desk
from tests.integration.console.test_campaign import counted
from tests.integration.console.test_locations import did
from tests.integration.console.test_sequences import FIRST_VISIT, MOST_REQUESTS, TEXT, begin, customer, sequence
from tests.integration.sequences.test_step_results import counted as steps_counted

__all__ = ["customer", "sequence"]
EDIT: Final = "/console/sequences/first/edit"


class Sent(HTMLParser):
    """What a browser would send of the form of the editor, without its buttons."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, str] = {}
        self._name, self._is_text = "", False
        self.feed(page.partition('id="form"')[2].partition("</form>")[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if tag == "input" and (given.get("type") not in ("radio", "checkbox") or "checked" in given):
            self.found[given["name"]] = given.get("value", "")
        if tag in ("select", "textarea"):
            self._name, self._is_text = given["name"], tag == "textarea"
        if tag == "textarea":
            self.found[self._name] = ""
        if tag == "option" and (self._name not in self.found or "selected" in given):
            self.found[self._name] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        self._is_text = self._is_text and tag != "textarea"

    def handle_data(self, data: str) -> None:
        if self._is_text:
            self.found[self._name] += data.removeprefix("\n")


def form_of(desk: Desk, path: str) -> dict[str, str]:
    """The form of a page as a browser would send it."""
    return Sent(desk.get(path).text).found


def bare(value: Any) -> Any:
    """The same without what is null."""
    match value:
        case dict():
            return {name: bare(each) for name, each in sorted(value.items()) if each is not None}
        case list():
            return [bare(each) for each in value]
    return value


def saved(stack: Stack) -> dict[str, Any]:
    return dict(stack.api("GET", "/v1/sequences/first").body)


def test_what_is_saved_unchanged_is_no_new_version(stack: Stack, sequence: str) -> None:
    before = saved(stack)
    desk = Desk(stack).sign_in()
    seen = desk.post(EDIT, {**form_of(desk, EDIT), "do": "save"})
    assert (seen.status, saved(stack)) == (303, before)


def test_one_is_put_together_without_scripts(console: str, stack: Stack, customer: str, without_scripts: Page) -> None:
    page = without_scripts
    sign_in(page, console)
    page.goto(f"{console}/sequences")
    page.get_by_role("link", name="New sequence").click()
    page.get_by_label("Name of the sequence").fill("Come back")
    page.get_by_label("It starts when").select_option("the customer gets a tag")
    page.locator("#t").locator("..").get_by_role("button", name="Use this").click()
    page.locator("[name='t.tag']").fill("lost")
    page.locator("[name='s.0.days']").fill("3")
    page.locator("[name='s.0.until_local']").fill("10:00")
    page.locator("[name='s.1.subject']").fill("We miss you")
    page.locator("[name='s.1.text']").fill("Dear ##{{first_name}}")
    page.locator("[name='s.new']").select_option("if")
    page.locator("[id='add:s']").click()
    page.locator("[name='cs-2.new']").select_option("visits")
    page.locator("[id='add:cs-2']").click()
    page.locator("[name='cs-2.0.at_least']").fill("1")
    page.locator("[name='s.2.t.new']").select_option("exit")
    page.locator("[id='add:s.2.t']").click()
    page.locator("[name='s.2.e.new']").select_option("send")
    page.locator("[id='add:s.2.e']").click()
    page.locator("[name='s.2.e.0.channel']").select_option("sms")
    page.get_by_role("button", name="Use this").first.click()
    page.locator("[name='s.2.e.0.body']").fill("See you")
    page.locator("[value='measure:s.2.e.0']").click()
    expect(page.locator("#size-s-2-e-0")).to_contain_text("1 segment")
    page.get_by_role("button", name="Add what ends it").click()
    page.locator("[name='x.0.goal']").check()
    page.get_by_role("button", name="Move 2 Send a message up").click()
    page.get_by_role("button", name="Save", exact=True).click()
    assert page.get_by_role("status").inner_text() == "Made. It is off until you switch it on."
    [found] = stack.api("GET", "/v1/sequences").body["items"]
    assert (found["name"], found["status"], found["trigger"]) == (
        "Come back",
        "off",
        {"kind": "tag_added", "tag": "lost"},
    )
    send, wait, asks = found["steps"]
    assert send["send"]["content"] == {"subject": "We miss you", "text": "Dear ##{{first_name}}", "html": None}
    assert (wait["wait"]["days"], wait["wait"]["until_local"]) == (3, "10:00")
    assert (asks["if"], asks["then"][0]["exit"]) == ({"visits": {"at_least": 1}}, {})
    assert asks["else"][0]["send"]["content"] == {"body": "See you"}
    assert found["exit_on"] == [{"kind": "booking", "goal": True}]


def test_the_editor_is_for_everybody(console: str, stack: Stack, sequence: str, at_width: Page, width: str) -> None:
    sign_in(at_width, console)
    for address in ("sequences/first/edit", "sequences/new"):
        at_width.goto(f"{console}/{address}")
        at_width.locator("[aria-labelledby=t] details").evaluate_all("all => all.forEach(each => each.open = true)")
        check(at_width, f"{address.replace('/', '-')}-{width}")


def test_with_scripts_steps_go_where_one_says_and_nothing_typed_is_lost(
    console: str, stack: Stack, sequence: str, page: Page
) -> None:
    sign_in(page, console)
    page.goto(f"{console}/sequences/first/edit")
    page.locator("[name='s.1.subject']").fill("Hello again")
    page.get_by_role("button", name="Move 2 Send a message down").click()
    expect(page.locator("#told")).to_have_text("Moved.")
    expect(page.locator("[name='s.1.t.0.subject']")).to_have_value("Hello again")
    assert page.evaluate("document.activeElement.id") == "down:s.1.t.0"
    page.locator("[name='s.1.e.1.body']").fill("Short")
    expect(page.locator("#size-s-1-e-1")).to_contain_text("1 segment")
    page.locator("[name='s.1.e.0.event.kind']").select_option("custom")
    page.locator("[name='s.1.e.0.event.name']").fill("called")
    # The last of three goes before the one above it.
    page.locator("[id='s.1.t.1']").scroll_into_view_if_needed()
    target = page.locator("[id='s.1.t.1']").bounding_box()
    handle = page.locator("[id='s.1.t.2'] .handle").bounding_box()
    assert handle is not None
    assert target is not None
    page.mouse.move(handle["x"] + 10, handle["y"] + 10)
    page.mouse.down()
    for up in (20, 10):
        page.mouse.move(target["x"] + 40, target["y"] + up, steps=6)
    page.mouse.up()
    expect(page.locator("[name='s.1.t.1.kind']")).to_have_value("exit")
    expect(page.locator("#told")).to_have_text("Moved.")
    for _ in range(3):
        page.get_by_role("button", name=re.compile("Move .* Send a message up")).first.click()
    expect(page.locator("[name='s.0.subject']")).to_have_value("Hello again")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/sequences/first?done=saved")
    found = saved(stack)
    assert [next(name for name in ("send", "wait", "if") if name in each) for each in found["steps"]] == [
        "send",
        "wait",
        "if",
    ]
    # Whoever stands at a step is known by its id, which goes with it.
    assert [each["id"] for each in found["steps"]] == ["2", "1", "3"]
    assert found["steps"][2]["else"][0]["wait"]["for_event"] == {"kind": "custom", "name": "called"}


@pytest.mark.parametrize(
    ("typed", "beside"),
    [
        ({"name": ""}, "name"),
        ({"t.kind": "tag_added"}, "t.tag"),
        ({"t.kind": "membership_expiring", "t.days_before": "soon"}, "t.days_before"),
        ({"s.0.days": "many"}, "s.0.days"),
        ({"s.0.days": "", "s.0.until_local": ""}, "s.0"),
        ({"s.0.weekday": "monday", "s.0.until_local": ""}, "s.0.weekday"),
        ({"s.1.subject": ""}, "s.1.subject"),
        ({"s.1.say": "template"}, "s.1.template_id"),
        ({"s.2.t.0.tag": ""}, "s.2.t.0.tag"),
        ({"s.2.t.0.tag": "x" * 65}, "s.2.t.0.tag"),
        ({"s.2.e.1.category": "transactional", "t.kind": "segment_entered", "t.segment_id": "vip"}, "s.2.e.1.category"),
        ({"s.2.e.0.event.kind": "custom"}, "s.2.e.0.event.name"),
        ({"x.1.tag": ""}, "x.1.tag"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(stack: Stack, sequence: str, typed: dict[str, str], beside: str) -> None:
    before, desk = saved(stack), Desk(stack).sign_in()
    seen = desk.post(EDIT, {**form_of(desk, EDIT), **typed, "do": "save"})
    assert seen.status == 422
    assert f'id="{beside}-wrong"' in seen.text
    assert 'href="#' in seen.text.partition('role="alert"')[2].partition("</div>")[0]
    assert saved(stack) == before


def test_a_condition_that_is_wrong_is_told_where_it_stands(stack: Stack, sequence: str) -> None:
    desk = Desk(stack).sign_in()
    form = form_of(desk, EDIT)
    seen = desk.post(EDIT, {**form, "cs-2.0.at_least": "some", "w.1.0.value": "nothing", "do": "save"})
    assert seen.status == 422
    first = seen.text.partition('name="cs-2.0.kind"')[0].rpartition("<fieldset")[2]
    assert 'class="wrong"' in first


def test_who_is_inside_stays_and_nothing_is_published_before_that_is_said(
    stack: Stack, sequence: str, customer: str
) -> None:
    begin(stack, sequence, customer)
    steps_counted(stack)
    desk = Desk(stack).sign_in()
    form = {**form_of(desk, EDIT), "s.0.days": "5"}
    told = desk.post(EDIT, {**form, "do": "save"})
    assert (told.status, saved(stack)["version"]) == (200, 1)
    assert "1 customer is inside and stays on the version they have." in told.text
    assert 'value="5"' in told.text
    assert desk.post(EDIT, {**form, "do": "publish"}).status == 303
    found = saved(stack)
    assert (found["version"], found["steps"][0]["wait"]["days"], found["status"]) == (2, 5, "on")
    # A name is no version.
    assert desk.post(EDIT, {**form_of(desk, EDIT), "name": "Another", "do": "save"}).status == 303
    assert (saved(stack)["version"], saved(stack)["name"]) == (2, "Another")


def test_two_people_change_the_same_sequence_and_nothing_is_lost_unseen(stack: Stack, sequence: str) -> None:
    desk = Desk(stack).sign_in()
    mine = {**form_of(desk, EDIT), "name": "Mine", "do": "save"}
    assert stack.api("PUT", "/v1/sequences/first", {**FIRST_VISIT, "name": "Theirs"}).status == 200
    told = desk.post(EDIT, mine)
    assert (told.status, 'value="Mine"' in told.text, saved(stack)["name"]) == (409, True, "Theirs")
    assert desk.post(EDIT, {**mine, "tag": Sent(told.text).found["tag"]}).status == 303
    assert saved(stack)["name"] == "Mine"


def test_the_same_form_sent_twice_makes_one(stack: Stack, customer: str) -> None:
    desk, path = Desk(stack).sign_in(), "/console/sequences/new"
    form = {**form_of(desk, f"{path}?from=missed_call"), "do": "save"}
    assert [desk.post(path, form).status for _ in range(2)] == [303, 303]
    [found] = stack.api("GET", "/v1/sequences").body["items"]
    assert (found["status"], found["trigger"]["kind"]) == ("off", "missed_call")


def test_every_ready_made_one_can_be_taken_over_as_it_is(stack: Stack, customer: str) -> None:
    desk, ready = Desk(stack).sign_in(), stack.api("GET", "/v1/ready-made-sequences").body["items"]
    for each in ready:
        form = form_of(desk, f"/console/sequences/new?from={each['ready_made_id']}")
        assert desk.post("/console/sequences/new", {**form, "do": "save"}).status == 303
    made = {each["name"]: each for each in stack.api("GET", "/v1/sequences").body["items"]}
    assert len(made) == len(ready) > 3
    for each in ready:
        found = made[each["sequence"]["name"]]
        for name, value in each["sequence"].items():
            # Of a condition, the ready-made ones also say what is not asked for.
            assert bare(found[name]) == bare(value)
    assert desk.get("/console/sequences/new?from=nothing").status == 404


def test_what_programs_gave_stays(stack: Stack, customer: str) -> None:
    """Seconds, the email in place of a text, ids, and a template's variables have no fields of their own at first."""
    template = {"name": "Spring", "channel": "email", "category": "marketing", "status": "published"}
    content = {"subject": "Hello", "text": "##{{class_name}} costs ##{{price}}"}
    variables = {"class_name": {"type": "text", "required": True}, "price": {"type": "money", "required": True}}
    made = stack.api("PUT", "/v1/templates/spring", {**template, "content": content, "variables": variables})
    assert made.status == 200, made.text
    values = {"class_name": "Yoga", "price": {"amount": "12.50", "currency": "EUR"}}
    steps = [
        {"id": "a", "wait": {"minutes": 90, "seconds": 5}},
        {"id": "b", "send": {**TEXT, "email_content": {"subject": "In place", "text": "Of a text"}}},
        {"send": {"channel": "email", "category": "marketing", "template_id": "spring", "variables": values}},
        {"if": {"any": [{"tag": "x"}, {"not": {"all": [{"tag": "y"}, {"tag": "z"}]}}]}, "then": [], "else": []},
    ]
    answer = stack.api("PUT", "/v1/sequences/first", {**FIRST_VISIT, "filter": {"all": []}, "steps": steps})
    assert answer.status == 200, answer.text
    before, desk = saved(stack), Desk(stack).sign_in()
    form = form_of(desk, EDIT)
    assert desk.post(EDIT, {**form, "do": "save"}).status == 303
    assert saved(stack) == before
    assert desk.post(EDIT, {**form, "name": "Renamed", "s.0.hours": "2", "do": "publish"}).status == 303
    assert saved(stack)["steps"][1:] == before["steps"][1:]


@pytest.mark.parametrize("path", ["sequences/new", "sequences/first/edit"])
def test_a_page_needs_few_requests(stack: Stack, sequence: str, path: str) -> None:
    desk = Desk(stack).sign_in()
    desk.get(f"/console/{path}")
    with counted() as names:
        assert desk.get(f"/console/{path}").status == 200
    assert len(names) <= MOST_REQUESTS, "\n".join(names)


def test_an_editor_that_asks_for_all_that_is_known_needs_few_requests(stack: Stack, sequence: str) -> None:
    exits = [{"kind": "booking"}, {"kind": "waiver_signed"}]
    assert stack.api("PUT", "/v1/sequences/first", {**FIRST_VISIT, "exit_on": exits}).status == 200
    desk = Desk(stack).sign_in()
    desk.get(EDIT)
    with counted() as names:
        assert desk.get(EDIT).status == 200
    assert len(names) <= MOST_REQUESTS, "\n".join(names)


@pytest.mark.parametrize(
    "place", ["s", "s.9", "s.0.t", "s.2.t.9", "s.²", "s." + "9" * 5000, "x.7", "cs-9", "c", "", "w.3"]
)
@pytest.mark.parametrize("do", ["add", "up", "down", "copy", "remove", "measure", "look", "place", "group"])
def test_a_place_that_is_none_changes_nothing(stack: Stack, sequence: str, do: str, place: str) -> None:
    if (do, place) == ("add", "s"):
        return
    desk = Desk(stack).sign_in()
    form = form_of(desk, EDIT)
    seen = desk.post(EDIT, {**form, "s.new": "exit", "do": f"{do}:{place}"})
    assert seen.status == 200
    kinds = {name: value for name, value in Sent(seen.text).found.items() if name.endswith(".kind")}
    assert kinds == {name: value for name, value in form.items() if name.endswith(".kind")}


def test_who_only_looks_on_edits_nothing(stack: Stack, sequence: str) -> None:
    viewer = Desk(stack).sign_in("viewer@salon.example.com", Role.VIEWER)
    for path in (EDIT, "/console/sequences/new"):
        assert (viewer.get(path).status, viewer.post(path, {"do": "save"}).status) == (403, 403)
    assert "/edit" not in viewer.get("/console/sequences/first").text


def offered(text: str, field: str) -> list[str]:
    """What is offered in the field that has this name; nothing where it only can be typed."""
    listed = re.search(rf'name="{re.escape(field)}"[^>]* list="([^"]*)"', text)
    if listed is None:
        return []
    return re.findall('value="([^"]*)"', text.partition(f'<datalist id="{listed[1]}">')[2].partition("</datalist>")[0])


def test_ids_that_rebound_knows_are_offered_and_others_are_typed(stack: Stack, sequence: str, customer: str) -> None:
    asked = {
        "all": [{"visits": {"class_type": ["yoga"], "at_least": 1}}, {"membership": {"id": "gold", "is": "active"}}]
    }
    assert stack.api("PUT", "/v1/segments/yogis", {"name": "Yogis", "filter": asked}).status == 200
    new = {"version": "1", "note": "New.", "url": "https://example.com/rules"}
    assert stack.api("POST", "/v1/waivers/house-rules/versions", new).status in (200, 201, 202)
    did(customer, EventKind.VISIT, "south")
    desk = Desk(stack).sign_in()
    form = form_of(desk, EDIT)
    seen = desk.post(EDIT, {**form, "t.kind": "visit", "do": "look"}).text
    assert offered(seen, "t.class_type") == ["yoga"]
    assert offered(seen, "t.location_id") == ["south"]
    assert offered(seen, "t.class_id") == []
    assert "for example yoga-18-30" in seen
    form |= {"t.membership_id": "silver", "do": "look"}
    assert offered(desk.post(EDIT, {**form, "t.kind": "renewal_failed"}).text, "t.membership_id") == ["gold", "silver"]
    assert offered(desk.post(EDIT, {**form, "t.kind": "waiver_changed"}).text, "t.waiver_id") == ["house-rules"]
