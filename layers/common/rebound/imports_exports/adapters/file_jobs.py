"""Imports and exports: their jobs in the Directory table, and what runs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from msgspec import convert, to_builtins
from msgspec.structs import asdict

from rebound.imports_exports.domain import ExportJob, ImportJob, ImportOptions, Splitting
from rebound.kernel.errors import NotFoundError
from rebound.platform.adapters.aws import start_once
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import expiry, read_instant, write_instant

KEPT: Final = timedelta(days=30)


class DynamoImportBook(Directory):
    """Implements ``ImportBook``; an import is forgotten after 30 days."""

    kind = "import"

    def get(self, business_id: str, import_id: str) -> ImportJob:
        document = self.get_document(business_id, import_id)
        if document is None:
            raise NotFoundError("import")
        return _import(business_id, import_id, document)

    def newest(self, business_id: str, limit: int, before: str | None = None) -> Sequence[ImportJob]:
        rows = self.newest_rows(business_id, limit, before)
        return [_import(business_id, row.entry_id.split("#", 1)[1], row.document) for row in rows]

    def save(self, job: ImportJob) -> None:
        document = {
            "format": job.format,
            "status": job.status,
            "created_at": write_instant(job.created_at),
            "splitting": to_builtins(job.splitting),
            "failure": job.failure,
            "options": to_builtins(job.options),
            "files": to_builtins(job.files),
            "by": job.by,
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
        return _export(business_id, export_id, document)

    def newest(self, business_id: str, limit: int, before: str | None = None) -> Sequence[ExportJob]:
        rows = self.newest_rows(business_id, limit, before)
        return [_export(business_id, row.entry_id.split("#", 1)[1], row.document) for row in rows]

    def save(self, job: ExportJob) -> None:
        document = {**asdict(job), "created_at": write_instant(job.created_at)}
        del document["business_id"], document["export_id"]
        expires_at = expiry(job.created_at, KEPT)
        self.put_document(job.business_id, job.export_id, document, expires_at=expires_at)


def _import(business_id: str, import_id: str, document: Mapping[str, Any]) -> ImportJob:
    return ImportJob(
        business_id,
        import_id,
        document["format"],
        document["status"],
        read_instant(document["created_at"]),
        convert(document["splitting"], Splitting | None),
        document["failure"],
        convert(document.get("options", {}), ImportOptions),
        document.get("files", {}),
        document.get("by"),
    )


def _export(business_id: str, export_id: str, document: Mapping[str, Any]) -> ExportJob:
    special = {"created_at": read_instant(document["created_at"]), "parts": tuple(document["parts"])}
    return ExportJob(business_id=business_id, export_id=export_id, **{**document, **special})


class StepFunctionsFileRunner:
    """Implements ``FileRunner``. An execution has the name of its import or export: starting twice is starting once."""

    def __init__(self, stepfunctions: Any, state_machine_arn: str, id_field: str) -> None:
        self._stepfunctions = stepfunctions
        self._state_machine_arn = state_machine_arn
        self._id_field = id_field

    def start(self, business_id: str, work_id: str) -> None:
        what = {"business_id": business_id, self._id_field: work_id}
        start_once(self._stepfunctions, self._state_machine_arn, work_id, what)
