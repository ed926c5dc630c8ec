"""Imports and exports: their jobs in the Directory table, parts of imports in the Chunks table, and what runs them."""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec import convert, to_builtins
from msgspec.structs import asdict
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer
from rebound.imports_exports.domain import (
    BadRow,
    ExportJob,
    ImportJob,
    PartProgress,
    RowCounts,
    Splitting,
)
from rebound.kernel.errors import FieldError, NotFoundError
from rebound.kernel.ids import range_name
from rebound.platform.adapters.aws import start_once
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    JsonAttribute,
    Model,
    as_read,
    bind,
    expiry,
    read_instant,
    transaction,
    write_instant,
)

if TYPE_CHECKING:
    from rebound.customers.ports import CustomerTransactions


class PartRow(Model):
    """In the Chunks table, ``campaign_id`` = an import's id, ``chunk`` = ``part#<number>``: how far a part of it is."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    counts = JsonAttribute()
    reported = NumberAttribute()
    version = NumberAttribute()
    expires_at = NumberAttribute()


class BadRowRow(Model):
    """In the Chunks table, ``campaign_id`` = an import's id, ``chunk`` = ``bad#<line>``: what is wrong with a row."""

    campaign_id = UnicodeAttribute(hash_key=True)
    chunk = UnicodeAttribute(range_key=True)
    errors = JsonAttribute()
    expires_at = NumberAttribute()


PARTS_KEPT: Final = timedelta(days=31)
"""A little longer than the import itself is kept."""
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
        expires_at = expiry(datetime.now(UTC), PARTS_KEPT)
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


KEPT: Final = timedelta(days=30)


class DynamoImportBook(Directory):
    """Implements ``ImportBook``; an import is forgotten after 30 days."""

    kind = "import"

    def get(self, business_id: str, import_id: str) -> ImportJob:
        document = self.get_document(business_id, import_id)
        if document is None:
            raise NotFoundError("import")
        return ImportJob(
            business_id,
            import_id,
            document["format"],
            document["status"],
            read_instant(document["created_at"]),
            convert(document["splitting"], Splitting | None),
            document["failure"],
        )

    def save(self, job: ImportJob) -> None:
        document = {
            "format": job.format,
            "status": job.status,
            "created_at": write_instant(job.created_at),
            "splitting": to_builtins(job.splitting),
            "failure": job.failure,
        }
        expires_at = expiry(job.created_at, KEPT)
        self.put_document(job.business_id, job.import_id, document, expires_at=expires_at)


class DynamoExportBook(Directory):
    """Implements ``ExportBook``; an export is forgotten after 30 days."""

    kind = "export"

    def get(self, business_id: str, export_id: str) -> ExportJob:
        document = self.get_document(business_id, export_id)
        if document is None:
            raise NotFoundError("export")
        special = {"created_at": read_instant(document["created_at"]), "parts": tuple(document["parts"])}
        return ExportJob(business_id=business_id, export_id=export_id, **{**document, **special})

    def save(self, job: ExportJob) -> None:
        document = {**asdict(job), "created_at": write_instant(job.created_at)}
        del document["business_id"], document["export_id"]
        expires_at = expiry(job.created_at, KEPT)
        self.put_document(job.business_id, job.export_id, document, expires_at=expires_at)


class StepFunctionsFileRunner:
    """Implements ``FileRunner``. An execution has the name of its import or export: starting twice is starting once."""

    def __init__(self, stepfunctions: Any, state_machine_arn: str, id_field: str) -> None:
        self._stepfunctions = stepfunctions
        self._state_machine_arn = state_machine_arn
        self._id_field = id_field

    def start(self, business_id: str, work_id: str) -> None:
        what = {"business_id": business_id, self._id_field: work_id}
        start_once(self._stepfunctions, self._state_machine_arn, work_id, what)
