"""Whether one name may be another one mended: a slip of the pen, names the wrong way round, a name cut short."""

from __future__ import annotations

from typing import Final

SHORTEST: Final = 5
"""Letters of a name in which one letter may be wrong: of shorter ones, many are other people's (Lena, Lina)."""
LONG: Final = 9
"""Letters of a name in which two may be."""


def is_mended(before: tuple[str, str], after: tuple[str, str]) -> bool:
    """Whether somebody called ``before`` may be meant by ``after``: first and last names, folded.

    It holds both ways round, and of a name and itself.
    """
    return before == after[::-1] or all(map(_are_alike, before, after))


def _are_alike(one: str, other: str) -> bool:
    if one == other:
        return True
    short, long = sorted((one.split(), other.split()), key=len)
    if short and all(_begins(*pair) for pair in zip(short, long, strict=False)):
        return True
    length = min(len(one), len(other))
    return length >= SHORTEST and _distance(one, other) <= (2 if length >= LONG else 1)


def _begins(one: str, other: str) -> bool:
    """Whether two words are the same, or one is the initial of the other."""
    short, long = sorted((one.removesuffix("."), other.removesuffix(".")), key=len)
    return short == long or (len(short) == 1 and long.startswith(short))


def _distance(one: str, other: str) -> int:
    """Letters that are missing, too many, other ones, or two that are swapped (optimal string alignment)."""
    row, last = list(range(len(other) + 1)), list[int]()
    for i, letter in enumerate(one, 1):
        before, last, row = last, row, [i]
        for j, its in enumerate(other, 1):
            costs = [last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != its)]
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                costs.append(before[j - 2] + 1)
            row.append(min(costs))
    return row[-1]
