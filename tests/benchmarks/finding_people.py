"""What a page of 50 customers costs, found by the index, at 1,000, 100,000 and 1,000,000: requests and read units.

The product's own code over rows in this process: of the index only those partitions that the questions walk through, as
all rows of a million customers are eight million. Bytes are counted as DynamoDB counts them, in pages of a megabyte,
strongly consistent. Contacts and settings are counted as what the list reads of them: two rows a customer, and one.
"""

import json
import sys
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from math import ceil
from typing import Any, Final

from rebound.customers.adapters.finding import Finding, Stored
from rebound.customers.adapters.index_entries import Entry, Walk, entries_of, walk_of
from rebound.customers.application.finding import read_typed
from rebound.customers.domain import Customer, Question
from tests.fakes.making import BUSINESS_ID, NOON, id_of

SIZES: Final = (1_000, 100_000, 1_000_000)
LIMIT: Final = 50
MOST_BYTES: Final = 1 << 20
UNIT: Final = 4096
FIRST: Final = ("Maria", "Ana", "José", "João", "Wei", "Emma", "Liam", "Søren", "Fatima", "Mohammed", "Zoë", "Li")
LAST: Final = (
    "García",
    "Silva",
    "Smith",
    "Müller",
    "Wang",
    "Nguyễn",
    "O'Brien",
    "Santos",
    "López",
    "Kim",
    "Li",
    "Sato",
)
QUESTIONS: Final[Mapping[str, Question]] = {
    "failed": Question(failed="any"),
    "one word": Question(typed=read_typed("maria")),
    "two common words": Question(typed=read_typed("maria s")),
    "two words seldom together": Question(typed=read_typed("garcia wei")),
    "a number": Question(typed=read_typed("(415) 500-0007")),
    "an email": Question(typed=read_typed("c7@example.com")),
    "by name": Question(sort="name"),
    "by creation, the newest first": Question(sort="created", descending=True),
}


def customers(count: int) -> Iterator[Customer]:
    """Names of a few common ones and many rare ones; of one pair of common names only some in a hundred thousand."""
    for n in range(count):
        first, last = FIRST[n % 12], LAST[n // 12 % 12]
        if (first, last) == ("Wei", "García") and n % 97:
            last = "Wang"
        if n % 5 == 4:
            last = f"N{n * 7919 % 100_003}"
        yield Customer(
            business_id=BUSINESS_ID,
            customer_id=id_of(n),
            first_name=first,
            last_name=last,
            email=f"c{n}@example.com",
            mobile_phone=f"+1415{5_000_000 + n}",
            failed_email=n % 50 == 0,
            created_at=NOON + timedelta(seconds=n),
            updated_at=NOON + timedelta(seconds=n),
        )


class CountedRows:
    """The walked partitions of the index, and what reading them takes."""

    def __init__(self, count: int) -> None:
        places = {walk.place for each in QUESTIONS.values() if (walk := walk_of(BUSINESS_ID, each))}
        self.rows: dict[str, list[str]] = defaultdict(list)
        self.count = count
        self.written = 0
        for customer in customers(count):
            for entry in entries_of(customer, None):
                self.written += 1
                if entry.place in places:
                    self.rows[entry.place].append(entry.entry)
        for each in self.rows.values():
            each.sort()
        self.requests = 0
        self.units = 0.0

    def walk(self, walk: Walk, after: str | None, limit: int | None) -> tuple[Sequence[Entry], str | None]:
        rows = self.rows[walk.place]
        low, high = bisect_left(rows, walk.first), bisect_right(rows, walk.behind)
        if after is not None:
            low, high = (low, bisect_left(rows, after)) if walk.backwards else (bisect_right(rows, after), high)
        found: list[str] = []
        size = 0
        order = range(high - 1, low - 1, -1) if walk.backwards else range(low, high)
        for index in order:
            if len(found) == limit or size > MOST_BYTES:
                break
            found.append(rows[index])
            size += len(walk.place) + len(rows[index].encode()) + len("placeentry")
        self.requests += 1
        self.units += max(1, ceil(size / UNIT))
        entries = [Entry(walk.place, entry) for entry in found]
        more = found[-1] if len(found) < len(order) else None
        return [entry for entry in entries if walk.keeps(entry)], more

    def remove(self, entries: Collection[Entry]) -> None:
        raise AssertionError(entries)

    def read(self, keys: Collection[tuple[str, str]]) -> Mapping[str, Stored]:
        self.requests += ceil(len(keys) / 100)
        self.units += len(keys)
        return {customer_id: (self.known[customer_id], None) for _, customer_id in keys if customer_id in self.known}

    @property
    def known(self) -> Mapping[str, Customer]:
        if not hasattr(self, "_known"):
            self._known = {each.customer_id: each for each in customers(self.count)}
        return self._known


def measured(size: int) -> Mapping[str, Any]:
    """Each question's first page."""
    rows = CountedRows(size)
    costs: dict[str, Any] = {}
    for name, question in QUESTIONS.items():
        rows.requests, rows.units = 0, 0.0
        page = Finding(rows, rows.read, BUSINESS_ID, question).page(LIMIT, None, None)
        contacts = 2 * len(page.items)
        costs[name] = {
            "items": len(page.items),
            "requests": rows.requests + ceil(contacts / 100) + 1,
            "read_units": rows.units + contacts + 1,
            "has_more": page.next_cursor is not None,
        }
    return {"customers": size, "rows_of_the_index": rows.written / size, "pages": costs}


if __name__ == "__main__":
    for given in map(int, sys.argv[1:] or map(str, SIZES)):
        sys.stdout.write(json.dumps(measured(given), indent=1) + "\n")
