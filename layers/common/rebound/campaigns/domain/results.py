"""How many of a campaign's messages are where, of all and of each variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from rebound.messages.domain.labels import OPTED_OUT, in_variant
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.domain.variants import REST, Split

RESULT_STATUSES: Final = (
    MessageStatus.QUEUED,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.BOUNCED,
    MessageStatus.FAILED,
    MessageStatus.UNCERTAIN,
    MessageStatus.CANCELLED,
)


def results_of(counts: Mapping[str, int], targeted: int) -> Mapping[MessageStatus, int]:
    """How many of those targeted are where: whoever is not counted yet is queued."""
    results = {status: counts.get(status, 0) for status in RESULT_STATUSES}
    results[MessageStatus.QUEUED] = targeted - sum(
        count for status, count in results.items() if status is not MessageStatus.QUEUED
    )
    return MappingProxyType(results)


class VariantResults(Struct, frozen=True):
    """How many get a variant, and how many of them are where (``results``); they add up at every moment.

    ``opted_out`` is how many wanted no more of such messages once they had this one.
    """

    name: str
    targeted: int
    results: Mapping[MessageStatus, int]
    opted_out: int = 0


def results_by_variant(
    split: Split | None, planned: Mapping[str, int], counts: Mapping[str, int]
) -> tuple[VariantResults, ...]:
    """The results of each variant, from how many its expansion has ``planned`` and the campaign's counts by label."""
    found: list[VariantResults] = []
    for name in () if split is None else split.names:
        own = {str(status): counts.get(in_variant(status, name), 0) for status in MessageStatus}
        targeted = planned.get(name, 0) - own[MessageStatus.EXCLUDED]
        opted_out = counts.get(in_variant(OPTED_OUT, name), 0)
        found.append(VariantResults(name, targeted, results_of(own, targeted), opted_out))
    return tuple(found)


def not_reached(split: Split | None, variants: Sequence[VariantResults]) -> int:
    """How many have not got what is tried on them; once a winner was chosen by what the others did, had not got it."""
    if split is not None and split.chosen is not None:
        return split.chosen.missed
    return sum(each.results[MessageStatus.QUEUED] for each in variants if each.name != REST)
