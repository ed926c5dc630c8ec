"""Which variant the rest of a mailing gets once it was tried on some: the rule, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cmp_to_key
from typing import Final

from msgspec import Struct

MOST_HOURS: Final = 14 * 24
LEAST_PATIENCE: Final = timedelta(days=1)
"""So that the operator has a day for what lies in the dead letters."""


class ChosenBy(StrEnum):
    """By which share of those to whom it went out the better variant is the one with more."""

    GOAL = "goal"
    """Of those who reached the goal."""
    DELIVERED = "delivered"


class Because(StrEnum):
    """Why a variant goes to the rest."""

    MORE = "more"
    """It has the higher share, by however little."""
    SAME = "same"
    """Several have the same share: the first of them."""
    TOO_FEW = "too_few"
    """One of them went out to fewer than ``least``, so that nothing can be told: the first of all."""
    BY_HAND = "by_hand"
    """Somebody chose it."""


class WinnerRule(Struct, frozen=True):
    """``test_share``, in hundredths of a percent, get their variant at once; ``after_hours`` the others get the winner.

    ``least`` is to how many each must have gone out, that anything is told by it.
    """

    test_share: int
    after_hours: int
    by: ChosenBy
    least: int

    @property
    def wait(self) -> timedelta:
        """``after_hours``."""
        return timedelta(hours=self.after_hours)

    @property
    def patience(self) -> timedelta:
        """For how long nobody more gets what is tried on them, before it is chosen without those who have not."""
        return max(self.wait, LEAST_PATIENCE)

    def choose(self, counted: Mapping[str, tuple[int, int]]) -> Choice:
        """The winner by what is counted of each variant, in their order: how many did it, and of how many.

        One always wins, also where the difference says nothing, so that the rest do not wait for ever.
        """
        first = next(iter(counted))
        if any(of < max(self.least, 1) for _, of in counted.values()):
            return Choice(first, Because.TOO_FEW)
        best = max(counted.values(), key=cmp_to_key(_compared))
        having = [name for name, each in counted.items() if _compared(each, best) == 0]
        return Choice(having[0], Because.MORE if len(having) == 1 else Because.SAME)


class Choice(Struct, frozen=True):
    """Which variant goes to the rest, by its name.

    ``missed`` are how many had not got what was tried on them when it was chosen by what the others did.
    """

    name: str
    because: Because
    missed: int = 0


class Untried(Struct, frozen=True):
    """How many have not got what is tried on them, and since when it is as many: or when quiet hours are over."""

    number: int
    since: datetime


def _compared(one: tuple[int, int], other: tuple[int, int]) -> int:
    """Below, above or at 0, as the one share is to the other; in whole numbers, so that equal ones are equal."""
    return one[0] * other[1] - other[0] * one[1]
