"""Whether a text is a STOP: one of the words in any of the languages, once or often, with what adds nothing to it.

``STOP STOP``, ``Stop, please``, ``"ARRÊT" svp`` and a ``stop`` with ``- Dana`` on the next line are; ``STOP 2`` and
``stop the 3 pm texts`` are for a person to read. Who signs in small letters stops as well, as long as each word may be
a name: ``stop - by tomorrow`` does not.
"""

import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import Final

from rebound.inbound.domain.phrases import LANGUAGES, is_no_name, phrases_of
from rebound.inbound.domain.wording import DOTTED, folded, undotted, visible

_PARTICLES: Final = frozenset(
    ("van", "de", "der", "den", "da", "do", "dos", "di", "del", "della", "von", "zu", "le", "la", "y", "e")
)
"""Words in lower case that names have."""
_LONGEST: Final = 6
"""Words in the longest group of words that is looked for."""
_TOKEN: Final = re.compile(
    r"(?P<word>\w+(?:['\u2019]\w+)*)|(?P<line>\n|(?<!\w)[-\u2013\u2014~*]+)|(?P<goes_on>[?:])|(?P<pause>[.,!;()\[\]\u2026])"
)
_OF_IRELAND: Final = re.compile("^o['\u2019]")
"""The only beginning before an apostrophe that is no word elsewhere, as in ``j'ai``, ``l'heure`` and ``d'accord``."""
_SHORTEST_NUMBER: Final = 3
"""Digits of a part of a phone number; a number with fewer may say how many texts are meant."""
_TRIPLED: Final = re.compile(r"(\w)\1{2,}")
_WORD: Final = re.compile(r"\w+")
_LINE_END: Final = re.compile(r"[\r\n]+")
_IN_SMALL_LETTERS: Final = "(?: [iN]S? ){0,2} n (?: S?[niN] ){0,3} S* (?: L [DS]{1,4} )?"
"""A name of one to some words, and perhaps a phone number below it; nobody asks or announces anything with it."""
_SHAPE: Final = re.compile(
    rf"""[PTSLQ]*
    (?: K [KPTSLQ]* (?: C [PTSLQC]* [NDSLQ]{{0,12}} | (?<=[PTSLQ]) [ND] [NDSLQ]{{0,12}} )? [PTSLQ]*
      | W [WPTSLQ]* (?: C [PTSLQC]* [NDSLQ]{{0,12}} | (?<=L) [ND] [NDSLQ]{{0,12}} )? [PTSLQ]*
      | K [KPTSLQ]* (?: C [PTSLC]* | (?<=[TSL]) ) {_IN_SMALL_LETTERS} )""",
    re.VERBOSE,
)
"""A STOP with what may stand around it, one letter for each part: see ``_letters``. At the end, somebody's name."""
_PERHAPS: Final = re.compile(rf"[PTSLQ]* W [WPTSLQ]* (?: C [PTSLC]* | (?<=[TSL]) ) {_IN_SMALL_LETTERS}", re.VERBOSE)
"""A word that stops only alone, and what may be a name, or what shall end."""


def is_stop(body: str, languages: Collection[str] = ()) -> bool:
    """Whether the text asks for no more texts and says nothing else.

    ``languages`` are those of the customers who have the number: a word that is another one elsewhere counts only in
    its language.
    """
    text = visible(body).strip()
    together = "".join(c for c in folded(text) if c.isalnum())
    if together and any(_repeats(word, together) for word in _joined()):
        return True
    return _SHAPE.fullmatch(_shape_of(text, languages)) is not None


def is_perhaps_stop(body: str) -> bool:
    """Whether a word that stops only as the whole text is signed in small letters, or says what shall end."""
    return _PERHAPS.fullmatch(_shape_of(visible(body).strip(), LANGUAGES)) is not None


def depends_on_language(body: str) -> bool:
    """Whether it is a STOP in one of the languages only."""
    return is_stop(body, LANGUAGES) and not is_stop(body)


def says_cancel(body: str) -> bool:
    """Whether a STOP says CANCEL, which people also say of an appointment."""
    return "cancel" in folded(visible(body))


