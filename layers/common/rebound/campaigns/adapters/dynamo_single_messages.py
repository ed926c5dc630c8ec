"""Counting the carriers of single messages in the Campaigns table."""

from __future__ import annotations

from datetime import datetime

from rebound.campaigns.adapters.rows import CampaignRow
from rebound.campaigns.domain.campaigns import SINGLE, single_id
from rebound.kernel.ids import behind_all_of
from rebound.platform.adapters.dynamo import bind


class DynamoSingleMessages:
    """Implements ``SingleMessages``. A carrier's id ends with that of its message, which begins with the time."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(CampaignRow, table_name)

    def count_since(self, business_id: str, since: datetime, most: int) -> int:
        within = CampaignRow.campaign_id.between(single_id(behind_all_of(since)), f"{SINGLE}~")
        return min(self._row.count(business_id, within, limit=most), most)
