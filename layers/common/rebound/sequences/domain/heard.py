"""What happened while somebody is in a sequence, as far as a wait may be for it.

A wait for an event is over when the event happens at or after the moment when the wait was reached: when the wait
before it was over, or the step before it was begun. Moments are compared by the second, as many systems tell them, so
what happened within that second counts. One event ends one wait.

An event may be told while somebody is at the step before the wait, or in the hands of a worker who is about to write
the wait down. So it is noted with the enrolment, in a write that whoever else writes it notices, and found there when
the wait is reached.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct

MOST_HEARD: Final = 50
"""So many are noted with somebody; of more than these, the newest."""


class Heard(Struct, frozen=True):
    """One event: its ``name`` (``entry_name``), when it happened by who told it, and when it was heard.

    ``ends`` are the waits that it may end, by step ids. One that has ended a wait may end none any more; it is kept for
    as long as it might count when it is told again.
    """

    name: str
    at: datetime
    heard_at: datetime
    ends: tuple[str, ...] = ()

    @property
    def happened_at(self) -> datetime:
        """When it happened: not later than it was heard, whatever other clocks show."""
        return min(self.at, self.heard_at)

    @property
    def has_ended(self) -> bool:
        """Whether it has ended a wait."""
        return not self.ends


def is_since(at: datetime, since: datetime) -> bool:
    """Whether something happened at a moment or after it, by the second."""
    return at >= since.replace(microsecond=0)


def kept(heard: Iterable[Heard], since: datetime) -> tuple[Heard, ...]:
    """Those of ``heard`` that may still count for who goes on from ``since``."""
    return tuple(sorted((each for each in heard if is_since(each.at, since)), key=lambda one: one.at)[-MOST_HEARD:])
