"""Exports, in the Directory table."""

from datetime import timedelta
from typing import Final

from msgspec.structs import asdict

from rebound.imports_exports.domain.export_records import ExportJob
from rebound.kernel.errors import NotFoundError
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import expiry, read_instant, write_instant

KEPT: Final = timedelta(days=30)


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
