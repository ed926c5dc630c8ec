"""The reference of the API, as somebody who is signed in reads it."""

from typing import Final

import pytest
from playwright.sync_api import Page

from rebound.console.http.reference import PAGES
from rebound.staff.domain import Role
from tests.integration.conftest import Stack
from tests.integration.console.conftest import check, sign_in
from tests.integration.console.desk import Desk

AREAS: Final = sorted(path.stem for path in PAGES.glob("*.html"))


def test_the_reference_is_for_everybody(console: str, at_width: Page, width: str) -> None:
    sign_in(at_width, console, Role.VIEWER)
    at_width.goto(f"{console}/reference")
    check(at_width, f"reference-{width}")
    at_width.get_by_role("link", name="POST Post a campaign").click()
    assert at_width.url.endswith("/console/reference/campaigns#createCampaign")
    at_width.get_by_text("What may come back").nth(2).click()
    check(at_width, f"reference-campaigns-{width}")
    at_width.goto(f"{console}/reference/errors")
    check(at_width, f"reference-errors-{width}")


@pytest.mark.parametrize("area", AREAS)
def test_every_area_is_a_page_for_whoever_is_signed_in(stack: Stack, area: str) -> None:
    desk = Desk(stack).sign_in("viewer@salon.example.com", Role.VIEWER)
    seen = desk.get(f"/console/reference/{area}" if area != "index" else "/console/reference")
    assert seen.status == 200
    assert PAGES.joinpath(f"{area}.html").read_text(encoding="utf-8").strip() in seen.text


@pytest.mark.parametrize("path", ["reference/index", "reference/nothing", "reference/%2e%2e", "reference/..%2fpage"])
def test_what_is_no_area_is_no_page(stack: Stack, path: str) -> None:
    assert Desk(stack).sign_in().get(f"/console/{path}").status == 404
