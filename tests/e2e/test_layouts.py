"""Layouts in a real browser, as wide as a phone and as a mail program on a desk."""

import http.server
import struct
import threading
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import pytest

from local.stack.configuration import REPOSITORY
from tests.e2e.browser import Browser, demand_browser, phone
from tests.e2e.rebound_api import ReboundApi

PHONE: Final = 390
DESK: Final = 640
CONTENT: Final = 600
FINGER_PIXELS: Final = 44
"""WCAG 2.2, "target size (enhanced)"."""
HEIGHT: Final = 1000
GREEN: Final = (0x1B, 0x5E, 0x20)
PAGE: Final = (0xE8, 0xF5, 0xE9)
WHITE: Final = (255, 255, 255)
LAYOUT: Final[Mapping[str, Any]] = {
    "subject": "The autumn timetable",
    "preheader": "Nobody sees this in the email itself",
    "style": {"font": "Georgia", "button_color": "#1b5e20", "link_color": "#1b5e20", "background_color": "#e8f5e9"},
    "blocks": [
        {"kind": "heading", "text": "Hello Ana"},
        {"kind": "text", "text": "A long word: " + "Donaudampfschifffahrt" * 5},
        {"kind": "button", "text": "Book a class", "link": "https://studio.example.com/book"},
        {
            "kind": "columns",
            "columns": [
                {"blocks": [{"kind": "heading", "level": 2, "text": "One"}, {"kind": "text", "text": "Mornings"}]},
                {"blocks": [{"kind": "heading", "level": 3, "text": "Two"}, {"kind": "text", "text": "Evenings"}]},
            ],
        },
        {"kind": "voucher", "title": "One class", "code": "AUTUMN-26"},
        {"kind": "html", "html": "<p>Own</p>"},
    ],
}
BLUE: Final = (0x0B, 0x57, 0xD0)
BAND: Final = (0xEA, 0xF1, 0xFB)
DEFAULTS: Final = REPOSITORY / "tests" / "unit" / "templates" / "defaults"
PICTURES: Final = REPOSITORY / ".local" / "screenshots"
"""For whoever wants to see them."""


@contextmanager
def served(page: str) -> Iterator[str]:
    """The address of a page, for as long as it is needed."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


def colours_of(png: bytes) -> tuple[tuple[int, int], Counter[tuple[int, int, int]]]:
    """Width and height of a picture with 8 bits for each of three or four colours, and how often each colour is in it.

    Source: Portable Network Graphics (PNG) Specification, 9.2.
    """
    at, data, width, height, kind = 8, b"", 0, 0, 0
    while at < len(png):
        (length,), name = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        chunk = png[at + 8 : at + 8 + length]
        if name == b"IHDR":
            width, height, depth, kind = struct.unpack(">IIBB", chunk[:10])
            assert depth == 8
        if name == b"IDAT":
            data += chunk
        at += length + 12
    step = {2: 3, 6: 4}[kind]
    raw, line, found = zlib.decompress(data), width * step, Counter[tuple[int, int, int]]()
    before = bytearray(line)
    for number in range(height):
        begins = number * (line + 1)
        how, row = raw[begins], bytearray(raw[begins + 1 : begins + 1 + line])
        for place in range(line):
            left = row[place - step] if place >= step else 0
            above, corner = before[place], before[place - step] if place >= step else 0
            row[place] = (row[place] + _guess(how, left, above, corner)) & 255
        for place in range(0, line, step):
            found[row[place], row[place + 1], row[place + 2]] += 1
        before = row
    return (width, height), found


def _guess(how: int, left: int, above: int, corner: int) -> int:
    match how:
        case 1:
            return left
        case 2:
            return above
        case 3:
            return (left + above) // 2
        case 4:
            return min((left, above, corner), key=lambda each: abs(left + above - corner - each))
    return 0


@pytest.fixture(scope="module")
def html(api: ReboundApi) -> str:
    """The layout as HTML."""
    answer = api.post("/v1/layouts/render", LAYOUT, HTTPStatus.OK)
    assert answer["warnings"] == []
    page: str = answer["html"]
    return page


@contextmanager
def shown(html: str, width: int, profile: Path, then: str = "Hello Ana") -> Iterator[Browser]:
    demand_browser()
    with served(html) as url, phone(profile, width=width, height=HEIGHT, pixel_ratio=1.0) as browser:
        browser.open(url, then=then)
        yield browser


def picture_of(browser: Browser, width: int, name: str = "layout") -> Counter[tuple[int, int, int]]:
    """How often each colour is in a screenshot, which is kept."""
    png = browser.screenshot()
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / f"{name}-{width}.png").write_bytes(png)
    size, colours = colours_of(png)
    assert size == (width, HEIGHT)
    return colours


def test_on_a_phone_columns_stand_one_below_the_other_and_nothing_is_wider_than_the_screen(
    html: str, tmp_path: Path
) -> None:
    with shown(html, PHONE, tmp_path) as browser:
        colours = picture_of(browser, PHONE)
        (one,), (two,), (button,) = browser.boxes("h2"), browser.boxes("h3"), browser.boxes("a")
        everything = browser.boxes("h1, h2, h3, p, a, td, div")

    assert one[0] == two[0]
    assert one[1] + one[3] < two[1]
    assert button[3] >= FINGER_PIXELS
    assert max(left + width for left, _, width, _ in everything) <= PHONE
    assert colours[GREEN] > button[2] * button[3] / 2
    assert colours[WHITE] > colours[PAGE] > 0


def test_on_a_desk_columns_stand_side_by_side_and_the_page_is_seen_around_the_content(
    html: str, tmp_path: Path
) -> None:
    with shown(html, DESK, tmp_path) as browser:
        colours = picture_of(browser, DESK)
        (one,), (two,), (headline,) = browser.boxes("h2"), browser.boxes("h3"), browser.boxes("h1")
        bottom = max(top + height for _, top, _, height in browser.boxes("p"))

    assert one[0] + one[2] <= two[0]
    assert abs(one[1] - two[1]) < FINGER_PIXELS
    assert headline[0] >= (DESK - CONTENT) // 2
    assert headline[0] + headline[2] <= (DESK + CONTENT) // 2
    # The strips beside the content, and all below it.
    assert colours[PAGE] > (DESK - CONTENT) * bottom * 0.9


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize(
    ("name", "happened"),
    [
        ("class_cancelled.it", "La sua lezione è annullata"),
        ("voucher.fr", "Un bon cadeau pour vous"),
        ("waiting_list_place_offered.de", "Ein Platz ist für Sie frei"),
    ],
)
def test_a_default_email_fits_the_screen_and_shows_first_what_happened(
    name: str, happened: str, width: int, tmp_path: Path
) -> None:
    html = (DEFAULTS / f"{name}.html").read_text(encoding="utf-8")
    with shown(html, width, tmp_path, then=happened) as browser:
        colours = picture_of(browser, width, name)
        (heading,), everything = browser.boxes("h1"), browser.boxes("h1, p, a, td, div")
        buttons = [box for box in browser.boxes("a") if box[3] >= FINGER_PIXELS]

    assert 0 < heading[1] < HEIGHT / 4
    assert max(left + wide for left, _, wide, _ in everything) <= width
    assert len(buttons) == ("waiting_list" in name)
    assert all(colours[BLUE] > box[2] * box[3] / 2 for box in buttons)
    assert (colours[BAND] > 0) == ("voucher" not in name)
