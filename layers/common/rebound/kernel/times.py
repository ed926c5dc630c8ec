"""How times are written for others: API, events, exported files, the operator's command. One form, one writer."""

import re
from datetime import UTC, date, datetime
from typing import Final

NO_DATE: Final = "Must be a date as YYYY-MM-DD."
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def write_time(at: datetime) -> str:
    """RFC 3339 in UTC with ``Z`` and three digits of a second, such as ``2026-11-29T17:13:03.123Z``.

    Text order is time order. What is stored has microseconds: the written time is never the later one.
    """
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_day(given: object) -> date:
    """A day of the calendar, written ``YYYY-MM-DD`` and in no other of the forms of ISO 8601, such as those of weeks.

    Raises ``ValueError`` with a sentence for people.
    """
    try:
        day = date.fromisoformat(given) if isinstance(given, str) and _DAY.fullmatch(given) else None
    except ValueError:
        day = None
    if day is None:
        raise ValueError(NO_DATE)
    return day
