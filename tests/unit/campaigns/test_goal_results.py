"""What came of a campaign's goal, by variant and against those who were held out."""

from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus
from rebound.campaigns.domain.differences import Share, difference
from rebound.campaigns.domain.goal_results import GoalResults, goal_results
from rebound.messages.domain.goals import Goal, GoalKind
from rebound.messages.domain.variants import Variant, split_of
from tests.fakes.making import BUSINESS_ID, at, campaign, customer, id_of
from tests.fakes.world import Chaos, World
from tests.unit.campaigns.test_goals_counted import told

DAY: Final = timedelta(days=1)
GOAL: Final = Goal(GoalKind.VISIT, 3)
ABC: Final = (Variant("A", 5000), Variant("B", 3000), Variant("C", 2000))
COUNTS: Final = {
    "sent": 10,
    "delivered": 80,
    "bounced": 5,
    "failed": 3,
    "uncertain": 2,
    "cancelled": 7,
    "excluded:holdout": 25,
    "excluded:opted_out": 9,
    "reached": 12,
    "reached:holdout": 1,
    "delivered~A": 40,
    "bounced~A": 5,
    "excluded~A": 4,
    "reached~A": 4,
    "delivered~B": 30,
    "sent~B": 10,
    "cancelled~B": 7,
    "reached~B": 8,
    "failed~C": 3,
    "uncertain~C": 2,
    "delivered~C": 10,
}


def results(counts: Mapping[str, int] = COUNTS, now: datetime | None = None, **given: Any) -> GoalResults:
    split = split_of("t", given.pop("variants", ABC), given.pop("holdout", 2000))
    found = goal_results(replace(campaign(), goal=GOAL, split=split, **given), counts, now or at(0))
    assert found is not None
    return found


def test_who_was_sent_to_counts_whatever_became_of_it_and_nobody_else() -> None:
    found = results()

    assert found.everybody == Share(12, 100)
    assert found.variants == {"A": Share(4, 45), "B": Share(8, 40), "C": Share(0, 15)}
    assert found.held_out == Share(1, 25)


@pytest.mark.parametrize(
    ("variants", "holdout", "pairs"),
    [
        ((), 0, []),
        ((), 2000, [(None, None)]),
        (ABC, 0, [("B", "A"), ("C", "A")]),
        (ABC, 2000, [("B", "A"), ("C", "A"), ("A", None), ("B", None), ("C", None)]),
    ],
)
def test_each_is_compared_with_the_first_and_with_nothing_as_surely_as_all_are_told_together(
    variants: Sequence[Variant], holdout: int, pairs: list[tuple[str | None, str | None]]
) -> None:
    found = results(variants=variants, holdout=holdout)
    known: dict[str | None, Share] = {None: found.everybody}
    known.update(found.variants)

    assert [(each.one, each.other) for each in found.comparisons] == pairs
    for each in found.comparisons:
        against = found.held_out if each.other is None else found.variants[each.other]
        assert against is not None
        assert each.difference == difference(known[each.one], against, len(pairs))


def test_a_campaign_without_a_goal_has_none() -> None:
    assert goal_results(campaign(), COUNTS, at(0)) is None


@pytest.mark.parametrize("status", list(CampaignStatus))
@pytest.mark.parametrize(("days", "is_over"), [(2.999, False), (3, True)])
def test_there_is_a_verdict_once_the_days_of_the_last_message_are_over(
    status: CampaignStatus, days: float, *, is_over: bool
) -> None:
    has_ended = status in (CampaignStatus.COMPLETED, CampaignStatus.CANCELLED, CampaignStatus.FAILED)
    found = results(status=status, completed_at=at(0) if has_ended else None, now=at(0) + days * DAY)

    assert found.is_over is (has_ended and is_over)
    assert found.counted_until == (at(0) + 3 * DAY if has_ended else None)
    assert all(each.said.startswith("It is too early") is not found.is_over for each in found.comparisons)


def meant(world: World, campaign_id: str) -> Campaign:
    return world.campaigns.get(BUSINESS_ID, campaign_id)


@pytest.mark.parametrize("seed", range(3))
def test_it_adds_up_for_each_variant_and_those_held_out_whoever_dies(seed: int) -> None:
    people = 90
    world = World(seed=seed)
    world.add(*(customer(number) for number in range(1, people + 1)))
    world.chaos = Chaos(death=0.01, duplicate=0.2)
    content = world.post().campaign.content
    variants = tuple(replace(each, content=content) for each in ABC)
    campaign_id = world.post(variants=variants, content=content, holdout=2000, goal=GOAL).campaign.campaign_id
    world.run(campaign_id)
    split = meant(world, campaign_id).split
    assert split is not None
    world.clock.move(DAY)
    moment = (world.clock.now() - DAY / 2).isoformat()
    visits = [{**told("visit", f"v{who}", who, 0), "at": moment} for who in range(1, people + 1) if who % 3]
    assert not world.accept_activity(BUSINESS_ID, visits).errors
    world.rest()
    view = world.campaign_service.get(BUSINESS_ID, campaign_id)
    found = view.goal
    assert found is not None

    draws = {who: split.variant_of(id_of(who)) for who in range(1, people + 1)}
    came = {who for who in draws if who % 3}
    held_out = {who for who, name in draws.items() if name is None}
    assert found.held_out == Share(len(held_out & came), len(held_out))
    for name in ("A", "B", "C"):
        own = {who for who, drawn in draws.items() if drawn == name}
        assert found.variants[name] == Share(len(own & came), len(own))
    assert found.everybody == Share(len(came - held_out), people - len(held_out))
    assert view.audience.targeted == people - len(held_out)
