"""What the use cases of segments need from outside."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from rebound.jobs.domain import JobProgress
from rebound.jobs.ports import JobsPorts
from rebound.kernel.pages import Page
from rebound.loyalty.ports import LoyaltyPorts
from rebound.segments.domain.segments import Removal, SavedSegments, Segment


class SegmentBook(Protocol):
    """Saved segments.

    A write that is given what was read before raises ``ConcurrentChangeError`` when any segment of the business, or
    their order, was written since.
    """

    def get(self, business_id: str, segment_id: str) -> Segment:
        """Raises ``NotFoundError``."""

    def all(self, business_id: str) -> SavedSegments:
        """All segments of a business; strongly consistent."""

    def known(self, business_id: str) -> SavedSegments:
        """The same in one request, to look at: a write that is given it may not notice what was written meanwhile.

        Strongly consistent.
        """

    def put(self, segment: Segment, read: SavedSegments | None = None) -> None:
        """Create or replace."""

    def delete(self, business_id: str, segment_id: str, read: SavedSegments | None = None) -> None:
        """Raises ``NotFoundError``. The segment leaves the order as well."""

    def reorder(self, business_id: str, segment_ids: Sequence[str], read: SavedSegments) -> None:
        """Replace the order."""

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[Segment]:
        """The segments of a business: those of its order, then the others by id."""


class SegmentTransactions(Protocol):
    """Lets the owners of other tables begin to use segments in the same transaction."""

    def use_within(self, writes: Any, business_id: str, read: SavedSegments) -> None:
        """Have the transaction fail when any segment of the business was written since ``read``, and such writes too.

        So no segment is deleted that something has just begun to use.
        """


SegmentUser = Callable[[str, str], Sequence[str]]
"""The recurring campaigns of a business that use a segment, by its id; strongly consistent."""


class RemovalLedger(Protocol):
    """Progress of the jobs that delete customers."""

    def commit(self, progress: JobProgress, removal: Removal) -> JobProgress:
        """Delete customers and write the progress, all or nothing; the progress as stored now.

        Raises ``ConcurrentChangeError`` when another invocation has gone on with the range, and whenever
        ``CustomerBook.delete`` would. A removal may take 99 rows.
        """


class SegmentsPorts(LoyaltyPorts, JobsPorts, Protocol):
    """What the use cases of segments need from outside."""

    @property
    def segments(self) -> SegmentBook: ...

    @property
    def removal_ledger(self) -> RemovalLedger: ...
