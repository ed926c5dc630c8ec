"""Businesses, keys, segments, imports and requests in memory."""

from collections.abc import Collection, Mapping, Sequence
from copy import replace

from rebound.access.domain import ApiKey
from rebound.businesses.domain.business import Business
from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer
from rebound.imports_exports.domain.export_records import ExportJob
from rebound.imports_exports.domain.import_records import (
    BadRow,
    ImportJob,
    PartProgress,
    RowCounts,
)
from rebound.kernel.errors import ConcurrentChangeError, ConflictError, NotFoundError
from rebound.kernel.pages import Page
from rebound.platform.failures import FailedHandling
from rebound.receipts.domain import Reconciliation
from rebound.segments.domain import Segment
from tests.fakes.cursors import page_of, read_cursor
from tests.fakes.customers import MAX_TRANSACTION, MemoryCustomerBook, rows_of


class MemoryBusinessDirectory:
    """Implements ``BusinessDirectory``."""

    def __init__(self, *businesses: Business) -> None:
        self._rows = {business.business_id: business for business in businesses}
        self._senders = {(business.text_from, business.business_id) for business in businesses}

    def get(self, business_id: str) -> Business:
        try:
            return self._rows[business_id]
        except KeyError:
            raise NotFoundError("business") from None

    def add(self, business: Business) -> None:
        if business.business_id in self._rows:
            raise ConflictError("There is a business with this id already.")
        self._write(replace(business, version=1))

    def ids(self) -> Sequence[str]:
        return list(self._rows)

    def having_sent_from(self, senders: Collection[str]) -> Sequence[Business]:
        found = {business_id for sender, business_id in self._senders if sender in senders}
        return [self._rows[business_id] for business_id in sorted(found)]

    def replace(self, business: Business) -> None:
        stored = self._rows.get(business.business_id)
        if stored is None or stored.version != business.version:
            raise ConcurrentChangeError
        self._write(replace(business, version=business.version + 1))

    def _write(self, business: Business) -> None:
        self._rows[business.business_id] = business
        self._senders.add((business.text_from, business.business_id))


class MemoryApiKeyBook:
    """Implements ``ApiKeyBook``."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], ApiKey] = {}

    def add(self, key: ApiKey) -> None:
        self._rows[key.business_id, key.key_id] = key

    def find(self, business_id: str, key_id: str) -> ApiKey | None:
        return self._rows.get((business_id, key_id))

    def list(self, business_id: str) -> Sequence[ApiKey]:
        return [key for (owner, _), key in sorted(self._rows.items()) if owner == business_id]

    def replace(self, key: ApiKey) -> None:
        self._rows[key.business_id, key.key_id] = key


class MemorySegmentBook:
    """Implements ``SegmentBook``."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Segment] = {}

    def get(self, business_id: str, segment_id: str) -> Segment:
        try:
            return self._rows[business_id, segment_id]
        except KeyError:
            raise NotFoundError("segment") from None

    def put(self, segment: Segment) -> None:
        self._rows[segment.business_id, segment.segment_id] = segment

    def delete(self, business_id: str, segment_id: str) -> None:
        self.get(business_id, segment_id)
        del self._rows[business_id, segment_id]

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[Segment]:
        after = read_cursor(cursor) or ""
        own = [(id_, s) for (owner, id_), s in sorted(self._rows.items()) if owner == business_id and id_ > after]
        return page_of(own, limit)


class MemoryImportBook:
    """Implements ``ImportBook``."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], ImportJob] = {}

    def get(self, business_id: str, import_id: str) -> ImportJob:
        try:
            return self._rows[business_id, import_id]
        except KeyError:
            raise NotFoundError("import") from None

    def save(self, job: ImportJob) -> None:
        self._rows[job.business_id, job.import_id] = job


class MemoryExportBook:
    """Implements ``ExportBook``."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], ExportJob] = {}

    def get(self, business_id: str, export_id: str) -> ExportJob:
        try:
            return self._rows[business_id, export_id]
        except KeyError:
            raise NotFoundError("export") from None

    def save(self, job: ExportJob) -> None:
        self._rows[job.business_id, job.export_id] = job


class MemoryImportLedger:
    """Implements ``ImportLedger``; shares its transactions with customers and contacts."""

    def __init__(self, customers: MemoryCustomerBook) -> None:
        self._customers = customers
        self._parts: dict[tuple[str, int], PartProgress] = {}
        self._bad_rows: dict[tuple[str, int], BadRow] = {}

    def get(self, import_id: str, part: int) -> PartProgress:
        return self._parts.get((import_id, part), PartProgress(import_id, part))

    def commit(
        self,
        progress: PartProgress,
        customers: Sequence[Customer] = (),
        contacts: Sequence[Contact] = (),
        bad_rows: Sequence[BadRow] = (),
    ) -> PartProgress:
        if 1 + len(bad_rows) + len(customers) + sum(map(rows_of, contacts)) > MAX_TRANSACTION:
            raise ValueError(f"a transaction holds at most {MAX_TRANSACTION} rows")
        stored = self._parts.get((progress.import_id, progress.part))
        if (stored.version if stored else 0) != progress.version:
            raise ConcurrentChangeError
        self._customers.save(customers, contacts)
        for bad in bad_rows:
            self._bad_rows[progress.import_id, bad.line] = bad
        after = replace(progress, version=progress.version + 1)
        self._parts[progress.import_id, progress.part] = after
        return after

    def counts(self, import_id: str) -> RowCounts:
        return sum((part.counts for (owner, _), part in self._parts.items() if owner == import_id), RowCounts())

    def bad_rows(self, import_id: str, limit: int) -> Sequence[BadRow]:
        return [bad for (owner, _), bad in sorted(self._bad_rows.items()) if owner == import_id][:limit]


class MemoryRequestIds:
    """Implements ``RequestIds``."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], str] = {}

    def id_for(self, business_id: str, request: str, proposed: str) -> str:
        return self._rows.setdefault((business_id, request), proposed)


class MemoryFailureLog:
    """Implements ``FailureLog``."""

    def __init__(self) -> None:
        self._rows: dict[str, FailedHandling] = {}

    def record(self, failure: FailedHandling) -> None:
        self._rows[failure.message_id] = failure

    def get_many(self, message_ids: Sequence[str]) -> Mapping[str, FailedHandling]:
        return {message_id: self._rows[message_id] for message_id in message_ids if message_id in self._rows}


class MemoryReconciliationBook:
    """Implements ``ReconciliationBook``."""

    def __init__(self) -> None:
        self._rows: dict[str, Reconciliation] = {}

    def get(self, run: str) -> Reconciliation:
        return self._rows.get(run) or Reconciliation(run)

    def save(self, reconciliation: Reconciliation) -> None:
        self._rows[reconciliation.run] = reconciliation
