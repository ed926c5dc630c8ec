"""Segments: the list, and a builder that works with and without scripts."""

import re

import pytest
from playwright.sync_api import Page, expect

from rebound.staff.domain import Role
from tests.integration.conftest import Stack
from tests.integration.console.conftest import check, sign_in
from tests.integration.console.desk import Desk


@pytest.fixture(autouse=True)
def customers(stack: Stack) -> None:
    for first_name, tag in (("Amara", "spring"), ("<b>Boris</b>", "autumn")):
        row = {"first_name": first_name, "last_name": "Osei", "email": f"{tag}@example.com", "general_tags": [tag]}
        assert stack.api("POST", "/v1/customers", row).status == 201


NESTED = {"all": [{"tag": "spring"}, {"not": {"any": [{"visits": {"at_least": 3, "class_id": {"any": ["a", "b"]}}}]}}]}


def saved(stack: Stack, segment_id: str, filter_: object) -> None:
    assert stack.api("PUT", f"/v1/segments/{segment_id}", {"name": "<i>VIP</i>", "filter": filter_}).status == 200


def test_segments_are_for_everybody(console: str, stack: Stack, at_width: Page, width: str) -> None:
    saved(stack, "vip", NESTED)
    sign_in(at_width, console)
    for address in ("segments", "segments/new", "segments/vip"):
        at_width.goto(f"{console}/{address}")
        check(at_width, f"{address.replace('/', '-')}-{width}")


def test_a_segment_is_built_renamed_and_deleted_without_scripts(
    console: str, stack: Stack, without_scripts: Page
) -> None:
    page = without_scripts
    sign_in(page, console)
    page.goto(f"{console}/segments/new")
    page.get_by_label("Name").fill("Spring")
    page.get_by_label("Condition").select_option("tag")
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Value").fill("spring")
    page.get_by_role("button", name="Add a group").click()
    assert page.get_by_label("Value").input_value() == "spring"
    assert page.get_by_label("Name").input_value() == "Spring"
    page.get_by_role("button", name="Remove").last.click()
    assert "1 customer" in page.locator("#live").inner_text()
    page.get_by_role("button", name="Save").click()
    assert page.get_by_role("status").inner_text() == "Saved."
    [row] = stack.api("GET", "/v1/segments").body["items"]
    assert (row["name"], row["filter"]) == ("Spring", {"all": [{"tag": "spring"}]})
    page.get_by_role("button", name="Delete this segment").click()
    assert stack.api("GET", "/v1/segments").body["items"] == []


def test_number_and_names_follow_what_is_typed(console: str, page: Page) -> None:
    sign_in(page, console)
    page.goto(f"{console}/segments/new")
    expect(page.locator("#live")).to_contain_text("2 customers")
    expect(page.locator("#live")).to_contain_text("<b>Boris</b>")
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Value").type("spring")
    expect(page.locator("#live")).to_contain_text("Amara Osei")
    expect(page.locator("#live")).to_contain_text("1 customer")


def test_a_filter_comes_back_from_the_builder_as_it_was(console: str, stack: Stack, page: Page) -> None:
    saved(stack, "vip", NESTED)
    sign_in(page, console)
    page.goto(f"{console}/segments/vip")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("status").wait_for()
    assert stack.api("GET", "/v1/segments/vip").body["filter"] == NESTED


def test_what_is_wrong_stands_beside_its_condition_and_what_is_used_stays(
    console: str, stack: Stack, page: Page
) -> None:
    saved(stack, "vip", {"all": []})
    saved(stack, "other", {"all": [{"segment": "vip"}]})
    sign_in(page, console)
    page.goto(f"{console}/segments/vip")
    page.get_by_role("button", name="Delete this segment").click()
    assert "other" in page.get_by_role("alert").last.inner_text()
    page.goto(f"{console}/segments/new")
    page.get_by_label("Name").fill("Nothing")
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Value").wait_for()
    page.get_by_role("button", name="Save").click()
    assert page.locator("fieldset fieldset .wrong").inner_text() == "Must be a tag, a string that is not empty."
    assert page.get_by_label("Name").input_value() == "Nothing"


def test_who_only_looks_on_sees_no_buttons(console: str, stack: Stack, page: Page) -> None:
    saved(stack, "vip", NESTED)
    sign_in(page, console, Role.VIEWER)
    page.goto(f"{console}/segments/vip")
    assert page.locator("main button").count() == 0


def test_two_people_save_the_same_segment_and_nothing_is_lost_unseen(stack: Stack) -> None:
    saved(stack, "vip", {"tag": "spring"})
    desk = Desk(stack).sign_in()
    shown = re.search(r'name="rests_on" value="([^"]+)"', desk.get("/console/segments/vip").text)
    assert shown is not None
    stack.api("PUT", "/v1/segments/vip", {"name": "Theirs", "filter": {"tag": "autumn"}})
    form = {"n.kind": "all", "n.0.kind": "tag", "n.0.value": "winter", "name": "Mine", "rests_on": shown[1]}
    # Counting meanwhile does not make the form rest on theirs.
    assert shown[0] in desk.post("/console/segments/vip", {**form, "do": "count"}).text
    told = desk.post("/console/segments/vip", {**form, "do": "save"})
    assert (told.status, "Theirs" in told.text, 'value="winter"' in told.text or ">winter<" in told.text) == (
        409,
        True,
        True,
    )
    assert 'value="Mine"' in told.text
    assert stack.api("GET", "/v1/segments/vip").body["name"] == "Theirs"
    again = re.search(r'name="rests_on" value="([^"]+)"', told.text)
    assert again is not None
    assert desk.post("/console/segments/vip", {**form, "do": "save", "rests_on": again[1]}).status == 303
    assert stack.api("GET", "/v1/segments/vip").body["name"] == "Mine"
    assert desk.post("/console/segments/vip", {**form, "do": "save", "rests_on": "noon"}).status == 422


@pytest.mark.parametrize("place", ["n." + "9" * 5000, "n.²", "n." * 2000, "n.0." + "9" * 9])
@pytest.mark.parametrize("do", ["add", "group", "remove"])
def test_a_place_that_is_none_changes_nothing(stack: Stack, do: str, place: str) -> None:
    form = {"n.kind": "all", "n.0.kind": "visits", "n.0.at_least": "9" * 5000, "name": "Long"}
    desk = Desk(stack).sign_in()
    seen = desk.post("/console/segments/new", {**form, "do": f"{do}:{place}"})
    assert (seen.status, seen.text.count('name="n.0.kind"'), 'name="n.1.kind"' in seen.text) == (200, 1, False)
    assert desk.post("/console/segments/new", {**form, "do": "save"}).status == 422
