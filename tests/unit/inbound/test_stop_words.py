"""A STOP of any language, however it is written: alone, repeated, signed, with politeness, in quotes, with emoji."""

import unicodedata
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.inbound.domain.phrases import LANGUAGES, everyday_words, phrases_of
from rebound.inbound.domain.revocations import distance, reads_like_a_revocation
from rebound.inbound.domain.stop_words import depends_on_language, is_stop, polite_words, says_cancel, strong_words
from tests.unit.inbound.labelled import COMPOSITIONS, Outcome, outcome_of

STOPS: Final = sorted(strong_words())
SINGLE: Final = sorted(word for word in strong_words() if " " not in word)
POLITE: Final = {language: sorted(phrases_of(language).polite) for language in LANGUAGES}
CLOSINGS: Final = {language: sorted(phrases_of(language).closing) for language in LANGUAGES}
NAMES: Final = ("Dana", "J. Morin", "Rocío Medina", "Karim", "T. de Vries", "Jean-Luc", "Ana Maria da Silva", "O'Neill")
SENT_FROM: Final = (
    "Sent from my iPhone",
    "Von meinem iPhone gesendet",
    "Enviado desde mi iPhone",
    "Envoyé de mon iPhone",
    "Inviato da iPhone",
    "Verstuurd vanaf mijn iPhone",
    "Enviado do meu iPhone",
)
cases: Final[st.SearchStrategy[Callable[[str], str]]] = st.sampled_from(
    [str.upper, str.lower, str.title, str.capitalize]
)
marks: Final = st.sampled_from(["", ".", "!", "!!!", " 🛑", "…", " 🙏🏽", "?", " 😡!!", "\u200b", "\n"])
quotes: Final = st.sampled_from(
    ["{}", '"{}"', "“{}”", "„{}“", "«{}»", "« {} »", "'{}'", "‘{}’", "*{}*", "({})", "[{}]"]
)
between: Final = st.sampled_from([" ", ", ", "! ", ". ", "\n", " - ", "  ", "!!! ", "\u00a0"])
forms: Final = st.sampled_from(COMPOSITIONS)


@st.composite
def written_stops(draw: st.DrawFn) -> str:
    """A STOP with what people put around it."""
    language = draw(st.sampled_from(LANGUAGES))
    word = draw(cases)(draw(st.sampled_from(sorted(phrases_of(language).stop))))
    parts = [draw(quotes).format(word) + draw(marks)] * draw(st.integers(1, 4))
    polite = draw(st.lists(st.sampled_from(POLITE[language]), max_size=2))
    after = draw(st.integers(0, len(polite)))
    text = draw(between).join([*polite[after:], *parts, *polite[:after]])
    match draw(st.sampled_from(["nothing", "dash", "line", "closing", "phone"])):
        case "dash":
            text += f"\n- {draw(st.sampled_from(NAMES))}"
        case "line":
            text += f"\n{draw(st.sampled_from(NAMES))}"
        case "closing":
            closing = draw(st.sampled_from(CLOSINGS[language])).capitalize()
            text += f"{draw(st.sampled_from(['. ', chr(10)]))}{closing}{draw(between)}{draw(st.sampled_from(NAMES))}"
        case "phone":
            text += f"\n\n{draw(st.sampled_from(SENT_FROM))}"
    return unicodedata.normalize(draw(forms), text)


@given(written_stops())
def test_a_stop_is_one_whatever_surrounds_it(text: str) -> None:
    assert is_stop(text)


