"""Businesses, API keys, segments, imports and failed handlings in the Directory table."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from rebound.adapters.dynamo_tables import (
    SEGMENT_KEYS,
    DirectoryRow,
    bind,
    lost_races,
    read_cursor,
    read_instant,
    write_cursor,
    write_instant,
)
from rebound.adapters.stored_policy import read_policy, write_policy
from rebound.application.customer_files import Place
from rebound.application.ports import ExportJob, FailedHandling, ImportJob, Page, Reconciliation, Splitting
from rebound.domain.business import Business, TextProvider
from rebound.domain.errors import ConcurrentChangeError, ConflictError, NotFoundError
from rebound.domain.keys import ApiKey, ApiScope
from rebound.domain.recovery import Recovery
from rebound.domain.segments import Segment
from rebound.domain.suppressions import Drift

IMPORT_KEPT: Final = timedelta(days=30)
RECONCILIATION_KEPT: Final = timedelta(days=7)
REQUEST_KEPT: Final = timedelta(days=2)
FAILURE_KEPT: Final = timedelta(days=15)
"""Longer than a message waits in the dead letters."""
FAILURES: Final = "failures"
"""In place of a business id, and not one: the functions that may write here may write nothing else of the table."""


class _Directory:
    """Documents of one kind."""

    kind: str

    def __init__(self, table_name: str) -> None:
        self._row = bind(DirectoryRow, table_name)

    def _get(self, business_id: str, id_: str = "") -> Mapping[str, Any] | None:
        try:
            document: Mapping[str, Any] = self._row.get(business_id, self._entry(id_), consistent_read=True).document
        except self._row.DoesNotExist:
            return None
        return document

    def _put(self, business_id: str, id_: str, document: Mapping[str, Any], *, new: bool = False, **more: Any) -> None:
        row = self._row(business_id, self._entry(id_), document=dict(document), **more)
        with lost_races():
            row.save(condition=DirectoryRow.entry_id.does_not_exist() if new else None)

    def _entry(self, id_: str) -> str:
        return f"{self.kind}#{id_}"

    def _all(self, business_id: str) -> Sequence[DirectoryRow]:
        return list(self._row.query(business_id, DirectoryRow.entry_id.startswith(f"{self.kind}#")))


class DynamoBusinessDirectory(_Directory):
    """Implements ``BusinessDirectory``."""

    kind = "settings"

    def get(self, business_id: str) -> Business:
        try:
            row = self._row.get(business_id, self._entry(""), consistent_read=True)
        except self._row.DoesNotExist:
            raise NotFoundError("business") from None
        document = row.document
        special = {
            "text_provider": TextProvider(document["text_provider"]),
            "policy": read_policy(document.get("policy")),
            "recovery": Recovery(**document.get("recovery", {})),
            "version": int(row.version or 0),
        }
        return Business(business_id=business_id, **{**document, **special})

    def add(self, business: Business) -> None:
        try:
            self._put(business.business_id, "", self._document(business), new=True, version=1)
        except ConcurrentChangeError:
            raise ConflictError("There is a business with this id already.") from None

    def replace(self, business: Business) -> None:
        version = DirectoryRow.version
        # Settings that were written before rows had a version have none until they are written again.
        unchanged = version == business.version if business.version else version.does_not_exist()
        row = self._row(
            business.business_id,
            self._entry(""),
            document=dict(self._document(business)),
            version=business.version + 1,
        )
        with lost_races():
            row.save(condition=DirectoryRow.entry_id.exists() & unchanged)

    def ids(self) -> Sequence[str]:
        wanted = DirectoryRow.entry_id == self._entry("")
        return [row.business_id for row in self._row.scan(wanted, attributes_to_get=["business_id", "entry_id"])]

    @staticmethod
    def _document(business: Business) -> Mapping[str, Any]:
        return {
            "name": business.name,
            "country": business.country,
            "time_zone": business.time_zone,
            "owner_email": business.owner_email,
            "email_from": business.email_from,
            "text_provider": business.text_provider,
            "text_from": business.text_from,
            "text_rate": business.text_rate,
            "policy": write_policy(business.policy),
            "recovery": asdict(business.recovery),
        }


class DynamoApiKeyBook(_Directory):
    """Implements ``ApiKeyBook``."""

    kind = "key"

    def add(self, key: ApiKey) -> None:
        self._put(key.business_id, key.key_id, self._document(key), new=True)

    def find(self, business_id: str, key_id: str) -> ApiKey | None:
        document = self._get(business_id, key_id)
        return None if document is None else self._key(business_id, key_id, document)

    def list(self, business_id: str) -> Sequence[ApiKey]:
        return [self._key(business_id, row.entry_id.split("#", 1)[1], row.document) for row in self._all(business_id)]

    def replace(self, key: ApiKey) -> None:
        self._put(key.business_id, key.key_id, self._document(key))

    @staticmethod
    def _document(key: ApiKey) -> Mapping[str, Any]:
        return {
            "secret_hash": key.secret_hash,
            "scopes": list(key.scopes),
            "created_at": write_instant(key.created_at),
            "label": key.label,
            "expires_at": write_instant(key.expires_at) if key.expires_at else None,
        }

    @staticmethod
    def _key(business_id: str, key_id: str, document: Mapping[str, Any]) -> ApiKey:
        expires_at = document["expires_at"]
        return ApiKey(
            business_id,
            key_id,
            document["secret_hash"],
            tuple(ApiScope(scope) for scope in document["scopes"]),
            read_instant(document["created_at"]),
            document["label"],
            read_instant(expires_at) if expires_at else None,
        )


class DynamoSegmentBook(_Directory):
    """Implements ``SegmentBook``."""

    kind = "segment"

    def get(self, business_id: str, segment_id: str) -> Segment:
        document = self._get(business_id, segment_id)
        if document is None:
            raise NotFoundError("segment")
        return self._segment(business_id, segment_id, document)

    def put(self, segment: Segment) -> None:
        document = {
            "name": segment.name,
            "filter": segment.filter,
            "updated_at": write_instant(segment.updated_at),
        }
        self._put(segment.business_id, segment.segment_id, document)

    def delete(self, business_id: str, segment_id: str) -> None:
        row = self._row(business_id, self._entry(segment_id))
        try:
            with lost_races():
                row.delete(condition=DirectoryRow.entry_id.exists())
        except ConcurrentChangeError:
            raise NotFoundError("segment") from None

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[Segment]:
        after = read_cursor(cursor, SEGMENT_KEYS)
        start = {"business_id": {"S": business_id}, "entry_id": {"S": after}} if after else None
        found = self._row.query(
            business_id,
            DirectoryRow.entry_id.startswith("segment#"),
            limit=limit,
            page_size=limit,
            last_evaluated_key=start,
        )
        rows = list(found)
        segments = [self._segment(business_id, row.entry_id.split("#", 1)[1], row.document) for row in rows]
        more = found.last_evaluated_key is not None and rows
        return Page(segments, write_cursor(rows[-1].entry_id) if more else None)

    @staticmethod
    def _segment(business_id: str, segment_id: str, document: Mapping[str, Any]) -> Segment:
        return Segment(
            business_id, segment_id, document["name"], document["filter"], read_instant(document["updated_at"])
        )


class DynamoRequestIds(_Directory):
    """Implements ``RequestIds``; a request is remembered for longer than its first answer is."""

    kind = "request"

    def id_for(self, business_id: str, request: str, proposed: str) -> str:
        # Hashed, because what a client calls its request may be personal data.
        name = sha256(request.encode()).hexdigest()
        try:
            expires_at = int((datetime.now(UTC) + REQUEST_KEPT).timestamp())
            self._put(business_id, name, {"id": proposed}, new=True, expires_at=expires_at)
        except ConcurrentChangeError:
            document = self._get(business_id, name)
            return proposed if document is None else str(document["id"])
        return proposed


class DynamoImportBook(_Directory):
    """Implements ``ImportBook``; an import is forgotten after 30 days."""

    kind = "import"

    def get(self, business_id: str, import_id: str) -> ImportJob:
        document = self._get(business_id, import_id)
        if document is None:
            raise NotFoundError("import")
        return ImportJob(
            business_id,
            import_id,
            document["format"],
            document["status"],
            read_instant(document["created_at"]),
            _read_splitting(document["splitting"]),
            document["failure"],
        )

    def save(self, job: ImportJob) -> None:
        document = {
            "format": job.format,
            "status": job.status,
            "created_at": write_instant(job.created_at),
            "splitting": job.splitting and asdict(job.splitting),
            "failure": job.failure,
        }
        expires_at = int((job.created_at + IMPORT_KEPT).timestamp())
        self._put(job.business_id, job.import_id, document, expires_at=expires_at)


def _read_splitting(document: Mapping[str, Any] | None) -> Splitting | None:
    if document is None:
        return None
    place = document["place"]
    columns = place["columns"]
    return Splitting(**{**document, "place": Place(**{**place, "columns": columns and tuple(columns)})})


class DynamoExportBook(_Directory):
    """Implements ``ExportBook``; an export is forgotten after 30 days."""

    kind = "export"

    def get(self, business_id: str, export_id: str) -> ExportJob:
        document = self._get(business_id, export_id)
        if document is None:
            raise NotFoundError("export")
        special = {"created_at": read_instant(document["created_at"]), "parts": tuple(document["parts"])}
        return ExportJob(business_id=business_id, export_id=export_id, **{**document, **special})

    def save(self, job: ExportJob) -> None:
        document = {**asdict(job), "created_at": write_instant(job.created_at)}
        del document["business_id"], document["export_id"]
        expires_at = int((job.created_at + IMPORT_KEPT).timestamp())
        self._put(job.business_id, job.export_id, document, expires_at=expires_at)


class DynamoFailureLog(_Directory):
    """Implements ``FailureLog``."""

    kind = "failure"

    def record(self, failure: FailedHandling) -> None:
        document = {
            "reason": failure.reason,
            "first_tried_at": write_instant(failure.first_tried_at),
            "failed_at": write_instant(failure.failed_at),
            "receives": failure.receives,
        }
        expires_at = int((failure.failed_at + FAILURE_KEPT).timestamp())
        self._put(FAILURES, failure.message_id, document, expires_at=expires_at)

    def get_many(self, message_ids: Sequence[str]) -> Mapping[str, FailedHandling]:
        keys = [(FAILURES, self._entry(message_id)) for message_id in dict.fromkeys(message_ids)]
        found = {}
        for row in self._row.batch_get(keys, consistent_read=True):
            message_id, document = row.entry_id.split("#", 1)[1], row.document
            found[message_id] = FailedHandling(
                message_id,
                document["reason"],
                read_instant(document["first_tried_at"]),
                read_instant(document["failed_at"]),
                document["receives"],
            )
        return found


class DynamoReconciliationBook(_Directory):
    """Implements ``ReconciliationBook``: rows of the deployment, beside those of its businesses."""

    kind = "reconciliation"
    owner: Final = "#deployment"
    """In the place of a business; no business is called so."""

    def get(self, run: str) -> Reconciliation:
        document = self._get(self.owner, run)
        if document is None:
            return Reconciliation(run)
        drift = {Drift(kind): count for kind, count in document["drift"].items()}
        return Reconciliation(run, document["cursor"], document["entries"], drift, document["done"])

    def save(self, reconciliation: Reconciliation) -> None:
        document = {
            "cursor": reconciliation.cursor,
            "entries": reconciliation.entries,
            "drift": dict(reconciliation.drift),
            "done": reconciliation.done,
        }
        expires_at = int((datetime.now(UTC) + RECONCILIATION_KEPT).timestamp())
        self._put(self.owner, reconciliation.run, document, expires_at=expires_at)