@cache
def strong_words() -> frozenset[str]:
    """Word groups that mean a STOP wherever they are a sentence of their own."""
    return frozenset(word for language in LANGUAGES for word in phrases_of(language).stop)


@cache
def all_stop_words() -> frozenset[str]:
    """Word groups that mean a STOP in some language, if only as the whole text."""
    known = [phrases_of(language) for language in LANGUAGES]
    return strong_words().union(*(each.stop_alone | each.stop_in_this_language for each in known))


@cache
def polite_words() -> frozenset[str]:
    """Word groups that add nothing."""
    return frozenset(word for language in LANGUAGES for word in phrases_of(language).polite)


@cache
def _joined() -> frozenset[str]:
    return frozenset(word.replace(" ", "") for word in strong_words())


def _repeats(word: str, text: str) -> bool:
    times, rest = divmod(len(text), len(word))
    return rest == 0 and text == word * times


def _is_sent_from(line: str) -> bool:
    words = f" {' '.join(_WORD.findall(folded(line)))} "
    return any(phrases_of(language).sent_from.search(words) for language in LANGUAGES)


def _shape_of(text: str, languages: Collection[str]) -> str:
    lines = [line for line in _LINE_END.split(text) if line.strip()]
    while len(lines) > 1 and _is_sent_from(lines[-1]):
        lines.pop()
    return "".join(_letters("\n".join(lines), frozenset(languages)))


def _letters(text: str, languages: frozenset[str]) -> Iterator[str]:
    """The parts of a text, by what they are.

    ``K`` a word that stops, ``W`` one that stops only alone, ``P`` one that adds nothing, ``T`` one that thanks, ``C``
    the beginning of a signature, ``N`` what may be a name, ``n`` and ``i`` a name and an initial in small letters,
    ``D`` part of a phone number, ``S`` a pause, ``Q`` one that asks or announces, ``L`` a new line or a dash, ``X``
    anything else.
    """
    kinds = _kinds(languages)
    tokens = list(_TOKEN.finditer(DOTTED.sub(undotted, text)))
    at = 0
    while at < len(tokens):
        words = []
        for token in tokens[at : at + _LONGEST]:
            if token["word"] is None:
                break
            words.append(token["word"])
        if not words:
            yield "L" if tokens[at]["line"] else "Q" if tokens[at]["goes_on"] else "S"
            at += 1
            continue
        groups = ((length, kinds.get(_group(words[:length]))) for length in range(len(words), 0, -1))
        length, kind = next(((length, kind) for length, kind in groups if kind), (1, None))
        yield kind or _letter_of_a_name(words[0])
        at += length


def _group(words: list[str]) -> str:
    return " ".join(_WORD.findall(_TRIPLED.sub(r"\1", folded(" ".join(words)))))


@cache
def _kinds(languages: frozenset[str]) -> dict[str, str]:
    """The kind of each word group; one that is of several kinds is of the last of them."""
    kinds: dict[str, str] = {}
    for language in LANGUAGES:
        known = phrases_of(language)
        kinds |= dict.fromkeys(known.closing, "C") | dict.fromkeys(known.polite, "P")
    for language in LANGUAGES:
        known = phrases_of(language)
        kinds |= dict.fromkeys(known.thanks, "T") | dict.fromkeys(known.stop_alone, "W")
        if language in languages:
            kinds |= dict.fromkeys(known.stop_in_this_language, "W")
    return kinds | dict.fromkeys(strong_words(), "K")


def _letter_of_a_name(word: str) -> str:
    """What a word may be in somebody's signature, or in the phone number below it."""
    if word.isdigit():
        return "D" if len(word) >= _SHORTEST_NUMBER else "X"
    if word in _PARTICLES or (word[0].isupper() and not any(c.isdigit() for c in word)):
        return "N"
    plain = _OF_IRELAND.sub("", folded(word))
    if not plain.isalpha() or is_no_name(plain):
        return "X"
    return "n" if len(plain) > 1 else "i"
