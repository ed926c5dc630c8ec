"""Exact counts of what became of a campaign's messages, from the change stream of the message log.

Counting on the stream costs the hot path nothing. Each shard of the stream is in order and is delivered at least once;
the position of the last change counted is written together with the counts, so no change counts twice and none is left
out, whatever is delivered again.

Who counts is also the first to know when a campaign goes wrong, and calls the breaker.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.messages.domain.labels import counts_for_breaker

if TYPE_CHECKING:
    from rebound.campaigns.application.trip_breaker import TripBreaker
    from rebound.campaigns.ports import TallyBook
    from rebound.messages.domain.message_records import StatusChange


class CountResults(Struct, frozen=True, kw_only=True):
    """Counts one batch of one shard."""

    tallies: TallyBook
    breaker: TripBreaker

    def __call__(self, shard: str, changes: Iterable[StatusChange]) -> None:
        """Add what has not been counted yet. Raises ``ConcurrentChangeError`` when it is being counted elsewhere."""
        by_campaign: defaultdict[tuple[str, str], list[StatusChange]] = defaultdict(list)
        for change in changes:
            by_campaign[change.business_id, change.campaign_id].append(change)
        for (business_id, campaign_id), moved in by_campaign.items():
            self._count(shard, campaign_id, moved)
            # Also for what was counted before: whoever counted it may have died before the breaker looked.
            if any(counts_for_breaker(label) for change in moved for label in change.after - change.before):
                self.breaker.judge(business_id, campaign_id)

    def _count(self, shard: str, campaign_id: str, moved: Sequence[StatusChange]) -> None:
        position = self.tallies.position(campaign_id, shard)
        fresh = [change for change in moved if position is None or int(change.position) > int(position)]
        if not fresh:
            return
        counts: Counter[str] = Counter()
        for change in fresh:
            counts.update(change.after)
            counts.subtract(change.before)
        self.tallies.add(
            campaign_id,
            shard,
            {label: count for label, count in counts.items() if count},
            after=position,
            position=fresh[-1].position,
        )
