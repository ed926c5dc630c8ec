"""Customers a piece at a time: all of them, or those of a list; and whom a count has room to name."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.eligibility.application import pieces
from rebound.eligibility.application.pieces import Named, read_piece
from rebound.jobs.domain import EXCLUDED, JobProgress
from rebound.kernel.ids import bounds
from tests.fakes.making import BUSINESS_ID, customer, id_of
from tests.fakes.world import World

NUMBERS = st.lists(st.integers(1, 30), unique=True, max_size=30)


@given(there=NUMBERS, listed=st.none() | NUMBERS, ranges=st.integers(1, 5), size=st.integers(1, 8))
def test_each_is_looked_at_once_however_they_are_split(
    there: Sequence[int], listed: Sequence[int] | None, ranges: int, size: int
) -> None:
    world = World()
    world.add(*map(customer, there))
    ids = None if listed is None else [id_of(number) for number in listed]
    found: Counter[str] = Counter()
    for index in range(ranges):
        after: str | None = None
        while True:
            looked, after = read_piece(world.customers, BUSINESS_ID, ids, bounds(index, ranges), after, size)
            assert len(looked) <= size
            found.update(list(looked))
            assert all((each is None) == (id_ not in map(id_of, there)) for id_, each in looked.items())
            if after is None:
                break
    assert found == Counter(map(id_of, there if listed is None else listed))


@given(st.lists(st.dictionaries(st.sampled_from("abcde"), st.integers(1, 9)), max_size=8))
def test_whoever_is_named_for_a_reason_is_all_of_them_and_the_rarest_go_first(
    steps: Sequence[Mapping[str, int]],
) -> None:
    progress, number, everybody = JobProgress("job", 0, 0), 0, dict[str, list[str]]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "MOST_NAMED", 12)
        for step in steps:
            found = {}
            for reason, count in step.items():
                found[reason] = [str(number + each) for each in range(count)]
                number += count
                everybody.setdefault(reason, []).extend(found[reason])
            counts = {f"{EXCLUDED}{reason}": len(ids) for reason, ids in everybody.items()}
            spared = Named.of(progress).plus(found).within(counts)
            progress = JobProgress("job", 0, 0, counts=counts, spared=spared)
            named = Named.of(progress).by_reason
            assert sum(map(len, named.values())) <= 12
            assert all(sorted(ids) == sorted(everybody[reason]) for reason, ids in named.items())
    if sum(map(len, everybody.values())) <= 12:
        assert Named.of(progress).by_reason.keys() == everybody.keys()
