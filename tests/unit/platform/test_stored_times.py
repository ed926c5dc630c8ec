"""A time is stored so that it is read again as it was, and text order is time order, in every year."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rebound.platform.adapters.dynamo import read_instant, write_instant

NO_EDGE = timedelta(days=1)
"""Offsets lead out of the calendar there."""
INSTANTS = st.datetimes(timezones=st.timezones()).filter(
    lambda at: datetime.min.replace(tzinfo=UTC) + NO_EDGE < at < datetime.max.replace(tzinfo=UTC) - NO_EDGE
)


@given(st.datetimes().map(lambda wall: wall.replace(tzinfo=UTC)) | INSTANTS)
def test_what_was_stored_is_read(at: datetime) -> None:
    # By UTC: Python calls no two times of different zones equal where clocks go forth or back.
    assert read_instant(write_instant(at)) == at.astimezone(UTC)


@given(INSTANTS, INSTANTS)
def test_text_order_is_time_order(one: datetime, other: datetime) -> None:
    assert (write_instant(one) < write_instant(other)) == (one.astimezone(UTC) < other.astimezone(UTC))
