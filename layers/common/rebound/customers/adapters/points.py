"""Bookings of points, in the Directory table, each written with the balance on the customer's row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rebound.customers.adapters.customer_book import CustomerRow
from rebound.customers.domain import Customer, PointsBooked
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    DirectoryRow,
    as_read,
    bind,
    next_version,
    read_instant,
    transaction,
    write_instant,
)

POINTS: Final = "points#"
"""How the partition keys of bookings begin, which go on with business and customer; who erases may write to these."""
_FIRST: Final = "0"
_LAST: Final = "~"


class DynamoPointsLedger(Directory):
    """Implements ``PointsLedger``."""

    kind = "booking"

    def __init__(self, table_name: str, customers_table_name: str) -> None:
        super().__init__(table_name)
        self._customer = bind(CustomerRow, customers_table_name)

    def book(self, customer: Customer, booked: PointsBooked) -> None:
        document = {
            "at": write_instant(booked.at),
            "delta": booked.delta,
            "reason": booked.reason,
            "who": booked.who,
            "balance": booked.balance,
        }
        owner = _owner(customer.business_id, customer.customer_id)
        booking = self.row(owner, self.entry(booked.booking_id), document=document)
        row = self._customer(customer.business_id, customer.customer_id)
        with transaction(self.row) as writes:
            writes.save(booking, condition=DirectoryRow.entry_id.does_not_exist())
            writes.update(
                row,
                actions=[
                    CustomerRow.points_balance.set(booked.balance),
                    CustomerRow.version.set(next_version(customer.version)),
                ],
                condition=as_read(CustomerRow, customer.version),
            )

    def find(self, business_id: str, customer_id: str, booking_id: str) -> PointsBooked | None:
        document = self.get_document(_owner(business_id, customer_id), booking_id)
        return None if document is None else _booked(booking_id, document)

    def before(self, business_id: str, customer_id: str, before: str | None, limit: int) -> Sequence[PointsBooked]:
        last = self.entry(_LAST if before is None else before)
        rows = self.row.query(
            _owner(business_id, customer_id),
            DirectoryRow.entry_id.between(self.entry(_FIRST), last),
            scan_index_forward=False,
            limit=limit + 1,
            page_size=limit + 1,
            consistent_read=True,
        )
        found = [_booked(row.entry_id.split("#", 1)[1], row.document) for row in rows]
        return [booked for booked in found if before is None or booked.booking_id < before][:limit]

    def forget(self, business_id: str, customer_id: str) -> None:
        for row in self.all_rows(_owner(business_id, customer_id)):
            row.delete()


def _owner(business_id: str, customer_id: str) -> str:
    return f"{POINTS}{business_id}#{customer_id}"


def _booked(booking_id: str, document: Mapping[str, Any]) -> PointsBooked:
    return PointsBooked(
        booking_id,
        read_instant(document["at"]),
        int(document["delta"]),
        document["reason"],
        document["who"],
        int(document["balance"]),
    )
