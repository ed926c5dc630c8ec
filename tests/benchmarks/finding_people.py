"""What a page of 50 customers costs, found by the index, at 1,000, 100,000 and 1,000,000: requests and read units.

The product's own code over rows in this process: of the index only those partitions that the questions walk through, as
all rows of a million customers are eight million. Bytes are counted as DynamoDB counts them, in pages of a megabyte,
strongly consistent. Contacts and settings are counted as what the list reads of them: two rows a customer, and one.
At the smallest size the API itself is asked the same, and must have taken as much.
"""

import sys
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from math import ceil
from typing import Any, Final

from rebound.contacts.domain.contacts import Contact
from rebound.customers.adapters.finding import Finding, Stored
from rebound.customers.adapters.index_entries import Entry, Walk, entries_of, walk_of
from rebound.customers.application.finding import read_typed
from rebound.customers.domain import Customer, Question
from tests.benchmarks.__main__ import main
from tests.benchmarks.deployment import deployment
from tests.benchmarks.light_calls import light_calls
from tests.benchmarks.made_rows import number_of
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, NOON, id_of

SIZES: Final = (1_000, 100_000, 1_000_000)
QUICK: Final = {"sizes": (200, 2_000)}
LIMIT: Final = 50
MOST_REQUESTS: Final = 6
FLAT: Final = 0.05
"""How far the read units of a full page may be apart at any two sizes."""
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
QUESTIONS: Final[Mapping[str, tuple[str, Question]]] = {
    "failed": ("failed=any", Question(failed="any")),
    "one word": ("q=maria", Question(typed=read_typed("maria"))),
    "two common words": ("q=maria%20s", Question(typed=read_typed("maria s"))),
    "two words seldom together": ("q=garcia%20wei", Question(typed=read_typed("garcia wei"))),
    "a number": ("q=(415)%20500-0007", Question(typed=read_typed("(415) 500-0007"))),
    "an email": ("q=c7@example.com", Question(typed=read_typed("c7@example.com"))),
    "by name": ("sort=name", Question(sort="name")),
    "by creation, the newest first": ("sort=created&order=desc", Question(sort="created", descending=True)),
}
"""What clients ask, and as the product reads it."""


def customer(n: int, business_id: str = BUSINESS_ID) -> Customer:
    """Names of a few common ones and many rare ones; of one pair of common names only some in a hundred thousand."""
    first, last = FIRST[n % 12], LAST[n // 12 % 12]
    if (first, last) == ("Wei", "García") and n % 97:
        last = "Wang"
    if n % 5 == 4:
        last = f"N{n * 7919 % 100_003}"
    return Customer(
        business_id=business_id,
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
        places = {walk.place for _, each in QUESTIONS.values() if (walk := walk_of(BUSINESS_ID, each))}
        self.rows: dict[str, list[str]] = defaultdict(list)
        self.count = count
        self.written = 0
        for n in range(count):
            for entry in entries_of(customer(n), None):
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
        known = ((customer_id, number_of(customer_id)) for _, customer_id in keys)
        return {customer_id: (customer(n), None) for customer_id, n in known if n < self.count}


def measured(size: int) -> Mapping[str, Any]:
    """Each question's first page."""
    rows = CountedRows(size)
    costs: dict[str, Any] = {}
    for name, (_, question) in QUESTIONS.items():
        rows.requests, rows.units = 0, 0.0
        page = Finding(rows, rows.read, BUSINESS_ID, question).page(LIMIT, None, None)
        contacts = 2 * len(page.items)
        costs[name] = {
            "items": len(page.items),
            "requests": rows.requests + ceil(contacts / 100) + 1,
            "read_units": rows.units + contacts + 1,
            "has_more": page.next_cursor is not None,
        }
    return {"rows_of_the_index": rows.written / size, "pages": costs}


def asked(size: int) -> Mapping[str, Any]:
    """The same of the API, over tables in which the product has written the customers; without its authorizer."""
    costs: dict[str, Any] = {}
    with deployment() as deployed, light_calls(deployed.cloud):
        deployed.open_business()
        for n in range(size):
            who = customer(n, deployed.business_id)
            contacts = [Contact(key, customer_ids=frozenset({who.customer_id})) for key in who.contact_keys]
            house.ports().customers.save([who], contacts)
        for name, (query, _) in QUESTIONS.items():
            deployed.forget_usage()
            page = deployed.api("GET", f"/v1/customers?{query}&limit={LIMIT}")
            before, units = deployed.authorized
            calls = deployed.cloud.calls - before
            costs[name] = {
                "items": len(page["items"]),
                "requests": sum(number for call, number in calls.items() if call.startswith("dynamodb:")),
                "read_units": sum(deployed.cloud.tables.reads.values()) - units,
                "has_more": page["next_cursor"] is not None,
            }
    return costs


def run(sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """Each question's first page at each size, and whether it takes as much everywhere."""
    found = {f"{size:,}": measured(size) for size in sizes}
    pages = {name: [each["pages"][name] for each in found.values()] for name in QUESTIONS}
    full = {name: [one["read_units"] for one in ones if one["items"] == LIMIT] for name, ones in pages.items()}
    by_api = asked(min(sizes))
    return {
        "sizes": found,
        "by_the_api": by_api,
        "short": {
            f"{name}: requests, units at {', '.join(found)}": ", ".join(
                f"{one['requests']}, {one['read_units']:g}" for one in ones
            )
            for name, ones in pages.items()
        },
        "bars": {
            f"at most {MOST_REQUESTS} requests": max(one["requests"] for ones in pages.values() for one in ones)
            <= MOST_REQUESTS,
            f"units of a full page flat within {FLAT:.0%}": all(
                max(units) <= min(units) * (1 + FLAT) for units in full.values() if units
            ),
            "the API takes as much": by_api == found[f"{min(sizes):,}"]["pages"],
        },
    }


if __name__ == "__main__":
    sys.exit(main("finding_people"))
