"""Charts: bars as long as what they count, and what came when in as short steps as that allows."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.console.domain.charts import STEPS, Line, OverTime, Span, bars, over_time


@given(st.lists(st.integers(-3, 100_000), max_size=12))
def test_bars_are_as_long_as_what_they_count_beside_the_longest(counts: list[int]) -> None:
    drawn = bars([Line(f"{number}", count) for number, count in enumerate(counts)])
    somebody = [(f"{number}", count) for number, count in enumerate(counts) if count > 0]
    assert [(bar.name, bar.count) for bar in drawn] == somebody
    longest, total = max((count for _, count in somebody), default=0), sum(count for _, count in somebody)
    assert [bar.width for bar in drawn] == [pytest.approx(100 * count / longest, abs=0.01) for _, count in somebody]
    assert [bar.share for bar in drawn] == [pytest.approx(count / total) for _, count in somebody]


BEGAN = datetime(2026, 11, 30, 10, tzinfo=UTC)
NAMES = ["delivered", "not_delivered"]
FIVE_MINUTES, HOUR, DAY = STEPS.values()


def spans(counts: Mapping[timedelta, Mapping[str, int]]) -> list[Span]:
    """Spans as campaigns have them: they grow longer, the later they are."""
    found = []
    for after, count in sorted(counts.items()):
        length = FIVE_MINUTES if after < 3 * HOUR else HOUR if after < 2 * DAY else DAY
        until = None if after >= 30 * DAY else BEGAN + after + length
        found.append(Span(BEGAN + after, until, count))
    return found


def drawn(counts: Mapping[timedelta, Mapping[str, int]]) -> OverTime:
    found = over_time(spans(counts), NAMES)
    assert found is not None
    return found


AFTER = st.one_of(
    st.integers(0, 35).map(lambda n: n * FIVE_MINUTES),
    st.integers(3, 47).map(lambda n: n * HOUR),
    st.integers(2, 30).map(lambda n: n * DAY),
)


@given(st.dictionaries(AFTER, st.fixed_dictionaries({name: st.integers(0, 10_000) for name in NAMES}), max_size=60))
def test_everything_is_in_the_table_and_all_but_little_is_drawn(
    counts: dict[timedelta, dict[str, int]],
) -> None:
    found, everything = over_time(spans(counts), NAMES), sum(sum(each.values()) for each in counts.values())
    if not everything:
        assert found is None
        return
    assert found is not None
    assert sum(sum(line.counts.values()) for line in found.lines) == everything
    seen = sum(column.count for strip in found.strips for column in strip.columns)
    assert seen + found.later == everything
    assert sum(strip.count for strip in found.strips) == everything
    for strip in found.strips:
        assert all(0 <= column.place < found.places <= 48 for column in strip.columns)
        assert all(3 <= column.height <= 100 for column in strip.columns)
        assert len({column.place for column in strip.columns}) == len(strip.columns)
        assert all(
            found.since + column.place * STEPS[found.step] == column.since < found.until for column in strip.columns
        )
        if strip.columns:
            assert max(column.height for column in strip.columns) == 100


def test_what_is_over_in_a_moment_is_seen_as_that() -> None:
    found = drawn({FIVE_MINUTES: {"delivered": 480, "not_delivered": 12}, 3 * FIVE_MINUTES: {"not_delivered": 3}})
    assert (found.step, found.places, found.since) == ("minutes", 12, BEGAN + FIVE_MINUTES)
    [delivered, not_delivered] = found.strips
    assert (delivered.count, delivered.most, [c.place for c in delivered.columns]) == (480, 480, [0])
    assert [(c.place, c.count, c.height) for c in not_delivered.columns] == [(0, 12, 100), (2, 3, 25)]


def test_a_bounce_days_later_does_not_squeeze_the_rest() -> None:
    found = drawn({timedelta(): {"delivered": 99}, 5 * DAY: {"not_delivered": 1}})
    assert (found.step, found.later) == ("minutes", 1)
    assert [(line.since, dict(line.counts)) for line in found.lines] == [
        (BEGAN, {"delivered": 99, "not_delivered": 0}),
        (BEGAN + 5 * DAY, {"not_delivered": 1}),
    ]
    assert [(strip.name, strip.count, strip.most, len(strip.columns)) for strip in found.strips] == [
        ("delivered", 99, 99, 1),
        ("not_delivered", 1, 0, 0),
    ]


@pytest.mark.parametrize(
    ("late", "step", "places"), [(20 * HOUR, "hours", 21), (3 * DAY, "days", 12), (20 * DAY, "days", 21)]
)
def test_what_takes_longer_is_drawn_in_longer_steps(late: timedelta, step: str, places: int) -> None:
    found = drawn({FIVE_MINUTES: {"delivered": 20}, HOUR - FIVE_MINUTES: {"delivered": 30}, late: {"delivered": 50}})
    assert (found.step, found.places, found.since) == (step, places, BEGAN)
    assert [column.count for column in found.strips[0].columns] == [50, 50]


def test_what_came_after_all_that_is_followed_is_told_and_not_drawn() -> None:
    found = drawn({30 * DAY: {"delivered": 4}})
    assert (found.later, [strip.columns for strip in found.strips], len(found.lines)) == (4, [[]], 1)
    assert over_time([], NAMES) is None
