"""The pages in a real browser: with and without scripts, on a phone and on a desk, and what axe says of each."""

from typing import Final

import pytest
from playwright.sync_api import Page, expect

from rebound.staff.domain import Role
from tests.integration.conftest import Stack
from tests.integration.console.conftest import check, sign_in

PAGES: Final = ("customers", "customers/{customer}", "choose-business", "nowhere")


@pytest.fixture
def customers(stack: Stack) -> list[str]:
    rows = [
        {"first_name": "Amara", "last_name": "Osei", "email": "amara@example.com", "general_tags": ["spring"]},
        {"first_name": "Boris", "last_name": "Novak", "email": "boris@example.com", "mobile_phone": "+14155550101"},
        {"first_name": "<b>Carla</b>", "last_name": '"><script>alert(1)</script>', "email": "carla@example.com"},
    ]
    return [stack.api("POST", "/v1/customers", row).body["customer_id"] for row in rows]


def test_every_page_is_for_everybody(console: str, customers: list[str], at_width: Page, width: str) -> None:
    page = at_width
    page.goto(f"{console}/sign-in")
    check(page, f"sign-in-{width}")
    sign_in(page, console)
    for address in PAGES:
        path = address.format(customer=customers[0])
        page.goto(f"{console}/{path}")
        check(page, f"{address.replace('/', '-').replace('{', '').replace('}', '')}-{width}")


def test_whom_one_looks_for_is_found_as_one_types(console: str, customers: list[str], page: Page) -> None:
    sign_in(page, console)
    assert page.locator("tbody tr").count() == len(customers)
    page.get_by_label("Search").type("osei")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert page.locator("tbody").inner_text().strip().startswith("Amara Osei")
    assert "osei" not in page.url


def test_a_page_shows_what_customers_are_called_and_runs_nothing_of_it(
    console: str, customers: list[str], page: Page
) -> None:
    sign_in(page, console)
    assert "<b>Carla</b>" in page.locator("tbody").inner_text()
    assert page.locator("tbody script, tbody b").count() == 0


def test_a_change_on_the_page_is_written_and_said_also_without_scripts(
    console: str, customers: list[str], without_scripts: Page, stack: Stack
) -> None:
    page = without_scripts
    sign_in(page, console)
    page.goto(f"{console}/customers/{customers[1]}")
    page.get_by_label("Last name").fill("Novák")
    page.get_by_role("button", name="Save").click()
    assert page.get_by_role("status").inner_text() == "Saved."
    assert stack.api("GET", f"/v1/customers/{customers[1]}").body["last_name"] == "Novák"


def test_what_cannot_be_is_said_beside_its_field_and_nothing_typed_is_lost(
    console: str, customers: list[str], page: Page, stack: Stack
) -> None:
    sign_in(page, console)
    page.goto(f"{console}/customers/{customers[1]}")
    page.get_by_label("Mobile phone").fill("12")
    page.get_by_label("First name").fill("Bořek")
    page.get_by_role("button", name="Save").click()
    assert page.locator("#mobile_phone-wrong").inner_text()
    assert page.get_by_label("First name").input_value() == "Bořek"
    assert stack.api("GET", f"/v1/customers/{customers[1]}").body["first_name"] == "Boris"


def test_what_is_typed_when_the_session_ends_is_sent_after_signing_in_again(
    console: str, customers: list[str], without_scripts: Page, stack: Stack
) -> None:
    page = without_scripts
    sign_in(page, console)
    page.goto(f"{console}/customers/{customers[1]}")
    page.get_by_label("Last name").fill("Novák")
    page.context.clear_cookies()
    page.get_by_role("button", name="Save").click()
    assert page.get_by_role("heading").inner_text() == "Not sent yet"
    again = page.context.new_page()
    sign_in(again, console)
    page.get_by_role("button", name="Send again").click()
    page.get_by_role("button", name="Send again").click()
    assert page.get_by_role("status").inner_text() == "Saved."
    assert stack.api("GET", f"/v1/customers/{customers[1]}").body["last_name"] == "Novák"


def test_a_search_when_the_session_ends_says_so_and_leaves_the_page_as_it_is(
    console: str, customers: list[str], page: Page
) -> None:
    sign_in(page, console)
    page.context.clear_cookies()
    page.get_by_label("Search").type("osei")
    expect(page.get_by_role("alert")).to_contain_text("Not sent yet")
    assert page.get_by_label("Search").input_value() == "osei"
    assert page.locator("tbody tr").count() == len(customers)
    check(page, "signed-out-under-way")
    sign_in(page.context.new_page(), console)
    page.get_by_role("button", name="Send again").click()
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_page_of_another_session_says_so_and_does_what_it_is_told_once_it_is_sent_again(
    console: str, customers: list[str], page: Page
) -> None:
    sign_in(page, console)
    other = page.context.new_page()
    sign_in(other, console, Role.VIEWER, "viewer@salon.example.com")
    page.get_by_label("Search").type("osei")
    expect(page.get_by_role("alert")).to_contain_text("You have signed in again")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("tbody tr")).to_have_count(1)