@pytest.mark.parametrize(
    ("body", "language"),
    [
        ("STOP STOP", "en"),
        ("STOP\n- Dana", "en"),
        ("Stop.", "en"),
        ("ARRET", "fr"),
        ("Arrêt", "fr"),
        ("ARRE\u0302T", "fr"),
        ("STOPP", "de"),
        ("BAJA", "es"),
        ("PARAR", "pt"),
        ("S.T.O.P.", "en"),
        ("s t o p", "en"),
        ("stooooop", "en"),
        ("STOPSTOPSTOP", "en"),
        ("Ｓｔｏｐ", "en"),
        ("Stop. Cordialement, J. Morin", "fr"),
        ("stop a.u.b.", "nl"),
        ("¡BASTA!", "es"),
        ("Alto", "es"),
        ("Stop\n\nDana Smith\n555-1234", "en"),
        ("STOP\n\nDr. Dana Lee, DDS", "en"),
        ("stop (Dana)", "en"),
        ("STOP/STOP", "en"),
        ("#STOP", "en"),
        ("Ferma!", "it"),
        ("UITSCHRIJVEN aub", "nl"),
        ("Sair por favor", "pt"),
        ("abmelden!!! bitte", "de"),
    ],
)
def test_stops_that_people_write(body: str, language: str) -> None:
    assert outcome_of(body, language) is Outcome.STOP


@pytest.mark.parametrize(
    "body",
    [
        "unsubscibe",
        "I want to be unsubscribed",
        "REMOVE",
        "Stop txt",
        "Do not contact",
        "Aufhören!",
        "STOP 2",
        "PARAR 2",
        "🛑",
        "please 🛑 STOP the texts Dana",
        "Stop, I never signed up for this.",
        "ok. Stop. I mean it",
    ],
)
def test_what_may_be_a_stop_is_held_at_least(body: str) -> None:
    assert outcome_of(body) is not Outcome.NONE


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_that_is_another_one_elsewhere_stops_in_its_language_and_is_held_in_others(language: str) -> None:
    for word in phrases_of(language).stop_in_this_language:
        assert outcome_of(word.upper(), language) is Outcome.STOP
        assert depends_on_language(word)
        assert outcome_of(word) is Outcome.HOLD


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_of_two_kinds(language: str) -> None:
    known = phrases_of(language)
    stops = known.stop | known.stop_alone | known.stop_in_this_language

    assert not stops & polite_words()
    assert not stops & everyday_words() & strong_words()
    assert len(stops) == len(known.stop) + len(known.stop_alone) + len(known.stop_in_this_language)


@pytest.mark.parametrize(
    "body",
    [
        "Can I stop by at 3?",
        "Stop by",
        "Where is the bus stop?",
        "Cancel my 3 o'clock",
        "End of the week works",
        "Danke, Heike",
        "- Dana",
        "Sent from my iPhone",
        "Thanks!",
        "",
        "Fine.",
    ],
)
def test_what_is_no_stop(body: str) -> None:
    assert not is_stop(body, LANGUAGES)
    assert outcome_of(body) is Outcome.NONE


@given(st.sampled_from(SINGLE).filter(lambda word: len(word) >= 5), st.data())
def test_a_stop_with_one_typing_error_is_held_at_least(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(word) - 1))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    typed = data.draw(
        st.sampled_from(
            [
                word[:at] + word[at + 1 :],
                word[:at] + word[at] + word[at:],
                word[:at] + letter + word[at + 1 :],
                word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
            ]
        )
    )
    assert typed in everyday_words() | polite_words() or is_stop(typed) or reads_like_a_revocation(typed)


@given(st.text("abcd", max_size=6), st.text("abcd", max_size=6), st.integers(0, 3))
def test_the_distance_is_the_number_of_typing_errors(one: str, other: str, most: int) -> None:
    found = distance(one, other, most)

    assert found == min(most + 1, distance(one, other, 20))
    assert found == distance(other, one, most)
    assert (found == 0) is (one == other)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("sotp", "stop", 1),
        ("stp", "stop", 1),
        ("unsubscibe", "unsubscribe", 1),
        ("ab", "ba", 1),
        ("", "abc", 3),
        ("kitten", "sitting", 3),
    ],
)
def test_letters_that_changed_places_are_one_error(one: str, other: str, apart: int) -> None:
    assert distance(one, other, 9) == apart


def test_a_cancel_is_told_from_other_stops() -> None:
    assert says_cancel("Please CANCEL")
    assert not says_cancel("STOP")
