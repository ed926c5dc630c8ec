"""What providers write as numbers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.platform.adapters.fields import optional_count_at


@given(st.integers(0, 999_999), st.sampled_from([int, str, "{:06}".format, " {} ".format]))
def test_a_whole_number_is_a_count_however_it_is_written(number: int, form: Any) -> None:
    assert optional_count_at({"a": {"b": form(number)}}, "a.b") == number


@given(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers(max_value=-1)
    | st.integers(min_value=1_000_000)
    | st.text(st.characters(exclude_characters="0123456789"))
    | st.lists(st.integers())
)
def test_anything_else_is_none(value: object) -> None:
    assert optional_count_at({"a": value}, "a") is None
    assert optional_count_at({}, "a") is None


@pytest.mark.parametrize("written", ["1.5", "1e3", "+1", "-0", "٣", "²", "1 2", "12345678901234567890"])
def test_what_only_looks_like_a_number_is_none(written: str) -> None:
    assert optional_count_at({"a": written}, "a") is None
