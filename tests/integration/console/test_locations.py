"""Where somebody works: lists that begin with it, conditions that ask for it, and pages that say where people were."""

import re
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from rebound.activity.domain.events import Event, EventKind
from rebound.activity.domain.words import Cell
from rebound.console.wiring import use_cases
from rebound.customers.adapters import finding
from rebound.staff.domain import Role
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import Stack
from tests.integration.console.conftest import OWNER, check, sign_in
from tests.integration.console.crawl import counted_requests
from tests.integration.console.desk import Desk

DAY: Final = timedelta(days=1)
DESK: Final = "desk@salon.example.com"
MOST_REQUESTS: Final = 8
NORTH: Final = '<b>"North" & Sons'
"""Of a place's name, as a booking system may have it."""


def did(customer_id: str, kind: EventKind, location_id: str, **more: Any) -> None:
    """Keep what somebody did, as applied events are kept."""
    at = datetime.now(UTC) - DAY
    event = Event(event_id=f"{customer_id}{location_id}", kind=kind, at=at, location_id=location_id, **more)
    house.ports().activity.set_cell(BUSINESS_ID, customer_id, Cell(event.event_id, at, "01", event))
    use_cases().refold(BUSINESS_ID, "UTC", customer_id)


@pytest.fixture(autouse=True)
def people(stack: Stack) -> dict[str, str]:
    """Ids by first name: one was in the south, one is booked in the north, one was nowhere."""
    ids = {}
    for name in ("Amara", "Boris", "Clio"):
        row = {"first_name": name, "last_name": "Osei", "email": f"{name}@example.com", "general_tags": ["spring"]}
        ids[name] = str(stack.api("POST", "/v1/customers", row).body["customer_id"])
    did(ids["Amara"], EventKind.VISIT, "south", class_type="yoga")
    did(ids["Boris"], EventKind.BOOKING, NORTH, starts_at=datetime.now(UTC) + 3 * DAY)
    return ids


def works_at(location_id: str, role: Role = Role.STAFF, language: str = "en") -> None:
    behind = use_cases()
    behind.invite(BUSINESS_ID, OWNER, Role.OWNER, console_url="http://localhost/console")
    url = "http://localhost/console"
    behind.invite(BUSINESS_ID, DESK, role, console_url=url, location_id=location_id, language=language)


def names(page: Page) -> list[str]:
    return sorted(page.locator("#found tbody a").all_inner_texts())


def test_a_list_begins_with_those_of_ones_own_location(console: str, at_width: Page, width: str) -> None:
    page = at_width
    works_at("south")
    sign_in(page, console, Role.STAFF, DESK)
    assert names(page) == ["Amara Osei"]
    check(page, f"locations-customers-{width}")
    page.get_by_label("Location").select_option(NORTH)
    expect(page.locator("#found tbody a")).to_have_text("Boris Osei")
    page.get_by_role("searchbox").fill("cli")
    expect(page.locator("#found tbody")).to_have_count(0)
    check(page, f"locations-nobody-{width}")
    page.get_by_role("button", name="All locations").click()
    page.wait_for_load_state()
    assert names(page) == ["Clio Osei"]


def test_all_locations_are_seen_and_counted_without_scripts(console: str, without_scripts: Page) -> None:
    page = without_scripts
    works_at(NORTH)
    sign_in(page, console, Role.STAFF, DESK)
    assert names(page) == ["Boris Osei"]
    page.get_by_role("button", name="Count").click()
    assert page.get_by_role("status").inner_text().startswith("1 customer.")
    page.get_by_role("button", name="All locations").click()
    assert names(page) == ["Amara Osei", "Boris Osei", "Clio Osei"]


def test_whoever_works_nowhere_in_particular_sees_all(stack: Stack) -> None:
    seen = Desk(stack).sign_in().get("/console/customers").text
    assert [name in seen for name in ("Amara", "Boris", "Clio")] == [True, True, True]
    assert 'value="south"' in seen
    assert 'name="location"' in seen


