"""The block editor: every block by form and by keyboard, drafts, undo, previews, tests, and two windows at once."""

import gzip
import re
from html.parser import HTMLParser
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from rebound.console.http.layouts.form import INPUTS, STYLE, WEB_FONT
from rebound.staff.domain import Role
from tests.integration.conftest import Stack
from tests.integration.console.conftest import OWNER, check, sign_in
from tests.integration.console.test_customers import counted as counted  # noqa: PLC0414 - a fixture
from tests.integration.console.test_house import Person, person

HOSTILE: Final = '"><script>alert(1)</script></textarea>'
LAYOUT: Final[dict[str, Any]] = {
    "subject": "Hello ##{{first_name}}",
    "style": {"font": "Georgia"},
    "blocks": [
        {"kind": "heading", "text": "Autumn"},
        {"kind": "text", "parts": [{"paragraph": ["The ", {"text": "timetable", "bold": True}, " is out."]}]},
        {"kind": "button", "text": "Book", "link": "https://studio.example.com/book", "align": "center"},
        {
            "kind": "columns",
            "columns": [
                {"blocks": [{"kind": "text", "text": "From 7 to 11."}]},
                {"blocks": [{"kind": "text", "text": "From 17 to 21."}]},
            ],
        },
    ],
}


def saved(stack: Stack, layout: dict[str, Any] = LAYOUT, **more: Any) -> None:
    """A template with a layout is there."""
    body = {"name": "Autumn", "channel": "email", "category": "marketing", "layout": layout, **more}
    answer = stack.api("PUT", "/v1/templates/autumn", body)
    assert answer.status == 200, answer.body


def draft(stack: Stack) -> Any:
    """The layout of the draft."""
    return stack.api("GET", "/v1/templates/autumn", query={"status": "draft"}).body["layout"]


def kinds(layout: Any) -> list[str]:
    return [block["kind"] for block in layout["blocks"]]


