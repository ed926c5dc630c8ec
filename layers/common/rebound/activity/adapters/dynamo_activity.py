"""Events and summaries in the Activity table, each written by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from rebound.activity.adapters.packed import pack
from rebound.activity.adapters.rows import SUMMARY, SummaryRow, owner_of
from rebound.platform.adapters.dynamo import as_read, bind, expiry, lost_races, next_version

if TYPE_CHECKING:
    from rebound.activity.domain.summary import Summary

LEFTOVERS_KEPT: Final = timedelta(days=60)
"""What says that something is gone is kept for longer than a word of before may wait on a queue."""


class DynamoActivityBook:
    """Implements ``ActivityBook``."""

    def __init__(self, table_name: str) -> None:
        self._summary = bind(SummaryRow, table_name)

    def save_summary(
        self, business_id: str, customer_id: str, summary: Summary | None, *, read: int, erased: str | None = None
    ) -> None:
        row = self._summary(
            owner_of(business_id, customer_id),
            SUMMARY,
            packed=None if summary is None else pack(summary),
            erased=erased,
            version=next_version(read),
            expires_at=expiry(datetime.now(UTC), LEFTOVERS_KEPT) if summary is None else None,
        )
        with lost_races():
            row.save(condition=as_read(SummaryRow, read))
