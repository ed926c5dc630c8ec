"""Base of the books that are kept in the Directory table."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.pages import Page, read_cursor
from rebound.platform.adapters.dynamo import DirectoryRow, bind, lost_races, page_of


class Directory:
    """A book: the documents of one ``kind``, which no other book uses.

    Each capability has its own books, so that a function loads only those that it reads.
    """

    kind: str

    def __init__(self, table_name: str) -> None:
        self.row = bind(DirectoryRow, table_name)

    def get_document(self, business_id: str, id_: str = "") -> Mapping[str, Any] | None:
        """The document of an id (strongly consistent); ``None`` when there is none."""
        try:
            document: Mapping[str, Any] = self.row.get(business_id, self.entry(id_), consistent_read=True).document
        except self.row.DoesNotExist:
            return None
        return document

    def put_document(
        self, business_id: str, id_: str, document: Mapping[str, Any], *, new: bool = False, **more: Any
    ) -> None:
        """Write a document. Raises ``ConcurrentChangeError`` if it must be ``new`` and exists already."""
        row = self.row(business_id, self.entry(id_), document=dict(document), **more)
        with lost_races():
            row.save(condition=DirectoryRow.entry_id.does_not_exist() if new else None)

    def delete_document(self, business_id: str, id_: str) -> None:
        """Delete a document. Raises ``NotFoundError`` when there is none."""
        try:
            with lost_races():
                self.row(business_id, self.entry(id_)).delete(condition=DirectoryRow.entry_id.exists())
        except ConcurrentChangeError:
            raise NotFoundError(self.kind) from None

    def page_documents[T](
        self, business_id: str, limit: int, cursor: str | None, read: Callable[[str, Mapping[str, Any]], T]
    ) -> Page[T]:
        """A page by id, with what ``read`` makes of each id and document. Ids have 1 to 64 of ``A-Za-z0-9_-``."""
        after = read_cursor(cursor, re.compile(rf"{self.kind}#[A-Za-z0-9_-]{{1,64}}"))
        found = self.row.query(
            business_id,
            DirectoryRow.entry_id.startswith(self.entry("")),
            limit=limit,
            page_size=limit,
            last_evaluated_key={"business_id": {"S": business_id}, "entry_id": {"S": after}} if after else None,
        )
        return page_of(found, lambda row: read(row.entry_id.split("#", 1)[1], row.document), lambda row: row.entry_id)

    def newest_rows(self, business_id: str, limit: int, before: str | None) -> Sequence[DirectoryRow]:
        """The rows with the highest ids, descending, of those below ``before``; ids are ULIDs, so the newest."""
        # One more than is asked for, because a range has its ends; behind every id comes "~".
        end = self.entry("~" if before is None else before)
        found = self.row.query(
            business_id,
            DirectoryRow.entry_id.between(self.entry(""), end),
            scan_index_forward=False,
            limit=limit + 1,
            page_size=limit + 1,
            consistent_read=True,
        )
        return [row for row in found if row.entry_id != end][:limit]

    def entry(self, id_: str) -> str:
        """The row's sort key."""
        return f"{self.kind}#{id_}"

    def all_rows(self, business_id: str) -> Sequence[DirectoryRow]:
        """All rows of this kind that a business has."""
        return list(self.row.query(business_id, DirectoryRow.entry_id.startswith(self.entry(""))))
