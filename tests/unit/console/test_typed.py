"""Numbers and times as people type them."""

from datetime import datetime
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.console.http.typed import CLOCK, clock_time, whole_number
from rebound.kernel.local_time import first_instant_anywhere, first_instant_of

ZONES: Final = ("Pacific/Kiritimati", "Pacific/Pago_Pago", "America/New_York", "UTC")


@given(st.integers(0, 2000), st.integers(0, 3))
def test_a_number_within_bounds_is_read(number: int, zeros: int) -> None:
    expected = number if 1 <= number <= 1000 else None
    assert whole_number("0" * zeros + str(number), 1000, 1) == expected


@given(st.text())
def test_any_text_is_a_number_or_none(text: str) -> None:
    found = whole_number(text, 99)
    assert found is None or (text.isdecimal() and found == int(text))


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "²", "9" * 5000, "1" + "0" * 5000, "1_0"])
def test_what_is_none_or_too_large_is_none(text: str) -> None:
    assert whole_number(text, 10**9) is None


@given(st.datetimes(), st.sampled_from(ZONES))
def test_every_time_that_is_read_can_be_told_everywhere(at: datetime, zone: str) -> None:
    at = at.replace(second=0, microsecond=0)
    read = clock_time(f"{at.year:04d}-{at:%m-%dT%H:%M}")
    assert read == (at if datetime(1, 1, 3) <= at < datetime(9999, 12, 30) else None)  # noqa: DTZ001 - clocks
    if read is not None:
        first_instant_of(read, zone)
        first_instant_anywhere(read)


@pytest.mark.parametrize(
    "text", ["", "soon", "2027-01-01", "0001-01-01T00:00", "9999-12-31T23:59", "12027-01-01T10:00"]
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert clock_time(text) is None
    assert clock_time(f"{datetime(2027, 1, 1, 10):{CLOCK}}") == datetime(2027, 1, 1, 10)  # noqa: DTZ001 - a clock's
