"""Tags that customers were given, as the change stream of the Customers table tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rebound.customers.adapters.customer_book import NOBODYS, CustomerRow, read_customer
from rebound.customers.application.tagging import TagsGiven, new_among


def tags_given_of(records: Iterable[Mapping[str, Any]]) -> Iterator[TagsGiven]:
    """What the records say; nothing for a change that gave nobody a tag."""
    for record in records:
        change = record["dynamodb"]
        new, old = change.get("NewImage"), change.get("OldImage")
        if not new or "tagged_by" not in new:
            continue
        row = CustomerRow.from_raw_data(dict(new))
        after = read_customer(row)
        had = read_customer(CustomerRow.from_raw_data(dict(old))).general_tags if old else ()
        tags = new_among(after.general_tags, had)
        if tags:
            by = () if row.tagged_by == NOBODYS else tuple(row.tagged_by.split())
            who = {"business_id": after.business_id, "customer_id": after.customer_id}
            yield TagsGiven(**who, tags=tags, at=after.updated_at, had=tuple(had), by=by)
