"""Reactions of phones in all seven languages change nothing; an answer that repeats our text is no reaction."""

import unicodedata
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.inbound.domain.reactions import is_reaction
from rebound.inbound.domain.replies import IncomingText, may_stop
from tests.unit.inbound.labelled import COMPOSITIONS, Composition, Outcome, outcome_of

OURS: Final = (
    "20 % off. Reply STOP to unsubscribe",
    "See you tomorrow at ten",
    "Envoyez STOP pour ne plus recevoir nos SMS",
    "Ihr Termin:\nDi., 14 Uhr. “Bis bald”",
    "STOP",
    "It's on! Don't text back…",
)
QUOTED: Final = ("“{}”", "„{}“", "«{}»", "« {} »", '"{}"', "‘{}’", "“\u200a\u200b{}\u200b\u200a”")
AROUND: Final = (
    "A trouvé drôle {}", "A remis en question {}", "Le dio risa {}", "Exclamó {}", "Deu risada de {}",
    "Heeft een hartje gegeven aan {}",
    "Loved {}", "Liked {}", "Disliked {}", "Laughed at {}", "Emphasized {}", "Questioned {}", "Reacted 😂 to {}",
    "Removed a heart from {}", "Removed a like from {}", "Removed an exclamation from {}", "Removed 👍 from {}",
    "Gefällt {}", "Liebt {}", "Lacht über {}", "Hat {} hervorgehoben", "Hat mit 🙏 auf {} reagiert",
    "Hat ein Herz von {} entfernt", "Mag {} nicht", "Le gustó {}", "Le encantó {}", "No le gustó {}",
    "Se rio de {}", "Enfatizó {}", "Reaccionó con 😂 a {}", "Eliminó un corazón de {}", "A aimé {}", "A adoré {}",
    "N’a pas aimé {}", "A ri de {}", "A réagi avec 😂 à {}", "A retiré un cœur de {}", "Ha adorato {}",
    "Ha messo mi piace a {}", "Ha riso per {}", "Ha enfatizzato {}", "Ha reagito con 😂 a {}",
    "Ha rimosso un cuore da {}", "Vond {} leuk", "Vindt {} geweldig", "Vond {} niet leuk", "Moest lachen om {}",
    "Heeft {} benadrukt", "Reageerde met 😂 op {}", "Heeft een hart verwijderd van {}", "Amou {}", "Curtiu {}",
    "Não curtiu {}", "Riu de {}", "Enfatizou {}", "Reagiu com 😂 a {}", "Removeu um coração de {}", "👍 to {}",
    "❤️ zu {}", "😂 a {}", "😮 à {}", "👎🏽 op {}", "👍 para {}",
)  # fmt: skip
THINGS: Final = (
    "Loved an image", "Liked a photo", "Laughed at a video", "Emphasized an attachment",
    "Removed a heart from an image", "Gefällt ein Bild", "Liebt ein Foto", "Hat ein Bild hervorgehoben",
    "Le encantó una imagen", "Le gustó un vídeo", "A adoré une image", "A aimé une photo", "A ri d’une image",
    "Ha adorato un'immagine", "Ha messo mi piace a un’immagine", "Vond een afbeelding leuk",
    "Vindt een foto geweldig", "Amou uma imagem", "Curtiu um vídeo", "Reacted ❤️ to a photo",
)  # fmt: skip


@given(st.sampled_from(AROUND), st.sampled_from(QUOTED), st.sampled_from(OURS), st.sampled_from(COMPOSITIONS))
def test_a_reaction_is_one_whatever_it_repeats(around: str, quoted: str, ours: str, form: Composition) -> None:
    body = unicodedata.normalize(form, around.format(quoted.format(ours)))

    assert is_reaction(body)
    assert outcome_of(body) is Outcome.NONE
    assert not may_stop(IncomingText("SM1", "+14155560001", "+14155550100", (), body))


@pytest.mark.parametrize("around", AROUND)
def test_every_reaction_is_known(around: str) -> None:
    assert is_reaction(around.format("“See you tomorrow at ten”"))


@pytest.mark.parametrize("body", THINGS)
def test_a_reaction_to_what_is_no_text_repeats_nothing(body: str) -> None:
    assert is_reaction(body)
    assert outcome_of(body) is Outcome.NONE


@pytest.mark.parametrize(
    "body",
    [
        'STOP "20 % off. Reply STOP to unsubscribe"',
        "You wrote “Reply STOP to unsubscribe” but it does not work",
        "Loved “20 % off” but please STOP",
        "Stop",
        "👍",
        "“STOP”",
        "I loved it!",
        "Loved the cut, see you in May",
        "See you at “Chez Ana”",
        "Removed",
        "Supprime contact",
        "Supprime le message",
        "Entfernt mich",
        "",
    ],
)
def test_what_people_write_is_no_reaction(body: str) -> None:
    assert not is_reaction(body)


@pytest.mark.parametrize("body", ['STOP "20 % off. Reply STOP to unsubscribe"', "Loved “20 % off” but please STOP"])
def test_a_stop_beside_what_it_repeats_is_not_lost(body: str) -> None:
    assert outcome_of(body) is not Outcome.NONE
