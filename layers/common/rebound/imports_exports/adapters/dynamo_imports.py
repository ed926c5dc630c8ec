"""The progress of imports in the Chunks table, written together with the customers and contacts that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import asdict

from rebound.imports_exports.adapters.rows import BadRowRow, PartRow
from rebound.imports_exports.domain.import_records import BadRow, PartProgress, RowCounts
from rebound.kernel.errors import FieldError
from rebound.kernel.key_ranges import range_name
from rebound.platform.adapters.dynamo import as_read, bind, expiry, transaction

if TYPE_CHECKING:
    from rebound.contacts.domain.contacts import Contact
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerTransactions

KEPT: Final = timedelta(days=31)
"""A little longer than the import itself."""
_PART: Final = "part"
_BAD: Final = "bad#"


class DynamoImportLedger:
    """Implements ``ImportLedger``."""

    def __init__(self, chunks_table: str, customers: CustomerTransactions) -> None:
        self._part_row = bind(PartRow, chunks_table)
        self._bad_row = bind(BadRowRow, chunks_table)
        self._customers = customers

    def get(self, import_id: str, part: int) -> PartProgress:
        try:
            row = self._part_row.get(import_id, range_name(_PART, part), consistent_read=True)
        except self._part_row.DoesNotExist:
            return PartProgress(import_id, part)
        return PartProgress(import_id, part, RowCounts(**row.counts), int(row.reported), int(row.version))

    def commit(
        self,
        progress: PartProgress,
        customers: Sequence[Customer] = (),
        contacts: Sequence[Contact] = (),
        bad_rows: Sequence[BadRow] = (),
    ) -> PartProgress:
        expires_at = expiry(datetime.now(UTC), KEPT)
        row = self._part_row(
            progress.import_id,
            range_name(_PART, progress.part),
            counts=asdict(progress.counts),
            reported=progress.reported,
            version=progress.version + 1,
            expires_at=expires_at,
        )
        with transaction(self._part_row) as writes:
            writes.save(row, condition=as_read(PartRow, progress.version))
            self._customers.save_within(writes, customers, contacts, 1 + len(bad_rows))
            for bad in bad_rows:
                errors = [asdict(error) for error in bad.errors]
                name = f"{_BAD}{bad.line:012d}"
                writes.save(self._bad_row(progress.import_id, name, errors=errors, expires_at=expires_at))
        return replace(progress, version=progress.version + 1)

    def counts(self, import_id: str) -> RowCounts:
        rows = self._part_row.query(import_id, PartRow.chunk.startswith(f"{_PART}#"), consistent_read=True)
        return sum((RowCounts(**row.counts) for row in rows), RowCounts())

    def bad_rows(self, import_id: str, limit: int) -> Sequence[BadRow]:
        rows = self._bad_row.query(import_id, BadRowRow.chunk.startswith(_BAD), limit=limit)
        return [BadRow(int(row.chunk.removeprefix(_BAD)), _errors(row.errors)) for row in rows]


def _errors(stored: Any) -> tuple[FieldError, ...]:
    return tuple(FieldError(**error) for error in stored)
