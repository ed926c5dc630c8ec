"""When somebody who waits goes on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rebound.kernel.local_time import wall_clock
from rebound.recurring.domain.days import DAY, Weekday, opening

if TYPE_CHECKING:
    from rebound.sequences.domain.steps import Wait


def end_of(wait: Wait, since: datetime, zone: str) -> datetime:
    """When a wait that began at ``since`` is over for somebody in a zone (an IANA name); of one for an event, at last.

    A time of the day is the next one that the clocks there show, at ``since`` or after: who begins to wait for ten
    o'clock at ten o'clock goes on at once. A time that clocks skip is that of the skip.
    """
    at = since + wait.for_
    if wait.until_local is None:
        return at
    day = wall_clock(at, zone).date()
    # The day before counts as well: clocks that go back show its last hour twice.
    for ahead in range(-1, 15):
        on = day + ahead * DAY
        if wait.weekday is not None and list(Weekday)[on.weekday()] is not wait.weekday:
            continue
        opens = opening(on, wait.until_local, zone)
        if opens >= at:
            return opens
    raise AssertionError("each weekday comes within a fortnight")


LATE: timedelta = timedelta(hours=1)
"""Who is so long past the end of a wait is late: on for a while after it was off, or after an outage."""
