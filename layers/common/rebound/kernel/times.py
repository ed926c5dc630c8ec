"""How times are written for others: API, events, exported files, the operator's command. One form, one writer."""

from datetime import UTC, datetime


def write_time(at: datetime) -> str:
    """RFC 3339 in UTC with ``Z`` and three digits of a second, such as ``2026-11-29T17:13:03.123Z``.

    Text order is time order. What is stored has microseconds: the written time is never the later one.
    """
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
