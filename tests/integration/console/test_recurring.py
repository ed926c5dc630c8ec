"""Recurring campaigns: made, listed, changed and stopped."""

import re
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from rebound.staff.domain import Role
from tests.integration.conftest import Stack
from tests.integration.console.conftest import check, sign_in
from tests.integration.console.desk import Desk
from tests.integration.console.test_campaign import counted

MOST_REQUESTS: Final = 8
BIRTHDAY: Final = {
    "name": "Birthdays",
    "channel": "email",
    "category": "marketing",
    "whom": "birthday",
    "days_before": "3",
    "at": "09:30",
    "exclude_failed": "1",
    "say": "own",
    "subject": "Happy birthday",
    "text": "Dear ##{{first_name}}",
    "once": "1",
    "do": "save",
}
REGULAR: Final = {**BIRTHDAY, "whom": "regular", "segment_id": "vip", "every": "friday"}


@pytest.fixture(autouse=True)
def segment(stack: Stack) -> None:
    assert stack.api("PUT", "/v1/segments/vip", {"name": "VIP", "filter": {"tag": "vip"}}).status == 200


def rows(stack: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.api("GET", "/v1/recurring-campaigns").body["items"]
    return found


def made(desk: Desk, form: dict[str, str] = BIRTHDAY) -> str:
    answer = desk.post("/console/recurring/new", form)
    assert answer.status == 303, answer.text
    return str(answer.location.split("/")[-1].partition("?")[0])


def test_one_is_made_changed_and_stopped_without_scripts(console: str, stack: Stack, without_scripts: Page) -> None:
    page = without_scripts
    sign_in(page, console)
    page.goto(f"{console}/recurring/new")
    page.get_by_label("Name of the campaign").fill("Friday texts")
    page.get_by_label("Text", exact=True).first.check()
    page.get_by_role("button", name="Use this").click()
    page.get_by_label("Each week or month").check()
    page.get_by_label("Segment").select_option("VIP")
    page.get_by_label("On which day").select_option("Friday")
    page.locator("#body").fill("See you, ##{{first_name}}")
    page.get_by_role("button", name="Save and begin").click()
    assert page.get_by_role("status").inner_text() == "Saved."
    [row] = rows(stack)
    assert (row["channel"], row["audience"]["segment_id"], row["audience"]["every"]["weekday"]) == (
        "sms",
        "vip",
        "friday",
    )
    page.get_by_label("On which day").select_option("A day of the month")
    page.get_by_label("Day of the month").fill("31")
    page.get_by_role("button", name="Save", exact=True).click()
    assert rows(stack)[0]["audience"]["every"]["day_of_month"] == 31
    page.get_by_role("button", name="Stop it").click()
    assert rows(stack)[0]["status"] == "off"
    page.get_by_role("button", name="Delete it").click()
    page.wait_for_url("**/recurring")
    assert rows(stack) == []


def test_the_pages_are_for_everybody(console: str, stack: Stack, at_width: Page, width: str) -> None:
    one = made(Desk(stack).sign_in("other@salon.example.com"))
    sign_in(at_width, console)
    for address in ("recurring", "recurring/new", f"recurring/{one}"):
        at_width.goto(f"{console}/{address}")
        check(at_width, f"{address.replace(one, 'one').replace('/', '-')}-{width}")


def test_the_form_follows_what_is_chosen(console: str, page: Page) -> None:
    sign_in(page, console)
    page.goto(f"{console}/recurring/new")
    expect(page.get_by_label("Days before the birthday")).to_be_visible()
    page.get_by_label("Who stays away").check()
    expect(page.get_by_label("Days before the birthday")).to_be_hidden()
    page.get_by_label("Name of the campaign").fill("Come back")
    page.locator("#channel-sms").check()
    expect(page.locator("#measured")).to_contain_text("160")
    assert page.get_by_label("Name of the campaign").input_value() == "Come back"


@pytest.mark.parametrize("path", ["recurring", "recurring/new", "recurring/*"])
def test_a_page_needs_few_requests(stack: Stack, path: str) -> None:
    desk = Desk(stack).sign_in()
    path = f"/console/{path}".replace("*", made(desk))
    desk.get(path)
    with counted() as names:
        assert desk.get(path).status == 200
    assert len(names) <= MOST_REQUESTS, names


def test_one_from_a_template_and_to_a_segment_needs_few_requests(stack: Stack) -> None:
    spring = {"name": "Spring", "channel": "email", "category": "marketing", "status": "published"}
    content = {"subject": "Spring", "text": "Dear ##{{first_name}}"}
    answer = stack.api("PUT", "/v1/templates/spring", {**spring, "content": content})
    assert answer.status == 200, answer.text
    desk = Desk(stack).sign_in()
    path = f"/console/recurring/{made(desk, {**REGULAR, 'say': 'template', 'template_id': 'spring'})}"
    desk.get(path)
    with counted() as names:
        assert desk.get(path).status == 200
    assert len(names) <= MOST_REQUESTS, names


@pytest.mark.parametrize(
    ("form", "beside"),
    [
        ({**BIRTHDAY, "name": ""}, "name"),
        ({**BIRTHDAY, "days_before": "61"}, "days_before"),
        ({**BIRTHDAY, "whom": "lost", "after_days": "0"}, "after_days"),
        ({**REGULAR, "segment_id": ""}, "segment_id"),
        ({**REGULAR, "segment_id": "nowhere"}, "segment_id"),
        ({**REGULAR, "every": "monthly", "day_of_month": "32"}, "day_of_month"),
        ({**BIRTHDAY, "at": "late"}, "at"),
        ({**BIRTHDAY, "subject": ""}, "subject"),
        ({**BIRTHDAY, "subject": "", "text": ""}, "content"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(stack: Stack, form: dict[str, str], beside: str) -> None:
    seen = Desk(stack).sign_in().post("/console/recurring/new", form)
    assert seen.status == 422
    assert f'id="{beside}-wrong"' in seen.text
    assert rows(stack) == []


def test_what_is_sent_twice_is_one_and_a_change_of_somebody_else_is_told(stack: Stack) -> None:
    desk = Desk(stack).sign_in()
    path = f"/console/recurring/{made(desk)}"
    assert f"/console/recurring/{made(desk)}" == path
    [version] = re.findall(r'name="version" value="([0-9]+)"', desk.get(path).text)
    mine = {**BIRTHDAY, "version": version, "name": "Mine"}
    assert [desk.post(path, mine).status for _ in range(2)] == [303, 303]
    seen = desk.post(path, {**mine, "name": "Theirs"})
    assert seen.status == 409
    assert 'value="Theirs"' in seen.text
    assert [row["name"] for row in rows(stack)] == ["Mine"]


def test_one_made_from_a_template_shows_what_somebody_else_changed_and_that_the_template_is_gone(stack: Stack) -> None:
    said = {"subject": "Hello", "text": "Come."}
    template = {"name": "Spring", "channel": "email", "category": "marketing", "content": said}
    assert stack.api("PUT", "/v1/templates/spring", template).status == 200
    desk, form = Desk(stack).sign_in(), {**BIRTHDAY, "say": "template", "template_id": "spring"}
    path = f"/console/recurring/{made(desk, form)}"
    [version] = re.findall(r'name="version" value="([0-9]+)"', desk.get(path).text)
    assert desk.post(path, {**form, "version": version, "name": "Mine"}).status == 303
    assert desk.post(path, {**form, "version": version, "name": "Theirs"}).status == 409
    gone = "There is no such template any more"
    assert gone not in desk.get(path).text
    assert stack.api("DELETE", "/v1/templates/spring").status == 204
    assert gone in desk.get(path).text


def test_who_only_looks_on_sees_the_list_alone(stack: Stack) -> None:
    one = made(Desk(stack).sign_in())
    viewer = Desk(stack).sign_in("viewer@salon.example.com", Role.VIEWER)
    listed = viewer.get("/console/recurring").text
    assert "3 days before each birthday" in listed
    assert one not in listed
    assert viewer.get(f"/console/recurring/{one}").status == 403
    assert viewer.post(f"/console/recurring/{one}/switch", {"do": "off"}).status == 403
