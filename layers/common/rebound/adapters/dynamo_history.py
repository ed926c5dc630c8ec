"""The history of addresses in a table of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rebound.adapters.dynamo_tables import (
    HISTORY_KEYS,
    HistoryRow,
    bind,
    read_cursor,
    read_instant,
    write_cursor,
    write_instant,
)
from rebound.application.ports import Page
from rebound.domain.consent import ConsentEvidence, ConsentSource, Scope
from rebound.domain.history import ConsentStated, FlagChanged, place_of

if TYPE_CHECKING:
    from rebound.domain.channels import ContactKey
    from rebound.domain.history import HistoryEntry


class DynamoContactHistory:
    """Implements ``ContactHistory``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(HistoryRow, table_name)

    def record(self, key: ContactKey, entries: Sequence[HistoryEntry]) -> None:
        if not entries:
            return
        with self._row.batch_write() as batch:
            # The same entry twice in one batch is refused.
            for row in {row.entry_id: row for row in (self._written(key, entry) for entry in entries)}.values():
                batch.save(row)

    def page(self, key: ContactKey, limit: int, cursor: str | None) -> Page[HistoryEntry]:
        after, contact_id = read_cursor(cursor, HISTORY_KEYS), str(key.hashed)
        found = self._row.query(
            contact_id,
            scan_index_forward=False,
            limit=limit,
            page_size=limit,
            last_evaluated_key={"contact_id": {"S": contact_id}, "entry_id": {"S": after}} if after else None,
            consistent_read=True,
        )
        rows = list(found)
        more = found.last_evaluated_key is not None and rows
        return Page([_read(row) for row in rows], write_cursor(rows[-1].entry_id) if more else None)

    def before(self, key: ContactKey, place: str | None, limit: int) -> Sequence[HistoryEntry]:
        rows = self._row.query(
            str(key.hashed),
            HistoryRow.entry_id < place if place is not None else None,
            scan_index_forward=False,
            limit=limit,
            page_size=limit,
            consistent_read=True,
        )
        return [_read(row) for row in rows]

    def _written(self, key: ContactKey, entry: HistoryEntry) -> HistoryRow:
        return self._row(str(key.hashed), place_of(entry), document=_document(entry))


def _document(entry: HistoryEntry) -> Mapping[str, Any]:
    at = write_instant(entry.at)
    match entry:
        case ConsentStated(said):
            return {
                "at": at,
                "scope": said.scope,
                "opted_out": said.opted_out,
                "source": said.source,
                "message_id": said.message_id,
                "who": said.who,
                "words": said.words,
            }
        case FlagChanged():
            return {"at": at, "reason": entry.reason, "change_id": entry.change_id}


def _read(row: HistoryRow) -> HistoryEntry:
    document, kind = row.document, row.entry_id.split("#")[1]
    at = read_instant(document["at"])
    if kind == FlagChanged.kind:
        return FlagChanged(at, document["reason"], document["change_id"])
    return ConsentStated(
        ConsentEvidence(
            at,
            Scope(document["scope"]),
            document["opted_out"],
            ConsentSource(document["source"]),
            document["message_id"],
            document["who"],
            document["words"],
        )
    )
