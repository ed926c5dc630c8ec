"""Numbers as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.console.http.layouts.form import whole_address
from rebound.console.http.typed import confirms, whole_number
from rebound.console.http.words import LANGUAGES, Words


@given(st.integers(0, 10**9), st.sampled_from(LANGUAGES))
def test_a_number_is_confirmed_as_it_is_shown_and_as_digits(number: int, language: str) -> None:
    assert confirms(Words(language).number(number), number)
    assert confirms(str(number), number)
    assert not confirms(str(number + 1), number)


@pytest.mark.parametrize("typed", ["", "12", "2,16", "2,1614", "21,61", "2.161,0", "-2161", "two", ",2161", "2161,"])
def test_what_is_no_such_number_confirms_nothing(typed: str) -> None:
    assert not confirms(typed, 2161)


@pytest.mark.parametrize("typed", ["9" * 5000, "-1", "", "1.5", "³", "6"])
def test_what_is_out_of_bounds_is_no_number(typed: str) -> None:
    assert whole_number(typed, 5) is None


@given(st.integers(0, 10**6))
def test_digits_are_a_number(number: int) -> None:
    assert whole_number(f"00{number}", 10**6) == number


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("example.com", "https://example.com"),
        ("www.example.com/prices?a=1#b", "https://www.example.com/prices?a=1#b"),
        ("example.co.uk:8443/x", "https://example.co.uk:8443/x"),
        ("straße.de", "https://straße.de"),
        ("https://example.com", "https://example.com"),
        ("http://example.com", "http://example.com"),
        ("mailto:a@example.com", "mailto:a@example.com"),
        ("tel:+4930123", "tel:+4930123"),
        ("##{{unsubscribe_url}}", "##{{unsubscribe_url}}"),
        ("a@example.com", "a@example.com"),
        ("nowhere", "nowhere"),
        ("example.com/two words", "example.com/two words"),
        ("3.5", "3.5"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("", ""),
    ],
)
def test_an_address_gets_what_people_leave_out(typed: str, whole: str) -> None:
    assert whole_address(typed) == whole
    assert whole_address(whole) == whole
