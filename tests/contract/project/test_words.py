"""What Rebound writes to people: every language has every sentence, with the same places for the same things.

The console's words, in fewer languages, have laws of their own (``tests/unit/console``).
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from rebound.contacts.domain.replies import Keyword
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import Scope
from rebound.kernel.languages import LANGUAGES
from rebound.preferences.domain import opt_in_question
from rebound.preferences.http.pages import page_words
from rebound.templates.domain.footers import footer_words, scope_of
from tests.fakes.aws import REPOSITORY

PACKAGE: Final = REPOSITORY / "layers/common/rebound"
FOLDERS: Final = sorted(folder for folder in PACKAGE.glob("*/words") if folder.parent.name != "console")
MODEL: Final = "en"
"""The language that the others are held against."""
SHORT: Final = frozenset({"SMS"})
"""What may be the same in two languages."""
_PLACE: Final = re.compile(r"##\{\{.*?\}\}|\{.*?\}|\b[A-Z]{4,}\b")
"""Variables, what a sentence is filled with, and the words to text."""

of_each_capability: Final = pytest.mark.parametrize("folder", FOLDERS, ids=[folder.parent.name for folder in FOLDERS])


def flat(document: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every sentence under the path to it."""
    if isinstance(document, dict):
        for name, inner in document.items():
            yield from flat(inner, f"{path}/{name}")
    else:
        assert isinstance(document, str), path
        yield path, document


@cache
def sentences(file: Path) -> dict[str, str]:
    return dict(flat(json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=once)))


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two sentences of one name the first would never be shown."""
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), names
    return dict(pairs)


def test_some_capabilities_write_to_people() -> None:
    assert [folder.parent.name for folder in FOLDERS] == ["customers", "inbound", "preferences", "staff", "templates"]


@of_each_capability
def test_there_is_a_file_for_every_language_and_no_other(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [f"{language}.json" for language in sorted(LANGUAGES)]


@of_each_capability
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_sentence_with_the_same_places(folder: Path, language: str) -> None:
    model, own = (sentences(folder / f"{each}.json") for each in (MODEL, language))

    assert list(own) == list(model), "the same sentences, in the same order"
    for path, sentence in own.items():
        assert sentence.strip() == sentence != "", path
        assert set(_PLACE.findall(sentence)) == set(_PLACE.findall(model[path])), path
        assert not set("{}<>") & set(_PLACE.sub("", sentence)), path
        assert language == MODEL or sentence != model[path] or sentence in SHORT, path


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentences_are_those_that_are_asked_for(language: str) -> None:
    pages, footer = page_words(language), footer_words(language)

    assert set(pages.kinds) == set(pages.by) == set(Channel)
    assert set(pages.ask_to_stop) == set(pages.what_stays) == set(pages.no_more) == set(Scope)
    assert set(pages.choices) == set(Scope)
    assert set(footer.unsubscribe) == {scope for scope in map(scope_of, Category) if scope is not None}
    assert {name for name, _ in flat(inbound(language))} == {f"/keyword_answers/{keyword}" for keyword in Keyword}
    assert len({str(opt_in_question(language, channel)) for channel in Channel}) == len(Channel)


def inbound(language: str) -> Any:
    return json.loads((PACKAGE / "inbound" / "words" / f"{language}.json").read_text(encoding="utf-8"))
