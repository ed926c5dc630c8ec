"""In the Sequences table, the tallies of sequences by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from rebound.kernel.errors import ConcurrentChangeError
from rebound.platform.adapters.dynamo import (
    InstantAttribute,
    JsonAttribute,
    Model,
    as_read,
    bind,
    expiry,
    lost_races,
    next_version,
    transaction,
)

_SUM: Final = "sum"
_SHARD: Final = "shard#"
CLOSED_AFTER: Final = timedelta(days=3)
"""A stream keeps what changed for a day: a shard that was counted so long ago is never read again."""
_GONE: Final = "gone"
_FOLDED: Final = 50
"""Rows at most that are folded at a time."""


class StepTallyRow(Model):
    """``part`` = ``<business>#<sequence's uid>#tally``; ``entry`` = ``shard#<shard>``: counts from one shard.

    Streams begin new shards all the time, and a sequence runs for years: the counts of old ones are folded into the row
    ``sum``, which has a ``version`` in place of a position.

    Of a sequence that is gone there is only the row ``gone``, until nothing of it can come from a stream any more: what
    comes in between is counted nowhere.
    """

    part = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    counts = JsonAttribute()
    position = UnicodeAttribute(null=True)
    counted_at = InstantAttribute(null=True)
    version = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class DynamoStepTallies:
    """Implements ``StepTallies``: one row for each shard, written only by that shard's reader."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(StepTallyRow, table_name)

    def counts(self, business_id: str, uid: str) -> Mapping[str, int]:
        total: Counter[str] = Counter()
        for row in self._all(business_id, uid):
            total.update(row.counts)
        return {label: count for label, count in total.items() if count}

    def position(self, business_id: str, uid: str, shard: str) -> str | None:
        row = self._get(business_id, uid, shard)
        return row.position if row else None

    def add(
        self, business_id: str, uid: str, shard: str, counts: Mapping[str, int], *, after: str | None, position: str
    ) -> None:
        now, read = datetime.now(UTC), self._get(business_id, uid, shard)
        total = Counter(read.counts if read else {})
        total.update(counts)
        row = self._row(
            _part(business_id, uid), f"{_SHARD}{shard}", counts=_kept(total), position=position, counted_at=now
        )
        if after is None:
            self._begin(row, now)
        else:
            with lost_races():
                row.save(condition=StepTallyRow.position == after)

    def delete(self, business_id: str, uid: str) -> None:
        # First, so that nothing is begun behind the back of who removes the others.
        with self._row.batch_write() as batch:
            batch.save(
                self._row(_part(business_id, uid), _GONE, counts={}, expires_at=expiry(datetime.now(UTC), CLOSED_AFTER))
            )
        with self._row.batch_write() as batch:
            for row in self._all(business_id, uid):
                if row.entry != _GONE:
                    batch.delete(row)

    def _begin(self, row: StepTallyRow, now: datetime) -> None:
        """Write the first of a shard, unless the sequence is gone."""
        try:
            with transaction(self._row) as writes:
                writes.condition_check(self._row, row.part, _GONE, condition=StepTallyRow.entry.does_not_exist())
                writes.save(row, condition=StepTallyRow.position.does_not_exist())
        except ConcurrentChangeError:
            if self._is_gone(row.part):
                return
            raise
        self._fold(row.part, now - CLOSED_AFTER)

    def _is_gone(self, part: str) -> bool:
        try:
            self._row.get(part, _GONE, consistent_read=True)
        except self._row.DoesNotExist:
            return False
        return True

    def _fold(self, part: str, until: datetime) -> None:
        """Put the counts of closed shards together; who comes first does, and what is left waits for the next shard."""
        rows = list(self._row.query(part, consistent_read=True))
        closed = [row for row in rows if row.entry.startswith(_SHARD) and row.counted_at < until][:_FOLDED]
        if not closed:
            return
        before = next((row for row in rows if row.entry == _SUM), None)
        total = Counter(before.counts if before else {})
        for row in closed:
            total.update(row.counts)
        read = int(before.version or 0) if before else 0
        folded = self._row(part, _SUM, counts=_kept(total), version=next_version(read))
        with suppress(ConcurrentChangeError), transaction(self._row) as writes:
            writes.save(folded, condition=as_read(StepTallyRow, read))
            for row in closed:
                writes.delete(row, condition=StepTallyRow.position == row.position)

    def _all(self, business_id: str, uid: str) -> Sequence[StepTallyRow]:
        return list(self._row.query(_part(business_id, uid), consistent_read=True))

    def _get(self, business_id: str, uid: str, shard: str) -> StepTallyRow | None:
        try:
            return self._row.get(_part(business_id, uid), f"{_SHARD}{shard}", consistent_read=True)
        except self._row.DoesNotExist:
            return None


def _part(business_id: str, uid: str) -> str:
    return f"{business_id}#{uid}#tally"


def _kept(counts: Mapping[str, int]) -> Mapping[str, int]:
    return {label: count for label, count in sorted(counts.items()) if count}
