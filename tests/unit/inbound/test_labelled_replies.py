"""What people reply, measured: on texts that were labelled before the phrases were written."""

from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

from tests.fakes.aws import REPOSITORY
from tests.unit.inbound.labelled import (
    FROZEN,
    FROZEN_DIGEST,
    Figures,
    Labelled,
    Outcome,
    figures_of,
    labelled,
    outcome_of,
)

TEXTS: Final = labelled()
HALVES: Final = {
    "looked at": [text for text in TEXTS if text.may_be_looked_at],
    "only measured": [text for text in TEXTS if not text.may_be_looked_at],
    "all": TEXTS,
}
LANGUAGES: Final = ("de", "en", "es", "fr", "it", "nl", "pt")
GUIDE: Final = REPOSITORY / "docs/guide/texting-and-answers.md"


def share(figure: tuple[int, int]) -> float:
    some, all_ = figure
    return some / all_


def test_the_set_is_the_one_that_was_frozen() -> None:
    assert sha256(FROZEN.read_bytes()).hexdigest() == FROZEN_DIGEST
    assert len(TEXTS) >= 400
    assert {text.language for text in TEXTS} == set(LANGUAGES)
    assert 0.4 < len(HALVES["looked at"]) / len(TEXTS) < 0.6


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("knowing_the_language", [True, False])
def test_the_bars_hold(half: str, knowing_the_language: bool) -> None:
    figures: Figures = figures_of(HALVES[half], knowing_the_language=knowing_the_language)

    assert figures.plain_missed[0] == 0
    assert share(figures.missed) <= 0.05
    assert share(figures.held_in_vain) <= 0.02
    assert share(figures.plain_stopped) >= 0.9


@pytest.mark.parametrize("half", HALVES)
def test_the_guide_gives_the_figures(half: str) -> None:
    assert f"| {half} | {figures_of(HALVES[half])} |" in GUIDE.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_is_worse_than_the_bars_allow_by_much(language: str) -> None:
    figures = figures_of(text for text in TEXTS if text.language == language)

    assert figures.plain_missed[0] == 0
    assert share(figures.missed) <= 0.08
    assert figures.held_in_vain[0] <= 1


@pytest.mark.parametrize("text", [text for text in TEXTS if text.reaction], ids=lambda text: text.body[:30])
def test_no_reaction_of_a_phone_is_held(text: Labelled) -> None:
    assert outcome_of(text.body, text.language) is Outcome.NONE


@pytest.mark.parametrize(
    "text",
    labelled(Path(__file__).with_name("known_replies.jsonl")),
    ids=lambda text: f"{text.language} {text.body[:40]}",
)
def test_what_is_known_stays_known(text: Labelled) -> None:
    """Texts that the phrases were written with."""
    assert (outcome_of(text.body, text.language) is Outcome.NONE) is (text.label is Outcome.NONE)
