"""Imports, in the Directory table."""

from datetime import timedelta
from typing import Final

from msgspec import convert, to_builtins

from rebound.imports_exports.domain.import_records import ImportJob, Splitting
from rebound.kernel.errors import NotFoundError
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
