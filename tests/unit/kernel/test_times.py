"""Days as others write them: one form, whatever else the standard library reads."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.times import NO_DATE, read_day


@given(st.dates())
def test_a_day_is_read_as_it_is_written(day: date) -> None:
    assert read_day(day.isoformat()) == day


@pytest.mark.parametrize(
    "given",
    ["2026-W48-1", "20261130", "2026-11-31", "2026-1-1", "2026-11-30T00:00", " 2026-11-30", "२०२६-११-३०", "", 7, None],
)
def test_nothing_else_is_a_day(given: object) -> None:
    with pytest.raises(ValueError, match=NO_DATE):
        read_day(given)
