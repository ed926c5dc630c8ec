"""Segments, in the Directory table."""

import re
from collections.abc import Mapping
from typing import Any, Final

from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.pages import Page
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    DirectoryRow,
    lost_races,
    read_cursor,
    read_instant,
    write_cursor,
    write_instant,
)
from rebound.segments.domain import Segment


class DynamoSegmentBook(Directory):
    """Implements ``SegmentBook``."""

    kind = "segment"

    def get(self, business_id: str, segment_id: str) -> Segment:
        document = self.get_document(business_id, segment_id)
        if document is None:
            raise NotFoundError("segment")
        return self._segment(business_id, segment_id, document)

    def put(self, segment: Segment) -> None:
        document = {
            "name": segment.name,
            "filter": segment.filter,
            "updated_at": write_instant(segment.updated_at),
        }
        self.put_document(segment.business_id, segment.segment_id, document)

    def delete(self, business_id: str, segment_id: str) -> None:
        row = self.row(business_id, self.entry(segment_id))
        try:
            with lost_races():
                row.delete(condition=DirectoryRow.entry_id.exists())
        except ConcurrentChangeError:
            raise NotFoundError("segment") from None

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[Segment]:
        after = read_cursor(cursor, SEGMENT_KEYS)
        start = {"business_id": {"S": business_id}, "entry_id": {"S": after}} if after else None
        found = self.row.query(
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


SEGMENT_KEYS: Final = re.compile(r"segment#[A-Za-z0-9_-]{1,64}")
