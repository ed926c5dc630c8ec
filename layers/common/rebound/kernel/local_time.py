"""Wall-clock times of a zone, also when its clocks go forward or back, and when a wall-clock time is first shown.

A zone's offset changes at whole seconds and, by the rules now in force anywhere, never twice within a day; a test
checks every change of every zone.
"""

from datetime import UTC, datetime, time, timedelta
from math import ceil
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SECOND: Final = timedelta(seconds=1)
MAX_ZONE: Final = 64
"""Longer than the name of any zone."""
FIRST_CLOCK: Final = timedelta(hours=14)
"""How far the first clock on earth (Kiritimati's) is ahead of UTC."""


def time_zone(value: str) -> str:
    """The name of a time zone that exists. Raises ``ValueError`` with a sentence for people."""
    try:
        known = ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = ""
    if not known or known in _NO_ZONES or known.startswith(_OTHER_CLOCKS):
        raise ValueError("Must be an IANA time zone, such as America/New_York.")
    return known


_NO_ZONES: Final = frozenset({"Factory", "localtime", "posixrules"})
"""Files beside the zones that say nothing about where somebody is."""
_OTHER_CLOCKS: Final = ("posix/", "right/")
"""Folders with the same zones once more, one of them counting leap seconds; not every machine has them."""


def wall_clock(at: datetime, zone: str) -> datetime:
    """The time, naive, that the clocks of a zone (an IANA name) show at an instant."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def first_instant_of(wall: datetime, zone: str) -> datetime:
    """The first instant, in UTC, at which a zone's clocks show ``wall``; if they skip it, the instant of the skip."""
    there = ZoneInfo(zone)
    at = wall.replace(tzinfo=there, fold=0).astimezone(UTC)
    if wall_clock(at, zone) == wall:
        return at
    # If ``wall`` is skipped, the old offset (fold 0) gives an instant after the skip, the new (fold 1) one before it.
    before = wall.replace(tzinfo=there, fold=1).astimezone(UTC)
    leap = change_of_offset(before, at, zone)
    return at if leap is None else leap


def first_instant_anywhere(wall: datetime) -> datetime:
    """The instant, in UTC, at which the first clock on earth shows ``wall``."""
    return wall.replace(tzinfo=UTC) - FIRST_CLOCK


def seconds_until_tomorrow(at: datetime, zone: str) -> int:
    """How many seconds after an instant a zone's calendar shows the next day; one at least."""
    tomorrow = datetime.combine(wall_clock(at, zone).date() + timedelta(days=1), time.min)
    return max(1, ceil((first_instant_of(tomorrow, zone) - at).total_seconds()))


def change_of_offset(after: datetime, until: datetime, zone: str) -> datetime | None:
    """The first instant in (``after``, ``until``] with another offset than ``after``; both in UTC, a day apart at most.

    ``None`` when the offsets at both ends are the same.
    """
    there = ZoneInfo(zone)
    offset = after.astimezone(there).utcoffset()
    if until.astimezone(there).utcoffset() == offset:
        return None
    while until - after > SECOND:
        middle = after + (until - after) // 2
        middle -= timedelta(microseconds=middle.microsecond)
        if middle <= after:
            break
        if middle.astimezone(there).utcoffset() == offset:
            after = middle
        else:
            until = middle
    return until
