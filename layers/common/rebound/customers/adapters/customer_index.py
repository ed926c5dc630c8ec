"""The table by which customers are found: a row for each word of a name, and for whatever else people look for.

Rows are only ever made and removed, never changed. A row says with a stamp by which write of its customer it was made,
and the customer's own row keeps the stamps of the writes that count: so a row of a write that was lost, or that a later
one has replaced, is known to mean nothing, whoever left it. Rows are put before the customer is written, and those of
before are removed after it; in between, and after a death, there are rows too many, never too few.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from pynamodb.attributes import UnicodeAttribute

from rebound.customers.adapters.finding import Finding
from rebound.customers.adapters.index_entries import (
    END,
    Entry,
    entries_of,
    flags_of,
    restamped,
)
from rebound.platform.adapters.dynamo import Model, bind

if TYPE_CHECKING:
    from rebound.customers.adapters.finding import ReadStored, Stored
    from rebound.customers.adapters.index_entries import (
        Walk,
    )
    from rebound.customers.domain import Customer, Question


class IndexRow(Model):
    """See ``Entry``."""

    place = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    words = UnicodeAttribute(null=True)


class Written(Struct, frozen=True):
    """Customers as they are to be written, with their stamps; the rows put for them, and those that go after it."""

    customers: Sequence[Stored]
    put: Collection[Entry]
    gone: Collection[Entry]


class DynamoCustomerIndex:
    """The rows, as they are put, removed and walked through; customers come with the stamps that their rows keep."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(IndexRow, table_name)

    def written(self, known: Mapping[str, Stored], customers: Sequence[Customer]) -> Written:
        """Put the rows of customers who are about to be written, of whom some are ``known`` as they are now."""
        stored = [restamped(known.get(customer.customer_id), customer) for customer in customers]
        before, after = entries_of_all(known.values()), entries_of_all(stored)
        put = after - before
        self.put(put)
        return Written(stored, put, before - after)

    def flagged(self, before: Customer, after: Customer) -> Written:
        """Put the row of a customer whose flag is about to be written."""
        put = flags_of(after)
        self.put(put)
        return Written((), put, flags_of(before))

    def fill(self, known: Iterable[Stored]) -> None:
        """Put the rows of customers who may have been written before there was an index."""
        self.put(entries_of_all(known))

    def remove_all(self, known: Iterable[Stored]) -> None:
        """Remove the rows of customers who were deleted."""
        self.remove(entries_of_all(known))

    def take_back(self, put: Collection[Entry], known: Iterable[Stored]) -> None:
        """Remove rows of a write that was lost, which are none of those of the customers as they are now."""
        self.remove(set(put) - entries_of_all(known))

    def take_back_from(self, filled: Iterable[Stored], known: Iterable[Stored]) -> None:
        """Remove rows that were put for customers as they are no more."""
        self.remove(entries_of_all(filled) - entries_of_all(known))

    def forget(self, customer: Customer, read: Callable[[], Stored | None]) -> None:
        """Remove what is left of a customer who was deleted, by whichever write; asks once for each text.

        ``read`` tells who has the id now, if somebody was created under it since: their rows stay, and so do those that
        are put for somebody who is not written yet.
        """
        left = self._left_of(customer)
        now = read()
        own = frozenset() if now is None else entries_of(*now)
        self.remove(
            {
                entry
                for entry in left - own
                if entry.is_of_birth(customer)
                or (entry.is_of_an_edit and (now is None or entry.made_at < now[0].created_at))
            }
        )

    def finding(self, read: ReadStored, business_id: str, question: Question) -> Finding:
        """See ``CustomerBook.find``."""
        return Finding(self, read, business_id, question)

    def put(self, entries: Collection[Entry]) -> None:
        """Put rows; one that is there already stays as it is."""
        if entries:
            with self._row.batch_write() as batch:
                for entry in entries:
                    batch.save(self._row(entry.place, entry.entry, words=entry.words))

    def remove(self, entries: Collection[Entry]) -> None:
        """Remove rows, if they are there."""
        if entries:
            with self._row.batch_write() as batch:
                for entry in entries:
                    batch.delete(self._row(entry.place, entry.entry))

    def _left_of(self, customer: Customer) -> set[Entry]:
        left: set[Entry] = set()
        for entry in entries_of(customer, None):
            beginning = entry.entry.rpartition(END)[0] + END
            for row in self._row.query(entry.place, IndexRow.entry.startswith(beginning), consistent_read=True):
                left.add(Entry(row.place, row.entry, row.words))
        return left

    def walk(self, walk: Walk, after: str | None, limit: int | None) -> tuple[Sequence[Entry], str | None]:
        """Rows of one request behind an entry, those left out that the walk does not keep; and where to go on.

        Strongly consistent, so that whoever has written somebody finds them.
        """
        start = None if after is None else {"place": {"S": walk.place}, "entry": {"S": after}}
        page = self._row._get_connection().query(  # noqa: SLF001 - pynamodb's own would go on by itself
            walk.place,
            range_key_condition=IndexRow.entry.between(walk.first, walk.behind),
            consistent_read=True,
            exclusive_start_key=start,
            limit=limit,
            scan_index_forward=not walk.backwards,
        )
        entries = [
            Entry(walk.place, item["entry"]["S"], item["words"]["S"] if "words" in item else None)
            for item in page["Items"]
        ]
        last = page.get("LastEvaluatedKey")
        return [entry for entry in entries if walk.keeps(entry)], None if last is None else last["entry"]["S"]


def entries_of_all(stored: Iterable[Stored]) -> set[Entry]:
    """The rows of several customers."""
    return {entry for each in stored for entry in entries_of(*each)}
