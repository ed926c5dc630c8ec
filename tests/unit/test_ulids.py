"""Ids that sort by time, and where the ids of a moment lie among them."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from rebound.domain.ulids import before_all_of, behind_all_of, time_of

times = st.datetimes(datetime(1970, 1, 1), datetime(2900, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - what hypothesis asks for


@given(times)
def test_the_time_of_an_id_is_its_millisecond(at: datetime) -> None:
    made = str(ULID.from_datetime(at))

    assert time_of(made) <= at < time_of(made) + timedelta(milliseconds=1)


@given(times, times | st.none())
def test_bounds_hold_the_ids_of_their_millisecond_and_no_others(at: datetime, other: datetime | None) -> None:
    other = other or at
    made = str(ULID.from_datetime(other))

    assert (made < before_all_of(at)) is (time_of(made) < time_of(before_all_of(at)))
    assert (made > behind_all_of(at)) is (time_of(made) > time_of(before_all_of(at)))
