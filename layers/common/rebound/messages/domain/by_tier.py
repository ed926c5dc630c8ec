"""The parts of a mailing that says something else to each loyalty tier: together they are all whom it means."""

from collections.abc import Mapping, Sequence
from copy import replace
from typing import Any, cast

from rebound.messages.domain.mailing import Mailing


def tiers_of(parent: Mailing) -> Sequence[str]:
    """The tiers that a mailing says something else to, in a fixed order; none for any other."""
    return sorted(parent.contents or ())


def of_tier(filter_: Mapping[str, Any], tier: str) -> Mapping[str, Any]:
    """Those of a filter who are of a tier."""
    return {"all": [filter_, {"tier": tier}]}


def of_no_tier(filter_: Mapping[str, Any], tiers: Sequence[str]) -> Mapping[str, Any]:
    """Those of a filter who are of none of these tiers."""
    return {"all": [filter_, {"not": {"any": [{"tier": tier} for tier in tiers]}}]}


def parts_of[M: Mailing](mailing: M) -> Sequence[M]:
    """What a mailing that is not planned will consist of: itself, or a part for each tier and one for the rest."""
    tiers, selection = tiers_of(mailing), mailing.selection
    if not tiers:
        return [mailing]
    filter_ = selection.filter or {"all": []}
    contents = mailing.contents or {}
    parts = [
        replace(mailing, selection=replace(selection, filter=of_no_tier(filter_, tiers))),
        *(
            replace(
                mailing,
                content=contents[tier],
                contents=None,
                selection=replace(selection, filter=of_tier(filter_, tier)),
            )
            for tier in tiers
        ),
    ]
    return cast("list[M]", parts)
