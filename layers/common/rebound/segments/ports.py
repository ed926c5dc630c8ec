"""What the use cases of segments need from outside."""

from typing import Protocol

from rebound.activity.ports import ActivityPorts
from rebound.jobs.domain import JobProgress
from rebound.jobs.ports import JobsPorts
from rebound.kernel.pages import Page
from rebound.segments.domain.segments import Removal, Segment


class SegmentBook(Protocol):
    """Saved segments."""

    def get(self, business_id: str, segment_id: str) -> Segment:
        """Raises ``NotFoundError``."""

    def put(self, segment: Segment) -> None:
        """Create or replace."""

    def delete(self, business_id: str, segment_id: str) -> None:
        """Raises ``NotFoundError``."""

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[Segment]:
        """The segments of a business, sorted by id."""


class RemovalLedger(Protocol):
    """Progress of the jobs that delete customers."""

    def commit(self, progress: JobProgress, removal: Removal) -> JobProgress:
        """Delete customers and write the progress, all or nothing; the progress as stored now.

        Raises ``ConcurrentChangeError`` when another invocation has gone on with the range, and whenever
        ``CustomerBook.delete`` would. A removal may take 99 rows.
        """


class SegmentsPorts(ActivityPorts, JobsPorts, Protocol):
    """What the use cases of segments need from outside."""

    @property
    def segments(self) -> SegmentBook: ...

    @property
    def removal_ledger(self) -> RemovalLedger: ...
