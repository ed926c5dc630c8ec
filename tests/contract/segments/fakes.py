"""Segments and the removal of many customers in memory."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from copy import replace
from functools import cached_property
from operator import itemgetter

from rebound.jobs.domain import JobProgress
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.pages import Page
from rebound.segments.domain.segments import Removal, SavedSegments, Segment
from tests.contract.contacts.fakes import MAX_TRANSACTION, rows_of
from tests.contract.customers.fakes import MemoryCustomerBook
from tests.contract.jobs.fakes import MemoryJobLedger
from tests.contract.loyalty.fakes import MemoryLoyaltyPorts
from tests.fakes.cursors import page_of, read_cursor


class MemorySegmentBook:
    """Implements ``SegmentBook`` and, with ``use``, what ``SegmentTransactions`` does."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Segment] = {}
        self._orders: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
        self._versions: Counter[str] = Counter()

    def get(self, business_id: str, segment_id: str) -> Segment:
        try:
            return self._rows[business_id, segment_id]
        except KeyError:
            raise NotFoundError("segment") from None

    def all(self, business_id: str) -> SavedSegments:
        own = {id_: segment for (owner, id_), segment in sorted(self._rows.items()) if owner == business_id}
        return SavedSegments(own, self._orders[business_id], self._versions[business_id])

    def known(self, business_id: str) -> SavedSegments:
        return replace(self.all(business_id), version=0)

    def put(self, segment: Segment, read: SavedSegments | None = None) -> None:
        self._write(segment.business_id, read)
        self._rows[segment.business_id, segment.segment_id] = segment

    def delete(self, business_id: str, segment_id: str, read: SavedSegments | None = None) -> None:
        self.get(business_id, segment_id)
        self._write(business_id, read)
        del self._rows[business_id, segment_id]
        self._orders[business_id] = tuple(id_ for id_ in self._orders[business_id] if id_ != segment_id)

    def reorder(self, business_id: str, segment_ids: Sequence[str], read: SavedSegments) -> None:
        self._write(business_id, read)
        self._orders[business_id] = tuple(segment_ids)

    def use(self, business_id: str, read: SavedSegments) -> None:
        self._write(business_id, read)

    def _write(self, business_id: str, read: SavedSegments | None) -> None:
        if read is not None and read.version != self._versions[business_id]:
            raise ConcurrentChangeError
        self._versions[business_id] += 1

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[Segment]:
        saved = self.all(business_id)
        places = {id_: f"{place:04}" for place, id_ in enumerate(saved.order)}
        after = read_cursor(cursor) or ""
        own = sorted(((places.get(i, f"9999#{i}"), each) for i, each in saved.segments.items()), key=itemgetter(0))
        return page_of([(place, segment) for place, segment in own if place > after], limit)


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


class MemorySegmentsPorts(MemoryLoyaltyPorts):
    """Implements ``SegmentsPorts``."""

    @cached_property
    def segments(self) -> MemorySegmentBook:
        return MemorySegmentBook()

    @cached_property
    def removal_ledger(self) -> MemoryRemovalLedger:
        return MemoryRemovalLedger(self.job_ledger, self.customers)
