"""The ranges of an expansion partition the space of customer ids."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.ids import MAX_RANGES, bounds, estimated_size
from tests.fakes.making import id_of

ids = st.integers(0, (1 << 128) - 1).map(lambda number: f"{number:032x}")


@given(ids, st.integers(1, MAX_RANGES))
def test_every_id_is_in_exactly_one_range(customer_id: str, ranges: int) -> None:
    holding = [index for index in range(ranges) if (span := bounds(index, ranges))[0] <= customer_id <= span[1]]

    assert len(holding) == 1


@given(st.integers(1, MAX_RANGES))
def test_ranges_join_without_gap_or_overlap_and_cover_everything(ranges: int) -> None:
    spans = [bounds(index, ranges) for index in range(ranges)]

    assert spans[0][0] == "0" * 32
    assert spans[-1][1] == "f" * 32
    for (_, last), (first, _) in pairwise(spans):
        assert int(first, 16) == int(last, 16) + 1


@given(st.integers(1, MAX_RANGES))
def test_ranges_are_equally_wide(ranges: int) -> None:
    widths = [int(last, 16) - int(first, 16) for first, last in (bounds(i, ranges) for i in range(ranges))]

    assert max(widths) - min(widths) <= 1


@pytest.mark.parametrize("size", [200, 1_000, 50_000])
def test_the_first_ids_tell_about_how_many_there_are(size: int) -> None:
    ids = sorted(id_of(number) for number in range(size))

    assert estimated_size(200, ids[199]) == pytest.approx(size, rel=0.15)


@pytest.mark.parametrize(("index", "ranges"), [(-1, 4), (4, 4), (0, 0), (0, MAX_RANGES + 1)])
def test_a_range_that_does_not_exist_is_refused(index: int, ranges: int) -> None:
    with pytest.raises(ValueError, match="range"):
        bounds(index, ranges)
