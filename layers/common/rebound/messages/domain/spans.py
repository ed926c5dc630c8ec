"""The spans of time by which a campaign's messages are counted: short ones at first, when most happens.

They begin with the full hour (UTC) in which the campaign's run was planned, which each of its messages says in its id.
So the span of a message follows from the message alone, and counts by span add up in whatever order changes come.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from rebound.kernel.ids import TIME_DIGITS, time_of
from rebound.messages.domain.messages import MessageStatus

STEPS: Final = (
    (timedelta(minutes=5), 36),
    (timedelta(hours=1), 45),
    (timedelta(days=1), 28),
)
"""How long spans are, and how many there are of each: for three hours, until the end of two days, of thirty days."""
LAST: Final = sum(number for _, number in STEPS)
"""The span of all that comes later."""
WHEN: Final[Mapping[MessageStatus, tuple[str, ...]]] = {
    MessageStatus.SENT: ("sent_at", "queued_at"),
    MessageStatus.UNCERTAIN: ("sent_at", "queued_at"),
    MessageStatus.DELIVERED: ("delivered_at", "sent_at", "queued_at"),
    MessageStatus.BOUNCED: ("failed_at", "sent_at", "queued_at"),
    MessageStatus.FAILED: ("failed_at", "sent_at", "queued_at"),
}
"""Which of a message's times says since when it has its status, the best first: of all that was handed over."""


@lru_cache(maxsize=1024)
def _full_hour(digits: str) -> datetime:
    return time_of(digits).replace(minute=0, second=0, microsecond=0)


def beginning_of(run_id: str) -> datetime:
    """When the first span of a run begins; also told by the id of any of its messages."""
    return _full_hour(run_id[:TIME_DIGITS])


def span_of(at: datetime | None, run_id: str) -> int:
    """The number of the span that a time is in: the first for what is said to be before it, or for no known time."""
    if at is None:
        return 0
    past, first = max(at - beginning_of(run_id), timedelta()), 0
    for length, number in STEPS:
        if past < number * length:
            return first + past // length
        past -= number * length
        first += number
    return LAST


def bounds_of(span: int, run_id: str) -> tuple[datetime, datetime | None]:
    """When a span begins and the next does; nothing comes after the last."""
    since, first = beginning_of(run_id), 0
    for length, number in STEPS:
        if span < first + number:
            since += (span - first) * length
            return since, since + length
        since += number * length
        first += number
    return since, None
