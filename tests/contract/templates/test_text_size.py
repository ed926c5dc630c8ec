"""Texts are as large as Twilio says: our function beside Twilio's own calculator, over generated texts."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.templates.domain.text_size import offenders, size_of_text
from tests.engines.node import asked_again_and_again

type Twilio = Callable[[str], Any]

FAMILY: Final = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
SCOTLAND: Final = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
ALPHABETS: Final[dict[str, list[str]]] = {
    "basic": [*"abcXYZ 019.,@£èùìòÇΩß\n"],
    "extension": [*"€^{}[]~|\\\f"],
    "accents": [*"áíóúçãõőş", "e\u0301", "n\u0303", "a\u0301\u0302\u0303"],
    "typography": [*"`\t\u00a0\u202f\u3000“”‘’–—…\r½\u200b\ufeff™"],
    "pictures": ["\U0001f600", "\U0001f44d\U0001f3fd", FAMILY, SCOTLAND, "\U0001f1e9\U0001f1ea", "\u2764\ufe0f"],
    "eastern": [*"山田花子가각한", "\u1100\u1161\u11a8"],
    "indic": ["न", "म", "स्", "ते", "ส", "วั", "ดี"],
    "right to left": [*"עבריתعلی", "\u06cc\u200c", "\u200f"],
}


def texts(longest: int) -> st.SearchStrategy[str]:
    """Texts of one to three alphabets, short runs of whose characters are repeated, so that they are long as well."""

    def of(names: list[str]) -> st.SearchStrategy[str]:
        character = st.sampled_from([each for name in names for each in ALPHABETS[name]])
        run = st.builds(lambda part, times: "".join(part) * times, st.lists(character, max_size=5), st.integers(1, 70))
        return st.lists(run, max_size=6).map(lambda runs: "".join(runs)[:longest])

    return st.lists(st.sampled_from(sorted(ALPHABETS)), min_size=1, max_size=3, unique=True).flatmap(of)


@pytest.fixture(scope="module")
def twilio() -> Iterator[Twilio]:
    """Twilio's calculator of segments, without its smart encoding."""
    with asked_again_and_again("measure_texts.cjs") as ask:
        yield ask


def held_against(twilio: Twilio, text: str) -> None:
    theirs, ours = twilio(text), size_of_text(text)

    assert (ours.encoding, ours.segments, ours.units, ours.left, [each.character for each in offenders(text)]) == (
        theirs["encoding"],
        theirs["segments"],
        theirs["units"],
        theirs["left"],
        theirs["offenders"],
    )


@given(text=texts(1600).filter(bool))
def test_any_text_is_as_large_as_twilio_says(twilio: Twilio, text: str) -> None:
    held_against(twilio, text)


@pytest.mark.parametrize("before", range(64, 71))
@pytest.mark.parametrize("whole", ["\U0001f600", FAMILY, SCOTLAND, "e\u0301", "\U0001f1e9\U0001f1ea", "각"])
def test_what_stands_at_the_end_of_a_segment_moves_to_the_next_as_a_whole(
    twilio: Twilio, whole: str, before: int
) -> None:
    held_against(twilio, "山" * before + whole + "山" * 10)
    held_against(twilio, whole * before)


@pytest.mark.parametrize("before", range(148, 162))
@pytest.mark.parametrize("after", [0, 1, 152, 153])
def test_an_escaped_character_is_not_divided(twilio: Twilio, before: int, after: int) -> None:
    held_against(twilio, "a" * before + "€" + "b" * after)
    held_against(twilio, "a" * before + "{}[]" + "b" * after)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 152 + "€" + "b" * 152,
        "\U0001f600" * 67,
        "a\r\n" * 60,
        *("a" * length for length in (1, 160, 161, 306, 307, 1600)),
        *("á" * length for length in (1, 70, 71, 134, 135)),
        *(character * 81 for character in "\f^{}\\[~]|€`çáíóú\t\u00a0“”é"),
        "e\u0301" * 81,
        "Anne\u00a0Marie",
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        "\u5c71\u7530\u3000\u82b1\u5b50",
    ],
)
def test_texts_that_went_wrong_elsewhere_are_as_large_as_twilio_says(twilio: Twilio, text: str) -> None:
    held_against(twilio, text)
