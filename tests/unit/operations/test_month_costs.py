"""Which time a month's costs are of, and what they add up to."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.operations.application.look_after_stack import EstimateCosts
from rebound.operations.domain import CostPart, Usage
from tests.contract.operations.fakes import MemoryUsages

USAGE = Usage({CostPart.SQS: 0.5, CostPart.API_GATEWAY: 2.0}, emails=10_000, texts=5, is_measured=True)


def costs_at(now: datetime, *, before: bool = False) -> Any:
    clock: Any = SimpleNamespace(now=lambda: now)
    return EstimateCosts(usages=MemoryUsages(USAGE), clock=clock)(before=before)


def test_an_email_costs_what_ses_takes_and_the_largest_part_stands_first() -> None:
    costs = costs_at(datetime(2026, 11, 30, 12, tzinfo=UTC))
    assert costs.parts == [(CostPart.API_GATEWAY, 2.0), (CostPart.SES, pytest.approx(1.0)), (CostPart.SQS, 0.5)]
    assert costs.total == pytest.approx(3.5)


@given(st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - the library's
def test_the_month_before_ends_where_this_one_begins(now: datetime) -> None:
    this, last = costs_at(now), costs_at(now, before=True)
    assert (this.start.year, this.start.month, this.start.day, this.end) == (now.year, now.month, 1, now)
    assert last.end == this.start
    assert last.start.day == 1
    assert (this.start - timedelta(microseconds=1)).month == last.start.month
    assert this.start.time() == last.start.time() == datetime.min.time()
