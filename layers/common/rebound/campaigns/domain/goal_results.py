"""Who reached a campaign's goal, of those who got it, of each variant and of those who were held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from rebound.campaigns.domain.campaigns import ENDED, Campaign
from rebound.campaigns.domain.differences import Difference, Share, difference, verdict
from rebound.messages.domain.labels import REACHED, REACHED_ANYWAY, in_variant
from rebound.messages.domain.messages import HELD_OUT, MessageStatus
from rebound.messages.domain.spans import WHEN
from rebound.messages.domain.variants import Split
from rebound.messages.domain.winners import ChosenBy


class Comparison(Struct, frozen=True):
    """One variant against another: by how much more reached the goal with ``one``, and what that means (``said``).

    Without ``one`` it is the message as such, without ``other`` those who were held out.
    """

    one: str | None
    other: str | None
    difference: Difference | None
    said: str


class GoalResults(Struct, frozen=True):
    """How many reached a campaign's goal, and of how many to whom it went out, whatever became of it there.

    ``held_out`` is ``None`` without a holdout. From ``counted_until`` on all has been counted but what is told late; it
    is ``None`` while more may be sent.
    """

    everybody: Share
    variants: Mapping[str, Share]
    held_out: Share | None
    counted_until: datetime | None
    is_over: bool

    @property
    def comparisons(self) -> Sequence[Comparison]:
        """Each further variant against the first, then each, or the message as such, against those held out.

        All of them are told together, so each is told as if it were one of so many.
        """
        first, *others = self.variants or [None]
        pairs: list[tuple[str | None, str | None]] = [(each, first) for each in others]
        if self.held_out is not None:
            pairs += [(each, None) for each in (first, *others)]
        return [self._compared(one, other, len(pairs)) for one, other in pairs]

    def _compared(self, one: str | None, other: str | None, comparisons: int) -> Comparison:
        this = self.everybody if one is None else self.variants[one]
        that = (self.held_out or Share(0, 0)) if other is None else self.variants[other]
        found = difference(this, that, comparisons)
        return Comparison(one, other, found, verdict(one, other, found, is_over=self.is_over))


def of_variants(split: Split, counts: Mapping[str, int], what: str) -> Mapping[str, Share]:
    """Of how many who got each variant something is true; of who got it as the winner nothing is told."""
    found = {}
    for name in (each.name for each in split.variants):
        of = sum(counts.get(in_variant(status, name), 0) for status in WHEN)
        # Who opts out by a message of which it is not known yet that it went out.
        found[name] = Share(min(counts.get(in_variant(what, name), 0), of), of)
    return found


_COUNTS: Final = {ChosenBy.GOAL: REACHED, ChosenBy.DELIVERED: MessageStatus.DELIVERED}


def tried(split: Split, counts: Mapping[str, int]) -> Mapping[str, tuple[int, int]]:
    """Of each variant, by how many its worth is measured (``ChosenBy``), and of how many."""
    by = ChosenBy.DELIVERED if split.winner is None else split.winner.by
    return {name: (share.reached, share.of) for name, share in of_variants(split, counts, _COUNTS[by]).items()}


def goal_results(campaign: Campaign, counts: Mapping[str, int], now: datetime) -> GoalResults | None:
    """The results from a campaign's counts by label; ``None`` for one without a goal."""
    goal, split, ended_at = campaign.goal, campaign.split, campaign.completed_at
    if goal is None:
        return None
    until = ended_at + goal.days if campaign.status in ENDED and ended_at is not None else None
    return GoalResults(
        everybody=Share(counts.get(REACHED, 0), sum(counts.get(status, 0) for status in WHEN)),
        variants={} if split is None else of_variants(split, counts, REACHED),
        held_out=None
        if split is None or not split.holdout
        else Share(counts.get(REACHED_ANYWAY, 0), counts.get(f"{MessageStatus.EXCLUDED}:{HELD_OUT}", 0)),
        counted_until=until,
        is_over=until is not None and now >= until,
    )
