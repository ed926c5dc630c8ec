"""What a search finds, however it is typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.search import compile_search, digits_of, is_number, is_unseen


@pytest.mark.parametrize(
    ("q", "texts", "numbers"),
    [
        ("jose", ["José"], []),
        ("Jose\u0301", ["José"], []),
        ("o'brien", ["O\u2019Brien"], []),
        ("SILVA ana", ["Ana", "Silva"], []),
        ("(415) 555-0123", [], ["+14155550123"]),
        ("+1 (415) 555-0123", [], ["+14155550123"]),
        ("555 01", [], ["+14155550123"]),
        ("0151 12345678", [], ["+4915112345678"]),
        ("0049 151 1234", [], ["+4915112345678"]),
        ("020 7946 0958", [], ["+442079460958 ext. 12"]),
        ("ana 0151-1234", ["Ana"], ["+4915112345678"]),
        ("0151 1234 ana", ["Ana"], ["+4915112345678"]),
        ("４１５ 555", [], ["+14155550123"]),
        ("A-17", ["a-17"], []),
        ("17 12", ["x17", "12y"], []),
        ("", [], []),
        ("+442079460958 ext. 12", [], ["+442079460958 ext. 12"]),
        ("020 7946 0958x12", [], ["+442079460958 ext. 12"]),
        ("+52 1 55 1234 5678", [], ["+525512345678"]),
        ("+54 11 5555 0123", [], ["+5491155550123"]),
        ("(54) 9999-0000", [], ["+5554999990000"]),
        ("+49 (0)151 12345678", [], ["+4915112345678"]),
        ("josé,", ["José"], []),
        ("(Silva), “Ana”!", ["Ana", "Silva"], []),
        ("silva,ana", ["Ana", "Silva"], []),
        ("¿josé?", ["José"], []),
        ("silva , ana", ["Ana", "Silva"], []),
        ("0151-1234, ana", ["Ana"], ["+4915112345678"]),
        ("“0151 1234”", [], ["+4915112345678"]),
        (",", ["a,b"], []),
        ("11 15 5555-0123", [], ["+5491155550123"]),
        ("011 15 5555 0123", [], ["+541155550123"]),
        ("(0351) 15 555-0123", [], ["+5493515550123"]),
        ("15 5555-0123", [], ["+5491155550123"]),
        ("8 (912) 345-67-89", [], ["+79123456789"]),
        ("06 20 123 4567", [], ["+36201234567"]),
        ("044 55 1234 5678", [], ["+525512345678"]),
        ("80 29 123 45 67", [], ["+375291234567"]),
        ("\u0660\u0661\u0665\u0661 \u0661\u0662\u0663\u0664", [], ["+4915112345678"]),
    ],
)
def test_a_search_finds(q: str, texts: list[str], numbers: list[str]) -> None:
    assert compile_search(q)(texts, numbers)


@pytest.mark.parametrize(
    ("q", "texts", "numbers"),
    [
        ("jose", ["Josh"], []),
        ("ana silva", ["Ana"], []),
        ("415 556", [], ["+14155550123"]),
        ("ana 0151", ["Ana"], ["+14155550123"]),
        ("020 7946 0958 ext 13", [], ["+442079460958 ext. 12"]),
        ("95812", [], ["+442079460958 ext. 12"]),
        ("00", [], ["+14155550123"]),
        (",", ["Ana"], []),
        ("ana,", ["An, a"], []),
        ("11 15 5555-0123", [], ["+541155550124"]),
    ],
)
def test_a_search_does_not_find(q: str, texts: list[str], numbers: list[str]) -> None:
    assert not compile_search(q)(texts, numbers)


MARKS = st.text(",.;:!?…¿¡'\"“”„«»()[]{}-–—/*&#@، 、。", max_size=3)


@given(
    st.lists(st.tuples(MARKS, st.sampled_from(["josé", "ana", "o'neill", "a-17", "x@y.example"]), MARKS), min_size=1)
)
def test_punctuation_around_words_does_not_matter(words: list[tuple[str, str, str]]) -> None:
    search = compile_search(" ".join(map("".join, words)))
    everything = [word for _, word, _ in words]

    assert search(everything, [])
    assert not search([word for word in everything if word != words[0][1]], [])


@given(st.text("\u200b\u200e\ufeff\u3164\u2060\u00ad \U000e0041", min_size=1))
def test_what_shows_as_nothing_is_nothing_to_search_for(q: str) -> None:
    assert is_unseen(q)
    assert not is_unseen("")
    assert not is_unseen(f"{q}a")


@given(st.integers(2, 4), st.from_regex(r"[1-8][0-9]{9}", fullmatch=True), st.booleans(), st.data())
def test_a_mobile_number_of_argentina_is_found_as_it_is_dialled_at_home(
    area: int, number: str, has_nine: bool, data: st.DataObject
) -> None:
    kept = f"+54{'9' if has_nine else ''}{number}"
    between = data.draw(st.sampled_from([" ", "-", "", " / "]))
    rest = number[area:]
    for typed in (f"0{number[:area]}{between}15{between}{rest}", f"({number[:area]}) 15-{rest[:3]}{between}{rest[3:]}"):
        assert compile_search(typed)([], [kept])
        assert is_number(typed, kept)
        assert not is_number(f"{typed}1", kept)


digits = st.text("0123456789", min_size=9, max_size=13).filter(lambda text: text[0] != "0")


@given(digits, st.data())
def test_a_number_is_found_by_any_part_of_its_digits_with_any_marks_between(number: str, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(number) - 5))
    part = number[first : data.draw(st.integers(first + 5, len(number)))]
    between = data.draw(st.lists(st.sampled_from(["", "", " ", "-", "/", ".", " (", ") "]), min_size=14, max_size=14))
    typed = "".join(digit + mark for digit, mark in zip(part, between, strict=False)).strip(" (")
    if len(part.lstrip("0")) >= 3:
        assert compile_search(typed)([], [f"+{number}"])


@pytest.mark.parametrize(
    ("written", "number", "same"),
    [
        ("+14155550123", "+14155550123", True),
        ("+1 (415) 555-0123", "+14155550123", True),
        ("(415) 555-0123", "+14155550123", True),
        ("0151 12345678", "+4915112345678", True),
        ("0049 151 12345678", "+4915112345678", True),
        ("020 7946 0958", "+442079460958 ext. 12", True),
        ("020 7946 0958 x12", "+442079460958 ext. 12", True),
        ("+5215512345678", "+525512345678", True),
        ("+541155550123", "+5491155550123", True),
        ("11 15 5555 0123", "+5491155550123", True),
        ("8 912 345 67 89", "+79123456789", True),
        ("+8 912 345 67 89", "+79123456789", False),
        ("8 912 345 67 89", "+999123456789", False),
        ("06 20 123 4567", "+36201234567", True),
        ("045 55 1234 5678", "+525512345678", True),
        ("", "", True),
        ("x", "", False),
        ("", "+14155550123", False),
        ("+4155550123", "+14155550123", False),
        ("5550123", "+14155550123", False),
        ("555012", "+1555012", False),
    ],
)
def test_a_number_is_compared_by_its_digits(written: str, number: str, same: bool) -> None:
    assert is_number(written, number) is same


@given(st.text())
def test_any_text_can_be_searched_for(q: str) -> None:
    search = compile_search(q)

    assert search([q], []) or digits_of(q)
