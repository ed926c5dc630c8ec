"""What was done in the console, in the Directory table; each row ages out.

An entry is two rows, written together: one with all of its business, and one with those of the thing that it was done
to. Both lists have partitions of their own, so that neither grows where settings are read for every message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import expiry, read_instant, transaction, write_instant
from rebound.staff.adapters.dynamo_staff import OPERATORS
from rebound.staff.domain import AUDIT_KEPT, AuditEntry, ObjectKey

if TYPE_CHECKING:
    from rebound.platform.adapters.dynamo import DirectoryRow

AUDIT: Final = "#audit#"
"""How the partition keys begin, where others have a business id."""


class DynamoAuditBook(Directory):
    """Implements ``AuditBook``."""

    kind = "audit"

    def add(self, business_id: str | None, entry: AuditEntry) -> None:
        if entry.object_key is None:
            self._row(_partition(business_id), entry).save()
            return
        with transaction(self.row) as writes:
            writes.save(self._row(_partition(business_id), entry))
            writes.save(self._row(_partition(business_id, entry.object_key), entry))

    def newest(
        self, business_id: str | None, limit: int, before: str | None = None, *, of: ObjectKey | None = None
    ) -> Sequence[AuditEntry]:
        rows = self.newest_rows(_partition(business_id, of), limit, before)
        return [_entry(row.entry_id.removeprefix(self.entry("")), row.document) for row in rows]

    def _row(self, partition: str, entry: AuditEntry) -> DirectoryRow:
        given = {
            "at": write_instant(entry.at),
            "by": entry.member_id,
            "email": entry.email,
            "did": entry.did,
            "id": entry.object_id,
            "name": entry.name,
            "details": entry.details or None,
        }
        document = {name: value for name, value in given.items() if value is not None}
        return self.row(
            partition, self.entry(entry.entry_id), document=document, expires_at=expiry(entry.at, AUDIT_KEPT)
        )


def _partition(business_id: str | None, of: ObjectKey | None = None) -> str:
    partition = AUDIT + (business_id or OPERATORS)
    return partition if of is None else f"{partition}#{of.kind}#{of.object_id}"


def _entry(entry_id: str, document: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(
        entry_id=entry_id,
        at=read_instant(document["at"]),
        member_id=document["by"],
        email=document["email"],
        did=document["did"],
        object_id=document.get("id"),
        name=document.get("name"),
        details=document.get("details", {}),
    )
