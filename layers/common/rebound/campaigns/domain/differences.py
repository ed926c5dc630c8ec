"""By how much two shares differ, how sure that is, and what that means in words.

The interval is Newcombe's hybrid of two score intervals (his method 10), which holds for few people too, and for shares
of nothing and of all: R. G. Newcombe, "Interval estimation for the difference between independent proportions:
comparison of eleven methods", Statistics in Medicine 17 (1998), 873-890; the score interval is E. B. Wilson's
(Journal of the American Statistical Association 22, 1927).

Where several differences are told side by side, one of them may look like something by chance. So each interval is made
as wide as it must be for all of them to hold together (Bonferroni). And whoever looks every day until something shows
will see something: a verdict is given once, when all that counts has been counted (``verdict``).
"""

from __future__ import annotations

from math import ceil, floor, sqrt
from statistics import NormalDist
from typing import Final

from msgspec import Struct

ERROR: Final = 0.05
"""In so many of all cases at most, one or more of the intervals that are told together miss."""
_WIDE: Final = 0.005
"""An interval at least so wide is told with one decimal of a percentage point, a narrower one with more."""


class Share(Struct, frozen=True):
    """How many ``of`` so many people did something: ``reached``."""

    reached: int
    of: int

    @property
    def value(self) -> float | None:
        """Between 0 and 1; ``None`` of nobody."""
        return self.reached / self.of if self.of else None


class Difference(Struct, frozen=True):
    """By how much one share is above another, as shares of 1: the true difference lies between ``low`` and ``high``.

    The two are below 0 where the one is below the other.
    """

    estimate: float
    low: float
    high: float

    @property
    def is_something(self) -> bool:
        """Whether no difference at all is ruled out."""
        return self.low > 0 or self.high < 0


def difference(one: Share, other: Share, comparisons: int = 1) -> Difference | None:
    """By how much ``one`` is above ``other``; ``None`` where one of them is of nobody.

    ``comparisons`` is how many differences are told together.
    """
    if one.value is None or other.value is None:
        return None
    z = NormalDist().inv_cdf(1 - ERROR / comparisons / 2)
    (low, high), (other_low, other_high) = _score(one, z), _score(other, z)
    estimate = one.value - other.value
    return Difference(
        estimate=estimate,
        low=max(-1.0, estimate - sqrt((one.value - low) ** 2 + (other_high - other.value) ** 2)),
        high=min(1.0, estimate + sqrt((high - one.value) ** 2 + (other.value - other_low) ** 2)),
    )


def _score(share: Share, z: float) -> tuple[float, float]:
    """Wilson's interval of one share."""
    reached, of = share.reached, share.of
    middle, width = 2 * reached + z * z, z * sqrt(z * z + 4 * reached * (of - reached) / of)
    low = 0.0 if reached == 0 else (middle - width) / (2 * (of + z * z))
    high = 1.0 if reached == of else (middle + width) / (2 * (of + z * z))
    return low, high


class Words(Struct, frozen=True):
    """What a difference that is there is told by: more ``{one}`` than ``{other}``, or fewer."""

    more: str
    fewer: str


OF_GOALS: Final = Words(
    "More reached the goal {one} than {other}: between {low} and {high} percentage points more.",
    "Fewer reached the goal {one} than {other}: between {low} and {high} percentage points fewer.",
)


def verdict(
    one: str | None, other: str | None, found: Difference | None, *, is_over: bool, words: Words = OF_GOALS
) -> str:
    """What a difference means, as a sentence for people.

    ``one`` and ``other`` are the names of variants: without ``one`` it is the message as such, without ``other`` those
    who got none. While more may still be counted (``is_over`` says that it may not), it means nothing yet, however it
    looks.
    """
    with_one = f"with {one or 'the message'}"
    with_other = "without a message" if other is None else f"with {other}"
    if found is None:
        return f"There is nothing to compare yet, {with_one} or {with_other}: nobody was counted in one of them."
    digits = 1 if found.high - found.low >= _WIDE else 3
    low, high = _points(found.low, digits, up=False), _points(found.high, digits, up=True)
    if not is_over:
        return (
            f"It is too early to judge, {with_one} or {with_other}: so far the difference lies between {low} and "
            f"{high} percentage points, and more may still be counted."
        )
    if found.low > 0:
        return words.more.format(one=with_one, other=with_other, low=low, high=high)
    if found.high < 0:
        few, many = _points(-found.high, digits, up=False), _points(-found.low, digits, up=True)
        return words.fewer.format(one=with_one, other=with_other, low=few, high=many)
    return (
        f"This says nothing, {with_one} or {with_other}: the difference lies between {low} and {high} percentage "
        "points, so there may be none."
    )


def _points(share: float, digits: int, *, up: bool) -> str:
    """In percentage points with so many decimals, rounded up or down."""
    scale: float = 10**digits
    # What lies a hair beside a whole number is that number: shares of 1 are no decimal fractions.
    exact = round(share * 100 * scale, 6)
    return f"{(ceil(exact) if up else floor(exact)) / scale + 0.0:.{digits}f}"
