"""Recognising texts whose senders ask in their own words not to be texted any more.

The phrases are data, by language (``phrases``). They are wide on purpose: a match only holds marketing back until staff
have read the text, whereas a sender who is missed goes on getting messages. A revocation in any reasonable words counts
in the United States (47 CFR 64.1200(a)(10)). What is missed and what is held in vain is measured on a labelled set.
"""

import re
from collections.abc import Collection, Sequence
from functools import cache
from typing import Final

from rebound.inbound.domain.phrases import LANGUAGES, Phrases, everyday_words, phrases_of
from rebound.inbound.domain.stop_words import all_stop_words, is_perhaps_stop, is_stop, polite_words, strong_words
from rebound.inbound.domain.wording import BREAK, QUESTION, sentences, visible

_SHORT: Final = 4
"""Words in a sentence that is so short that a STOP in it can hardly mean anything else."""
_ALONE: Final = 2
"""Words in a sentence in which a short word may be misspelt."""
_FEW_LETTERS: Final = 4
"""Letters of the shortest word that may be misspelt; only its letters' order, because many words are like it."""
_MANY_LETTERS: Final = 8
"""Letters of a word in which two may be wrong; below, one."""
_SIGNS: Final = re.compile("[\N{OCTAGONAL SIGN}\N{NO ENTRY}\N{NO ENTRY SIGN}\N{CROSS MARK}\N{RAISED HAND}]")
"""Emoji that say stop by themselves."""
_SHOUTED: Final = re.compile(r"(?=.*[a-z]).*\bSTOPP?\W*", re.DOTALL)
"""A sentence in small letters that ends with a STOP in capitals, as the footer of a text has it."""
_DOUBLED: Final = re.compile(r"(\w)\1+")


def reads_like_a_revocation(body: str) -> bool:
    """Whether somebody should read the text before the next marketing message goes out."""
    found = sentences(body)
    if not found:
        return bool(_SIGNS.search(visible(body)))
    # A STOP of any language: perhaps it is not known to be the sender's.
    return (
        is_stop(body, LANGUAGES)
        or is_perhaps_stop(body)
        or bool(_SHOUTED.fullmatch(visible(body)))
        or any(_asks_to_stop(words) for words in found)
        or any(_is_misspelt(words) for words in found if len(found) == 1 or len(words) <= _SHORT)
    )


def _asks_to_stop(words: Sequence[str]) -> bool:
    text = f" {' '.join(words)} "
    for language in LANGUAGES:
        text = phrases_of(language).harmless.sub(f" {BREAK} ", text)
    text = re.sub(r" +", " ", text)
    return _has_a_stop(text) or any(_has_a_phrase(text, phrases_of(language)) for language in LANGUAGES)


def _has_a_stop(text: str) -> bool:
    """Whether a part of the sentence is a STOP by itself, or it is short and begins with one or has Twilio's."""
    parts = [_without_politeness(part.replace(QUESTION, "").split()) for part in text.split(BREAK)]
    if any(" ".join(part) in strong_words() for part in parts):
        return True
    words = [word for part in parts for word in part]
    if not words or len(words) > _SHORT or any(phrases_of(language).booking.search(text) for language in LANGUAGES):
        return False
    return words[0] in _single_words() or bool({"stop", "stopp"}.intersection(words))


def _without_politeness(words: Sequence[str]) -> list[str]:
    kept: list[str] = []
    at = 0
    while at < len(words):
        groups = ((length, " ".join(words[at : at + length])) for length in range(min(4, len(words) - at), 0, -1))
        polite = next((length for length, group in groups if group in polite_words()), 0)
        if not polite:
            kept.append(words[at])
        at += polite or 1
    return kept


def _has_a_phrase(text: str, known: Phrases) -> bool:
    words = set(text.split())
    if any(phrase.may_be_among(words) and phrase.is_in(text) for phrase in known.free):
        return True
    guarded = [phrase for phrase in known.guarded if phrase.may_be_among(words)]
    parts = [f" {part.strip()} " for part in text.split(BREAK)] if guarded else []
    return any(phrase.is_in(part) for part in parts if not known.booking.search(part) for phrase in guarded)


@cache
def _single_words() -> frozenset[str]:
    return frozenset(word for word in strong_words() if " " not in word)


# --- misspelt words ---------------------------------------------------------------------------------------------------


def _is_misspelt(words: Collection[str]) -> bool:
    """Whether a long word is nearly one that stops, or the whole sentence is nearly a short one."""
    kept = set(_without_politeness([word for word in words if word not in (BREAK, QUESTION)]))
    unknown = kept - all_stop_words() - everyday_words() - polite_words()
    return any(_is_nearly_a_stop(word, alone=len(kept) <= _ALONE) for word in unknown if len(word) >= _FEW_LETTERS - 1)


@cache
def _may_be_misspelt(*, alone: bool) -> frozenset[str]:
    return frozenset(word for word in (all_stop_words() if alone else strong_words()) if " " not in word)


def _is_nearly_a_stop(word: str, *, alone: bool) -> bool:
    return any(
        _is_nearly(word, known, alone=alone)
        for known in _may_be_misspelt(alone=alone)
        # Hardly anybody mistypes the first letter, and many other words differ by it.
        if known[0] == word[0] and len(known) >= (_FEW_LETTERS if alone else _MANY_LETTERS)
    )


def _is_nearly(word: str, known: str, *, alone: bool) -> bool:
    if _DOUBLED.sub(r"\1", word) == _DOUBLED.sub(r"\1", known):
        return True
    if len(known) <= _FEW_LETTERS and known != "stop":
        return sorted(word) == sorted(known) and distance(word, known, 1) <= 1
    most = 2 if alone and len(known) >= _MANY_LETTERS else 1
    return distance(word, known, most) <= most


def distance(one: str, other: str, most: int) -> int:
    """How many letters are wrong, missing, too many or have changed places, up to ``most`` + 1.

    This is the optimal string alignment distance.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, against in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
