"""Segments in the Directory table, and the commits of jobs that delete customers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import replace
from itertools import batched
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from rebound.jobs.domain import JobProgress
from rebound.kernel.errors import NotFoundError
from rebound.kernel.pages import Page, first_page, read_cursor
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import DirectoryRow, as_read, lost_races, read_instant, transaction, write_instant
from rebound.segments.domain.segments import Removal, SavedSegments, Segment

if TYPE_CHECKING:
    from pynamodb.transactions import TransactWrite

    from rebound.customers.ports import CustomerTransactions
    from rebound.jobs.ports import JobTransactions


class DynamoSegmentBook(Directory):
    """Implements ``SegmentBook`` and ``SegmentTransactions``.

    A row of its own has the business's order, and its version that of all segments: it is written with each of them.
    """

    kind = "segment"

    def get(self, business_id: str, segment_id: str) -> Segment:
        document = self.get_document(business_id, segment_id)
        if document is None:
            raise NotFoundError("segment")
        return self._segment(business_id, segment_id, document)

    def all(self, business_id: str) -> SavedSegments:
        # The version first: what is written after it makes the next write fail.
        order, version = self._order(business_id)
        rows = self.row.query(business_id, DirectoryRow.entry_id.startswith(self.entry("")), consistent_read=True)
        found = (self._segment(business_id, row.entry_id.split("#", 1)[1], row.document) for row in rows)
        return SavedSegments({segment.segment_id: segment for segment in found}, order, version)

    def known(self, business_id: str) -> SavedSegments:
        # The order's row comes right behind the segments'.
        rows = self.row.query(business_id, DirectoryRow.entry_id.between(self.entry(""), _ORDER), consistent_read=True)
        documents = {row.entry_id: row.document for row in rows}
        order = documents.pop(_ORDER, {}).get("segment_ids", ())
        found = {id_.split("#", 1)[1]: document for id_, document in documents.items()}
        segments = {id_: self._segment(business_id, id_, document) for id_, document in found.items()}
        return SavedSegments(segments, tuple(order))

    def put(self, segment: Segment, read: SavedSegments | None = None) -> None:
        business_id = segment.business_id
        document = {"name": segment.name, "filter": segment.filter, "updated_at": write_instant(segment.updated_at)}
        row = self.row(business_id, self.entry(segment.segment_id), document=document)
        with self._writing(business_id, read) as writes:
            writes.save(row)

    def delete(self, business_id: str, segment_id: str, read: SavedSegments | None = None) -> None:
        if self.get_document(business_id, segment_id) is None:
            raise NotFoundError(self.kind)
        with self._writing(business_id, read, without=segment_id) as writes:
            writes.delete(self.row(business_id, self.entry(segment_id)))

    def reorder(self, business_id: str, segment_ids: Sequence[str], read: SavedSegments) -> None:
        with lost_races():
            self._order_row(business_id, segment_ids, read.version).save(condition=as_read(DirectoryRow, read.version))

    def use_within(self, writes: TransactWrite, business_id: str, read: SavedSegments) -> None:
        row = self._order_row(business_id, read.order, read.version)
        writes.save(row, condition=as_read(DirectoryRow, read.version))

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[Segment]:
        after = read_cursor(cursor, _CURSORS)
        if after is None and (page := self._whole(business_id, limit)) is not None:
            return page
        order, _ = self._order(business_id)
        found = first_page(self._after(business_id, order, after, limit + 1), limit, itemgetter(0))
        return Page([segment for _, segment in found.items], found.next_cursor)

    def _whole(self, business_id: str, limit: int) -> Page[Segment] | None:
        """All segments, where one request reads them with their order, whose row is behind them."""
        limit += 1
        condition = DirectoryRow.entry_id.startswith(self.kind)
        rows = list(self.row.query(business_id, condition, limit=limit, page_size=limit, consistent_read=True))
        if len(rows) == limit:
            return None
        order = next((row.document["segment_ids"] for row in rows if row.entry_id == _ORDER), ())
        own = [row for row in rows if row.entry_id != _ORDER]
        places = {segment_id: place for place, segment_id in enumerate(order)}
        found = [self._segment(business_id, row.entry_id.split("#", 1)[1], row.document) for row in own]
        return Page(sorted(found, key=lambda each: places.get(each.segment_id, len(places))))

    def _after(
        self, business_id: str, order: Sequence[str], after: str | None, limit: int
    ) -> Iterator[tuple[str, Segment]]:
        """What comes after a cursor, each with its own."""
        behind = None if after is None or after.startswith(_PLACE) else after
        start = len(order) if behind is not None else _next_place(order, after)
        for ids in batched(order[start:], limit, strict=False):
            rows = self.row.batch_get([(business_id, self.entry(id_)) for id_ in ids])
            documents = {row.entry_id.split("#", 1)[1]: row.document for row in rows}
            for id_ in ids:
                if id_ in documents:
                    yield f"{_PLACE}{order.index(id_)}#{id_}", self._segment(business_id, id_, documents[id_])
        ordered = frozenset(order)
        rest = self.row.query(
            business_id,
            DirectoryRow.entry_id.startswith(self.entry("")),
            page_size=limit,
            last_evaluated_key=None
            if behind is None
            else {"business_id": {"S": business_id}, "entry_id": {"S": behind}},
        )
        for row in rest:
            id_ = row.entry_id.split("#", 1)[1]
            if id_ not in ordered:
                yield row.entry_id, self._segment(business_id, id_, row.document)

    def _order(self, business_id: str) -> tuple[tuple[str, ...], int]:
        try:
            row = self.row.get(business_id, _ORDER, consistent_read=True)
        except self.row.DoesNotExist:
            return (), 0
        return tuple(row.document["segment_ids"]), int(row.version)

    def _order_row(self, business_id: str, segment_ids: Sequence[str], version: int) -> DirectoryRow:
        return self.row(business_id, _ORDER, document={"segment_ids": list(segment_ids)}, version=version + 1)

    @contextmanager
    def _writing(
        self, business_id: str, read: SavedSegments | None, without: str | None = None
    ) -> Iterator[TransactWrite]:
        """A transaction that holds only if nothing was written since."""
        order, version = self._order(business_id) if read is None else (read.order, read.version)
        kept = [segment_id for segment_id in order if segment_id != without]
        with transaction(self.row) as writes:
            writes.save(self._order_row(business_id, kept, version), condition=as_read(DirectoryRow, version))
            yield writes

    @staticmethod
    def _segment(business_id: str, segment_id: str, document: Mapping[str, Any]) -> Segment:
        return Segment(
            business_id, segment_id, document["name"], document["filter"], read_instant(document["updated_at"])
        )


_ORDER: Final = "segment-order#"
_PLACE: Final = "at#"
_CURSORS: Final = re.compile(r"segment#[A-Za-z0-9_-]{1,64}|at#[0-9]{1,4}#[A-Za-z0-9_-]{1,64}")


def _next_place(order: Sequence[str], after: str | None) -> int:
    """Where an order goes on after a place in it; whoever stood there may have been deleted or moved since."""
    if after is None:
        return 0
    _, place, segment_id = after.split("#")
    return order.index(segment_id) + 1 if segment_id in order else int(place)


class DynamoRemovalLedger:
    """Implements ``RemovalLedger`` over the tables of customers, contacts and jobs."""

    def __init__(self, jobs: JobTransactions, customers: CustomerTransactions) -> None:
        self._jobs = jobs
        self._customers = customers

    def commit(self, progress: JobProgress, removal: Removal) -> JobProgress:
        with self._jobs.committing(progress) as writes:
            self._customers.delete_within(writes, removal.customers, removal.contacts)
        return replace(progress, version=progress.version + 1)
