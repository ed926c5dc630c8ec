"""Conditions that name a day: one that is none is refused, and two days may stand in one condition."""

from datetime import date
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.errors import InvalidInputError
from rebound.segments.domain.filters import compile_filter
from rebound.segments.domain.leaves import DATE_FIELDS
from rebound.segments.domain.matching import Known
from tests.fakes.making import customer

DAYS: Final = st.dates(date(1999, 12, 28), date(2000, 1, 3))


def is_a_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


@given(st.sampled_from(DATE_FIELDS), st.text("0123456789-x", min_size=1, max_size=10), st.booleans())
def test_what_is_no_day_is_refused_and_every_day_is_taken(name: str, text: str, listed: bool) -> None:
    tree: dict[str, Any] = {"field": name, "in": [text]} if listed else {"field": name, "equals": text}
    if is_a_day(text):
        compile_filter(tree)
        return
    with pytest.raises(InvalidInputError) as refused:
        compile_filter(tree)
    assert [error.message for error in refused.value.errors] == ["Must be a date as YYYY-MM-DD."]


@given(st.sampled_from(DATE_FIELDS), DAYS, DAYS, st.none() | DAYS)
def test_between_two_days_is_later_than_one_and_earlier_than_the_other(
    name: str, after: date, before: date, own: date | None
) -> None:
    tree = {"field": name, "after": str(after), "before": str(before)}
    matcher = compile_filter(tree)

    assert matcher.test(customer(1, **{name: own}), Known()) is (own is not None and after < own < before)
    assert compile_filter({"field": name, "equals": str(after)}).test(customer(1, **{name: own}), Known()) is (
        own == after
    )
