"""How many segments a text has, what makes it larger, and what says the same in fewer."""

import unicodedata
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rebound.templates.domain.text_size import (
    ALPHABET,
    EXTENSION,
    TextEncoding,
    offenders,
    simplified,
    size_of_text,
    visible_characters,
)

GSM: Final = st.sampled_from(sorted(ALPHABET))
FAMILY: Final = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
SCOTLAND: Final = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
WHOLE: Final = (
    *"abc XYZ 019@£èùÇ€^{}[]~|\\áíóúç`“”‘’–—…山川語עברית\u00a0\u0660",
    "e\u0301", "a\u0308\u0323", "\U0001f600", "\U0001f44d\U0001f3fd", FAMILY, SCOTLAND, "\U0001f1e9\U0001f1ea",
    "\u2764\ufe0f", "가", "각", "\u1100\u1161\u11a8", "न", "स्", "ते", "วั",
)  # fmt: skip
"""What people see as one character each."""


@pytest.mark.parametrize(
    ("text", "encoding", "segments", "units", "left"),
    [
        ("", "GSM-7", 1, 0, 160),
        ("a" * 160, "GSM-7", 1, 160, 0),
        ("a" * 161, "GSM-7", 2, 161, 145),
        ("a" * 306, "GSM-7", 2, 306, 0),
        ("a" * 307, "GSM-7", 3, 307, 152),
        ("€" * 80, "GSM-7", 1, 160, 0),
        ("€" * 81, "GSM-7", 2, 162, 143),
        ("a" * 152 + "€" + "b" * 152, "GSM-7", 3, 306, 152),
        ("ç" + "a" * 69, "UCS-2", 1, 70, 0),
        ("ç" + "a" * 70, "UCS-2", 2, 71, 63),
        ("\U0001f600" * 35, "UCS-2", 1, 70, 0),
        ("\U0001f600" * 67, "UCS-2", 3, 134, 65),
        ("a\r\n" * 10, "GSM-7", 1, 30, 130),
        ("é", "GSM-7", 1, 1, 159),
        ("e\u0301", "UCS-2", 1, 2, 68),
        ("\U0001f600" + "a" * 66 + FAMILY, "UCS-2", 2, 76, 58),
        ("a" + "\u0301" * 200, "UCS-2", 3, 201, 0),
    ],
)
def test_sizes_that_are_known(text: str, encoding: str, segments: int, units: int, left: int) -> None:
    size = size_of_text(text)

    assert (size.encoding, size.segments, size.units, size.left) == (encoding, segments, units, left)


