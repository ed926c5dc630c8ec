"""What is taken for a revocation in somebody's own words, and what is not."""

from typing import Final

import pytest

from rebound.inbound.domain.phrases import LANGUAGES
from rebound.inbound.domain.revocations import reads_like_a_revocation

REVOCATIONS: Final = {
    "en": (
        "please stop texting me",
        "Stop sending me these messages!!",
        "no more messages",
        "No more texts please 🙏",
        "remove me from your list",
        "Remove my number.",
        "take me off this list",
        "unsubscribe me pls",
        "Don't text me again",
        "DON\u2019T EVER CONTACT ME AGAIN",
        "do not message me",
        "I do not want any more texts",
        "opt me out",
        "leave me alone",
        "Wrong number",
        "pls stop",
        "STOP IT",
        "Stop, please",
        "end these texts",
        "Discontinue",
        "\N{CROSS MARK}",
    ),
    "es": (
        "No más mensajes por favor",
        "no quiero recibir más mensajes",
        "No me envíen más",
        "dejen de escribirme",
        "Bórrenme de su lista",
        "quiero darme de baja",
        "Baja",
    ),
    "fr": (
        "Arrêtez de m'envoyer des SMS",
        "plus de messages svp",
        "Ne m'écrivez plus",
        "je veux me désabonner",
        "Désinscription",
        "supprimez mon numéro",
        "ARRÊT",
    ),
    "de": (
        "Keine SMS mehr bitte",
        "keine weiteren Nachrichten",
        "Bitte nicht mehr anschreiben",
        "Hören Sie bitte damit auf",
        "Bitte abmelden",
        "Löschen Sie meine Nummer",
        "Lasst mich in Ruhe!",
        "STOPP",
    ),
    "pt": (
        "Parem de me mandar mensagens",
        "Não quero mais mensagens",
        "não me mandem mais",
        "me tirem da lista",
        "Removam meu número",
        "sair",
    ),
    "it": ("basta messaggi", "non scrivetemi più", "cancellatemi"),
    "nl": ("geen berichten meer", "afmelden aub", "stop met sturen"),
}
OTHERS: Final = (
    "",
    "See you on Tuesday!",
    "Can I stop by at 3?",
    "Where is the bus stop near you?",
    "I can't stop looking at my new hair, thank you!!",
    "Please text me the address",
    "Please cancel my appointment",
    "Can you message me when you are ready?",
    "No problem, see you",
    "Running late, sorry for the late message",
    "Do not forget my colour",
    "I never got the message",
    "ok",
    "C",
    "Puedo cambiar mi cita?",
    "No me llegó el mensaje",
    "para mañana está bien",
    "Peux-tu m'envoyer l'adresse par sms ?",
    "Je suis en route, à plus",
    "Kann ich meinen Termin verschieben?",
    "Keine Ahnung, wann habt ihr offen?",
    "Pode mandar a mensagem de novo?",
    "Não recebi a mensagem",
    "Posso venire alle 15?",
    "Mag ik een uur later komen?",
)


@pytest.mark.parametrize(
    ("language", "body"), [(language, body) for language, bodies in REVOCATIONS.items() for body in bodies]
)
def test_a_revocation_in_ones_own_words_is_recognised(language: str, body: str) -> None:
    assert language in LANGUAGES
    assert reads_like_a_revocation(body)
    assert reads_like_a_revocation(f"  {body.upper()}!  ")


@pytest.mark.parametrize("body", OTHERS)
def test_what_people_write_otherwise_is_none(body: str) -> None:
    assert not reads_like_a_revocation(body)


def test_every_language_has_examples() -> None:
    assert set(REVOCATIONS) == set(LANGUAGES)


def test_no_text_keeps_anybody_waiting() -> None:
    for word in ("stop ", "a", "do not ", "keine ", "no mas ", "x, ", "a. ", "me ", "“a ", "non ", "-", "🛑 "):
        reads_like_a_revocation(word * (1600 // len(word)))


@pytest.mark.parametrize("body", ["I really like you guys but STOP", "Thank you so much for everything STOP!"])
def test_a_stop_in_capitals_at_the_end_of_a_sentence_is_meant(body: str) -> None:
    assert reads_like_a_revocation(body)
    assert not reads_like_a_revocation("SEE YOU AT THE BUS STOP")
