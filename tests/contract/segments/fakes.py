"""Segments and the removal of many customers in memory."""

from functools import cached_property

from rebound.jobs.domain import JobProgress
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.pages import Page
from rebound.segments.domain.segments import Removal, Segment
from tests.contract.activity.fakes import MemoryActivityPorts
from tests.contract.contacts.fakes import MAX_TRANSACTION, rows_of
from tests.contract.customers.fakes import MemoryCustomerBook
from tests.contract.jobs.fakes import MemoryJobLedger, MemoryJobsPorts
from tests.fakes.cursors import page_of, read_cursor


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


class MemoryRemovalLedger:
    """Implements ``RemovalLedger``."""

    def __init__(self, jobs: MemoryJobLedger, customers: MemoryCustomerBook) -> None:
        self._jobs = jobs
        self._customers = customers

    def commit(self, progress: JobProgress, removal: Removal) -> JobProgress:
        if self._jobs.get(progress.job_id, progress.phase, progress.index).version != progress.version:
            raise ConcurrentChangeError
        if 1 + len(removal.customers) + sum(map(rows_of, removal.contacts)) > MAX_TRANSACTION:
            raise ValueError(f"a transaction holds at most {MAX_TRANSACTION} rows")
        self._customers.delete(removal.customers, removal.contacts)
        return self._jobs.commit(progress)


class MemorySegmentsPorts(MemoryActivityPorts, MemoryJobsPorts):
    """Implements ``SegmentsPorts``."""

    @cached_property
    def segments(self) -> MemorySegmentBook:
        return MemorySegmentBook()

    @cached_property
    def removal_ledger(self) -> MemoryRemovalLedger:
        return MemoryRemovalLedger(self.job_ledger, self.customers)
