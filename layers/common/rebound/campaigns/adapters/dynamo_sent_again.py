"""Whom campaigns were sent to again, in the Directory table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import convert, to_builtins

from rebound.campaigns.domain.sent_again import KEPT, Copy, SentAgain
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import DirectoryRow, as_read, expiry, lost_races


class DynamoSentAgain(Directory):
    """Implements ``SentAgainBook``: a row for each campaign that was sent again to somebody."""

    kind = "sent-again"

    def get(self, business_id: str, campaign_id: str) -> SentAgain:
        try:
            row = self.row.get(business_id, self.entry(campaign_id), consistent_read=True)
        except self.row.DoesNotExist:
            return SentAgain(business_id, campaign_id)
        copies = convert(row.document["copies"], tuple[Copy, ...])
        return SentAgain(business_id, campaign_id, copies, int(row.version))

    def replace(self, sent: SentAgain) -> None:
        document: dict[str, Any] = {"copies": to_builtins(sent.copies)}
        row = self.row(
            sent.business_id,
            self.entry(sent.campaign_id),
            document=document,
            version=sent.version + 1,
            expires_at=expiry(datetime.now(UTC), KEPT),
        )
        with lost_races():
            row.save(condition=as_read(DirectoryRow, sent.version))
