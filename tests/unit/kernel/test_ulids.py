"""Ids that sort by time, and where the ids of a moment lie among them."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from rebound.kernel.ids import behind_all_of, time_of

times = st.datetimes(datetime(1970, 1, 1), datetime(2900, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - what hypothesis asks for


@given(times)
def test_the_time_of_an_id_is_its_millisecond(at: datetime) -> None:
    made = str(ULID.from_datetime(at))

    assert time_of(made) <= at < time_of(made) + timedelta(milliseconds=1)


@given(times, times | st.none())
def test_a_bound_lies_behind_the_ids_of_its_millisecond_and_before_later_ones(
    at: datetime, other: datetime | None
) -> None:
    made = str(ULID.from_datetime(other or at))

    assert (made > behind_all_of(at)) is (time_of(made) > at)
