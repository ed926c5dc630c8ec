"""When a message may go out: the earliest instant that is quiet in none of the recipient's zones.

Kept apart from the windows (``quiet_hours``), because only the code that decides needs time zone data.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from rebound.businesses.domain.quiet_hours import QuietWindow
from rebound.kernel.local_time import change_of_offset, wall_clock

LOOKED_AHEAD: Final = timedelta(days=7)
"""How far ahead an allowed minute is looked for.

A day is enough unless a clock is put forward over the only allowed minutes, which happens at most once within a week.
"""


@lru_cache(maxsize=1024)
def first_allowed(at: datetime, window: QuietWindow, zones: frozenset[str]) -> datetime | None:
    """The earliest instant (UTC), from ``at`` on, that is outside the window in every zone.

    ``None`` when there is none within ``LOOKED_AHEAD``: zones half the earth apart may leave no allowed minute.
    """
    found, last = at, at + LOOKED_AHEAD
    while found <= last:
        ends = [_end_of_quiet(found, window, zone) for zone in zones]
        latest = max(ends, default=found)
        if latest == found:
            return found
        found = latest
    return None


def _end_of_quiet(at: datetime, window: QuietWindow, zone: str) -> datetime:
    """The first instant, from ``at`` on, at which the zone's clocks are outside the window."""
    while window.covers(wall := wall_clock(at, zone)):
        end = at + window.left(wall)
        # A clock that is put forward may leap out of the window; one that is put back stays in it longer.
        at = change_of_offset(at, end, zone) or end
    return at
