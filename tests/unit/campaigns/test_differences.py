"""By how much two shares differ: against published numbers, and by how often the interval holds."""

import random
from collections.abc import Iterator
from functools import cache
from math import comb
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.campaigns.domain.differences import Difference, Share, difference, verdict
from rebound.console.http.words import LANGUAGES, Words

NEWCOMBE: Final = [
    ((56, 70), (48, 80), 0.0524, 0.3339),
    ((9, 10), (3, 10), 0.1705, 0.8090),
    ((6, 7), (2, 7), 0.0582, 0.8062),
    ((5, 56), (0, 29), -0.0381, 0.1926),
    ((0, 10), (0, 20), -0.1611, 0.2775),
    ((0, 10), (0, 10), -0.2775, 0.2775),
    ((10, 10), (0, 20), 0.6791, 1.0000),
    ((10, 10), (0, 10), 0.6075, 1.0000),
]
"""Newcombe (1998), table II, the eight contrasts by method 10: two shares, and the lower and upper limit."""
NOTHING: Final = (
    "This says nothing, with B or with A: the difference lies between {} and {} percentage points, so there may be "
    "none."
)
SHARES: Final = st.integers(1, 10**6).flatmap(lambda of: st.builds(Share, st.integers(0, of), st.just(of)))


@pytest.mark.parametrize(("one", "other", "low", "high"), NEWCOMBE)
def test_the_interval_is_that_of_the_paper(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    found = difference(Share(*one), Share(*other))

    assert found is not None
    assert [found.low, found.high] == pytest.approx([low, high], abs=5e-5)


def test_nobody_differs_from_nobody() -> None:
    assert difference(Share(0, 0), Share(3, 9)) is None
    assert difference(Share(3, 9), Share(0, 0)) is None


@given(SHARES, SHARES, st.integers(1, 20))
def test_the_other_way_round_is_the_same_with_the_other_sign(one: Share, other: Share, comparisons: int) -> None:
    found, turned = difference(one, other, comparisons), difference(other, one, comparisons)

    assert found is not None
    assert turned is not None
    assert -1 <= found.low <= found.estimate <= found.high <= 1
    assert [-turned.high, -turned.low] == pytest.approx([found.low, found.high], abs=1e-9)
    assert found.is_something == turned.is_something


@given(SHARES, SHARES, st.integers(1, 20))
def test_more_comparisons_are_told_less_surely(one: Share, other: Share, comparisons: int) -> None:
    fewer, more = difference(one, other, comparisons), difference(one, other, comparisons + 1)

    assert fewer is not None
    assert more is not None
    assert (more.low, -more.high) <= (fewer.low, -fewer.high)
    assert more.high - more.low >= fewer.high - fewer.low


def holds(one: Share, other: Share, truth: float, comparisons: int = 1) -> bool:
    found = difference(one, other, comparisons)
    return found is not None and found.low - 1e-12 <= truth <= found.high + 1e-12


@cache
def chances(of: int, share: float) -> list[float]:
    """How likely each number is among so many."""
    return [comb(of, reached) * share**reached * (1 - share) ** (of - reached) for reached in range(of + 1)]


def exact_coverage(of: int, other_of: int, share: float, other: float) -> float:
    """How often the interval has the true difference in it, over all that can come out."""
    return sum(
        chance * other_chance
        for reached, chance in enumerate(chances(of, share))
        for other_reached, other_chance in enumerate(chances(other_of, other))
        if holds(Share(reached, of), Share(other_reached, other_of), share - other)
    )


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5])
@pytest.mark.parametrize(("of", "other_of"), [(20, 20), (60, 20), (90, 60)])
def test_with_few_people_it_holds_about_as_often_as_it_says(of: int, other_of: int, share: float) -> None:
    """The paper's own least, over shares and sizes drawn at random, is 86 of 100, and its mean 95.2."""
    found = [exact_coverage(of, other_of, share, min(share + apart, 0.98)) for apart in (0.0, 0.05, 0.2)]

    assert min(found) > 0.92
    assert sum(found) / len(found) > 0.94


