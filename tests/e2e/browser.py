"""A real browser, driven by the W3C's WebDriver protocol, which is JSON over HTTP: ChromeDriver needs no library.

https://www.w3.org/TR/webdriver2/
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.waiting import until

BROWSERS: Final = ("chromium", "google-chrome", "chromium-browser", "google-chrome-stable")
DRIVER: Final = "chromedriver"
TIMEOUT_SECONDS: Final = 120.0
_ELEMENT: Final = "element-6066-11e4-a52e-4f735466cecf"
"""The name that the standard gives to a reference to an element."""
_GONE: Final = "stale element reference"
_GONE_IN_CHROMIUM: Final = "does not belong to the document"
"""What ChromeDriver says, as an unknown error, of an element whose page goes just when it is asked for."""
_FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Containers have no sandbox to give, and nothing here is to call home."""
NEEDED: Final = "REBOUND_NEEDS_BROWSER"
"""Set where a test without a browser is a failed test: in CI."""


class BrowserError(AssertionError):
    """The browser could not do what it was asked; ``code`` is the standard's word for why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message[:500]}")
        self.code = code


def demand_browser() -> None:
    """Skip the test where there is no browser; fail it where there must be one."""
    missing = [DRIVER] * (shutil.which(DRIVER) is None) + [BROWSERS[0]] * (not any(map(shutil.which, BROWSERS)))
    if not missing:
        return
    said = f"no {' and no '.join(missing)} on the PATH (Debian: apt-get install chromium chromium-driver)"
    if os.environ.get(NEEDED):
        pytest.fail(said)
    pytest.skip(said)


@dataclass(frozen=True, slots=True)
class Browser:
    """One window. Scripts do not run in it."""

    port: int
    session: str

    def open(self, url: str, then: str) -> None:
        """Go to an address, and wait for the heading of the page there."""
        self._ask("POST", "url", {"url": url})
        self._await_heading(then)

    @property
    def title(self) -> str:
        """The title of the page."""
        return str(self._ask("GET", "title"))

    def text(self, selector: str) -> str:
        """What can be read in the first element that a CSS selector finds; ``""`` when there is none any more."""
        try:
            found = self._find(selector)
            return str(self._ask("GET", f"element/{found[0]}/text")) if found else ""
        except BrowserError as error:
            if error.code == _GONE or _GONE_IN_CHROMIUM in str(error):
                return ""
            raise

    def attribute(self, selector: str, name: str) -> str | None:
        """An attribute of the first element that a CSS selector finds."""
        value = self._ask("GET", f"element/{self._find(selector)[0]}/attribute/{name}")
        return None if value is None else str(value)

    def names(self, selector: str) -> list[str]:
        """What assistive technology calls the elements that a CSS selector finds."""
        return [str(self._ask("GET", f"element/{each}/computedlabel")) for each in self._find(selector)]

    def size(self, selector: str) -> tuple[int, int]:
        """Width and height of the first element that a CSS selector finds, in CSS pixels."""
        rect = self._ask("GET", f"element/{self._find(selector)[0]}/rect")
        return int(rect["width"]), int(rect["height"])

    def screenshot(self) -> bytes:
        """What the window shows, as PNG."""
        return b64decode(self._ask("GET", "screenshot"))

    def boxes(self, selector: str) -> list[tuple[int, int, int, int]]:
        """Left, top, width and height of each element that a CSS selector finds, in CSS pixels of the page."""
        rects = [self._ask("GET", f"element/{each}/rect") for each in self._find(selector)]
        return [(int(rect["x"]), int(rect["y"]), int(rect["width"]), int(rect["height"])) for rect in rects]

    def click(self, selector: str, then: str | None = None) -> None:
        """Click the first element that a CSS selector finds, where it can be seen, and wait for a heading ``then``."""
        self._ask("POST", f"element/{self._find(selector)[0]}/click", {})
        if then is not None:
            self._await_heading(then)

    def _await_heading(self, expected: str) -> None:
        until(f"the page {expected!r}", lambda: self.text("h1"), lambda heading: heading == expected, TIMEOUT_SECONDS)

    def _find(self, selector: str) -> list[str]:
        found = self._ask("POST", "elements", {"using": "css selector", "value": selector})
        return [each[_ELEMENT] for each in found]

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        return _exchange(self.port, method, f"/session/{self.session}/{path}", body)


@contextlib.contextmanager
def phone(profile: Path, width: int = 390, height: int = 844, pixel_ratio: float = 2.0) -> Iterator[Browser]:
    """A browser as on a phone of that size in CSS pixels, with a fresh profile and without scripts, gone afterwards."""
    with _driver() as port:
        # Without touch: a synthetic tap takes half a minute here, a click none.
        metrics = {"width": width, "height": height, "pixelRatio": pixel_ratio, "touch": False, "mobile": True}
        options: dict[str, Any] = {
            "binary": next(found for name in BROWSERS if (found := shutil.which(name))),
            "args": [*_FLAGS, f"--user-data-dir={profile}"],
            "mobileEmulation": {"deviceMetrics": metrics},
            "prefs": {"profile.managed_default_content_settings.javascript": 2},
        }
        # The driver's own waiting for a page now and then never ends where no script may run.
        wanted = {"browserName": "chrome", "pageLoadStrategy": "none", "goog:chromeOptions": options}
        session = _exchange(port, "POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        try:
            yield Browser(port, session)
        finally:
            _exchange(port, "DELETE", f"/session/{session}")


@contextlib.contextmanager
def _driver() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    process = subprocess.Popen([shutil.which(DRIVER) or DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL)
    try:
        until("the driver answers", lambda: _is_ready(port), bool)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _is_ready(port: int) -> bool:
    try:
        return bool(_exchange(port, "GET", "/status")["ready"])
    except OSError:
        return False


def _exchange(port: int, method: str, path: str, body: object = None) -> Any:
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        content = None if body is None else json.dumps(body).encode()
        connection.request(method, path, content, {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())["value"]
    finally:
        connection.close()
    if isinstance(answer, dict) and "error" in answer:
        raise BrowserError(answer["error"], answer["message"])
    return answer
