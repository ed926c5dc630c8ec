"""Which variant goes to the rest."""

from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.messages.domain.winners import Because, Choice, ChosenBy, WinnerRule

COUNTED = st.integers(1, 10**6).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


def rule(least: int = 1) -> WinnerRule:
    return WinnerRule(2000, 24, ChosenBy.GOAL, least)


@pytest.mark.parametrize(
    ("least", "counted", "name", "because"),
    [
        (1, {"A": (1, 10), "B": (2, 10)}, "B", Because.MORE),
        (1, {"A": (2, 10), "B": (1, 10)}, "A", Because.MORE),
        (1, {"A": (1, 3), "B": (2, 6), "C": (0, 9)}, "A", Because.SAME),
        (1, {"A": (0, 3), "B": (2, 6), "C": (3, 9)}, "B", Because.SAME),
        (10, {"A": (0, 10), "B": (9, 9)}, "A", Because.TOO_FEW),
        (10, {"A": (0, 10), "B": (9, 10)}, "B", Because.MORE),
        (0, {"A": (0, 0), "B": (0, 0)}, "A", Because.TOO_FEW),
        (0, {"A": (0, 0), "B": (9, 10)}, "A", Because.TOO_FEW),
    ],
)
def test_the_higher_share_wins_and_where_nothing_can_be_told_the_first(
    least: int, counted: Mapping[str, tuple[int, int]], name: str, because: Because
) -> None:
    assert rule(least).choose(counted) == Choice(name, because)


@given(st.dictionaries(st.sampled_from("ABCDE"), COUNTED, min_size=2))
def test_nobody_has_a_higher_share_than_the_winner(counted: Mapping[str, tuple[int, int]]) -> None:
    chosen = rule().choose(counted)
    shares = {name: Fraction(*each) for name, each in counted.items()}
    best = [name for name, share in shares.items() if share == max(shares.values())]

    assert chosen.name == best[0]
    assert chosen.because is (Because.MORE if len(best) == 1 else Because.SAME)
