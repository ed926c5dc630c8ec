"""What came of a campaign's variants and of its goal, and which variant goes to the rest: as it is shown."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.campaigns.domain.campaigns import ENDED, Campaign
from rebound.campaigns.domain.differences import Share
from rebound.campaigns.domain.results import VariantResults, not_reached
from rebound.console.http.visits import Visit
from rebound.messages.domain.variants import in_percent
from rebound.messages.domain.winners import Choice, WinnerRule

if TYPE_CHECKING:
    from rebound.campaigns.application.campaign_service import CampaignView


class VariantShown(Struct, frozen=True):
    """A variant on the campaign's page; ``share`` is in percent, and ``None`` for the rest, who get the best one."""

    name: str
    share: float | None
    results: VariantResults


class WinnerShown(Struct, frozen=True):
    """How the best variant goes to the rest: by which rule, when, and which it is.

    ``pairs`` are the names of the variants one of which may be chosen now, as a choice shows them; else there are none.
    ``lacking`` are how many had not got what is tried on them when it was chosen, or have not yet.
    """

    rule: WinnerRule
    test_share: float
    decides_at: datetime | None
    chosen: Choice | None
    pairs: Sequence[tuple[str, str]]
    lacking: int


def by_variant(visit: Visit, view: "CampaignView") -> Sequence[VariantShown]:
    """The results by variant, and of the rest where the best of them goes to the rest."""
    split = view.campaign.split
    if split is None:
        return []
    results = {each.name: each for each in view.variants}
    found = [VariantShown(each.name, in_percent(each.share), results.pop(each.name)) for each in split.variants]
    return [*found, *(VariantShown(visit.words("campaign.the_rest"), None, rest) for rest in results.values())]


def outcomes(view: "CampaignView") -> Sequence[tuple[str, Sequence[str]]]:
    """How the variants of a campaign that has begun compare in what became of them, as sentences by outcome."""
    if view.outcomes is None or view.campaign.run_id is None:
        return []
    said: dict[str, list[str]] = {}
    for outcome, comparison in view.outcomes.comparisons:
        said.setdefault(outcome, []).append(comparison.said)
    return list(said.items())


def reached(visit: Visit, view: "CampaignView") -> Sequence[tuple[str, Share]]:
    """How many reached the goal: of everybody, of each variant, and of those held out; by what they are called."""
    goal = view.goal
    if goal is None:
        return []
    rows = [(visit.words("campaign.goal.everybody"), goal.everybody), *goal.variants.items()]
    return rows if goal.held_out is None else [*rows, (visit.words("campaign.goal.held_out"), goal.held_out)]


def winner(campaign: Campaign, results: Sequence[VariantResults] = ()) -> WinnerShown | None:
    """How the best goes to the rest; ``None`` for a campaign in which nobody waits for that."""
    split = campaign.split
    if split is None or split.winner is None:
        return None
    is_open = split.decides_at is not None and split.chosen is None and campaign.status not in ENDED
    pairs = [(each.name, each.name) for each in split.variants] if is_open else []
    return WinnerShown(
        split.winner,
        in_percent(split.winner.test_share),
        split.decides_at,
        split.chosen,
        pairs,
        not_reached(split, results),
    )
