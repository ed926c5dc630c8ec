"""Exact counts of what became of a campaign's messages, from the change stream of the message log.

Counting on the stream costs the hot path nothing. Each shard of the stream is in order and is delivered at least once;
the position of the last change counted is written together with the counts, so no change counts twice and none is left
out, whatever is delivered again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from rebound.application.ports import StatusChange, TallyBook
from rebound.domain.messages import MessageStatus

NOT_COUNTED: Final = frozenset({MessageStatus.QUEUED, MessageStatus.SENDING})
"""Not handed over: what is targeted and not counted is queued."""


class CountResults:
    """Counts one batch of one shard."""

    def __init__(self, tallies: TallyBook) -> None:
        self._tallies = tallies

    def __call__(self, shard: str, changes: Iterable[StatusChange]) -> None:
        """Add what has not been counted yet. Raises ``ConcurrentChangeError`` when it is being counted elsewhere."""
        by_campaign: defaultdict[str, list[StatusChange]] = defaultdict(list)
        for change in changes:
            by_campaign[change.campaign_id].append(change)
        for campaign_id, moved in by_campaign.items():
            position = self._tallies.position(campaign_id, shard)
            fresh = [change for change in moved if position is None or int(change.position) > int(position)]
            if not fresh:
                continue
            counts: Counter[str] = Counter()
            for change in fresh:
                counts.update(_deltas(change))
            self._tallies.add(
                campaign_id,
                shard,
                {label: count for label, count in counts.items() if count},
                after=position,
                position=fresh[-1].position,
            )


def _deltas(change: StatusChange) -> Counter[str]:
    deltas: Counter[str] = Counter()
    if change.before == change.after:
        return deltas
    if change.before is not None and change.before not in NOT_COUNTED:
        deltas[change.before] -= 1
    if change.after not in NOT_COUNTED:
        excluded = change.after is MessageStatus.EXCLUDED
        deltas[f"excluded:{change.reason}" if excluded else change.after] += 1
    return deltas
