"""In the Chunks table, who gets a campaign's message at an address that customers share."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from rebound.campaigns.adapters.dynamo_campaigns import KEPT
from rebound.campaigns.adapters.rows import SharedAddressRow
from rebound.campaigns.domain.addresses import SharedAddress
from rebound.campaigns.domain.chunks import ChunkKey
from rebound.kernel.errors import ConcurrentChangeError
from rebound.platform.adapters.dynamo import bind, expiry, lost_races

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition
    from pynamodb.expressions.update import Action

_ADDRESS: Final = "address#"


class DynamoSharedAddressLedger:
    """Implements ``SharedAddressLedger``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(SharedAddressRow, table_name)

    def claim(self, campaign_id: str, digest: str, customer_id: str) -> bool:
        winner = SharedAddressRow.winner
        try:
            with lost_races():
                self._at(campaign_id, digest).update(
                    actions=[winner.set(customer_id), SharedAddressRow.expires_at.set(self._expiry())],
                    condition=winner.does_not_exist() | (winner == customer_id),
                )
        except ConcurrentChangeError:
            return False
        return True

    def make_way(self, chunk: ChunkKey, digest: str, customer_id: str) -> None:
        self._at(chunk.campaign_id, digest).update(
            actions=[
                SharedAddressRow.made_way.add({f"{customer_id} {chunk.chunk}"}),
                SharedAddressRow.expires_at.set(self._expiry()),
            ]
        )

    def contested(self, campaign_id: str) -> Sequence[SharedAddress]:
        rows = self._row.query(
            campaign_id,
            SharedAddressRow.chunk.startswith(_ADDRESS),
            filter_condition=SharedAddressRow.made_way.exists(),
            consistent_read=True,
        )
        return [
            SharedAddress(
                row.campaign_id,
                row.chunk.removeprefix(_ADDRESS),
                row.winner,
                dict(text.split(" ") for text in sorted(row.made_way)),
                row.recalled,
            )
            for row in rows
        ]

    def replace(self, before: SharedAddress, after: SharedAddress) -> None:
        actions: list[Action] = []
        condition: Condition | None = None
        for attribute, was, is_now in (
            (SharedAddressRow.winner, before.winner, after.winner),
            (SharedAddressRow.recalled, before.recalled, after.recalled),
        ):
            as_it_was = attribute.does_not_exist() if was is None else attribute == was
            condition = as_it_was if condition is None else condition & as_it_was
            if was != is_now:
                actions.append(attribute.remove() if is_now is None else attribute.set(is_now))
        gone = {f"{id_} {chunk}" for id_, chunk in before.made_way.items() if id_ not in after.made_way}
        if gone:
            actions.append(SharedAddressRow.made_way.delete(gone))
        if actions:
            with lost_races():
                self._at(before.campaign_id, before.digest).update(actions=actions, condition=condition)

    def _at(self, campaign_id: str, digest: str) -> SharedAddressRow:
        return self._row(campaign_id, f"{_ADDRESS}{digest}")

    @staticmethod
    def _expiry() -> int:
        return expiry(datetime.now(UTC), KEPT)
