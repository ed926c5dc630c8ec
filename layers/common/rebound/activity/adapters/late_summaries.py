"""Summaries for who may ask about customers and mostly does not: what reads them is loaded at the first question."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rebound.activity.domain.summary import Summary
    from rebound.activity.domain.words import Placed
    from rebound.activity.ports import SummaryBook


class LateSummaryBook:
    """Implements ``SummaryBook``: every campaign's sender is made with it, and few filters ask what customers did."""

    def __init__(self, table_name: str) -> None:
        self._table_name = table_name

    def get_many(self, business_id: str, customer_ids: Collection[str]) -> Mapping[str, Summary]:
        return self._book.get_many(business_id, customer_ids)

    def at_location(self, business_id: str, location_id: str, after: str | None, limit: int) -> Sequence[Placed]:
        return self._book.at_location(business_id, location_id, after, limit)

    def locations(self, business_id: str) -> Sequence[str]:
        return self._book.locations(business_id)

    @cached_property
    def _book(self) -> SummaryBook:
        from rebound.activity.adapters.dynamo_summaries import DynamoSummaryBook  # noqa: PLC0415 - see above

        return DynamoSummaryBook(self._table_name)
