"""The name that somebody may have meant."""

import re
from collections.abc import Iterable
from typing import Final

LIKENESS: Final = 0.6
"""From 0 to 1: ``difflib``'s own default, below which two names have little in common."""
LIKENESS_OF_SLIPS: Final = 0.85
"""Of a name to one in which a letter is lost, doubled, swapped or replaced."""
LIKENESS_OF_BEGINNINGS: Final = 0.75
"""Of a name to as many letters of another."""
SHORTEST_BEGINNING: Final = 3
"""Letters by which the beginning of a name says which is meant."""
_LONGEST: Final = 100
"""Comparing takes longer the longer the names are, and nobody means one of ours with one this long."""
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W_A-Z]+|[^\W_]")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """That of the ``known`` names which is most like ``name``, whatever the case and kind of its hyphens, if any is.

    A name that is one of them so far is meant first, then one but for a slip, then one of which it is the beginning, or
    the other way round, then one whose words it abbreviates (``apt_time``), then one that is written alike, or begins
    alike.
    """
    if len(name) > _LONGEST or not (mistaken := _folded(name)):
        return None
    folded = {_folded(each): each for each in known}
    if mistaken in folded:
        return folded[mistaken]
    from difflib import SequenceMatcher, get_close_matches  # noqa: PLC0415 - only for who has mistaken a name

    if slipped := get_close_matches(mistaken, folded, n=1, cutoff=LIKENESS_OF_SLIPS):
        return folded[slipped[0]]
    words = _words(name)
    begun = [each for each in folded if _begins(each, mistaken) or _begins(mistaken, each)]
    for candidates in (begun, [each for each in folded if _abbreviates(words, _words(folded[each]))]):
        if candidates:
            return folded[max(candidates, key=lambda each: SequenceMatcher(None, mistaken, each).ratio())]
    written_alike = get_close_matches(mistaken, folded, n=1, cutoff=LIKENESS)
    if written_alike:
        return folded[written_alike[0]]
    beginnings = {each[: len(mistaken)]: each for each in folded if len(mistaken) > SHORTEST_BEGINNING}
    begun_alike = get_close_matches(mistaken, beginnings, n=1, cutoff=LIKENESS_OF_BEGINNINGS)
    return folded[beginnings[begun_alike[0]]] if begun_alike else None


def _folded(name: str) -> str:
    """``firstName``, ``first-name`` and ``FIRST_NAME`` are ``firstname``."""
    return "".join(character for character in name.casefold() if character.isalnum())


def _begins(name: str, beginning: str) -> bool:
    return len(beginning) >= SHORTEST_BEGINNING and name.startswith(beginning)


def _words(name: str) -> list[str]:
    """``aptTime``, ``apt-time`` and ``apt_time`` are ``apt`` and ``time``."""
    return [word.casefold() for word in _WORDS.findall(name)]


def _abbreviates(short: list[str], long: list[str]) -> bool:
    """Whether each word has some letters of the other's in their order, the first one among them."""
    return len(short) == len(long) > 1 and all(_is_short_for(*both) for both in zip(short, long, strict=True))


def _is_short_for(short: str, word: str) -> bool:
    letters = iter(word)
    return short[0] == word[0] and all(letter in letters for letter in short)
