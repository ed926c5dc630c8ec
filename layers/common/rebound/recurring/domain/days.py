"""Local days: when a birthday is celebrated, when a week's or a month's day is, and from when until when a day counts.

All days are those of one zone's calendar (an IANA name), and all instants are in UTC.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from rebound.kernel.local_time import first_instant_of, wall_clock

DAY: Final = timedelta(days=1)
LEAP_DAY: Final = (2, 29)


class Weekday(StrEnum):
    """The days of a week, in the order of ``date.weekday``."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Every(Struct, frozen=True):
    """One day of each week, or of each month; the days 29 to 31 are a month's last where it is shorter.

    One of the two is set.
    """

    weekday: Weekday | None = None
    day_of_month: int | None = None

    def has(self, day: date) -> bool:
        """Whether it is that day."""
        if self.day_of_month is not None:
            return day.day == min(self.day_of_month, monthrange(day.year, day.month)[1])
        return list(Weekday)[day.weekday()] is self.weekday


def celebrated(birthday: date, year: int) -> date:
    """The day of a year on which a birthday is celebrated; that of 29 February is on the 28th in other years."""
    if (birthday.month, birthday.day) == LEAP_DAY and monthrange(year, 2)[1] < birthday.day:
        return date(year, 2, 28)
    return birthday.replace(year=year)


class Window(Struct, frozen=True):
    """From when on (inclusive) until when (exclusive) what belongs to a ``day`` may happen."""

    day: date
    opens: datetime
    closes: datetime

    def is_open(self, now: datetime) -> bool:
        """Whether it is time."""
        return self.opens <= now < self.closes


def opening(day: date, at: time, zone: str) -> datetime:
    """The first instant at which clocks there show ``at`` on that day; if they skip it, the instant of the skip."""
    return first_instant_of(datetime.combine(day, at), zone)


def until_midnight(day: date, at: time, zone: str) -> Window:
    """From an hour on until the day ends there.

    Of a day, or an hour, that the zone's calendar skips: until the day ends on which clocks go on.
    """
    opens = opening(day, at, zone)
    shown = wall_clock(opens, zone).date()
    return Window(day, opens, first_instant_of(datetime.combine(max(day, shown) + DAY, time.min), zone))


def for_hours(day: date, at: time, zone: str, hours: int) -> Window:
    """From an hour on, for so many hours."""
    opens = opening(day, at, zone)
    return Window(day, opens, opens + timedelta(hours=hours))


def days_until(now: datetime, zone: str, before: timedelta) -> Iterator[date]:
    """The days that have begun there and may have an hour within ``before`` of now; the latest first.

    One more than are needed: a calendar may skip one.
    """
    today = wall_clock(now, zone).date()
    first = wall_clock(max(now - before, datetime.min.replace(tzinfo=UTC) + 2 * DAY), zone).date() - DAY
    for back in range((today - first).days + 1):
        yield today - back * DAY
