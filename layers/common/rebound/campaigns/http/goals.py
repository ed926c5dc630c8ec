"""What came of a campaign's goal, and how its variants compare: shapes."""

from typing import Any, Self

from pydantic import Field

from rebound.campaigns.domain.differences import Share
from rebound.campaigns.domain.goal_results import Comparison, GoalResults
from rebound.campaigns.domain.variant_outcomes import VariantOutcome, VariantOutcomes
from rebound.messages.domain.goals import GoalKind
from rebound.platform.http.shapes import Answer, Time

_DIGITS = 3
"""Decimals of percents in answers."""


class GoalAnswer(Answer):
    """What a campaign is to bring its recipients to do."""

    kind: GoalKind
    within_days: int


class ReachedAnswer(Answer):
    """How many reached the goal."""

    reached: int
    of: int = Field(description="To how many it went out, whatever became of it there; or how many were held out.")
    percent: float | None = Field(description="Null of nobody.")

    @classmethod
    def of_share(cls, share: Share, **more: str) -> Self:
        """The answer for a share."""
        value = share.value
        return cls(
            reached=share.reached, of=share.of, percent=None if value is None else round(100 * value, _DIGITS), **more
        )


class VariantReachedAnswer(ReachedAnswer):
    """How many of those with a variant reached the goal."""

    name: str


class DifferenceAnswer(Answer):
    """By how many percentage points more it is of one than of another: between low and high."""

    variant: str | None = Field(description="Null for all of the campaign, which has no variants.")
    against: str | None = Field(description="The first variant; null for those who were held out.")
    difference: float | None = Field(description="Null where one of them is nobody.")
    low: float | None
    high: float | None
    sentence: str = Field(description="What it means, and whether it means anything yet.")

    @classmethod
    def of(cls, comparison: Comparison, **more: Any) -> Self:
        """The answer for a comparison."""
        found = comparison.difference
        points = (None, None, None) if found is None else (found.estimate, found.low, found.high)
        difference, low, high = (None if each is None else round(100 * each, _DIGITS) for each in points)
        return cls(
            variant=comparison.one,
            against=comparison.other,
            difference=difference,
            low=low,
            high=high,
            sentence=comparison.said,
            **more,
        )


class ComparisonAnswer(DifferenceAnswer):
    """By how many percentage points more of one reached the goal than of another: between low and high."""


class OutcomeComparisonAnswer(DifferenceAnswer):
    """Of how many percentage points more of one variant than of the first something became: between low and high."""

    outcome: VariantOutcome = Field(description="What became of them, of all to whom the variant went out.")


class OutcomesAnswer(Answer):
    """By how much the variants differ in what was delivered, bounced, or made people opt out.

    The intervals are made so that in 95 of 100 campaigns all of them together hold. Judge by them once, when counting
    is over.
    """

    comparisons: list[OutcomeComparisonAnswer] = Field(
        description="Of each outcome, each further variant against the first; without those who got the winner."
    )
    counted_until: Time | None = Field(
        description="Seven days after the campaign has ended. Null while it has not. What becomes known later counts."
    )
    is_over: bool = Field(description="Whether that time has come, so that the comparisons mean something.")

    @classmethod
    def of_outcomes(cls, outcomes: VariantOutcomes) -> Self:
        """The answer for a campaign's variants."""
        return cls(
            comparisons=[OutcomeComparisonAnswer.of(each, outcome=outcome) for outcome, each in outcomes.comparisons],
            counted_until=outcomes.counted_until,
            is_over=outcomes.is_over,
        )


class GoalResultsAnswer(ReachedAnswer):
    """Who reached the campaign's goal within its days, each counted once.

    The intervals are made so that in 95 of 100 campaigns all of them together hold. Judge by them once, when counting
    is over: whoever looks every day will see a difference sooner or later, whether or not there is one.
    """

    held_out: ReachedAnswer | None = Field(description="Of those who were held out, who did it anyway.")
    variants: list[VariantReachedAnswer]
    comparisons: list[ComparisonAnswer] = Field(
        description="Each further variant against the first, then each, or else the campaign, against those held out."
    )
    counted_until: Time | None = Field(
        description="When the last day ends in which a recipient may reach the goal; what is told late, up to 30 days, "
        "still counts then. Null while the campaign is not over."
    )
    is_over: bool = Field(description="Whether that time has come, so that the comparisons mean something.")

    @classmethod
    def of_results(cls, results: GoalResults) -> Self:
        """The answer for a campaign's results."""
        return cls(
            **dict(ReachedAnswer.of_share(results.everybody)),
            held_out=None if results.held_out is None else ReachedAnswer.of_share(results.held_out),
            variants=[VariantReachedAnswer.of_share(share, name=name) for name, share in results.variants.items()],
            comparisons=[ComparisonAnswer.of(each) for each in results.comparisons],
            counted_until=results.counted_until,
            is_over=results.is_over,
        )
