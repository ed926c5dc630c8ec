"""The name that somebody may have meant."""

from collections.abc import Iterable
from typing import Final

LIKENESS: Final = 0.6
"""From 0 to 1: ``difflib``'s own default, below which two names have little in common."""
_LONGEST: Final = 100
"""Comparing takes longer the longer the names are, and nobody means one of ours with one this long."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """That of the ``known`` names which is most like ``name``, whatever the case and kind of its hyphens, if any is."""
    if len(name) > _LONGEST:
        return None
    from difflib import get_close_matches  # noqa: PLC0415 - only for who has mistaken a name

    folded = {_folded(each): each for each in known}
    found = get_close_matches(_folded(name), folded, n=1, cutoff=LIKENESS)
    return folded[found[0]] if found else None


def _folded(name: str) -> str:
    """``firstName``, ``first-name`` and ``FIRST_NAME`` are ``firstname``."""
    return "".join(character for character in name.casefold() if character.isalnum())
