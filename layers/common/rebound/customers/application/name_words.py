"""The words of a name, as they are searched for: without case, accents and marks."""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from rebound.kernel.written_text import folded

MOST_WORDS: Final = 8
"""Words of one name that are searched; each pair of them takes two rows of an index."""
_BETWEEN: Final = frozenset("PZC")
"""Categories of the characters that stand between words: punctuation, separators, controls."""
_WIDE: Final = (range(0x1100, 0x1200), range(0x2E80, 0xA4D0), range(0xAC00, 0xD7B0), range(0xF900, 0xFB00))
"""Hangul, kana and the ideographs of Chinese and Japanese, of which one character says as much as a few letters."""
_SUPPLEMENTARY_IDEOGRAPHS: Final = 0x20000
_LETTERS: Final = 3


@lru_cache(maxsize=4096)
def words_of(text: str) -> tuple[str, ...]:
    """The words of a text in their order. An apostrophe stands inside of a word, and is left out of it."""
    plain = "".join(_plain(each) for each in folded(text))
    return tuple(word for each in plain.split() if (word := each.replace("'", "")))


@lru_cache(maxsize=4096)
def name_words(first_name: str, last_name: str) -> tuple[str, ...]:
    """The words by which a name is found, each once: ``MOST_WORDS`` at most.

    What stands behind an apostrophe is a word of its own as well (O'Brien, D'Angelo). Names that are written without a
    space, the family's first, are also one word.
    """
    found: dict[str, None] = {}
    both = [words_of(last_name), words_of(first_name)]
    if all(len(words) == 1 and is_wide(words[0]) for words in both):
        found["".join(words[0] for words in both)] = None
    name = f"{first_name} {last_name}"
    found.update(dict.fromkeys(words_of(name)))
    plain = folded(name)
    if "'" in plain:
        found.update(dict.fromkeys(word for word in words_of(plain.replace("'", " ")) if len(word) > 1))
    return tuple(found)[:MOST_WORDS]


def is_wide(word: str) -> bool:
    """Whether a word is written in characters of which one says as much as a few letters."""
    first = ord(word[0])
    return any(first in each for each in _WIDE) or first >= _SUPPLEMENTARY_IDEOGRAPHS


def beginning_of(word: str) -> str:
    """The beginning under which a word is looked for together with another one: shorter words have it whole."""
    return word[:1] if is_wide(word) else word[:_LETTERS]


def has_beginning(typed: str) -> bool:
    """Whether enough was typed of a word to know its ``beginning_of``."""
    return is_wide(typed) or len(typed) >= _LETTERS


def begin_all(typed: Iterable[str], words: Iterable[str]) -> bool:
    """Whether each of the words typed begins one of the words of a name."""
    known = tuple(words)
    return all(any(word.startswith(each) for word in known) for each in typed)


def _plain(character: str) -> str:
    if character == "'" or character.isalnum():
        return character
    return " " if unicodedata.category(character)[0] in _BETWEEN else character
