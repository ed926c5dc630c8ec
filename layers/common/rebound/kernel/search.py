"""Finding people by words and numbers, as somebody types them."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rebound.kernel.channels import canonical_number, former_spelling
from rebound.kernel.written_text import folded

_PART: Final = re.compile(r"(?P<number>[(.+-]*[0-9][0-9()./\s-]*)(?!\S)|\S+")
"""A word, or a run of words that may be one phone number."""
_EXTENSION: Final = re.compile(r"(?<=[0-9])[\s,;]*(?:ext(?:ension|n)?|x)[\s.:=#]*(?=[0-9])")
_NUMBER_ALONE: Final = re.compile(r"[(.+-]*[0-9][0-9()./\s-]*( ext\. [0-9]+)?")
_NOT_A_DIGIT: Final = re.compile(r"[^0-9]+")
_FEWEST_SEARCHED: Final = 3
"""A run with fewer digits is looked for as words only."""
NOTHING_SEEN: Final = "Has no character that can be seen; leave it out to find everybody."
_FEWEST_OF_A_NUMBER: Final = 7
_MOST_OF_A_COUNTRY: Final = 3
"""The longest country code (ITU-T E.164)."""

_BETWEEN: Final = re.compile(r"[\s,;]+")
"""What words are typed apart with."""
_OF_NUMBERS: Final = "()+-./"
_NATIONAL: Final = tuple(
    (country, re.compile(number), written)
    for country, number, written in (
        # Argentina: a mobile number has 15 behind its area code, of two to four digits, where from abroad it has 9.
        *(("54", f"54([1-8][0-9]{{{area - 1}}})([0-9]{{{10 - area}}})", r"54\g<1>15\2") for area in (2, 3, 4)),
        # Mexico, until 2019: 01 before any number, 044 and 045 before a mobile one.
        *(("52", "52([2-9][0-9]{9})", rf"{prefix}\1") for prefix in ("1", "44", "45")),
        # What is dialled before a national number that is no zero: 8 (in Belarus 80) and 06.
        *((country, f"{country}([0-9]{{{size}}})", r"8\1") for country, size in (("7", 10), ("370", 8), ("993", 8))),
        ("375", "375([0-9]{9})", r"80\1"),
        ("36", "36([0-9]{8,9})", r"6\1"),
    )
)
"""How numbers of some countries are written at home, zeros before them left away: ITU-T, national numbering plans."""

Search = Callable[[Sequence[str], Sequence[str]], bool]
"""Whether texts and phone numbers (E.164) of one person or thing have everything that is looked for."""


def compile_search(q: str) -> Search:
    """What finds all words of ``q``: each word within one of the texts, or digits within one of the numbers.

    Words are compared as ``folded`` has them, without punctuation at their ends, unless ``q`` has nothing else. Nothing
    finds everybody; what only shows as nothing should be refused before (``is_unseen``). Words of digits that follow
    each other may be one number, with or without its country code or as it is dialled at home, and zeros before it are
    those that are dialled first.
    """
    typed = _plain_number(q)
    plain = " ".join(_without_marks(word, _OF_NUMBERS) for word in _BETWEEN.split(typed))
    parts = [
        (
            [bare for word in found[0].split() if (bare := _without_marks(word))],
            digits_of(found["number"] or "").lstrip("0"),
        )
        for found in _PART.finditer(plain)
    ]
    if not any(words for words, _ in parts):
        parts = [(typed.split(), "")]

    def found(texts: Sequence[str], numbers: Sequence[str]) -> bool:
        searched = "\n".join(map(folded, (*texts, *numbers)))
        return all(
            all(word in searched for word in words)
            or (
                len(digits) >= _FEWEST_SEARCHED
                and any(digits in each for number in numbers for each in _written(number))
            )
            for words, digits in parts
        )

    return found


def number_parts(q: str) -> Iterator[tuple[str, bool]]:
    """The parts of what was typed as ``folded`` has them, and of each whether it is digits that may be one number."""
    typed = _plain_number(q)
    if _NUMBER_ALONE.fullmatch(typed):
        yield typed, True
        return
    for found in _PART.finditer(" ".join(_without_marks(word, _OF_NUMBERS) for word in _BETWEEN.split(typed))):
        yield found[0], found["number"] is not None


def is_unseen(q: str) -> bool:
    """Whether something was typed, if only a space, and nothing of it can be seen."""
    return bool(q) and not folded(q)


def _without_marks(word: str, kept: str = "") -> str:
    """A word without punctuation at its ends."""
    begins, ends = 0, len(word)
    while begins < ends and _is_mark(word[begins], kept):
        begins += 1
    while ends > begins and _is_mark(word[ends - 1], kept):
        ends -= 1
    return word[begins:ends]


def _is_mark(character: str, kept: str) -> bool:
    return character not in kept and unicodedata.category(character)[0] == "P"


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
        for kept in (_spellings(number) if "+" in written else _written(number))
    )


def ends_in(number: str, digits: str) -> bool:
    """Whether a kept number ends in these digits, in one of the ways in which people write it."""
    return any(each.endswith(digits) for each in _written(number))


def _plain_number(written: str) -> str:
    """What was typed, without the zero in brackets that is not dialled after a country code."""
    return _EXTENSION.sub(" ext. ", folded(written).replace("(0)", ""))


def _spellings(number: str) -> tuple[str, ...]:
    """The digits of a kept number, also in the other spelling of its country."""
    plain = number.partition(" ext. ")[0]
    today = canonical_number(plain)
    return tuple({digits_of(each) for each in (plain, today, former_spelling(today)) if each})


def _written(number: str) -> tuple[str, ...]:
    """The digits of a kept number in all ways in which people write it, zeros before it left away."""
    spellings = _spellings(number)
    return (
        *spellings,
        *(
            pattern.sub(written, spelling)
            for spelling in spellings
            for country, pattern, written in _NATIONAL
            if spelling.startswith(country) and pattern.fullmatch(spelling)
        ),
    )