@given(st.text(GSM | st.sampled_from("ç山\u0301\U0001f600\u200d\U0001f1e9"), max_size=400))
def test_a_text_never_needs_fewer_segments_than_its_units_fill(text: str) -> None:
    size = size_of_text(text)
    alone, each = (160, 153) if size.encoding is TextEncoding.GSM_7 else (70, 67)

    assert size.units == (
        len(text) + sum(text.count(character) for character in EXTENSION)
        if size.encoding is TextEncoding.GSM_7
        else len(text.encode("utf-16-le")) // 2
    )
    assert 0 <= size.left < alone or (size.units == 0 and size.left == alone)
    assert size.segments >= (1 if size.units <= alone else -(-size.units // each))
    assert size.units <= size.segments * (alone if size.segments == 1 else each) - size.left


@given(st.text(GSM | st.sampled_from("ç山\U0001f600"), max_size=300), st.sampled_from("a€ç\U0001f600"))
def test_a_character_more_never_makes_a_text_smaller(text: str, more: str) -> None:
    before, after = size_of_text(text), size_of_text(text + more)

    assert (after.segments, after.units) >= (before.segments, before.units)


@given(st.lists(st.sampled_from(WHOLE), max_size=30))
@example([FAMILY, SCOTLAND, SCOTLAND])
def test_what_people_see_as_one_character_is_one(characters: list[str]) -> None:
    assert list(visible_characters("".join(characters))) == characters


@given(st.text(max_size=60))
def test_the_parts_of_any_text_are_the_text(text: str) -> None:
    parts = list(visible_characters(text))

    assert "".join(parts) == text
    assert all(parts)


@given(st.lists(st.sampled_from(WHOLE), max_size=40))
def test_each_character_that_gsm_has_not_is_named_with_its_place(characters: list[str]) -> None:
    text = "".join(characters)
    found = offenders(text)

    assert [offender.character for offender in found] == [each for each in characters if not ALPHABET.issuperset(each)]
    assert all(text[offender.index :].startswith(offender.character) for offender in found)
    assert bool(found) == (size_of_text(text).encoding is TextEncoding.UCS_2)


@pytest.mark.parametrize(
    ("character", "replacement"),
    [
        ("“", '"'), ("’", "'"), ("`", "'"), ("–", "-"), ("—", "-"), ("\u00a0", " "), ("\u202f", " "),
        ("\t", " "), ("\u3000", " "),
        ("…", "..."), ("\u200b", ""), ("\ufeff", ""), ("\u00ad", ""), ("e\u0301", "é"), ("n\u0303", "ñ"), ("！", "!"),
        ("ی\u200c", None), ("á", None), ("í", None), ("ó", None), ("ú", None), ("ç", None), ("a\u0301", None),
        ("山", None), ("\U0001f600", None), ("™", None),
    ],
)  # fmt: skip
def test_a_replacement_says_the_same_or_there_is_none(character: str, replacement: str | None) -> None:
    (found,) = offenders(f"Hi {character} Ana")

    assert (found.character, found.index, found.replacement) == (character, 3, replacement)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_a_replacement_can_be_sent_in_gsm_and_loses_no_letter(text: str) -> None:
    for offender in offenders(text):
        if offender.replacement is None:
            continue
        assert ALPHABET.issuperset(offender.replacement)
        written = unicodedata.normalize("NFKC", offender.character)
        letters = [c for c in written if unicodedata.category(c) in {"Lu", "Ll", "Lt", "Lo"}]
        assert [c for c in offender.replacement if c.isalpha()] == letters


@given(st.lists(st.sampled_from(WHOLE) | st.sampled_from(["word "] * 3), max_size=60))
def test_a_simplified_text_is_smaller_or_as_it_was(characters: list[str]) -> None:
    text = "".join(characters)
    simple = simplified(text)

    assert simple == text or size_of_text(simple).segments < size_of_text(text).segments
    assert simplified(simple) == simple


def test_quotes_and_dashes_alone_cost_no_segments() -> None:
    text = "“Autumn” – " + "a" * 140

    assert (size_of_text(text).segments, size_of_text(simplified(text)).segments) == (3, 1)
    assert simplified(text) == '"Autumn" - ' + "a" * 140


@given(st.sampled_from(["“Hi”", "“Hi” 山 ", "“Hi” á "]), st.integers(0, 3))
def test_where_nothing_is_saved_the_text_stays_as_it_was_written(text: str, more: int) -> None:
    written = text + "a" * 100 * more * ("Hi” " in text)

    assert simplified(written) == written


@pytest.mark.parametrize("marked", ["\u202a+1 415 555 0123\u202c", "\u2066+1 415 555 0123\u2069"])
def test_marks_of_direction_are_dropped_where_nothing_reads_from_right_to_left(marked: str) -> None:
    assert simplified(f"Call {marked} {'a' * 60}") == f"Call +1 415 555 0123 {'a' * 60}"
    assert not any(offender.replacement == "" for offender in offenders(f"שלום {marked}"))


@pytest.mark.parametrize("link", ["https://a.example/b–c", "www.a.example/“b”/c", "HTTP://a.example/?q=…x"])
def test_an_address_stays_as_it_is(link: str) -> None:
    assert simplified(f"See {link} {'a' * 70}") == f"See {link} {'a' * 70}"
    assert simplified(f"“See” https://a.example/b”… {'a' * 70}") == f'"See" https://a.example/b"... {"a" * 70}'


def test_a_text_does_not_become_longer_than_a_text_may_be() -> None:
    assert simplified("…" + "a" * 1597) == "..." + "a" * 1597
    assert simplified("…" + "a" * 1598) == "…" + "a" * 1598


def test_a_half_stays_a_half() -> None:
    assert [offender.replacement for offender in offenders("2½ hours")] == [None]
