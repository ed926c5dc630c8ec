"""Customers by the million without keeping them: rows that are made when they are read.

A made row is what the product writes for the customer with a number, which its key tells; nothing of it is kept, so
that only the order of the keys takes memory; but what is written is kept, and stands in the place of what would be
made. ``tests/unit/benchmarks/test_made_rows.py`` compares made rows with those that the product wrote.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from msgspec.json import decode, encode

from rebound.contacts.adapters.dynamo_contacts import _contact_row
from rebound.contacts.adapters.rows import ContactRow
from rebound.contacts.domain.contacts import Contact
from rebound.customers.adapters.customer_book import NOBODYS, CustomerRow, row_of
from rebound.customers.domain import Customer
from rebound.kernel.channels import ContactKey
from rebound.platform.adapters.dynamo import Model
from tests.benchmarks.capacity import item_size
from tests.benchmarks.tables import Bounds, Row, Table, Tables
from tests.fakes.making import id_of

VERSION: Final = 1_795_168_801_357
"""Versions of rows are milliseconds; zeros at the end would count less."""
_BACK: Final = pow(int(id_of(1), 16), -1, 1 << 128)

type Make = Callable[[tuple[str, str]], Row | None]


class MadeTable(Table):
    """A table whose rows are made of their keys; a query finds those whose keys it has ``order`` for."""

    def __init__(self, table: Table, make: Make, order: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(table.name, table.keys, streams=table.streams)
        self._make = make
        self._order.update(order or {})

    def get(self, key: tuple[str, str]) -> Row | None:
        return super().get(key) or self._make(key)

    def between(self, partition: str, bounds: Bounds, *, forward: bool) -> Iterator[tuple[str, Row]]:
        order = self._order.get(partition, [])
        start, end = bounds.places(order)
        for place in range(start, end) if forward else range(end - 1, start - 1, -1):
            row = self.get((partition, order[place]))
            if row is not None:
                yield order[place], row

    def put(self, key: tuple[str, str], row: Row) -> None:
        if self._make(key) is None:
            super().put(key, row)
        else:
            self._rows.setdefault(key[0], {})[key[1]] = row

    def remove(self, key: tuple[str, str]) -> None:
        if self._make(key) is not None:
            raise AssertionError(f"{self.name} would make again what is removed: {key}")
        super().remove(key)


class Pattern:
    """Rows that differ in some texts only, made of one of them: faster than the product makes a row."""

    def __init__(self, row: Row, texts: Sequence[str]) -> None:
        """``texts`` are those of the row that others have others for; each is there once at least."""
        found = re.compile("|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True)))
        written = row.written.decode()
        self._places = [texts.index(text) for text in found.findall(written)]
        self._pieces = "%s".join(piece.replace("%", "%%") for piece in found.split(written))
        self._size = row.size - sum(len(texts[place]) for place in self._places)

    def filled(self, texts: Sequence[str]) -> Row:
        """The row with other texts, all of them ASCII."""
        own = [texts[place] for place in self._places]
        return Row((self._pieces % tuple(own)).encode(), self._size + sum(map(len, own)))


def number_of(customer_id: str) -> int:
    """The number whose id it is."""
    return int(customer_id, 16) * _BACK % (1 << 128)


def written(row: Model) -> Row:
    """A row as the table has it."""
    item = decode(encode(row.serialize(null_check=False)))
    return Row(encode(item), item_size(item))


def customer_row(customer: Customer) -> Row:
    """The row of a new customer."""
    row = row_of(CustomerRow, customer, VERSION)
    if customer.general_tags:
        # They were new once.
        row.tagged_by = NOBODYS
    return written(row)


def contact_row(key: ContactKey, customer: Customer) -> Row:
    """The row of an address that one new customer has."""
    return written(_contact_row(ContactRow, Contact(key, customer_ids=frozenset({customer.customer_id}))))


def put_customers(
    tables: Tables,
    business_id: str,
    numbers: range,
    customer: Callable[[int], Row],
    contact: Callable[[str], Row | None],
) -> None:
    """Let a business have the customers with these numbers, and the contacts at whatever addresses are asked for."""

    def made(key: tuple[str, str]) -> Row | None:
        number = number_of(key[1])
        return customer(number) if key[0] == business_id and number in numbers else None

    order = {business_id: sorted(map(id_of, numbers))}
    tables.by_name["CustomersTable"] = MadeTable(tables.by_name["CustomersTable"], made, order)
    tables.by_name["ContactsTable"] = MadeTable(tables.by_name["ContactsTable"], lambda key: contact(key[0]))
