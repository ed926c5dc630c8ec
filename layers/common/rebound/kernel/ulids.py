"""ULIDs: ids of 26 characters that sort by time, the first ten of which are its milliseconds since 1970."""

from datetime import UTC, datetime, timedelta
from typing import Final

BASE32: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's alphabet."""
TIME_DIGITS: Final = 10
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def time_of(ulid: str) -> datetime:
    """The millisecond in which an id was made. Raises ``ValueError`` for what is no ULID."""
    if len(ulid) < TIME_DIGITS:
        raise ValueError("not a ULID")
    milliseconds = 0
    for digit in ulid[:TIME_DIGITS]:
        milliseconds = milliseconds << 5 | BASE32.index(digit)
    return _EPOCH + milliseconds * _MILLISECOND


def behind_all_of(at: datetime) -> str:
    """Sorts behind every id of the millisecond in which ``at`` lies, and before every id of a later one."""
    milliseconds = (at - _EPOCH) // _MILLISECOND
    return "".join(BASE32[milliseconds >> shift & 31] for shift in range(5 * (TIME_DIGITS - 1), -5, -5)) + "~"