class Fields(HTMLParser):
    """What a browser would send of the form of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, str] = {}
        self._name, self._is_text = "", False
        self.feed(page.partition('id="form"')[2].partition("</form>")[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if tag == "input" and given.get("type") in ("hidden", "text"):
            self.found[given["name"]] = given["value"]
        if tag in ("select", "textarea"):
            self._name, self._is_text = given["name"], tag == "textarea"
            self.found[self._name] = ""
        if tag == "option" and "selected" in given:
            self.found[self._name] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        self._is_text = self._is_text and tag != "textarea"

    def handle_data(self, data: str) -> None:
        if self._is_text:
            self.found[self._name] += data.removeprefix("\n")


@pytest.fixture
def owner(stack: Stack) -> Person:
    return person(stack)


def sent(owner: Person, do: str, address: str = "layouts/autumn", **typed: str) -> tuple[int, str]:
    """The status and the page after a button of the editor, with what was ``typed`` before."""
    fields = Fields(owner.get(address)[1]).found
    assert "tag" in fields
    return owner.post(
        address, **{**fields, **{name.replace("__", "."): each for name, each in typed.items()}, "do": do}
    )


def test_the_editor_is_for_everybody(console: str, stack: Stack, at_width: Page, width: str) -> None:
    saved(stack)
    sign_in(at_width, console)
    at_width.goto(f"{console}/layouts/autumn")
    expect(at_width.frame_locator(".at-phone iframe:not(.coming)").get_by_text("Autumn")).to_be_visible()
    check(at_width, f"layouts-{width}")
    at_width.goto(f"{console}/layouts/new")
    check(at_width, f"layouts-new-{width}")


def test_what_is_saved_is_the_draft_and_as_it_was(owner: Person, stack: Stack) -> None:
    saved(stack)
    status, to = sent(owner, "save")
    assert (status, to) == (303, "../layouts/autumn?done=saved")
    assert draft(stack) == LAYOUT
    assert stack.api("GET", "/v1/templates/autumn").body["published_version"] == 1
    assert "The draft is saved." in owner.get("layouts/autumn?done=saved")[1]


def test_a_layout_is_made_moved_copied_and_published_without_scripts(
    console: str, stack: Stack, without_scripts: Page
) -> None:
    page = without_scripts
    sign_in(page, console)
    page.goto(f"{console}/layouts/new")
    page.get_by_label("Name", exact=True).fill("Spring offer")
    page.get_by_label("Subject", exact=True).fill("Spring")
    page.get_by_role("group", name="Heading 1").get_by_label("Text", exact=True).fill("Hello ##{{first_name}}")
    page.get_by_role("group", name="Text 2").get_by_label("Text", exact=True).fill("Two *new* classes.")
    page.get_by_label("New block").last.select_option("voucher")
    page.get_by_role("button", name="Add", exact=True).last.click()
    assert page.get_by_role("status").inner_text() == "Voucher is added: 4 of 4."
    expect(page.get_by_label("What it is worth", exact=True)).to_be_focused()
    page.get_by_label("What it is worth", exact=True).fill("A class")
    page.get_by_label("Code", exact=True).fill("SPRING")
    page.get_by_role("button", name="Move up: Voucher 4").click()
    expect(page.get_by_role("button", name="Move up: Voucher 3")).to_be_focused()
    page.get_by_role("button", name="Copy: Heading 1").click()
    page.get_by_role("button", name="Undo", exact=True).click()
    page.get_by_role("button", name="Remove: Button 4").click()
    page.get_by_role("button", name="Show On a phone").click()
    expect(page.frame_locator(".at-phone iframe:not(.coming)").get_by_text("SPRING")).to_be_visible()
    page.get_by_role("button", name="Save draft").last.click()
    page.wait_for_url("**/layouts/spring-offer-*")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("status").first).to_contain_text("Published")
    template_id = page.url.rpartition("/")[2].partition("?")[0]
    body = stack.api("GET", f"/v1/templates/{template_id}").body
    assert (body["name"], body["status"], body["draft_version"]) == ("Spring offer", "published", None)
    assert body["layout"] == {
        "subject": "Spring",
        "blocks": [
            {"kind": "heading", "text": "Hello ##{{first_name}}"},
            {"kind": "text", "parts": [{"paragraph": ["Two ", {"text": "new", "italic": True}, " classes."]}]},
            {"kind": "voucher", "title": "A class", "code": "SPRING"},
        ],
    }


def test_with_the_keyboard_alone_blocks_are_moved_filled_in_undone_and_saved(
    console: str, stack: Stack, page: Page
) -> None:
    saved(stack)
    sign_in(page, console)
    page.goto(f"{console}/layouts/autumn")
    moved = page.locator("#moved")

    def on(name: str) -> None:
        """Go on with the tabulator until a button or field has the focus."""
        for _ in range(80):
            page.keyboard.press("Tab")
            if (
                page.evaluate(
                    "(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent)"
                )
                == name
            ):
                return
        raise AssertionError(name)

    on("Move down: Heading 1")
    page.keyboard.press("Enter")
    expect(moved).to_have_text("Heading is now 2 of 4.")
    expect(page.get_by_role("button", name="Move down: Heading 2")).to_be_focused()
    page.keyboard.press("Enter")
    expect(moved).to_have_text("Heading is now 3 of 4.")
    expect(page.get_by_role("button", name="Move down: Heading 3")).to_be_focused()
    page.keyboard.press("Enter")
    expect(moved).to_have_text("Heading is now 1 of 2 in column 1.")
    expect(page.get_by_role("button", name="Move down: Heading 3.1.1")).to_be_focused()
    on("Copy: Heading 3.1.1")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("Mornings")
    expect(page.frame_locator(".at-phone iframe:not(.coming)").get_by_text("Mornings")).to_be_visible()
    expect(page.frame_locator(".at-desk iframe:not(.coming)").get_by_text("Mornings")).to_be_visible()
    expect(page.locator("#state [data-saved]")).to_contain_text("Draft saved")
    page.get_by_role("button", name="Undo", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("[id='b.2.0.0.text']")).to_have_value("Autumn")
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_focused()
    page.get_by_role("button", name="Redo", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("[id='b.2.0.0.text']")).to_have_value("Mornings")
    page.get_by_role("button", name="Save draft").last.focus()
    page.keyboard.press("Enter")
    expect(moved).to_have_text("The draft is saved.")
    assert kinds(draft(stack)) == ["text", "button", "columns"]
    assert draft(stack)["blocks"][2]["columns"][0]["blocks"][0] == {"kind": "heading", "text": "Mornings"}
    # Nothing of it is a step back in the browser's history.
    page.go_back()
    page.wait_for_url("**/console/customers")


def test_a_block_is_dragged_into_a_column(console: str, stack: Stack, page: Page) -> None:
    saved(stack)
    sign_in(page, console)
    page.set_viewport_size({"width": 1280, "height": 3000})
    page.goto(f"{console}/layouts/autumn")
    handle = page.locator("[id='b.0'] > .acts .handle").bounding_box()
    assert handle is not None
    page.mouse.move(handle["x"] + 10, handle["y"] + 10)
    page.mouse.down()
    for _ in range(3):
        # What is below goes up as soon as the block is taken out.
        target = page.locator("[id='b.3.1.0']").bounding_box()
        assert target is not None
        page.mouse.move(target["x"] + 40, target["y"] + 20, steps=6)
    page.mouse.up()
    expect(page.locator("#moved")).to_contain_text("in column 2")
    expect(page.locator("#state [data-saved]")).to_contain_text("Draft saved")
    assert "heading" in [block["kind"] for block in draft(stack)["blocks"][2]["columns"][1]["blocks"]]


def test_two_windows_save_the_same_layout_and_nothing_typed_is_lost(owner: Person, stack: Stack) -> None:
    saved(stack)
    fields = Fields(owner.get("layouts/autumn")[1]).found
    assert owner.post("layouts/autumn", **{**fields, "b.0.text": "Mine first", "do": "save"})[0] == 303
    status, page = owner.post("layouts/autumn", **{**fields, "b.0.text": "Mine second", "do": "save"})
    assert status == 409
    assert "Somebody has saved this layout" in page
    assert draft(stack)["blocks"][0]["text"] == "Mine first"
    again = Fields(page).found
    assert again["b.0.text"] == "Mine second"
    assert owner.post("layouts/autumn", **{**again, "do": "save"})[0] == 409
    assert owner.post("layouts/autumn", **{**again, "do": "over"})[0] == 303
    assert draft(stack)["blocks"][0]["text"] == "Mine second"


def test_what_is_wrong_stands_beside_its_block_and_nothing_is_saved(owner: Person, stack: Stack) -> None:
    saved(stack)
    typed = {"b.2.link": "no address", "b.3.0.0.text": "##{{frist_name}}", "style.text_color": "red", "b.0.level": "9"}
    status, page = sent(owner, "save", **typed)
    assert status == 422
    for name in typed:
        assert f'id="{name}-wrong"' in page
    assert Fields(page).found | typed == Fields(page).found
    assert stack.api("GET", "/v1/templates/autumn").body["draft_version"] is None
    status, page = sent(owner, "save", name="", subject="")
    assert (status, 'id="name-wrong"' in page, 'id="subject-wrong"' not in page) == (422, True, True)
    status, page = sent(owner, "check", subject="")
    assert (status, 'id="subject-wrong"' in page) == (422, True)


def test_what_had_better_be_mended_is_told_and_saved(owner: Person, stack: Stack) -> None:
    saved(stack)
    status, page = sent(owner, "check", **{"b.0.color": "#eeeeee"})
    assert (status, 'id="b.0.color-warned"' in page) == (200, True)
    assert sent(owner, "save", **{"b.0.color": "#eeeeee"})[0] == 303
    assert 'id="b.0.color-warned"' in owner.get("layouts/autumn?done=saved")[1]


@pytest.mark.parametrize("kind", INPUTS)
def test_what_somebody_fills_in_is_shown_and_never_run(owner: Person, stack: Stack, kind: str) -> None:
    saved(stack)
    _, page = sent(owner, "add:b", **{"b.new": kind})
    fields = Fields(page).found
    ours = [name for name in fields if name.startswith("b.4.") and name.rpartition(".")[2] not in ("kind", "columns")]
    assert ours or kind == "columns"
    typed = {**fields, **dict.fromkeys([*ours, "name", "subject", "preheader", "b.0.text"], HOSTILE)}
    status, page = owner.post("layouts/autumn", **{**typed, "do": "check"})
    assert (status, "<script>alert" in page, "&lt;script&gt;alert" in page) == (
        200 if kind == "html" else 422,
        False,
        True,
    )
    assert "<script>alert" not in owner.post("layouts/autumn/frame", **typed)[1]


def test_a_preview_shows_what_is_typed_with_a_policy_of_its_own_and_runs_nothing(owner: Person, stack: Stack) -> None:
    saved(stack)
    fields = Fields(owner.get("layouts/autumn")[1]).found
    typed = {**fields, "b.0.text": f"New {HOSTILE}", "csrf": owner.csrf}
    status, page = owner.post("layouts/autumn/frame", **typed)
    assert (status, "New &#34;&gt;" in page or "New &quot;&gt;" in page, "<script>" in page) == (200, True, False)
    status, page = owner.post("layouts/autumn/frame", **{**typed, "b.2.link": "nowhere"})
    assert (status, "Button 3: Must begin with" in page) == (200, True)
    status, page = owner.post("layouts/new/frame", **typed)
    assert status == 200


def test_a_test_goes_to_oneself_with_examples_and_is_not_kept(owner: Person, stack: Stack) -> None:
    layout = {"subject": "About ##{{class_name}}", "blocks": [
        {"kind": "button", "text": "##{{class_name}}", "link": "https://x.example/?c=##{{class_name}}&n=##{{first_name}}"},
    ]}  # fmt: skip
    saved(stack, layout, variables={"class_name": {"type": "text", "required": True, "example": "Yin & Yang"}})
    status, page = sent(owner, "test")
    assert (status, f"A test is on its way to {OWNER}." in page) == (200, True)
    [carrier] = [row for row in stack.table("CAMPAIGNS_TABLE") if row.get("test_to") == {"S": OWNER}]
    said = str(carrier["content"]["S"])
    assert "[Test] About Yin & Yang" in said
    assert "c=Yin%20%26%20Yang" in said
    assert "##{{first_name}}" in said
    assert "class_name" not in said
    assert len(stack.received("PROMPT_EMAIL_QUEUE_URL")) == 1
    for _ in range(9):
        assert sent(owner, "test")[0] == 200
    status, page = sent(owner, "test", subject="Kept")
    assert (status, "within this hour" in page, Fields(page).found["subject"]) == (409, True, "Kept")
    assert sent(owner, "test", subject="")[0] == 422


def test_a_language_is_edited_and_the_others_stay(owner: Person, stack: Stack) -> None:
    german: dict[str, Any] = {"subject": "Hallo", "blocks": [{"kind": "heading", "text": "Herbst"}]}
    contents: dict[str, dict[str, Any]] = {
        "en": {"layout": LAYOUT},
        "de": {"layout": german},
        "it": {"subject": "Ciao", "text": "Autunno"},
    }
    body = {"name": "Autumn", "channel": "email", "contents": contents}
    assert stack.api("PUT", "/v1/templates/autumn", body).status == 200
    address = "layouts/autumn?language=de"
    fields = Fields(owner.get(address)[1]).found
    status, to = owner.post("layouts/autumn", **{**fields, "b.0.text": "Winter", "do": "save"})
    assert (status, to) == (303, "../layouts/autumn?language=de&done=saved")
    after = stack.api("GET", "/v1/templates/autumn", query={"status": "draft"}).body["contents"]
    german["blocks"] = [{"kind": "heading", "text": "Winter"}]
    assert after == contents | {"it": {**contents["it"], "html": None}}
    assert "has no layout yet" in owner.get("layouts/autumn?language=it")[1]


def test_a_text_is_no_layout_and_a_viewer_only_looks(owner: Person, stack: Stack) -> None:
    saved(stack)
    text = {"name": "T", "channel": "sms", "category": "reminder", "content": {"body": "Soon"}}
    assert stack.api("PUT", "/v1/templates/text", text).status == 200
    assert owner.get("layouts/text")[0] == 404
    assert owner.get("layouts/nothing")[0] == 404
    viewer = person(stack, Role.VIEWER, "viewer@salon.example.com")
    status, page = viewer.get("layouts/autumn")
    assert (status, "<button" in page.partition("<main")[2], "Autumn" in page) == (
        200, False, True)  # fmt: skip
    assert viewer.get("layouts/new")[0] == 403
    assert viewer.post("layouts/autumn", do="save")[0] == 403
    assert viewer.post("layouts/autumn/frame")[0] == 403


def test_a_form_that_is_no_layout_changes_nothing(owner: Person, stack: Stack) -> None:
    saved(stack)
    for do in ("save", "check", "undo", "redo", "test", "publish", "over", "place:b.0", "remove:b", ""):
        assert owner.post("layouts/autumn", do=do, history="AAAA")[0] in (200, 409, 422)
    assert stack.api("GET", "/v1/templates/autumn").body["draft_version"] is None


def test_the_look_of_emails_is_a_setting_that_is_shown_before_it_is_saved(owner: Person, stack: Stack) -> None:
    stack.api("PATCH", "/v1/business", {"layout_style": {"font": "Georgia", "link_color": "#010203"}})
    page = owner.get("settings")[1]
    was = dict(re.findall(r'name="(was_layout_style[^"]+)" value="([^"]*)"', page))
    assert set(was) == {f"was_layout_style.{name}" for name in (*(each.name for each in STYLE), *WEB_FONT)}
    shown = {name.removeprefix("was_"): value for name, value in was.items()}
    typed = {**shown, "layout_style.font": "Verdana", "layout_style.link_color": "", "layout_style.corner_radius": "12"}
    typed |= {
        "layout_style.web_font.name": "Lato",
        "layout_style.web_font.stylesheet": "https://fonts.example.com/lato",
    }
    status, frame = owner.post("settings/look", **typed)
    assert (status, "Lato" in frame, "Verdana" in frame) == (200, True, True)
    status, frame = owner.post("settings/look", **{**typed, "layout_style.text_color": "red"})
    assert (status, "Colour of text: " in frame) == (200, True)
    before = stack.api("GET", "/v1/business").body
    others = dict(re.findall(r'name="was_([^"]+)" value="([^"]*)"', page))
    rest = {name: value for name, value in others.items() if value and name not in shown}
    rest |= {"quiet_hours.sms.categories": others["quiet_hours.sms.categories"].split(", ")}
    every = {**was, **{f"was_{name}": value for name, value in others.items()}, **rest}
    status, page = owner.post("settings", **{**every, **typed, "layout_style.text_color": "red"})
    assert (status, 'id="layout_style.text_color-wrong"' in page) == (422, True)
    assert owner.post("settings", **{**every, **typed}) == (303, "./settings?saved=1")
    style = {**before["layout_style"], "font": "Verdana", "link_color": "#0b57d0", "corner_radius": 12}
    style["web_font"] = {"name": "Lato", "stylesheet": "https://fonts.example.com/lato"}
    assert stack.api("GET", "/v1/business").body == {**before, "layout_style": style}
    page = owner.get("settings")[1]
    every |= dict(re.findall(r'name="(was_layout_style[^"]+)" value="([^"]*)"', page))
    typed |= {"layout_style.web_font.name": "", "layout_style.web_font.stylesheet": ""}
    assert owner.post("settings", **{**every, **typed})[0] == 303
    assert stack.api("GET", "/v1/business").body["layout_style"] == {**style, "web_font": None}


def test_the_editor_needs_few_requests_and_little_room(owner: Person, stack: Stack) -> None:
    block = {"kind": "text", "text": "Each of these says something of its own, and nothing else. " * 5}
    saved(stack, {"subject": "Long", "blocks": [{**block, "text": f"{n} {block['text']}"} for n in range(100)]})
    owner.get("layouts/autumn")
    with counted() as names:
        status, page = owner.get("layouts/autumn")
    assert status == 200
    assert len(names) <= 8, names
    assert len(gzip.compress(page.encode())) < 100_000
    fields = Fields(page).found
    with counted() as names:
        status, page = owner.post("layouts/autumn", **{**fields, "do": "copy:b.0"})
    assert (status, "at most 100 blocks" in page) == (200, True)
    assert len(names) <= 8, names
    with counted() as names:
        assert owner.post("layouts/autumn", **{**fields, "b.0.text": "New", "do": "save"})[0] == 303
    # And who did it is written down, once it is saved.
    assert len(names) <= 9, names
