"""Whatever sequences know has words on their pages, in every language."""

import pytest

from rebound.console.http.sequences.form import KINDS
from rebound.console.http.words import LANGUAGES, Words
from rebound.jobs.domain import JobKind
from rebound.sequences.domain.enrolments import LeftBecause
from rebound.sequences.domain.happenings import NARROWED_BY, Kind
from rebound.sequences.domain.sequences import Late, Reentry, SequenceStatus


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_its_words(language: str) -> None:
    words = Words(language)
    about = {name for names in NARROWED_BY.values() for name in names}
    keys = [
        *(f"sequences.happens.{each}" for each in Kind),
        *(f"sequences.about.{each}" for each in about),
        *(f"sequences.kind.{each}" for each in KINDS),
        *(f"sequences.why.{each}" for each in LeftBecause),
        *(f"sequences.late_.{each}" for each in Late),
        *(f"sequences.reentry.{each}" for each in Reentry),
        *(f"sequences.status.{each}" for each in SequenceStatus),
        *(f"jobs.kind_{each}" for each in JobKind),
    ]
    assert [each for each in keys if not words.has(each)] == []
