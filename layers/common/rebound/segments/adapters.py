"""Segments in the Directory table, and the commits of jobs that delete customers."""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from rebound.jobs.domain import JobProgress
from rebound.kernel.errors import NotFoundError
from rebound.kernel.pages import Page
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    read_instant,
    write_instant,
)
from rebound.segments.domain.segments import Removal, Segment

if TYPE_CHECKING:
    from rebound.customers.ports import CustomerTransactions
    from rebound.jobs.ports import JobTransactions


class DynamoSegmentBook(Directory):
    """Implements ``SegmentBook``."""

    kind = "segment"

    def get(self, business_id: str, segment_id: str) -> Segment:
        document = self.get_document(business_id, segment_id)
        if document is None:
            raise NotFoundError("segment")
        return self._segment(business_id, segment_id, document)

    def put(self, segment: Segment) -> None:
        document = {"name": segment.name, "filter": segment.filter, "updated_at": write_instant(segment.updated_at)}
        self.put_document(segment.business_id, segment.segment_id, document)

    def delete(self, business_id: str, segment_id: str) -> None:
        self.delete_document(business_id, segment_id)

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[Segment]:
        return self.page_documents(business_id, limit, cursor, partial(self._segment, business_id))

    @staticmethod
    def _segment(business_id: str, segment_id: str, document: Mapping[str, Any]) -> Segment:
        return Segment(
            business_id, segment_id, document["name"], document["filter"], read_instant(document["updated_at"])
        )


class DynamoRemovalLedger:
    """Implements ``RemovalLedger`` over the tables of customers, contacts and jobs."""

    def __init__(self, jobs: JobTransactions, customers: CustomerTransactions) -> None:
        self._jobs = jobs
        self._customers = customers

    def commit(self, progress: JobProgress, removal: Removal) -> JobProgress:
        with self._jobs.committing(progress) as writes:
            self._customers.delete_within(writes, removal.customers, removal.contacts)
        return replace(progress, version=progress.version + 1)
