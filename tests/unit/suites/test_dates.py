"""The dates at which ``make dates`` runs the suites, and that whatever is started lives then."""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from tests.dates import AFTER, BEFORE, Date, dates
from tests.dates.__main__ import SAMPLE, run
from tests.fakes.aws import REPOSITORY

NEXT: Final = {
    "tomorrow": datetime(2026, 11, 30, 8, 15, tzinfo=UTC),
    "in-45-days": datetime(2027, 1, 13, 8, 15, tzinfo=UTC),
    "in-400-days": datetime(2028, 1, 3, 8, 15, tzinfo=UTC),
    "in-10-years": datetime(2036, 11, 26, 8, 15, tzinfo=UTC),
    "leap-day": datetime(2028, 2, 29, 12, tzinfo=UTC),
    "us-spring-before": datetime(2027, 3, 14, 6, 45, tzinfo=UTC),
    "us-spring-after": datetime(2027, 3, 14, 7, 1, tzinfo=UTC),
    "us-autumn-before": datetime(2027, 11, 7, 5, 45, tzinfo=UTC),
    "us-autumn-after": datetime(2027, 11, 7, 6, 1, tzinfo=UTC),
    "eu-spring-before": datetime(2027, 3, 28, 0, 45, tzinfo=UTC),
    "eu-spring-after": datetime(2027, 3, 28, 1, 1, tzinfo=UTC),
    "eu-autumn-before": datetime(2027, 10, 31, 0, 45, tzinfo=UTC),
    "eu-autumn-after": datetime(2027, 10, 31, 1, 1, tzinfo=UTC),
}
"""As seen from 29 November 2026, a quarter past eight."""
CLOCKS: Final = """
import datetime, subprocess, sys, time
print(time.monotonic())
print(int(time.time()), int(time.time_ns() // 10**9), int(datetime.datetime.now(datetime.UTC).timestamp()))
print(time.strftime("%F %H", time.gmtime()), datetime.datetime.now(datetime.UTC).strftime("%F %H"))
print(time.strftime("%F %H"), time.strftime("%F %H", time.localtime()), datetime.datetime.now().strftime("%F %H"))
print(datetime.date.today(), flush=True)
subprocess.run([sys.executable, "-c", "import time; print(int(time.time()))"])
"""


def test_the_dates_are_the_next_ones() -> None:
    assert {date.name: date.at for date in dates(datetime(2026, 11, 29, 8, 15, tzinfo=UTC))} == NEXT


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 11, 1, 5, 50, tzinfo=UTC),
        datetime(2027, 3, 28, 1, 0, tzinfo=UTC),
        datetime(2028, 2, 29, 12, 0, tzinfo=UTC),
        datetime(2028, 12, 31, 23, 59, tzinfo=UTC),
        datetime(2095, 6, 1, tzinfo=UTC),
    ],
    ids=str,
)
def test_from_any_day_none_has_passed_and_the_clocks_do_change_between_two(now: datetime) -> None:
    found = {date.name: date for date in dates(now)}

    assert found.keys() == NEXT.keys()
    assert all(date.at > now for date in found.values())
    leap = found["leap-day"]
    assert (leap.at.month, leap.at.day, leap.at.astimezone(ZoneInfo(leap.zone)).day) == (2, 29, 29)
    for name, hours in (("us-spring", 1), ("us-autumn", -1), ("eu-spring", 1), ("eu-autumn", -1)):
        before, after = found[f"{name}-before"], found[f"{name}-after"]
        shown = [date.at.astimezone(ZoneInfo(date.zone)).replace(tzinfo=None) for date in (before, after)]
        assert after.at - before.at == BEFORE + AFTER
        assert shown[1] - shown[0] == BEFORE + AFTER + timedelta(hours=hours)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_a_process_and_what_it_starts_live_at_the_date_and_the_monotonic_clock_does_not(zone: str) -> None:
    at = datetime(2033, 7, 1, 20, 30, tzinfo=UTC)
    before = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", CLOCKS], env=Date("", at, zone).environment(), capture_output=True, text=True, check=True
    )
    monotonic, stamps, utc, local, today, child = done.stdout.splitlines()

    assert before < float(monotonic) < time.monotonic()
    assert all(0 <= int(stamp) - at.timestamp() < 600 for stamp in (*stamps.split(), child))
    assert utc == " ".join([f"{at:%F %H}"] * 2)
    there = at.astimezone(ZoneInfo(zone))
    assert (local, today) == (" ".join([f"{there:%F %H}"] * 3), f"{there:%F}")


def test_every_date_is_tried_and_those_that_failed_are_named(capfd: pytest.CaptureFixture[str]) -> None:
    program = "import datetime, sys; sys.exit(datetime.date.today().year == 2031)"
    command = (sys.executable, "-c", program)
    tried = [(Date(f"in {year}", datetime(year, 6, 1, tzinfo=UTC), "UTC"), command) for year in (2030, 2031, 2032)]

    assert run(tried) == 1
    assert capfd.readouterr().out.splitlines()[-1] == "Failed at: in 2031"
    assert run(tried[:1]) == 0


def test_the_sample_is_of_dates_and_tests_that_there_are() -> None:
    assert SAMPLE.keys() <= NEXT.keys()
    assert [
        test for tests in SAMPLE.values() for test in tests if not (REPOSITORY / test.partition("::")[0]).exists()
    ] == []
