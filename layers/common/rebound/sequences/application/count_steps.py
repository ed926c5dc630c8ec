"""Counting by step, on the stream of enrolments.

As campaigns' results are counted (``campaigns.application.count_results``): whoever goes on pays nothing for it, no
change counts twice and none is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from rebound.sequences.domain.results import CountedChange
    from rebound.sequences.ports import StepTallies


class CountSteps(Struct, frozen=True, kw_only=True):
    """Counts one batch of one shard."""

    step_tallies: StepTallies

    def __call__(self, shard: str, changes: Iterable[CountedChange]) -> None:
        """Add what has not been counted yet. Raises ``ConcurrentChangeError`` when it is being counted elsewhere."""
        by_sequence: dict[tuple[str, str], list[CountedChange]] = {}
        for change in changes:
            by_sequence.setdefault((change.business_id, change.uid), []).append(change)
        for (business_id, uid), moved in by_sequence.items():
            self._count(business_id, uid, shard, moved)

    def _count(self, business_id: str, uid: str, shard: str, moved: Sequence[CountedChange]) -> None:
        position = self.step_tallies.position(business_id, uid, shard)
        fresh = [change for change in moved if position is None or int(change.position) > int(position)]
        if not fresh:
            return
        counts: Counter[str] = Counter()
        for change in fresh:
            counts.update(change.counts)
        self.step_tallies.add(business_id, uid, shard, counts, after=position, position=fresh[-1].position)
