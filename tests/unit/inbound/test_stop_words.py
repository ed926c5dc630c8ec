"""A STOP of any language, however it is written: alone, repeated, signed, with politeness, in quotes, with emoji."""

import json
import unicodedata
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.inbound.domain.phrases import LANGUAGES, everyday_words, phrases_of
from rebound.inbound.domain.revocations import distance, reads_like_a_revocation
from rebound.inbound.domain.stop_words import (
    all_stop_words,
    depends_on_language,
    is_stop,
    polite_words,
    says_cancel,
    strong_words,
)
from tests.fakes.aws import REPOSITORY
from tests.unit.inbound.labelled import COMPOSITIONS, Composition, Outcome, outcome_of

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


FIRST_NAMES: Final = (
    *(
        "ana",
        "dave",
        "chema",
        "heike",
        "karim",
        "rui",
        "zoë",
        "josé",
        "jean-luc",
        "mary ann",
        "björn",
        "łukasz",
        "priya",
    ),
    *("anouk", "femke", "giulia", "o'neill", "john", "maria", "lisa", "tom", "sofía", "joão", "françois", "kim", "wei"),
)
LAST_NAMES: Final = (
    "",
    " m.",
    " m",
    " silva",
    " da silva",
    " van der berg",
    " núñez",
    " de vries",
    " o’brien",
    " Silva",
)
names: Final = st.sampled_from(FIRST_NAMES)
WORDS_BEHIND_A_STOP: Final = (
    *("by tomorrow", "in at 5", "tomorrow", "tomorrow please", "on monday", "haircut", "the texts", "texting me"),
    *("for now", "until may", "i'm driving", "j'ai compris", "l'heure", "mañana", "am montag", "morgen", "domani"),
    *("promos", "emails", "marketing", "2", "at 10", "next week", "whatsapp", "por favor mañana", "nous arrivons"),
    *("ana?", "room 204", "not now", "the 3 pm one", "hasta el lunes", "niet morgen", "só hoje"),
)


@given(
    st.sampled_from(["stop", "STOP", "Arrêt", "baja", "parar", "stopp", "uitschrijven", "unsubscribe", "stop, please"]),
    st.sampled_from(
        [
            " - ",
            "\n",
            "\n- ",
            ", ",
            " — ",
            "\n\n~ ",
            "! ",
            ". ",
            " (",
            "\nkind regards ",
            ". best, ",
            " thanks ",
            ". merci ",
        ]
    ),
    names,
    st.sampled_from(LAST_NAMES),
    forms,
)
def test_who_signs_in_small_letters_stops_too(word: str, behind: str, first: str, last: str, form: Composition) -> None:
    text = f"{word}{behind}{first}{last}" + ")" * ("(" in behind)

    assert is_stop(unicodedata.normalize(form, text))


@given(st.sampled_from([" - ", "\n", "\n- ", ", ", ": ", " — ", "! "]), st.sampled_from(WORDS_BEHIND_A_STOP))
def test_what_shall_stop_or_when_is_no_name(behind: str, words: str) -> None:
    assert not is_stop(f"stop{behind}{words}", LANGUAGES)


ORDINARY: Final = sorted(
    {
        word
        for word in json.loads((REPOSITORY / "layers/common/rebound/inbound/phrases/no_names.json").read_text())
        if len(word) > 1
    }
    - polite_words()
    - all_stop_words()
    - {closing for closings in CLOSINGS.values() for closing in closings}
    # Names have these as well, but not alone.
    - {"van", "de", "der", "den", "da", "do", "dos", "di", "del", "della", "von", "zu", "le", "la", "y", "e"}
)


@given(
    st.sampled_from(["stop", "Stopp", "baja"]), st.sampled_from([" - ", "\n", ", "]), st.sampled_from(ORDINARY), names
)
def test_a_word_that_everybody_writes_is_never_part_of_a_name(stop: str, behind: str, word: str, name: str) -> None:
    assert not is_stop(f"{stop}{behind}{word}")
    assert not is_stop(f"{stop}{behind}{name} {word}")
    assert not is_stop(f"{stop}{behind}{word} {name}")


@pytest.mark.parametrize("word", ["end", "quit", "cancel", "fin"])
def test_what_stops_only_alone_is_held_when_it_is_signed_in_small_letters(word: str) -> None:
    assert outcome_of(f"{word}\n- ana m.") is Outcome.HOLD
    assert outcome_of(f"{word} - tomorrow") is Outcome.NONE


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
