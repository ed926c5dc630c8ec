"""By how much variants differ in what was delivered, bounced, or made people opt out."""

from copy import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.campaigns.domain.differences import Share, difference
from rebound.campaigns.domain.variant_outcomes import VariantOutcome, VariantOutcomes, variant_outcomes
from rebound.messages.domain.variants import Variant, split_of
from tests.fakes.making import at, campaign

ABC: Final = (Variant("A", 5000), Variant("B", 3000), Variant("C", 2000))
COUNTS: Final = {
    "delivered~A": 900,
    "bounced~A": 60,
    "failed~A": 30,
    "uncertain~A": 10,
    "cancelled~A": 70,
    "excluded~A": 50,
    "delivered~B": 500,
    "bounced~B": 20,
    "sent~B": 80,
    "opted_out~A": 4,
    "opted_out~B": 60,
    "delivered~C": 180,
    "bounced~C": 12,
    "delivered~rest": 1000,
    "opted_out~rest": 7,
    "delivered": 2580,
}
DELIVERED, BOUNCED, OPTED_OUT = VariantOutcome
NOW: Final = at(0)


def outcomes(counts: dict[str, int], now: datetime = NOW, **given: Any) -> VariantOutcomes:
    found = variant_outcomes(replace(campaign(), split=split_of("t", ABC, 2000), **given), counts, now)
    assert found is not None
    return found


def test_of_all_to_whom_a_variant_went_out_and_of_nobody_who_got_the_winner() -> None:
    assert outcomes(COUNTS).shares == {
        DELIVERED: {"A": Share(900, 1000), "B": Share(500, 600), "C": Share(180, 192)},
        BOUNCED: {"A": Share(60, 1000), "B": Share(20, 600), "C": Share(12, 192)},
        OPTED_OUT: {"A": Share(4, 1000), "B": Share(60, 600), "C": Share(0, 192)},
    }


def test_each_is_compared_with_the_first_as_surely_as_all_are_told_together() -> None:
    found = outcomes(COUNTS)

    told = [(outcome, each.one, each.other) for outcome, each in found.comparisons]
    assert told == [(outcome, one, "A") for outcome in VariantOutcome for one in ("B", "C")]
    for outcome, each in found.comparisons:
        assert each.one is not None
        of = found.shares[outcome]
        assert each.difference == difference(of[each.one], of["A"], 6)


def test_the_sentences_say_what_it_is_and_whether_it_means_anything() -> None:
    ended = {"status": CampaignStatus.COMPLETED, "completed_at": at(0)}
    said = [each.said.partition(":")[0] for _, each in outcomes(COUNTS, at(0) + timedelta(days=7), **ended).comparisons]

    assert said == [
        "Fewer were delivered with B than with A",
        "This says nothing, with C or with A",
        "This says nothing, with B or with A",
        "This says nothing, with C or with A",
        "More opted out with B than with A",
        "This says nothing, with C or with A",
    ]


@pytest.mark.parametrize("status", list(CampaignStatus))
@pytest.mark.parametrize(("days", "is_over"), [(6.999, False), (7, True)])
def test_there_is_a_verdict_a_week_after_the_end(status: CampaignStatus, days: float, *, is_over: bool) -> None:
    has_ended = status in (CampaignStatus.COMPLETED, CampaignStatus.CANCELLED, CampaignStatus.FAILED)
    now = at(0) + timedelta(days=days)
    found = outcomes(COUNTS, now, status=status, completed_at=at(0) if has_ended else None)

    assert found.is_over is (has_ended and is_over)
    assert found.counted_until == (at(0) + timedelta(days=7) if has_ended else None)
    assert all(each.said.startswith("It is too early") is not found.is_over for _, each in found.comparisons)


def test_a_campaign_without_variants_has_none() -> None:
    assert variant_outcomes(campaign(), COUNTS, at(0)) is None
    assert variant_outcomes(replace(campaign(), split=split_of("t", (), 2000)), COUNTS, at(0)) is None


@given(st.dictionaries(st.sampled_from([f"{what}~{name}" for what in ("delivered", "bounced", "opted_out", "sent")
                                        for name in "AB"]), st.integers(0, 5)))  # fmt: skip
def test_whatever_is_counted_first_there_are_intervals_around_what_was_seen(counts: dict[str, int]) -> None:
    for _, each in outcomes(counts).comparisons:
        if (found := each.difference) is not None:
            assert -1 <= found.low <= found.estimate <= found.high <= 1
