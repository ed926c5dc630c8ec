"""``make dates``: no test depends on the day it runs, so the suites pass on other days as well.

A run is a machine at another date, and in another time zone: the clock of every Python process in it is so much later
(``clock/sitecustomize.py``), and goes on. The monotonic clock stays as it is, so that whoever waits still waits.
"""

import os
from calendar import isleap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from time_machine import escape_hatch

LATER: Final = "REBOUND_TESTS_LATER"
"""How many seconds later it is than by the machine's own clock."""
CLOCK: Final = Path(__file__).with_name("clock")
BEFORE: Final = timedelta(minutes=15)
"""Longer than the suites take, and less than the hour that comes twice."""
AFTER: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Date:
    """A time at which the suites run, and where the machine is then."""

    name: str
    at: datetime
    zone: str

    def environment(self) -> dict[str, str]:
        """What a process is told, so that it and whatever it starts lives then."""
        clock = escape_hatch.datetime.datetime if escape_hatch.is_travelling() else datetime
        later = (self.at - clock.now(UTC)).total_seconds()
        path = os.pathsep.join([str(CLOCK), *filter(None, [os.environ.get("PYTHONPATH")])])
        return {**os.environ, "TZ": self.zone, "PYTHONPATH": path, LATER: str(later)}


def dates(now: datetime) -> Sequence[Date]:
    """All of them, as seen from now; none has passed."""
    return [
        Date("tomorrow", now + timedelta(days=1), "UTC"),
        Date("in-45-days", now + timedelta(days=45), "Asia/Tokyo"),
        Date("in-400-days", now + timedelta(days=400), "Pacific/Auckland"),
        Date("in-10-years", now + timedelta(days=3650), "Asia/Kathmandu"),
        Date("leap-day", _leap_day(now), "America/Los_Angeles"),
        *_around_changes("us", now, "America/New_York"),
        *_around_changes("eu", now, "Europe/Berlin"),
    ]


def _leap_day(now: datetime) -> datetime:
    noons = (datetime(year, 2, 29, 12, tzinfo=UTC) for year in count(now.year) if isleap(year))
    return next(noon for noon in noons if noon > now)


def _around_changes(name: str, now: datetime, zone: str) -> Iterator[Date]:
    """The last hour before the clocks change and the first one after it, for the next two times they do."""
    there, hour = ZoneInfo(zone), now.replace(minute=0, second=0, microsecond=0)
    hours = (hour + timedelta(hours=number) for number in count(1))
    changes = (at for at in hours if at - BEFORE > now and _offset(at, there) != _offset(at - BEFORE, there))
    for change in islice(changes, 2):
        season = "spring" if _offset(change, there) > _offset(change - BEFORE, there) else "autumn"
        yield Date(f"{name}-{season}-before", change - BEFORE, zone)
        yield Date(f"{name}-{season}-after", change + AFTER, zone)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()
