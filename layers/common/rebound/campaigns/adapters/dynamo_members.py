"""In the Chunks table, whom the occurrences of recurring campaigns go to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from rebound.campaigns.adapters.rows import MemberRow
from rebound.campaigns.domain.chunks import MembersPart
from rebound.platform.adapters.dynamo import bind, expiry

if TYPE_CHECKING:
    from pynamodb.transactions import TransactWrite

KEPT: Final = timedelta(days=400)
"""As long as its messages: a run that stood still may be begun again."""
_MEMBER: Final = "member#"


class DynamoMemberList:
    """Implements ``MemberList`` and ``MemberTransactions``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(MemberRow, table_name)

    def parts(self, campaign_id: str, after: str | None, limit: int) -> Sequence[MembersPart]:
        start: dict[str, Any] | None = None
        if after is not None:
            start = {"campaign_id": {"S": campaign_id}, "chunk": {"S": f"{_MEMBER}{after}"}}
        found = self._row.query(
            campaign_id,
            MemberRow.chunk.startswith(_MEMBER),
            limit=limit,
            page_size=limit,
            last_evaluated_key=start,
            consistent_read=True,
        )
        return [MembersPart(row.chunk.removeprefix(_MEMBER), tuple(row.customer_ids)) for row in found]

    def add_within(self, writes: TransactWrite, campaign_id: str, part: MembersPart) -> None:
        """Write a part as a piece of a larger transaction."""
        name = f"{_MEMBER}{part.name}"
        ids = list(part.customer_ids)
        writes.save(self._row(campaign_id, name, customer_ids=ids, expires_at=expiry(datetime.now(UTC), KEPT)))
