"""The phrases of every language are written as the notation wants them, and the notation says what it promises."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from msgspec import json

from rebound.inbound.domain.phrases import LANGUAGES, everyday_words, phrases_of
from rebound.inbound.domain.reactions import is_reaction
from rebound.inbound.domain.revocations import reads_like_a_revocation
from rebound.inbound.domain.wording import folded, sentences
from tests.fakes.aws import REPOSITORY

FOLDER: Final = REPOSITORY / "layers/common/rebound/inbound/phrases"
GROUPS: Final = ("stop", "stop_alone", "stop_in_this_language", "polite", "thanks", "closing")
of_each_language: Final = pytest.mark.parametrize("language", LANGUAGES)


def written(language: str) -> dict[str, Any]:
    found: dict[str, Any] = json.decode((FOLDER / f"{language}.json").read_bytes())
    return found


def phrases_in(document: dict[str, Any]) -> Iterator[str]:
    for group in document["phrases"].values():
        yield from group
    for name in ("harmless", "booking", "sent_from"):
        yield from document[name]


def words_in(phrase: str) -> Iterator[str]:
    """The words of a phrase as they are looked for, without what the notation adds."""
    for part in phrase.removeprefix("~").split():
        if not re.fullmatch(r"_\d+|[$^.]", part):
            for alternative in part.removesuffix("?").split("|"):
                yield from (word.removesuffix("*") for word in alternative.split("+"))


def test_there_is_a_file_for_every_language() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {*LANGUAGES, "reactions", "everyday_words", "no_names"}


def test_words_that_are_no_names_are_written_as_they_are_looked_for() -> None:
    words = json.decode((FOLDER / "no_names.json").read_bytes(), type=list[str])

    assert words == sorted(set(words))
    assert all(re.fullmatch("[a-z]+", word) and folded(word) == word for word in words)


@of_each_language
def test_every_word_is_written_as_it_is_looked_for(language: str) -> None:
    document = written(language)
    words = [word for phrase in phrases_in(document) for word in words_in(phrase) if word not in ("", "$", ".")]
    words += [word for entries in document["concepts"].values() for entry in entries for word in words_in(entry)]
    words += [word for group in GROUPS for entry in document[group] for word in entry.split()]

    for word in words:
        assert re.fullmatch(r"<\w+>|\w+", word), word
        assert folded(word) == word


@of_each_language
def test_every_concept_is_used_and_every_one_that_is_used_is_there(language: str) -> None:
    document = written(language)
    used = {name for phrase in phrases_in(document) for name in re.findall(r"<(\w+)>", phrase)}

    assert used == set(document["concepts"])


@of_each_language
def test_no_phrase_is_there_twice_or_ends_in_a_gap(language: str) -> None:
    document = written(language)
    for group in document["phrases"].values():
        assert len(group) == len(set(group))
        assert not [phrase for phrase in group if re.search(r" _\d+$", phrase)]


@of_each_language
def test_every_phrase_can_be_looked_for(language: str) -> None:
    known = phrases_of(language)
    text = f" {' '.join(sentences('Please take me off your list, and never text me again')[0])} "

    for phrase in (*known.free, *known.guarded):
        assert phrase.starts
        phrase.is_in(text)


def test_everyday_words_are_written_as_they_are_looked_for() -> None:
    assert all(folded(word) == word for word in everyday_words())
    assert not [word for word in everyday_words() if reads_like_a_revocation(f"the {word} of today")]


@pytest.mark.parametrize(
    ("body", "held"),
    [
        ("take me off the list", True),
        ("take me off the schedule for Friday", False),
        ("take me off the list, my appointment stays", True),
        ("No. Text me the address", False),
        ("no, text me the address", False),
        ("es reicht", True),
        ("es reicht, wenn ich um zehn komme?", False),
        ("15 min ça suffit ?", False),
        ("ça suffit", True),
        ("the bus stop", False),
        ("liste d'attente", False),
    ],
)
def test_the_notation_says_what_it_promises(body: str, held: bool) -> None:
    assert reads_like_a_revocation(body) is held


def test_words_of_phones_are_written_as_they_are_looked_for() -> None:
    document: dict[str, list[str]] = json.decode((FOLDER / "reactions.json").read_bytes())

    assert all(folded(word) == word for words in document.values() for word in words)
    assert not is_reaction("")
