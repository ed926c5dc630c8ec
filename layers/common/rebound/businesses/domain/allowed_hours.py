"""When a message may go out: the earliest instant that is quiet nowhere.

Apart from the windows themselves, because only who decides needs the clocks of the world.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from rebound.businesses.domain.quiet_hours import QuietWindow
from rebound.kernel.local_time import change_of_offset, wall_clock

LOOKED_AHEAD: Final = timedelta(days=7)
"""So far ahead an allowed minute is looked for.

A day is enough unless a clock is put forward over the only allowed minutes, which happens at most once within a week.
"""


@lru_cache(maxsize=1024)
def first_allowed(at: datetime, window: QuietWindow, zones: frozenset[str]) -> datetime | None:
    """The earliest instant from ``at`` on (UTC) that is within the window in none of the zones.

    ``None`` when there is none within ``LOOKED_AHEAD``: zones that are half the earth apart may leave no minute.
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
    """``at``, or the first instant after it at which the zone's clocks have left the window in which they are."""
    while window.covers(wall := wall_clock(at, zone)):
        end = at + window.left(wall)
        # A clock that is put forward may leap out of the window, one that is put back stays in it for longer.
        at = change_of_offset(at, end, zone) or end
    return at
