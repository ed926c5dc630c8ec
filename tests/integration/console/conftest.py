"""A browser before the console, and what holds of every page."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from rebound.console.http.frame import SESSION
from rebound.console.wiring import use_cases
from rebound.staff.domain import Role
from tests.e2e.browser import BROWSERS, demand_browser
from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import Stack
from tests.integration.console.site import served

PICTURES: Final = Path(".local") / "pictures"
WIDTHS: Final = {"phone": 390, "desk": 1280}
ONLY_WIDE: Final = (".pages", "thead")
"""What a narrow window lays out otherwise or hides."""
SEEN_NARROW: Final[set[BrowserContext]] = set()
"""The wide windows of tests that look at the same in a narrow one."""
OWNER: Final = "owner@salon.example.com"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    demand_browser()
    with sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, BROWSERS)))
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def console(stack: Stack) -> Iterator[str]:
    """The console's address."""
    with served(stack) as address:
        yield address


def window(chromium: Browser, width: str, *, scripts: bool = True, is_seen_narrow: bool = False) -> Iterator[Page]:
    """A window of a browser that has been nowhere; nothing may go wrong in its scripts, nor against its policy."""
    context = chromium.new_context(
        viewport={"width": WIDTHS[width], "height": 900}, reduced_motion="reduce", java_script_enabled=scripts
    )
    context.set_default_timeout(60_000)
    if is_seen_narrow:
        SEEN_NARROW.add(context)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    # A status that is no success is an error to the browser as well.
    assert [each for each in said if not each.startswith("Failed to load resource")] == []
    SEEN_NARROW.discard(context)
    context.close()


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest) -> str:
    """A phone's and a desk's: for tests that look at pages, not for those of what pages do."""
    return str(request.param)


@pytest.fixture
def at_width(chromium: Browser, width: str) -> Iterator[Page]:
    """A window of each width."""
    yield from window(chromium, width, is_seen_narrow=width == "desk")


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A window at a desk."""
    yield from window(chromium, "desk")


@pytest.fixture
def without_scripts(chromium: Browser) -> Iterator[Page]:
    """A window in which no script runs."""
    yield from window(chromium, "desk", scripts=False)


def sign_in(page: Page, console: str, role: Role = Role.OWNER, email: str = OWNER) -> None:
    """Come to the customers as somebody with a role at the business who has signed in: with the cookie of a session.

    How one signs in is a matter of the tests of the door.
    """
    behind = use_cases()
    behind.invite(BUSINESS_ID, email, role, console_url=console)
    new = behind.sign_in.with_link(behind.make_link(email, BUSINESS_ID))
    assert new is not None
    page.context.add_cookies([{"name": SESSION, "value": new.token, "url": f"{console}/"}])
    page.goto(f"{console}/customers")


def check(page: Page, name: str) -> None:
    """What holds of every page: axe finds nothing, and nothing is wider than the window.

    Of a page that is looked at in windows of each width, axe looks in the wide one at what only that has. With
    ``REBOUND_PICTURES=1`` a picture is kept, for somebody who looks at it: making one takes as long as half of axe.
    """
    if os.environ.get("REBOUND_PICTURES"):
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    parts = None
    if page.context in SEEN_NARROW:
        parts = {"include": [[part] for part in ONLY_WIDE if page.locator(part).count()]}
    if parts is None or parts["include"]:
        found = Axe().run(page, parts)
        assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