def trials(seed: int, shares: list[float], of: int, times: int) -> Iterator[list[Share]]:
    """What comes out, again and again, of several groups of so many people."""
    drawn = random.Random(seed)  # noqa: S311 - a simulation
    for _ in range(times):
        yield [Share(drawn.binomialvariate(of, share), of) for share in shares]


def test_of_several_differences_that_are_none_one_looks_like_something_in_five_of_a_hundred_cases_at_most() -> None:
    """Five groups that do the same, each against the first: without more care it would be 16 in a hundred."""
    alarms, careless = 0, 0
    for first, *others in trials(seed=7, shares=[0.08] * 5, of=900, times=2000):
        alarms += not all(holds(each, first, 0, comparisons=len(others)) for each in others)
        careless += not all(holds(each, first, 0) for each in others)

    assert alarms / 2000 < 0.055
    assert careless / 2000 > 0.1


def test_who_looks_every_day_would_see_something_that_is_not_there() -> None:
    """Why there is one verdict, at the end: of 14 looks, one shows a difference far more often than it should."""
    drawn, looked, at_the_end = random.Random(11), 0, 0  # noqa: S311 - a simulation
    for _ in range(500):
        one = other = 0
        seen = []
        for day in range(1, 15):
            one, other = one + drawn.binomialvariate(70, 0.1), other + drawn.binomialvariate(70, 0.1)
            seen.append(not holds(Share(one, 70 * day), Share(other, 70 * day), 0))
        looked, at_the_end = looked + any(seen), at_the_end + seen[-1]

    assert at_the_end / 500 < 0.075
    assert looked / 500 > 0.13


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.0041, 0.0312, "More reached the goal with B than with A: between 0.4 and 3.2 percentage points more."),
        (-0.0312, -0.0041, "Fewer reached the goal with B than with A: between 0.4 and 3.2 percentage points fewer."),
        (
            -0.0101,
            0.023,
            NOTHING.format("-1.1", "2.3"),
        ),
        (
            0.00012,
            0.00053,
            "More reached the goal with B than with A: between 0.012 and 0.053 percentage points more.",
        ),
        (
            0.0,
            0.03,
            NOTHING.format("0.0", "3.0"),
        ),
    ],
)
def test_the_sentence_says_no_more_than_the_interval(low: float, high: float, said: str) -> None:
    assert verdict("B", "A", Difference((low + high) / 2, low, high), is_over=True) == said


@given(SHARES, SHARES)
def test_before_the_end_it_is_too_early_whatever_it_looks_like(one: Share, other: Share) -> None:
    assert verdict("B", "A", difference(one, other), is_over=False).startswith("It is too early to judge, with B or ")


def test_with_nobody_there_is_nothing_to_compare() -> None:
    nothing = (
        "There is nothing to compare yet, with the message or without a message: nobody was counted in one of them."
    )

    assert verdict(None, None, None, is_over=True) == verdict(None, None, None, is_over=False) == nothing


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
@pytest.mark.parametrize(("one", "other"), [("Red", "A"), ("Red", None), (None, None)])
@pytest.mark.parametrize("is_over", [True, False])
@pytest.mark.parametrize("range_", [None, (0.0041, 0.0312), (-0.0312, -0.0041), (-0.01, 0.02)])
def test_it_is_said_in_each_language_with_its_numbers(
    language: str, one: str | None, other: str | None, range_: tuple[float, float] | None, *, is_over: bool
) -> None:
    found = None if range_ is None else Difference(0, *range_)

    said = Words(language).said(verdict(one, other, found, is_over=is_over))

    assert not {"with", "without", "message", "goal", "there", "this"} & set(said.lower().replace(":", "").split())
    assert ("Red" in said) is (one is not None)
    assert range_ is None or said.count(",") >= 2
    assert ("-" in said) is (range_ is not None and (range_[0] < 0) and (not is_over or range_[1] > 0))
