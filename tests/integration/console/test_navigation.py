"""The ways to the pages: beside the page where there is room, and behind a button on a phone."""

from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect

from rebound.console.http.routes import PAGES
from tests.integration.conftest import Stack
from tests.integration.console.conftest import check, sign_in, window
from tests.integration.console.desk import Desk

LEAST: Final = 44
"""Pixels of what a finger hits."""


@pytest.mark.parametrize("scripts", [True, False])
def test_on_a_phone_the_pages_are_behind_a_button(chromium: Browser, console: str, *, scripts: bool) -> None:
    for page in window(chromium, "phone", scripts=scripts):
        sign_in(page, console)
        menu = page.locator("details.folded > summary")
        expect(page.get_by_role("link", name="Segments")).not_to_be_visible()
        expect(menu).to_contain_text("Customers")
        menu.click()
        assert (
            min(box["height"] for each in page.locator("details.folded a").all() if (box := each.bounding_box()))
            >= LEAST
        )
        size = menu.bounding_box()
        assert size is not None
        assert size["height"] >= LEAST
        if scripts:
            check(page, "navigation-phone")
        page.get_by_role("link", name="Segments").click()
        page.wait_for_url("**/segments")


def test_at_a_desk_they_are_beside_the_page(console: str, page: Page) -> None:
    sign_in(page, console)
    expect(page.get_by_role("link", name="Segments")).to_be_visible()
    expect(page.locator("details.folded")).not_to_be_visible()
    assert page.get_by_role("navigation", name="Pages").count() == 1


@pytest.mark.parametrize(("path", "to"), [("campaigns", "recurring"), ("recurring", "campaigns")])
def test_campaigns_that_come_again_are_a_tab_of_the_campaigns(stack: Stack, path: str, to: str) -> None:
    seen = Desk(stack).sign_in().get(f"/console/{path}").text
    assert f'<a href="./{path}" aria-current="page">' in seen
    assert f'<a href="./{to}">' in seen
    assert '<li><a href="./campaigns" aria-current="page">' in seen
    assert seen.count("<li><a ") == 2 * len([name for name in PAGES if name != "operations"])
