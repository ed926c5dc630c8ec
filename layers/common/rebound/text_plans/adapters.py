"""The TextPlans table: what each text counts, and what each month of a business sums up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec import convert, to_builtins
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from rebound.platform.adapters.dynamo import JsonAttribute, Model, bind, expiry, lost_races, transaction
from rebound.text_plans.domain import Change, Entry, PlanNote, Telling, TextMonth

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

ENTRY_KEPT: Final = timedelta(days=45)
"""Longer than any message is tried, or any receipt comes."""
MONTH_KEPT: Final = timedelta(days=800)
"""So that two years can be compared."""


class EntryRow(Model):
    """``entry_id``: the name of what is counted, which begins with its business."""

    entry_id = UnicodeAttribute(hash_key=True)
    month = UnicodeAttribute()
    segments = NumberAttribute()
    settled = BooleanAttribute(null=True)
    inbound = BooleanAttribute(null=True)
    expires_at = NumberAttribute()


class MonthRow(Model):
    """``entry_id`` is ``#month#<business>#<month>``: the sum of its entries, and how far the notes about it are."""

    entry_id = UnicodeAttribute(hash_key=True)
    used = NumberAttribute(null=True)
    inbound = NumberAttribute(null=True)
    warning = JsonAttribute(null=True)
    exhausted = JsonAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class DynamoTextLedger:
    """Implements ``TextLedger``. A sum changes by what is added to it, so that nobody has to have read it before."""

    def __init__(self, table_name: str) -> None:
        self._entry = bind(EntryRow, table_name)
        self._month = bind(MonthRow, table_name)

    def month(self, business_id: str, month: str) -> TextMonth:
        try:
            row = self._month.get(_month_id(business_id, month), consistent_read=True)
        except self._month.DoesNotExist:
            return TextMonth(business_id, month)
        told = {PlanNote.WARNING: row.warning, PlanNote.EXHAUSTED: row.exhausted}
        notes = {note: convert(stored, Telling) for note, stored in told.items() if stored is not None}
        return TextMonth(business_id, month, int(row.used or 0), int(row.inbound or 0), notes)

    def entries(self, names: Iterable[str]) -> Mapping[str, Entry]:
        wanted = list(dict.fromkeys(names))
        rows = self._entry.batch_get(wanted, consistent_read=True) if wanted else ()
        return {row.entry_id: _entry(row) for row in rows}

    def change(self, business_id: str, month: str, changes: Sequence[Change], limit: int | None = None) -> None:
        more = sum(change.more for change in changes)
        now = datetime.now(UTC)
        with transaction(self._entry) as writes:
            for change in changes:
                if change.after is None:
                    writes.delete(self._entry(change.name), condition=_as_read(change.before))
                else:
                    writes.save(self._row(change.after, now), condition=_as_read(change.before))
            if more:
                inbound = sum(change.more for change in changes if change.after is not None and change.after.is_inbound)
                writes.update(
                    self._month(_month_id(business_id, month)),
                    actions=[
                        MonthRow.used.add(more),
                        MonthRow.inbound.add(inbound),
                        MonthRow.expires_at.set(expiry(now, MONTH_KEPT)),
                    ],
                    condition=None if limit is None else _has_room(limit - more),
                )

    def note(self, month: TextMonth, note: PlanNote, telling: Telling) -> None:
        attribute = MonthRow.warning if note is PlanNote.WARNING else MonthRow.exhausted
        known = month.notes.get(note)
        as_read = attribute.does_not_exist() if known is None else attribute == to_builtins(known)
        row = self._month(_month_id(month.business_id, month.month))
        with lost_races():
            row.update(actions=[attribute.set(to_builtins(telling))], condition=as_read)

    def _row(self, entry: Entry, now: datetime) -> EntryRow:
        return self._entry(
            entry.name,
            month=entry.month,
            segments=entry.segments,
            settled=entry.settled or None,
            inbound=entry.is_inbound or None,
            expires_at=expiry(now, ENTRY_KEPT),
        )


def _has_room(most: int) -> Condition | None:
    """That no more than ``most`` is used. A month of which nothing was counted has used 0."""
    return (MonthRow.used <= most) | MonthRow.used.does_not_exist() if most >= 0 else MonthRow.used <= most


def _as_read(entry: Entry | None) -> Any:
    if entry is None:
        return EntryRow.entry_id.does_not_exist()
    settled = EntryRow.settled.exists() if entry.settled else EntryRow.settled.does_not_exist()
    return (EntryRow.month == entry.month) & (EntryRow.segments == entry.segments) & settled


def _entry(row: EntryRow) -> Entry:
    return Entry(
        row.entry_id,
        row.month,
        int(row.segments),
        settled=bool(row.settled),
        is_inbound=bool(row.inbound),
    )


def _month_id(business_id: str, month: str) -> str:
    return f"#month#{business_id}#{month}"
