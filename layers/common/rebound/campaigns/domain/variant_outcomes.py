"""By how much variants differ in what became of their messages, beside who reached a goal (``goal_results``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from rebound.campaigns.domain.campaigns import ENDED, Campaign
from rebound.campaigns.domain.differences import Share, Words, difference, verdict
from rebound.campaigns.domain.goal_results import Comparison, of_variants
from rebound.messages.domain.labels import OPTED_OUT
from rebound.messages.domain.messages import MessageStatus

COUNTED_FOR: Final = timedelta(days=7)
"""After a campaign has ended, so long: what is delivered, bounces or makes somebody opt out later is rare."""


class VariantOutcome(StrEnum):
    """What may become of a message, each by a label of the counts that is called the same."""

    DELIVERED = "delivered"
    BOUNCED = "bounced"
    OPTED_OUT = "opted_out"


WORDS: Final[Mapping[VariantOutcome, Words]] = {
    VariantOutcome.DELIVERED: Words(
        "More were delivered {one} than {other}: between {low} and {high} percentage points more.",
        "Fewer were delivered {one} than {other}: between {low} and {high} percentage points fewer.",
    ),
    VariantOutcome.BOUNCED: Words(
        "More bounced {one} than {other}: between {low} and {high} percentage points more.",
        "Fewer bounced {one} than {other}: between {low} and {high} percentage points fewer.",
    ),
    VariantOutcome.OPTED_OUT: Words(
        "More opted out {one} than {other}: between {low} and {high} percentage points more.",
        "Fewer opted out {one} than {other}: between {low} and {high} percentage points fewer.",
    ),
}
_LABELS: Final = {
    VariantOutcome.DELIVERED: MessageStatus.DELIVERED,
    VariantOutcome.BOUNCED: MessageStatus.BOUNCED,
    VariantOutcome.OPTED_OUT: OPTED_OUT,
}


class VariantOutcomes(Struct, frozen=True):
    """How many of those whom each variant went out to it was delivered to, bounced for, or made opt out (``shares``).

    From ``counted_until`` on hardly anything is counted any more; it is ``None`` while more may be sent.
    """

    shares: Mapping[VariantOutcome, Mapping[str, Share]]
    counted_until: datetime | None
    is_over: bool

    @property
    def comparisons(self) -> Sequence[tuple[VariantOutcome, Comparison]]:
        """Of each outcome, each further variant against the first; each is told as if it were one of so many."""
        told = sum(len(of_variant) - 1 for of_variant in self.shares.values())
        found = []
        for outcome, of_variant in self.shares.items():
            first, *others = of_variant
            for each in others:
                apart = difference(of_variant[each], of_variant[first], told)
                said = verdict(each, first, apart, is_over=self.is_over, words=WORDS[outcome])
                found.append((outcome, Comparison(each, first, apart, said)))
        return found


def variant_outcomes(campaign: Campaign, counts: Mapping[str, int], now: datetime) -> VariantOutcomes | None:
    """The outcomes from a campaign's counts by label; ``None`` for one without variants."""
    split, ended_at = campaign.split, campaign.completed_at
    if split is None or not split.variants:
        return None
    until = ended_at + COUNTED_FOR if campaign.status in ENDED and ended_at is not None else None
    return VariantOutcomes(
        shares={outcome: of_variants(split, counts, label) for outcome, label in _LABELS.items()},
        counted_until=until,
        is_over=until is not None and now >= until,
    )
