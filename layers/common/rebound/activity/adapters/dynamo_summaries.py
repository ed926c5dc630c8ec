"""Summaries for who asks about customers: one small item each."""

from collections.abc import Collection, Mapping

from rebound.activity.adapters.packed import unpack
from rebound.activity.adapters.rows import SUMMARY, SummaryRow, owner_of
from rebound.activity.domain.summary import Summary
from rebound.platform.adapters.dynamo import bind


class DynamoSummaryBook:
    """Implements ``SummaryBook``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(SummaryRow, table_name)

    def get_many(self, business_id: str, customer_ids: Collection[str]) -> Mapping[str, Summary]:
        found = dict.fromkeys(customer_ids, Summary.empty())
        keys = [(owner_of(business_id, customer_id), SUMMARY) for customer_id in found]
        for row in self._row.batch_get(keys) if keys else ():
            if row.packed is not None:
                found[row.owner.rpartition("#")[2]] = unpack(row.packed)
        return found
