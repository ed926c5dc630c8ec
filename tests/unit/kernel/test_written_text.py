"""How text is kept and compared, whatever it was typed or pasted with."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.written_text import folded, is_one_line, tidied

INVISIBLE = "\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\u061c"
SPACES = "\u00a0\u2000\u2003\u2007\u2009\u202f\u205f\u3000\u1680\t"
NAMES = (
    "José",
    "Anne Marie",
    "Łukasz",
    "Ngọc Ánh",
    "Müller-Lüdenscheidt",
    "O'Brien",
    "山田 花子",
    "Ёлкина",
    "김민준",
    "علی",
)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Anne\u00a0Marie", "Anne Marie"),
        ("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"),
        ("\u5c71\u7530\u3000\u82b1\u5b50", "\u5c71\u7530 \u82b1\u5b50"),
        ("\u202dAna\u202c", "Ana"),
        ("\ufeffAna\r\n", "Ana"),
        ("\u200dAna\u200c", "Ana"),
        ("\u3164", ""),
        ("\ufe0f", ""),
        ("\u3164\ufe0f\u0301", ""),
        ("\u17b4", ""),
        ("\U0001f469\u200d\U0001f4bb Ana", "\U0001f469\u200d\U0001f4bb Ana"),
    ],
)
def test_a_line_is_kept_without_what_nobody_sees(given: str, kept: str) -> None:
    assert tidied(given) == kept


def flag(region: str) -> str:
    """The flag of a part of a country, as phones write it."""
    return "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f"


@given(
    st.sampled_from(["gbeng", "gbsct", "gbwls", "ustx", "esct"]) | st.text("abcxyz019", min_size=3, max_size=7),
    st.sampled_from(NAMES),
    st.sampled_from(INVISIBLE),
)
def test_the_flag_of_a_part_of_a_country_is_kept(region: str, name: str, mark: str) -> None:
    for given_, kept in (("{0} {1}", "{0} {1}"), ("{1}{0}{2}{0}", "{1}{0}{0}"), ("{2}{0}", "{0}")):
        assert tidied(given_.format(flag(region), name, mark)) == kept.format(flag(region), name)
    assert is_one_line(flag(region))
    assert folded(flag(region)) != folded("\U0001f3f4")


@given(st.text("".join(map(chr, range(0xE0001, 0xE0080))), min_size=1, max_size=9), st.sampled_from(NAMES))
def test_tags_that_are_of_no_flag_go(tags: str, name: str) -> None:
    assert tidied(f"{name}{tags}") == name
    assert tidied(f"\U0001f3f4{tags}".removesuffix("\U000e007f")) == "\U0001f3f4"


@given(st.sampled_from(NAMES), st.data())
def test_marks_and_spaces_of_all_kinds_change_no_name(name: str, data: st.DataObject) -> None:
    pasted = name.replace(" ", data.draw(st.sampled_from(SPACES)))
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(pasted)))
        pasted = pasted[:place] + data.draw(st.sampled_from(INVISIBLE)) + pasted[place:]

    around = data.draw(st.text(SPACES + " \n", max_size=3))

    assert tidied(around + pasted + around) == name
    assert is_one_line(tidied(pasted))


@given(st.text())
def test_tidying_and_folding_twice_is_as_once(text: str) -> None:
    assert tidied(tidied(text)) == tidied(text)
    assert folded(folded(text)) == folded(text)
    assert folded(tidied(text)) == folded(text)


@pytest.mark.parametrize("given", ["a\nb", "a\x00b", "a\x7fb", "a\u2028b", "a\x85b", "a\ud800b"])
def test_control_characters_and_breaks_are_no_line(given: str) -> None:
    assert not is_one_line(tidied(given))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jose", "José"),
        ("Jose\u0301", "José"),
        ("Café", "Cafe\u0301"),
        ("O\u2019Brien", "o'brien"),
        ("\u201cVIP\u201d", '"vip"'),
        ("Straße", "STRASSE"),
        ("Łukasz", "lukasz"),
        ("SØREN", "soren"),
        ("İstanbul", "istanbul"),
        ("ｖｉｐ", "VIP"),
        ("Ёлка", "елка"),
        ("ΆΝΝΑ", "άννα"),
        ("علی\u200cرضا", "علیرضا"),
        ("20\u201330", "20-30"),
        ("Anne\u00a0 Marie", "anne marie"),
        ("\u2764\ufe0f", "\u2764"),
        ("\u0661\u0662", "12"),
    ],
)
def test_spellings_of_one_word_are_the_same(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("का", "की"), ("が", "か"), ("ana", "anna"), ("n", "m"), ("김", "기")])
def test_letters_that_mean_another_word_stay_apart(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@given(st.text(st.characters(categories=["L", "N", "Zs"]), max_size=30))
def test_composition_and_case_do_not_matter(text: str) -> None:
    assert folded(unicodedata.normalize("NFD", text)) == folded(unicodedata.normalize("NFC", text))
    assert folded(text.casefold()) == folded(text)
