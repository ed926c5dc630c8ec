"""Finding people by words and numbers, as somebody types them."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from rebound.kernel.channels import canonical_number, former_spelling
from rebound.kernel.written_text import folded

_PART: Final = re.compile(r"(?P<number>[(.+-]*[0-9][0-9()./\s-]*)(?!\S)|\S+")
"""A word, or a run of words that may be one phone number."""
_EXTENSION: Final = re.compile(r"(?<=[0-9])[\s,;]*(?:ext(?:ension|n)?|x)[\s.:=#]*(?=[0-9])")
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
    typed = _plain_number(q)
    parts = [(found[0].split(), digits_of(found["number"] or "").lstrip("0")) for found in _PART.finditer(typed)]

    def found(texts: Sequence[str], numbers: Sequence[str]) -> bool:
        searched = "\n".join(map(folded, (*texts, *numbers)))
        return all(
            all(word in searched for word in words)
            or (
                len(digits) >= _FEWEST_SEARCHED
                and any(digits in each for number in numbers for each in _spellings(number))
            )
            for words, digits in parts
        )

    return found


def digits_of(number: str) -> str:
    """The digits of a phone number, without those of its extension."""
    return _NOT_A_DIGIT.sub("", number.partition(" ext. ")[0])


def is_number(written: str, number: str) -> bool:
    """Whether a kept number is the one that somebody wrote: all digits, or without a plus all but the country code."""
    digits = digits_of(_plain_number(written))
    if not digits or not number:
        return not written.strip() and not number
    own = digits.lstrip("0")
    is_national = "+" not in written and len(own) >= _FEWEST_OF_A_NUMBER
    return any(
        digits == kept or (is_national and kept.endswith(own) and len(kept) - len(own) <= _MOST_OF_A_COUNTRY)
        for kept in _spellings(number)
    )


def _plain_number(written: str) -> str:
    """What was typed, without the zero in brackets that is not dialled after a country code."""
    return _EXTENSION.sub(" ext. ", folded(written).replace("(0)", ""))


def _spellings(number: str) -> tuple[str, ...]:
    """The digits of a kept number, also in the other spelling of its country."""
    plain = number.partition(" ext. ")[0]
    today = canonical_number(plain)
    return tuple({digits_of(each) for each in (plain, today, former_spelling(today)) if each})
