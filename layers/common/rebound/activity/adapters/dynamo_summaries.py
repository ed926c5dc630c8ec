"""Summaries for who asks about customers: one small item each."""

from collections.abc import Collection, Mapping, Sequence

from rebound.activity.adapters.packed import unpack
from rebound.activity.adapters.rows import (
    SUMMARY,
    LocationRow,
    PlacedRow,
    SummaryRow,
    at_location,
    locations_of,
    owner_of,
)
from rebound.activity.domain.summary import Summary
from rebound.activity.domain.words import Placed
from rebound.activity.ports import MOST_LOCATIONS
from rebound.platform.adapters.dynamo import bind


class DynamoSummaryBook:
    """Implements ``SummaryBook``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(SummaryRow, table_name)
        self._placed = bind(PlacedRow, table_name)
        self._location = bind(LocationRow, table_name)

    def get_many(self, business_id: str, customer_ids: Collection[str]) -> Mapping[str, Summary]:
        found = dict.fromkeys(customer_ids, Summary.empty())
        keys = [(owner_of(business_id, customer_id), SUMMARY) for customer_id in found]
        for row in self._row.batch_get(keys) if keys else ():
            if row.packed is not None:
                found[row.owner.rpartition("#")[2]] = unpack(row.packed)
        return found

    def at_location(self, business_id: str, location_id: str, after: str | None, limit: int) -> Sequence[Placed]:
        behind = None if after is None else PlacedRow.entry_id > after
        rows = self._placed.query(at_location(business_id, location_id), behind, limit=limit, page_size=limit)
        return [Placed(row.entry_id, row.until) for row in rows]

    def locations(self, business_id: str) -> Sequence[str]:
        rows = self._location.query(locations_of(business_id), limit=MOST_LOCATIONS, page_size=MOST_LOCATIONS)
        return [row.entry_id for row in rows]
