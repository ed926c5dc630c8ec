"""The spans of time by which a campaign's messages are counted."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.ids import derived_ulid
from rebound.messages.domain.spans import LAST, beginning_of, bounds_of, span_of

PLANNED = datetime(2026, 11, 30, 10, 42, 17, tzinfo=UTC)
RUN = derived_ulid(PLANNED, "run")
HOUR = datetime(2026, 11, 30, 10, tzinfo=UTC)


@given(st.timedeltas(timedelta(days=-2), timedelta(days=400)))
def test_a_time_is_within_its_span(after: timedelta) -> None:
    at = PLANNED + after
    since, until = bounds_of(span_of(at, RUN), RUN)
    assert since <= max(at, HOUR)
    assert until is None or at < until


def test_spans_follow_each_other_and_there_are_few() -> None:
    bounds = [bounds_of(span, RUN) for span in range(LAST + 1)]
    assert [until for _, until in bounds] == [*(since for since, _ in bounds[1:]), None]
    assert bounds[0][0] == beginning_of(RUN) == HOUR
    assert LAST == 109


@pytest.mark.parametrize(
    ("at", "since", "until"),
    [
        (PLANNED, timedelta(minutes=40), timedelta(minutes=45)),
        (HOUR, timedelta(), timedelta(minutes=5)),
        (HOUR + timedelta(minutes=5), timedelta(minutes=5), timedelta(minutes=10)),
        (HOUR + timedelta(hours=3), timedelta(hours=3), timedelta(hours=4)),
        (HOUR + timedelta(hours=47, minutes=59), timedelta(hours=47), timedelta(hours=48)),
        (HOUR + timedelta(hours=48), timedelta(days=2), timedelta(days=3)),
        (HOUR + timedelta(days=29, hours=23), timedelta(days=29), timedelta(days=30)),
        (HOUR + timedelta(days=30), timedelta(days=30), None),
        (HOUR - timedelta(days=1), timedelta(), timedelta(minutes=5)),
        (None, timedelta(), timedelta(minutes=5)),
    ],
)
def test_spans_grow_longer(at: datetime | None, since: timedelta, until: timedelta | None) -> None:
    assert bounds_of(span_of(at, RUN), RUN) == (HOUR + since, None if until is None else HOUR + until)


def test_all_messages_of_a_run_are_counted_from_the_same_hour() -> None:
    assert beginning_of(derived_ulid(PLANNED, "message")) == beginning_of(RUN)
