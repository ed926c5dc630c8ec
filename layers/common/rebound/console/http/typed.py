"""Numbers and times as people type them into forms."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_MARKS: Final = re.compile(r"(?<=[0-9])[\s.,'’](?=[0-9]{3}(?![0-9]))")
"""Between thousands, in whatever language."""
_PERCENT: Final = re.compile("([0-9]{1,3})(?:[.,]([0-9]{1,2}))?")
CLOCK: Final = "%Y-%m-%dT%H:%M"
"""A time as forms have it."""
_FARTHEST_ZONE: Final = timedelta(days=2)
"""More than any clock on earth is from another."""
_FIRST: Final = datetime.min.replace(tzinfo=UTC) + _FARTHEST_ZONE
_LAST: Final = datetime.max.replace(tzinfo=UTC) - _FARTHEST_ZONE


def whole_number(text: str, most: int, least: int = 0) -> int | None:
    """The number that is typed in digits; ``None`` for what is none, and for one out of bounds, however long it is."""
    digits = text.lstrip("0") or text[-1:]
    if not text.isdecimal() or len(digits) > len(str(max(most, 0))):
        return None
    number = int(digits)
    return number if least <= number <= most else None


def hundredths(text: str) -> int | None:
    """A percentage below a thousand, typed with at most two decimals after a point or a comma, in hundredths.

    ``None`` for what is none.
    """
    read = _PERCENT.fullmatch(text.removesuffix("%").strip())
    return None if read is None else int(read[1]) * 100 + int((read[2] or "").ljust(2, "0"))


def confirms(text: str, number: int) -> bool:
    """Whether a number was typed that a page asked for, also with the marks that it is shown with: ``2,161``."""
    return _MARKS.sub("", text) == str(number)


def clock_time(text: str) -> datetime | None:
    """What a clock shows, without a zone; ``None`` for no such time, and for one that not every zone can tell."""
    try:
        at = datetime.strptime(text[:16], CLOCK)  # noqa: DTZ007 - a clock's, without a zone
    except ValueError:
        return None
    return at if _FIRST <= at.replace(tzinfo=UTC) <= _LAST else None
