"""What use cases say to people, in the reader's language.

Use cases speak English and know of no language. A catalogue (``words/said``) has an entry for each of their sentences:
the English one, with a place for each thing that is filled in, and what it is in another language. An English sentence,
made a moment ago or stored last year, is read back by the entry that it fits, and written again by its other side.

A place is written as in ``str.format``, and its kind says what may stand there (and is written anew):

* ``{name}``: anything; it stays as it is.
* ``{name:said}``: something that the catalogue has an entry for as well; ``{name:maybe}``: as well, or else as it is.
* ``{name:unended}``: a sentence that has an entry, without its full stop.
* ``{name:number}``, ``{name:time}``: a number, or a time; written as people there do.
* ``{name:listed}``: several things with commas, "and" or "or" between them, each with an entry, also one that is
  written with spaces in place of its ``_``, or kept as it is;
  ``{name:clauses}``: several with semicolons between them, each with an entry.

What fits no entry stays English, as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import replace
from datetime import datetime
from functools import cache
from string import Formatter
from typing import Final, Protocol

from msgspec import Struct, field

from rebound.kernel.languages import read_words

type Places = Mapping[str, str]
"""What stands in each place, in the reader's language."""
type Read = Callable[[str], str | None]
"""What a place of some kind has in the reader's language; ``None`` for what is not of the kind."""


class Writing(Protocol):
    """How numbers and times are written in the reader's language."""

    def number(self, value: float) -> str:
        """A number with the separators that people there use."""

    def moment(self, value: datetime) -> str:
        """Day and time; without a zone of its own it is by the business's clock."""


MOST_SENTENCES: Final = 8
"""Of one text, that are looked up one by one; what has more was not made of sentences of ours."""
_ENDS: Final = re.compile(r"(?<=[.?!]) ")
_NUMBER: Final = re.compile(r"-?[0-9]+(,[0-9]{3})*(\.[0-9]+)?")
_BETWEEN: Final = re.compile(r", | and | or ")


class Place(Struct, frozen=True):
    """Something that is filled in, and the words between it and the next one."""

    name: str
    kind: str
    after: str


class Pattern(Struct, frozen=True):
    """A sentence with places, and what it is in another language."""

    before: str
    places: tuple[Place, ...]
    other: str

    @property
    def weight(self) -> int:
        """How much of it is words: the more, the surer it is the one that a sentence was made by."""
        return len(self.before) + sum(len(place.after) for place in self.places)


class Catalogue(Struct, frozen=True):
    """The entries of a language: sentences that are always the same, and those with places, the surest first.

    The latter by their first word; under none are those in whose first word, or before it, is a place. Each list of a
    word has those as well, from when it is first asked for.
    """

    whole: Mapping[str, str]
    _by_word: Mapping[str, Sequence[Pattern]]
    _merged: dict[str, Sequence[Pattern]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Mapping[str, str]) -> Catalogue:
        """Of the two sides of each entry."""
        made = [_pattern(english, other) for english, other in entries.items()]
        whole = {each.before: each.other.format() for each in made if not each.places}
        by_word: dict[str, list[Pattern]] = {"": []}
        for each in made:
            if each.places:
                word, space, _ = each.before.partition(" ")
                by_word.setdefault(word if space else "", []).append(each)
        return cls(whole, by_word)

    def beginning(self, text: str) -> Sequence[Pattern]:
        """Those with places that a text can be of by its first word."""
        word = text.partition(" ")[0]
        word = word if word in self._by_word else ""
        if word not in self._merged:
            both = [*self._by_word[word], *(self._by_word[""] if word else ())]
            self._merged[word] = sorted(both, key=lambda each: -each.weight)
        return self._merged[word]


def _pattern(english: str, other: str) -> Pattern:
    before, places = "", list[Place]()
    for words, name, kind, _ in Formatter().parse(english):
        if places:
            [*places, last] = places
            places.append(replace(last, after=last.after + words))
        else:
            before += words
        if name is not None:
            places.append(Place(name, kind or "", ""))
    return Pattern(before, tuple(places), other)


@cache
def catalogue(language: str) -> Catalogue:
    """That of a language, read once."""
    return Catalogue.of(read_words("console", f"said/{language}"))


class Translation:
    """Of one text; what was looked up for it once is not looked up again."""

    def __init__(self, entries: Catalogue, words: Writing) -> None:
        self._entries, self._words = entries, words
        self._known: dict[str, str | None] = {}
        self.kinds: Mapping[str, Read] = {
            "": lambda text: text,
            "said": self.of,
            "maybe": lambda text: self.of(text) or text,
            "unended": self._unended,
            "number": self._number,
            "time": self._time,
            "listed": self._listed,
            "clauses": self._clauses,
        }

    def of(self, text: str) -> str | None:
        """The text in the reader's language; ``None`` for what no entry fits."""
        if text not in self._known:
            self._known[text] = None  # an entry that fits only by way of the whole text again does not fit
            self._known[text] = self._of(text)
        return self._known[text]

    def _of(self, text: str) -> str | None:
        found = self._entries.whole.get(text) or self._one_by_one(text)
        if found is not None:
            return found
        for pattern in self._entries.beginning(text):
            if text.startswith(pattern.before) and text.endswith(pattern.places[-1].after):
                filled = next(self._fits(text[len(pattern.before) :], pattern.places), None)
                if filled is not None:
                    return pattern.other.format(**filled)
        return None

    def _fits(self, text: str, places: Sequence[Place]) -> Iterator[Places]:
        """How the rest of a sentence can be read by the rest of a pattern."""
        [place, *others] = places
        if not others:
            ends = [len(text) - len(place.after)]
        else:
            ends = [found.start() for found in re.finditer(f"(?={re.escape(place.after)})", text)]
        for end in ends:
            own = self.kinds[place.kind](text[:end]) if end > 0 else None
            if own is not None:
                rest = self._fits(text[end + len(place.after) :], others) if others else iter([{}])
                yield from ({place.name: own, **more} for more in rest)

    def _one_by_one(self, text: str) -> str | None:
        """Several sentences, each by its own entry."""
        ends = [found.start() for found in _ENDS.finditer(text)]
        if len(ends) >= MOST_SENTENCES:
            return None
        for end in reversed(ends):
            first = self.of(text[:end])
            rest = self.of(text[end + 1 :]) if first is not None else None
            if rest is not None:
                return f"{first} {rest}"
        return None

    def _unended(self, text: str) -> str | None:
        said = self.of(f"{text}.")
        return said.removesuffix(".") if said is not None else None

    def _number(self, text: str) -> str | None:
        if _NUMBER.fullmatch(text) is None:
            return None
        plain = text.replace(",", "")
        return self._words.number(float(plain) if "." in plain else int(plain))

    def _time(self, text: str) -> str | None:
        for form in ("%d %B %Y, %H:%M", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z"):
            try:
                return self._words.moment(datetime.strptime(text, form))  # noqa: DTZ007 - a clock's, without a zone
            except ValueError:
                continue
        return None

    def _listed(self, text: str) -> str:
        parts, between = _BETWEEN.split(text), _BETWEEN.findall(text)
        said = [self.of(part) or self.of(part.replace("_", " ")) or part for part in parts]
        joined = [each if each == ", " else f" {self.of(each.strip()) or each.strip()} " for each in between]
        return "".join(piece for pair in zip(said, [*joined, ""], strict=True) for piece in pair)

    def _clauses(self, text: str) -> str | None:
        said = [self.of(part) for part in text.split("; ")]
        return "; ".join(filter(None, said)) if all(said) else None
