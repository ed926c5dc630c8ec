"""The history of addresses in a table of its own, which holds their replies as well (``dynamo_replies``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from heapq import merge
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, Final

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.adapters.rows import HISTORY_KEYS, HistoryRow
from rebound.contacts.domain.history import ConsentStated, FlagChanged, HistoryEntry, place_of
from rebound.contacts.domain.replies import Decision, Keyword, Meaning, Reply
from rebound.kernel.channels import ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.pages import Page, first_page, read_cursor
from rebound.platform.adapters.dynamo import bind, expiry, newest, read_instant, write_instant

REPLY_KEPT: Final = timedelta(days=400)
"""As long as messages are kept."""
_AS_IT_IS: Final = tuple(name for name in Reply.__struct_fields__ if name not in ("key", "at", "resolved_at"))


class DynamoContactHistory:
    """Implements ``ContactHistory``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(HistoryRow, table_name)

    def record(self, key: ContactKey, entries: Sequence[HistoryEntry]) -> None:
        if not entries:
            return
        with self._row.batch_write() as batch:
            # DynamoDB refuses a batch that holds the same entry twice.
            for row in {row.entry_id: row for row in (written(self._row, key, entry) for entry in entries)}.values():
                batch.save(row)

    def page(self, key: ContactKey, limit: int, cursor: str | None) -> Page[HistoryEntry]:
        found = self._newest(key, read_cursor(cursor, HISTORY_KEYS), limit + 1)
        page = first_page(found, limit, lambda row: row.entry_id)
        return Page([read(row) for row in page.items], page.next_cursor)

    def before(self, key: ContactKey, place: str | None, limit: int) -> Sequence[HistoryEntry]:
        return [read(row) for row in islice(self._newest(key, place, limit), limit)]

    def _newest(self, key: ContactKey, before: str | None, limit: int) -> Iterator[HistoryRow]:
        """The latest rows of an address in every spelling; at least ``limit``, if there are."""
        of_each = [newest(self._row, str(hashed), HistoryRow.entry_id, before, limit) for hashed in key.all_hashed]
        in_order = merge(*of_each, key=attrgetter("entry_id"), reverse=True)
        # What was joined may have been recorded under both.
        return (next(same) for _, same in groupby(in_order, attrgetter("entry_id")))


def written(model: type[HistoryRow], key: ContactKey, entry: HistoryEntry) -> HistoryRow:
    """The row of an entry."""
    row = model(str(key.hashed), place_of(entry), document=_document(entry))
    if isinstance(entry, Reply):
        row.business_id, row.received_at = key.business_id, entry.at
        row.waiting_for = key.business_id if entry.is_waiting else None
        row.expires_at = expiry(entry.at, REPLY_KEPT)
    return row


def _document(entry: HistoryEntry) -> Mapping[str, Any]:
    at = write_instant(entry.at)
    match entry:
        case ConsentStated(statement):
            return {
                "at": at,
                "scope": statement.scope,
                "opted_out": statement.opted_out,
                "source": statement.source,
                "message_id": statement.message_id,
                "who": statement.who,
                "words": statement.words,
            }
        case FlagChanged():
            return {"at": at, "reason": entry.reason, "change_id": entry.change_id}
        case Reply():
            kept = {name: getattr(entry, name) for name in _AS_IT_IS if getattr(entry, name) is not None}
            if entry.resolved_at is not None:
                kept["resolved_at"] = write_instant(entry.resolved_at)
            return {"at": at, **kept}


def read_reply(row: HistoryRow) -> Reply:
    """The reply of a row that holds one."""
    document = row.document
    fields = {name: document.get(name) for name in _AS_IT_IS}
    keyword, decision, resolved_at = fields["keyword"], fields["decision"], document.get("resolved_at")
    special = {
        "meaning": Meaning(fields["meaning"]),
        "keyword": keyword and Keyword(keyword),
        "decision": decision and Decision(decision),
        "resolved_at": resolved_at and read_instant(resolved_at),
    }
    return Reply(key=ContactKey.parse(row.contact_id), at=read_instant(document["at"]), **{**fields, **special})


def read(row: HistoryRow) -> HistoryEntry:
    """The entry of a row."""
    document, kind = row.document, row.entry_id.split("#")[1]
    if kind == Reply.kind:
        return read_reply(row)
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
