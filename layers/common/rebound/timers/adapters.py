"""The Timers table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from rebound.platform.adapters.dynamo import Model, bind, read_instant, write_instant
from rebound.timers.domain import Timer

_NEXT: Final = timedelta(microseconds=1)
"""Times are kept in microseconds."""


class TimerRow(Model):
    """``shard`` / ``timer`` = ``<time>#<kind>#<key>``; there is nothing else to be known of it."""

    shard = UnicodeAttribute(hash_key=True)
    timer = UnicodeAttribute(range_key=True)


class DynamoTimerBook:
    """Implements ``TimerBook``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(TimerRow, table_name)

    def put(self, timers: Sequence[Timer]) -> None:
        for timer in timers:
            self._of(timer).save()

    def due(self, shard: int, until: datetime, after: Timer | None, limit: int) -> Sequence[Timer]:
        # Every place of ``until`` sorts before the bare time that follows it.
        before = TimerRow.timer < write_instant(until + _NEXT)
        start = None if after is None else {"shard": {"S": str(shard)}, "timer": {"S": _place(after)}}
        found = self._row.query(str(shard), before, limit=limit, page_size=limit, last_evaluated_key=start)
        return [_timer(row) for row in found]

    def remove(self, timers: Sequence[Timer]) -> None:
        with self._row.batch_write() as batch:
            for timer in timers:
                batch.delete(self._of(timer))

    def _of(self, timer: Timer) -> TimerRow:
        return self._row(str(timer.shard), _place(timer))


def _place(timer: Timer) -> str:
    return f"{write_instant(timer.due_at)}#{timer.kind}#{timer.key}"


def _timer(row: TimerRow) -> Timer:
    due_at, kind, key = row.timer.split("#", 2)
    return Timer(read_instant(due_at), kind, key)