@pytest.mark.parametrize(
    "asked",
    [None, {"q": "am"}, {"failed": "email"}, {"tag": "spring"}, {"segment": "vip"}, {"q": "a", "tag": "spring"}],
)
def test_a_list_by_location_needs_few_requests(stack: Stack, asked: dict[str, str] | None) -> None:
    stack.api("PUT", "/v1/segments/vip", {"name": "VIP", "filter": {"tag": "spring"}})
    works_at("south")
    desk = Desk(stack).sign_in(DESK, Role.STAFF)
    with counted_requests() as requests:
        path = "/console/customers"
        seen = desk.get(path) if asked is None else desk.post(path, {**asked, "location": "south"})
    assert (seen.status, "Boris" in seen.text) == (200, False)
    if asked != {"failed": "email"}:
        assert "Amara" in seen.text
    assert len(requests) <= MOST_REQUESTS, requests


def test_whoever_is_looked_for_by_name_at_a_location_is_on_one_of_several_small_pages(
    stack: Stack, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_KEYS", 4)
    businesses = house.ports().businesses
    businesses.replace(replace(businesses.get(BUSINESS_ID), customers_indexed=True))
    for number in range(5):
        stack.api("POST", "/v1/customers", {"first_name": f"Bob{number}", "last_name": "Berg"})
    works_at(NORTH)
    desk = Desk(stack).sign_in(DESK, Role.STAFF)
    form, found = {"q": "bo", "location": NORTH}, 0
    for _ in range(9):
        with counted_requests() as requests:
            seen = desk.post("/console/customers", form).text
        assert len(requests) <= MOST_REQUESTS, requests
        assert "Bob" not in seen
        found += "Boris" in seen
        more = re.findall(r'name="cursor" value="([^"]+)"', seen)
        if not more:
            break
        form["cursor"] = more[0]
    assert (found, "cursor" in form) == (1, True)


def test_what_is_found_at_a_location_is_exported_and_cleaned_up_there_alone(stack: Stack) -> None:
    desk = Desk(stack).sign_in()
    question = desk.post("/console/customers/clean-up", {"location": "south", "of": "all"})
    assert "1 customer will be deleted." in question.text
    assert 'name="location" value="south"' in question.text
    assert desk.post("/console/customers/export", {"location": "south"}).status == 303


@pytest.mark.parametrize("kind", ["visits", "bookings"])
def test_a_condition_begins_with_ones_own_location(console: str, page: Page, kind: str) -> None:
    works_at("south")
    sign_in(page, console, Role.STAFF, DESK)
    page.goto(f"{console}/segments/new")
    page.get_by_label("Condition").select_option(kind)
    page.get_by_role("button", name="Add a condition").click()
    expect(page.get_by_label("Locations")).to_have_value("south")
    check(page, f"locations-segment-{kind}")


def test_a_customers_page_says_where_they_were_last(
    console: str, at_width: Page, width: str, people: dict[str, str]
) -> None:
    page = at_width
    sign_in(page, console)
    page.goto(f"{console}/customers/{people['Boris']}/activity")
    assert page.locator("dl.facts dd").last.inner_text() == NORTH
    check(page, f"locations-activity-{width}")


def test_known_locations_are_offered_to_whoever_invites(console: str, page: Page) -> None:
    sign_in(page, console)
    page.goto(f"{console}/staff")
    assert page.locator("#locations option").evaluate_all("all => all.map(each => each.value)") == [NORTH, "south"]
    page.get_by_label("Email").last.fill("new@salon.example.com")
    page.locator("#location_id").fill("x" * 128)
    page.get_by_role("button", name="Send the invitation").click()
    page.wait_for_load_state()
    check(page, "locations-staff-desk")


def test_a_location_in_german(console: str, page: Page) -> None:
    works_at("south", language="de")
    behind = use_cases()
    page.goto(f"{console}/sign-in/{behind.make_link(DESK, BUSINESS_ID)}")
    page.get_by_role("button").click()
    page.wait_for_url("**/console/customers")
    assert "Kunden, die in south waren oder dort gebucht haben." in page.locator("#found").inner_text()
    check(page, "locations-customers-german")
