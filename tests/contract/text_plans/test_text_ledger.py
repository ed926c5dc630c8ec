"""What texts count: one suite against the fake and the table."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rebound.kernel.errors import ConcurrentChangeError
from rebound.text_plans.domain import Change, Entry, PlanNote, Telling, TextMonth
from rebound.text_plans.ports import MOST_CHANGES
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, at

MONTH = "2026-11"
OTHER = "2026-12"


def entry(number: int = 1, segments: int = 1, month: str = MONTH, **given: bool) -> Entry:
    return Entry(f"{BUSINESS_ID}#customer#{number}", month, segments, **given)


def counted(ports: EveryPorts, month: str = MONTH) -> tuple[int, int]:
    found = ports.text_ledger.month(BUSINESS_ID, month)
    return found.used, found.inbound


def test_nothing_is_counted_at_first(ports: EveryPorts) -> None:
    assert ports.text_ledger.month(BUSINESS_ID, MONTH) == TextMonth(BUSINESS_ID, MONTH)
    assert ports.text_ledger.entries([]) == ports.text_ledger.entries(["no such"]) == {}


def test_entries_and_their_sum_change_together(ports: EveryPorts) -> None:
    one, two, answer = entry(1, 2), entry(2, 3), entry(3, 1, settled=True, is_inbound=True)
    ports.text_ledger.change(BUSINESS_ID, MONTH, [Change(None, each) for each in (one, two, answer)])
    assert counted(ports) == (6, 1)

    settled = one.after(1)
    ports.text_ledger.change(BUSINESS_ID, MONTH, [Change(one, settled), Change(two, None)])

    assert counted(ports) == (2, 1)
    assert ports.text_ledger.entries([one.name, two.name, answer.name]) == {one.name: settled, answer.name: answer}
    assert counted(ports, OTHER) == (0, 0)


def test_a_change_without_a_difference_is_kept_too(ports: EveryPorts) -> None:
    one = entry(1, 2)
    ports.text_ledger.change(BUSINESS_ID, MONTH, [Change(None, one)])
    ports.text_ledger.change(BUSINESS_ID, MONTH, [Change(one, one.after(2))])

    assert ports.text_ledger.entries([one.name])[one.name].settled
    assert counted(ports) == (2, 0)


@pytest.mark.parametrize(
    "change",
    [
        Change(None, entry(1, 5)),
        *[
            Change(before, after)
            for before in (entry(1, 3), entry(1, 2, settled=True), entry(1, 2, OTHER))
            for after in (None, entry(1, 5))
        ],
    ],
    ids=str,
)
def test_an_entry_that_is_not_as_it_was_read_changes_nothing(ports: EveryPorts, change: Change) -> None:
    ports.text_ledger.change(BUSINESS_ID, MONTH, [Change(None, entry(1, 2))])

    with pytest.raises(ConcurrentChangeError):
        ports.text_ledger.change(BUSINESS_ID, MONTH, [Change(None, entry(2, 1)), change])

    assert counted(ports) == (2, 0)
    assert ports.text_ledger.entries([entry(1).name, entry(2).name]) == {entry(1).name: entry(1, 2)}


def test_an_entry_that_is_gone_is_not_removed_again(ports: EveryPorts) -> None:
    with pytest.raises(ConcurrentChangeError):
        ports.text_ledger.change(BUSINESS_ID, MONTH, [Change(entry(1, 2), None)])
    assert counted(ports) == (0, 0)


def test_a_sum_reaches_its_limit_and_does_not_pass_it(ports: EveryPorts) -> None:
    ports.text_ledger.change(BUSINESS_ID, MONTH, [Change(None, entry(1, 4))], 10)
    ports.text_ledger.change(BUSINESS_ID, MONTH, [Change(None, entry(2, 6))], 10)
    with pytest.raises(ConcurrentChangeError):
        ports.text_ledger.change(BUSINESS_ID, MONTH, [Change(None, entry(3, 1))], 10)
    assert counted(ports) == (10, 0)
    assert entry(3).name not in ports.text_ledger.entries([entry(3).name])

    # What has come in, and what a provider has counted, is not asked.
    ports.text_ledger.change(BUSINESS_ID, MONTH, [Change(None, entry(4, 2, is_inbound=True))])
    assert counted(ports) == (12, 2)


@pytest.mark.parametrize("limit", [0, 1])
def test_the_first_of_a_month_does_not_pass_the_limit_either(ports: EveryPorts, limit: int) -> None:
    with pytest.raises(ConcurrentChangeError):
        ports.text_ledger.change(BUSINESS_ID, MONTH, [Change(None, entry(1, 2))], limit)
    assert counted(ports) == (0, 0)


def test_as_many_as_a_change_may_have_are_changed_at_once(ports: EveryPorts) -> None:
    entries = [entry(number) for number in range(MOST_CHANGES)]
    ports.text_ledger.change(BUSINESS_ID, MONTH, [Change(None, each) for each in entries], MOST_CHANGES)

    assert counted(ports) == (MOST_CHANGES, 0)
    assert len(ports.text_ledger.entries(each.name for each in entries)) == MOST_CHANGES


def test_a_note_is_taken_on_once(ports: EveryPorts) -> None:
    telling = Telling(at(0), at(300))
    before = ports.text_ledger.month(BUSINESS_ID, MONTH)
    ports.text_ledger.note(before, PlanNote.WARNING, telling)
    with pytest.raises(ConcurrentChangeError):
        ports.text_ledger.note(before, PlanNote.WARNING, Telling(at(1), at(301)))
    ports.text_ledger.note(before, PlanNote.EXHAUSTED, telling)

    taken_on = ports.text_ledger.month(BUSINESS_ID, MONTH)
    assert taken_on.notes == {PlanNote.WARNING: telling, PlanNote.EXHAUSTED: telling}
    told = Telling(at(0), at(300), told=True)
    ports.text_ledger.note(taken_on, PlanNote.WARNING, told)
    with pytest.raises(ConcurrentChangeError):
        ports.text_ledger.note(taken_on, PlanNote.WARNING, told)

    assert ports.text_ledger.month(BUSINESS_ID, MONTH).is_told(PlanNote.WARNING)
    assert not ports.text_ledger.month(BUSINESS_ID, MONTH).is_told(PlanNote.EXHAUSTED)
    assert counted(ports) == (0, 0)


def test_the_months_and_texts_of_two_businesses_are_two(ports: EveryPorts) -> None:
    ports.text_ledger.change(BUSINESS_ID, MONTH, [Change(None, entry(1, 4))])

    assert ports.text_ledger.month("another", MONTH).used == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), st.none() | st.integers(1, 5), st.none() | st.integers(1, 9)), max_size=8))
def test_the_sum_is_that_of_the_entries(
    tables: Callable[[], EveryPorts], changes: list[tuple[int, int | None, int | None]]
) -> None:
    """Whatever is written over what, with whatever limit, and whether or not it succeeds."""
    ports = tables()
    names = [entry(number).name for number in range(1, 5)]
    for number, segments, limit in changes:
        before = ports.text_ledger.entries(names).get(entry(number).name)
        after = None if segments is None else entry(number, segments)
        if before == after:
            continue
        used = counted(ports)[0]
        try:
            ports.text_ledger.change(BUSINESS_ID, MONTH, [Change(before, after)], limit)
        except ConcurrentChangeError:
            assert limit is not None
            assert used + Change(before, after).more > limit
        else:
            assert limit is None or counted(ports)[0] <= max(limit, used)
        assert counted(ports)[0] == sum(each.segments for each in ports.text_ledger.entries(names).values())
