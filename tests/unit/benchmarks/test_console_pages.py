"""Which pages of the console are measured: every one, or it is said why not."""

import re

from rebound.console.http.routes import ROUTES, find
from tests.benchmarks.console_pages import NOT_MEASURED, PAGES


def test_every_page_is_measured_or_it_is_said_why_not() -> None:
    measured = []
    for path in PAGES.values():
        routes, _ = find(re.sub(r"{\w+}", "x", path).split("/"))
        measured.append(routes["GET"].address)
    looked_at = sorted(route.address for route in ROUTES if route.method == "GET")
    assert sorted([*measured, *NOT_MEASURED]) == looked_at, "Each belongs into PAGES or, with a reason, NOT_MEASURED."
