"""Every fixed date of what runs on a stack, and why it is compared with no real clock.

``make dates`` runs the suites that need no stack at other dates. What needs one (end-to-end tests, the demo) and what
people type in (README, docs) is listed here instead: a new date fails until somebody has said why it may stand.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).parents[3]
LOOKED_AT: Final = ("tests/e2e", "local", "README.md", "docs")
LEFT_OUT: Final = {
    "docs/decisions": "records of what was decided and measured then; nobody runs them",
    "local/samples/salon_customers.csv": "birthdays and first visits, which stand for themselves (below)",
}
DATE: Final = re.compile(r"(?<![\d-])[1-9]\d{3}-[01]\d-[0-3]\d(?![\d-])|\b(?:date|datetime)\(\d{4},\s*\d+,\s*\d+")
VERSIONS: Final = frozenset({"2010-03-31", "2010-04-01", "2012-10-17"})
"""Of other people's interfaces, which look like dates."""
FIXED: Final[Mapping[str, Mapping[str, str]]] = {
    "docs/guide/activity.md": dict.fromkeys(
        ("2024-03-01", "2026-11-02", "2026-11-03"), "when something is said to have happened, which may be long ago"
    ),
    "docs/guide/consent-records.md": {"2026-11-22": "an answer as it looks"},
    "docs/guide/filters.md": dict.fromkeys(
        ("1990-01-01", "2020-12-31"), "compared with dates of a profile, and with no clock"
    ),
    "docs/guide/imports-and-exports.md": {"2025-03-01": "when somebody opted out elsewhere, which is always past"},
    "docs/guide/logs.md": {"2026-01-01": "replies since then: no time is too long ago to ask for"},
    "docs/guide/template-events.md": dict.fromkeys(
        ("2026-12-04", "2026-12-31", "2027-03-05"),
        "what a class or a membership is said to have; nobody asks when that is",
    ),
    "docs/guide/templates.md": dict.fromkeys(
        ("2026-12-04", "2026-12-11", "2026-12-31"), "values of variables, which are written and compared with no clock"
    ),
    "local/api_reference/examples.py": {"2026-12-01": "what a time looks like in the reference; sent by nobody"},
    "docs/openapi.json": {"2026-12-01": "what a time looks like; written from the code, and sent by no test"},
    "docs/runbook.md": {"2026-11-22": "an hour of bounces to put one's own hour for; nobody runs it as it is"},
    "local/number_zones.py": {"datetime(2026, 1, 1": "zones are compared with each other, on the same days always"},
    "local/samples/make_salon_customers.py": {
        "date(1941, 1, 1": "the first birthday drawn",
        "date(2012, 1, 1": "the first birthday of a child",
        "date(2014, 3, 4": "the day on which the salon opened",
        "date(2026, 11, 22": "the last day on which a customer came; the same file whenever it is made",
    },
    "local/twin/timestamps.py": {"2026-11-22": "what a timestamp looks like"},
    "tests/e2e/test_bad_requests.py": {
        "2026-02-30": "no day in any year's calendar",
        "2030-01-01": "refused for want of a zone, before anybody asks when it is",
        "9999-12-31": "farther than a year from now until 9998",
    },
    "tests/e2e/test_built_layer.py": {"2026-03-05": "how languages write a date, which is compared with no clock"},
    "tests/e2e/test_customers.py": {
        "1988-02-29": "a birthday, given and read again",
        "2020-01-31": "a first visit, given and read again",
    },
    "tests/e2e/test_imports.py": {
        "1990-04-01": "a birthday, given and read again",
        "1990-02-30": "no day in any year's calendar",
    },
}
RECORDED: Final[Mapping[str, str]] = {
    "tests/e2e/test_dead_letters.py": '["bounce"]["timestamp"] = datetime.now(UTC)',
    "tests/e2e/test_recovery.py": '["bounce"]["timestamp"] = at.isoformat(',
}
"""End-to-end tests that tell recorded events of ``events/``: they write their own time into what says when."""


def texts() -> Iterator[tuple[str, str]]:
    """Every text that is looked at, with its path."""
    for name in LOOKED_AT:
        found = REPOSITORY / name
        for path in [found] if found.is_file() else sorted(found.rglob("*")):
            inside = path.relative_to(REPOSITORY).as_posix()
            if path.suffix in {".py", ".md", ".json", ".csv"} and not inside.startswith(tuple(LEFT_OUT)):
                yield inside, path.read_text(encoding="utf-8")


def test_every_fixed_date_is_listed_with_why_no_clock_meets_it() -> None:
    found = {path: set(DATE.findall(text)) - VERSIONS for path, text in texts()}

    assert {path: dates for path, dates in found.items() if dates} == {path: set(why) for path, why in FIXED.items()}


@pytest.mark.parametrize("line", ['at = "2031-05-06T10:00:00Z"', "day = date(2031, 5, 6)", "datetime(2031, 5, 6, 9)"])
def test_a_new_date_would_be_found(line: str) -> None:
    assert len(DATE.findall(line)) == 1


def test_recorded_events_are_told_with_the_time_of_the_test() -> None:
    recorded = {path: text for path, text in texts() if path.startswith("tests/e2e") and '"events" / "ses"' in text}

    assert recorded.keys() == RECORDED.keys()
    assert [path for path, own in RECORDED.items() if own not in recorded[path]] == []


def test_dates_of_the_sample_are_days_that_only_customers_have() -> None:
    """Birthdays and first visits are never compared with a clock, and nothing else in the file has a date."""
    head, *rows = (REPOSITORY / "local/samples/salon_customers.csv").read_text(encoding="utf-8").splitlines()
    with_dates = {number for row in rows for number, cell in enumerate(row.split(",")) if DATE.search(cell)}

    assert {head.split(",")[number] for number in with_dates} == {"birthday", "customer_since"}
