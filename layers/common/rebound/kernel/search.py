"""Finding people by words and numbers, as somebody types them."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from rebound.kernel.written_text import folded

_PART: Final = re.compile(r"(?P<number>[(.+-]*[0-9][0-9()./\s-]*)(?!\S)|\S+")
"""A word, or a run of words that may be one phone number."""
_NOT_A_DIGIT: Final = re.compile(r"[^0-9]+")
_FEWEST_SEARCHED: Final = 3
"""A run with fewer digits is looked for as words only."""
_FEWEST_OF_A_NUMBER: Final = 7
_MOST_OF_A_COUNTRY: Final = 3
"""The longest country code (ITU-T E.164)."""

Search = Callable[[Sequence[str], Sequence[str]], bool]
"""Whether texts and phone numbers (E.164) of one person or thing have everything that is looked for."""


def compile_search(q: str) -> Search:
    """What finds all words of ``q``: each word within one of the texts, or digits within one of the numbers.

    Words are compared as ``folded`` has them. Words of digits that follow each other may be one number, with or without
    its country code, and zeros before it are those that are dialled first.
    """
    parts = [(found[0].split(), digits_of(found["number"] or "").lstrip("0")) for found in _PART.finditer(folded(q))]

    def found(texts: Sequence[str], numbers: Sequence[str]) -> bool:
        searched = "\n".join(map(folded, texts))
        return all(
            all(word in searched for word in words)
            or (len(digits) >= _FEWEST_SEARCHED and any(digits in digits_of(number) for number in numbers))
            for words, digits in parts
        )

    return found


def digits_of(number: str) -> str:
    """The digits of a phone number, without those of its extension."""
    return _NOT_A_DIGIT.sub("", number.partition(" ext. ")[0])


def is_number(written: str, number: str) -> bool:
    """Whether a kept number is the one that somebody wrote: all digits, or without a plus all but the country code."""
    digits, kept = digits_of(folded(written)), digits_of(number)
    if digits == kept:
        return bool(digits) or not written.strip()
    own = digits.lstrip("0")
    is_national = "+" not in written and len(own) >= _FEWEST_OF_A_NUMBER
    return is_national and kept.endswith(own) and len(kept) - len(own) <= _MOST_OF_A_COUNTRY
