"""Bars of charts: as long as what they count, with nothing for what counts nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.console.domain.charts import Line, bars


@given(st.lists(st.integers(-3, 100_000), max_size=12))
def test_bars_are_as_long_as_what_they_count_beside_the_longest(counts: list[int]) -> None:
    drawn = bars([Line(f"{number}", count) for number, count in enumerate(counts)])
    somebody = [(f"{number}", count) for number, count in enumerate(counts) if count > 0]
    assert [(bar.name, bar.count) for bar in drawn] == somebody
    longest, total = max((count for _, count in somebody), default=0), sum(count for _, count in somebody)
    assert [bar.width for bar in drawn] == [pytest.approx(100 * count / longest, abs=0.01) for _, count in somebody]
    assert [bar.share for bar in drawn] == [pytest.approx(count / total) for _, count in somebody]
