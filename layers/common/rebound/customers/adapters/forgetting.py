"""Customers who come and go: what the change stream tells of them, and those who went and of whom something is left."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from rebound.customers.adapters.customer_book import CustomerRow, read_customer, row_of
from rebound.customers.domain import Customer
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import bind, expiry

UNFORGOTTEN: Final = "unforgotten"
"""Partition key of the customers of whom not everything is erased yet; who erases may write to this one."""
UNFORGOTTEN_KEPT: Final = timedelta(days=30)
"""Longer than a message waits on the queue and then in the dead letters."""


class DynamoUnforgottenCustomers(Directory):
    """Implements ``UnforgottenCustomers``; the document is the row as it was."""

    kind = "customer"

    def __init__(self, table_name: str, customers_table_name: str) -> None:
        super().__init__(table_name)
        self._customer_row = bind(CustomerRow, customers_table_name)

    def keep(self, customer: Customer) -> None:
        document = row_of(self._customer_row, customer, customer.version).serialize()
        expires_at = expiry(datetime.now(UTC), UNFORGOTTEN_KEPT)
        self.put_document(UNFORGOTTEN, _whose(customer), document, expires_at=expires_at)

    def find(self, business_id: str, customer_id: str) -> Customer | None:
        document = self.get_document(UNFORGOTTEN, f"{business_id}#{customer_id}")
        return None if document is None else read_customer(self._customer_row.from_raw_data(dict(document)))

    def remove(self, customer: Customer) -> None:
        self.row(UNFORGOTTEN, self.entry(_whose(customer))).delete()


def _whose(customer: Customer) -> str:
    return f"{customer.business_id}#{customer.customer_id}"


class SqsForgetQueue:
    """Implements ``ForgetQueue`` on the queue that copyings of flags use too: whoever reads it tells them apart."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, business_id: str, customer_id: str) -> None:
        body = json.dumps({"business_id": business_id, "customer_id": customer_id})
        self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)


def decode_forgetting(body: str) -> tuple[str, str] | None:
    """Business and customer of a message of the queue; ``None`` for one that is about something else."""
    given = json.loads(body)
    return (given["business_id"], given["customer_id"]) if "customer_id" in given else None


def deleted_customer_of(record: Mapping[str, Any]) -> Customer | None:
    """The customer whose row went, as a record of the table's change stream reports it; ``None`` for another change."""
    change = record["dynamodb"]
    before = change.get("OldImage")
    return None if change.get("NewImage") or not before else read_customer(CustomerRow.from_raw_data(dict(before)))


def new_customer_of(record: Mapping[str, Any]) -> Customer | None:
    """The customer whose row came, likewise; ``None`` for another change."""
    change = record["dynamodb"]
    after = change.get("NewImage")
    return None if change.get("OldImage") or not after else read_customer(CustomerRow.from_raw_data(dict(after)))
