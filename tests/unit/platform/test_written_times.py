"""A time is written as RFC 3339; a number is none, neither as such nor as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from rebound.kernel.times import write_time
from rebound.platform.http.shapes import Moment, WrittenTime
from tests.fakes.written_times import WRITTEN

MOMENT, EITHER = TypeAdapter[datetime](Moment), TypeAdapter[datetime](WrittenTime)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


def refused(read: TypeAdapter[datetime], given: object) -> bool:
    try:
        read.validate_python(given)
    except ValidationError as error:
        return "RFC 3339" in str(error)
    return False


@given(NUMBERS, st.sampled_from(["{}", " {}", "+{}", "{}.", "{}e3", "{} "]))
def test_a_number_is_no_time_however_it_is_written(number: float, written: str) -> None:
    for read in (MOMENT, EITHER):
        assert refused(read, number)
        assert refused(read, written.format(number))


@pytest.mark.parametrize("text", ["0.5", "1764000000", "1e9", "-1", "", "now", "10:00", "20261122", "22.11.2026"])
def test_what_does_not_begin_with_a_date_is_no_time(text: str) -> None:
    assert refused(MOMENT, text)
    assert refused(EITHER, text)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)), st.integers(-14 * 4, 14 * 4))  # noqa: DTZ001 - its offset follows
def test_what_was_written_is_read(wall: datetime, quarters: int) -> None:
    at = wall.replace(microsecond=wall.microsecond // 1000 * 1000, tzinfo=UTC) - timedelta(minutes=15 * quarters)
    assert MOMENT.validate_python(write_time(at)) == EITHER.validate_python(write_time(at)) == at


instants = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(lambda wall: wall.replace(tzinfo=UTC))  # noqa: DTZ001 - its offset follows
offsets = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))


@given(instants, offsets)
def test_there_is_one_form_whatever_the_offset_and_the_digits(at: datetime, offset: timezone) -> None:
    written = write_time(at.astimezone(offset))

    assert WRITTEN.fullmatch(written)
    assert timedelta(0) <= at - datetime.fromisoformat(written) < timedelta(milliseconds=1)


@given(instants, instants)
def test_text_order_is_time_order(one: datetime, other: datetime) -> None:
    assert (write_time(one) <= write_time(other)) or one > other
