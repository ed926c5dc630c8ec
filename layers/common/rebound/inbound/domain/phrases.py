"""What people write in each language to get no more texts: data, ``phrases/<language>.json``, made ready to look for.

``stop`` lists what is a STOP by itself or with words around it that add nothing; ``stop_alone`` what is one only as the
whole text, because it ends other things too; ``stop_in_this_language`` what is another word elsewhere. ``polite``,
``thanks`` (which people sign without a pause), ``closing`` and ``sent_from`` are what may stand around. ``harmless``
word groups are taken out before ``phrases`` are looked for, which are what a person should read, by why somebody writes
so.

All is written in lower case without accents. In a phrase, ``remove* _3 list|<number>`` is a word that begins with
"remove", at most three other words, then "list" or one of the concept ``number``. ``+`` joins the words of one
alternative, ``?`` makes the word before it optional. ``^`` is where the sentence begins, ``$`` where it, or a part of
it before a pause, ends, and ``.`` where it ends and is no question. With ``~`` in front, the phrase does not count
where its part of the sentence is about a ``booking``. No phrase reaches over a pause.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Final

from msgspec import Struct, json

LANGUAGES: Final = ("de", "en", "es", "fr", "it", "nl", "pt")
"""ISO 639-1: languages whose phrases are known, more than Rebound itself writes in."""
_FOLDER: Final = Path(__file__).parent.with_name("phrases")
_SHORTEST_BEGINNING: Final = 5
"""Letters of what words begin with; many names begin with fewer."""
_LITERAL: Final = re.compile(r"(?<![\w<])[a-z]{2,}\*?(?![\w>])")
"""A word of a phrase, or its beginning; single letters are initials as well."""
_ENDS: Final = {"$": r"(?=[,?] |$)", ".": "$"}


class _Written(Struct, frozen=True, forbid_unknown_fields=True):
    """A file as it is written."""

    stop: list[str]
    stop_alone: list[str]
    stop_in_this_language: list[str]
    polite: list[str]
    thanks: list[str]
    closing: list[str]
    sent_from: list[str]
    harmless: list[str]
    booking: list[str]
    concepts: dict[str, list[str]]
    phrases: dict[str, list[str]]


class Phrase(Struct, frozen=True):
    """A phrase to look for in words with a space before, between and after them."""

    starts: tuple[str, ...]
    """What its first word begins with: a text without such a word cannot have it, and its pattern is not compiled."""
    pattern: str

    def may_be_among(self, words: Collection[str]) -> bool:
        """Whether a text of these words may have the phrase at all."""
        return any(word.startswith(self.starts) for word in words)

    def is_in(self, text: str) -> bool:
        """Whether the text has the phrase."""
        return _compiled(self.pattern).search(text) is not None


class Phrases(Struct, frozen=True):
    """The phrases of one language. Word groups are lists of words joined by a space."""

    stop: frozenset[str]
    stop_alone: frozenset[str]
    stop_in_this_language: frozenset[str]
    polite: frozenset[str]
    """What adds nothing, with ``thanks``."""
    thanks: frozenset[str]
    closing: frozenset[str]
    sent_from: re.Pattern[str]
    harmless: re.Pattern[str]
    booking: re.Pattern[str]
    free: tuple[Phrase, ...]
    """Phrases that count wherever they stand."""
    guarded: tuple[Phrase, ...]
    """Phrases that do not count beside a booking."""


@cache
def phrases_of(language: str) -> Phrases:
    """The phrases of one of ``LANGUAGES``."""
    written = json.decode((_FOLDER / f"{language}.json").read_bytes(), type=_Written)
    every = [text for group in written.phrases.values() for text in group]
    concepts = {name: _alternatives(words, {}) for name, words in written.concepts.items()}

    def phrase(text: str) -> Phrase:
        return Phrase(tuple(_starts(text.split(), written.concepts)), _pattern(text, concepts))

    return Phrases(
        frozenset(written.stop),
        frozenset(written.stop_alone),
        frozenset(written.stop_in_this_language),
        frozenset((*written.polite, *written.thanks)),
        frozenset(written.thanks),
        frozenset(written.closing),
        _any([_pattern(f"^ {line} $", concepts) for line in written.sent_from]),
        _any([_pattern(group, concepts) for group in written.harmless]),
        _any([_pattern(group, concepts) for group in written.booking]),
        tuple(phrase(text) for text in every if not text.startswith("~")),
        tuple(phrase(text[1:]) for text in every if text.startswith("~")),
    )


@cache
def everyday_words() -> frozenset[str]:
    """Words of all languages that look like a misspelt STOP and are none."""
    return frozenset(json.decode((_FOLDER / "everyday_words.json").read_bytes(), type=list[str]))


@cache
def is_no_name(word: str) -> bool:
    """Whether a word in lower case without accents is one of those that people write, so that it is nobody's name.

    Those are the little words of all languages (``no_names``), and all words that phrases are made of.
    """
    words, beginnings = _vocabulary()
    return word in words or word.startswith(beginnings)


@cache
def _vocabulary() -> tuple[frozenset[str], tuple[str, ...]]:
    """Words, and what words begin with."""
    words = set(json.decode((_FOLDER / "no_names.json").read_bytes(), type=list[str])) | everyday_words()
    for language in LANGUAGES:
        written = json.decode((_FOLDER / f"{language}.json").read_bytes(), type=_Written)
        groups = (written.harmless, written.booking, *written.concepts.values(), *written.phrases.values())
        for text in chain(*groups):
            words.update(_LITERAL.findall(text))
    beginnings = tuple(word[:-1] for word in words if word.endswith("*") and len(word) > _SHORTEST_BEGINNING)
    return frozenset(words), beginnings


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _starts(parts: list[str], concepts: Mapping[str, list[str]]) -> Iterator[str]:
    """What the first word of a phrase may begin with."""
    for part in parts:
        if part != "^":
            for word in part.rstrip("?").split("|"):
                for written in concepts[word[1:-1]] if word.startswith("<") else [word]:
                    yield written.partition("+")[0].removesuffix("*")
            if not part.endswith("?"):
                return


def _any(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


def _pattern(phrase: str, concepts: dict[str, str]) -> str:
    parts = phrase.split()
    written = "^ " if parts[0] == "^" else "(?<= )"
    for part in parts[1:] if parts[0] == "^" else parts:
        if part in _ENDS:
            written += _ENDS[part]
        elif part.startswith("_"):
            written += rf"(?:\w+ ){{0,{int(part[1:])}}}"
        else:
            words = _alternatives(part.rstrip("?").split("|"), concepts)
            written += f"(?:{words})?" if part.endswith("?") else words
    return written


def _alternatives(words: list[str], concepts: dict[str, str]) -> str:
    """A group that matches one of the words with the space behind it, one of a concept, or an end."""
    return "(?:" + "|".join(_alternative(word, concepts) for word in words) + ")"


def _alternative(word: str, concepts: dict[str, str]) -> str:
    if word.startswith("<"):
        return concepts[word[1:-1]]
    if word in _ENDS:
        return _ENDS[word]
    return re.escape(word).replace(r"\*", r"\w*").replace(r"\+", " ") + " "
