"""Segments are reserved, settled and released exactly, whatever comes between and however often (truth 15)."""

from collections.abc import Callable
from copy import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.domain.business import Business
from rebound.businesses.domain.text_plan import PlanStatus, TextPlan
from rebound.kernel.receipts import MessageKey
from rebound.text_plans.domain import (
    TELLING_TAKES,
    Change,
    Entry,
    InboundKind,
    PlanNote,
    Telling,
    affordable,
    month_of,
    name_of,
)
from tests.contract.text_plans.fakes import MemoryTextLedger
from tests.fakes.making import BUSINESS_ID, at, business
from tests.fakes.world import World

MONTH = "2026-11"


def key(number: int) -> MessageKey:
    return MessageKey(BUSINESS_ID, f"{number:032x}", f"message-{number}")


def planned(included: int = 10, **given: Any) -> Business:
    return business(text_plan=TextPlan(included, **given), owner_email="owner@juniper.example.com")


def used(world: World, month: str = MONTH) -> int:
    return world.text_ledger.month(BUSINESS_ID, month).used


def reserved(world: World, settings: Business, **wanted: int) -> set[int]:
    """Reserve for messages by number; the numbers of those who have theirs."""
    keys = {key(int(name[1:])): segments for name, segments in wanted.items()}
    return {int(each.message_id.removeprefix("message-")) for each in world.meter_texts.reserve(settings, keys)}


def test_without_a_plan_nothing_is_read_or_written() -> None:
    world = World(settings := business())

    assert world.read_text_plan(settings) is None
    assert world.meter_texts.reserve(settings, {key(1): 1}) == {}
    world.meter_texts.release(settings, [key(1)])
    world.meter_texts.count_inbound(settings, InboundKind.TEXT, "SM1", 1, at())

    assert (world.text_ledger.reads, world.text_ledger.writes, world.timers.rows) == (0, 0, set())


def test_as_many_as_are_included_are_reserved_in_their_order() -> None:
    world = World(settings := planned(10))

    assert reserved(world, settings, m1=4, m2=5, m3=2, m4=1, m5=1) == {1, 2, 4}
    assert used(world) == 10
    assert reserved(world, settings, m6=1) == set()


def test_the_same_message_finds_its_reservation() -> None:
    world = World(settings := planned(3))
    reserved(world, settings, m1=2, m2=1)

    assert reserved(world, settings, m1=2, m2=1) == {1, 2}
    assert used(world) == 3
    # A text that has become longer needs more, and has none any more where there is too little.
    assert reserved(world, settings, m1=1) == {1}
    assert used(world) == 2
    assert reserved(world, settings, m1=3) == set()
    assert used(world) == 1


def test_what_is_released_may_be_used_by_another() -> None:
    world = World(settings := planned(3))
    reserved(world, settings, m1=3)
    world.meter_texts.release(settings, [key(1), key(2)])
    world.meter_texts.release(settings, [key(1)])

    assert used(world) == 0
    assert reserved(world, settings, m2=3) == {2}


def test_the_providers_count_is_what_counts_and_0_says_nothing() -> None:
    world = World(settings := planned(3))
    reserved(world, settings, m1=2)
    world.meter_texts.settle(key(1), 0)
    assert used(world) == 2
    for _ in range(2):
        world.meter_texts.settle(key(1), 5)
    assert used(world) == 5
    # It went out: there is nothing to be released, and a late retry does not count again.
    world.meter_texts.release(settings, [key(1)])
    assert reserved(world, settings, m1=2) == {1}
    assert used(world) == 5
    world.meter_texts.settle(key(9), 4)
    assert used(world) == 5


def test_a_correction_goes_to_the_month_of_the_reservation() -> None:
    world = World(settings := planned(5))
    world.clock.move_to(datetime(2026, 12, 1, 4, 59, 59, tzinfo=UTC))
    assert reserved(world, settings, m1=2, m2=1) == {1, 2}
    world.clock.move(timedelta(seconds=1))
    world.meter_texts.settle(key(1), 3)
    assert reserved(world, settings, m1=2, m2=2, m3=5) == {1, 2, 3}
    world.meter_texts.release(settings, [key(3)])

    assert (used(world), used(world, "2026-12")) == (5, 0)


@pytest.mark.parametrize(
    ("zone", "moment", "month"),
    [
        ("America/New_York", "2026-12-01T04:59:59Z", "2026-11"),
        ("America/New_York", "2026-12-01T05:00:00Z", "2026-12"),
        # Summer time begins: the month ends an hour earlier by the clock of the world.
        ("America/New_York", "2026-04-01T03:59:59Z", "2026-03"),
        ("America/New_York", "2026-04-01T04:00:00Z", "2026-04"),
        ("Pacific/Kiritimati", "2026-11-30T10:00:00Z", "2026-12"),
        ("Pacific/Pago_Pago", "2026-12-01T10:59:59Z", "2026-11"),
        ("Europe/Rome", "2027-12-31T23:00:00Z", "2028-01"),
        ("Asia/Kolkata", "2028-02-29T18:29:59Z", "2028-02"),
        ("Asia/Kolkata", "2028-02-29T18:30:00Z", "2028-03"),
    ],
)
def test_a_month_is_the_businesss_own(zone: str, moment: str, month: str) -> None:
    assert month_of(business(time_zone=zone), datetime.fromisoformat(moment)) == month


def test_a_plan_that_is_raised_or_lowered_holds_from_the_next_text_on() -> None:
    world = World(settings := planned(2))
    assert reserved(world, settings, m1=2, m2=1) == {1}
    assert reserved(world, planned(3), m2=1, m3=1) == {2}
    assert reserved(world, planned(1), m4=1) == set()
    # What is reserved goes out.
    assert reserved(world, planned(1), m1=2, m2=1) == {1, 2}
    assert used(world) == 3
    assert planned(1).text_plan == TextPlan(1)
    assert TextPlan(1).left(3) == 0


@pytest.mark.parametrize(
    ("included", "used_up", "status"),
    [
        (10, 7, PlanStatus.OK),
        (10, 8, PlanStatus.WARNING),
        (10, 9, PlanStatus.WARNING),
        (10, 10, PlanStatus.EXHAUSTED),
        (10, 12, PlanStatus.EXHAUSTED),
        (3, 2, PlanStatus.OK),
        (0, 0, PlanStatus.EXHAUSTED),
        (1, 0, PlanStatus.OK),
    ],
)
def test_a_month_is_warned_of_from_80_percent_on(included: int, used_up: int, status: PlanStatus) -> None:
    assert TextPlan(included).status(used_up) is status


@pytest.mark.parametrize(
    ("plan", "kind", "counted"),
    [
        (TextPlan(10), InboundKind.TEXT, 0),
        (TextPlan(10), InboundKind.CALL, 0),
        (TextPlan(10, inbound_texts=True), InboundKind.TEXT, 3),
        (TextPlan(10, inbound_texts=True), InboundKind.CALL, 0),
        (TextPlan(10, inbound_calls=True), InboundKind.CALL, 3),
    ],
)
def test_what_comes_in_counts_once_as_the_plan_says(plan: TextPlan, kind: InboundKind, counted: int) -> None:
    world = World(settings := business(text_plan=plan))
    for _ in range(2):
        world.meter_texts.count_inbound(settings, kind, "SM1", 3, at())

    assert bool(world.text_ledger.reads) == bool(world.text_ledger.writes) == bool(counted)
    month = world.text_ledger.month(BUSINESS_ID, MONTH)
    assert (month.used, month.inbound) == (counted, counted)


def test_what_comes_in_is_never_refused() -> None:
    world = World(settings := planned(1, inbound_texts=True))
    reserved(world, settings, m1=1)
    world.meter_texts.count_inbound(settings, InboundKind.TEXT, "SM1", 2, at())

    assert used(world) == 3


@given(st.dictionaries(st.integers(), st.integers(-5, 9)), st.integers(-5, 20))
def test_no_more_is_promised_than_is_left(wanted: dict[int, int], left: int) -> None:
    named = {str(number): segments for number, segments in wanted.items()}
    chosen = affordable(named, left)

    assert set(chosen) >= {name for name, segments in named.items() if segments <= 0}
    assert sum(max(named[name], 0) for name in chosen) <= max(left, 0) - sum(min(each, 0) for each in named.values())
    assert list(chosen) == [name for name in named if name in set(chosen)]


# --- whatever comes between -------------------------------------------------------------------------------------------


class _Meddled(MemoryTextLedger):
    """Lets others act right before a change is written: they have read the same, and are faster."""

    def __init__(self) -> None:
        super().__init__()
        self.others: list[Callable[[], object]] = []

    def change(self, business_id: str, month: str, changes: Any, limit: int | None = None) -> None:
        if self.others:
            self.others.pop(0)()
        super().change(business_id, month, changes, limit)


DOINGS = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "settle", "release", "inbound", "lower", "raise"]),
        st.lists(st.tuples(st.integers(1, 6), st.integers(1, 4)), min_size=1, max_size=4),
        st.booleans(),
    ),
    max_size=14,
)


@given(DOINGS)
def test_in_any_order_and_at_once_the_sum_is_that_of_the_entries_and_never_passes_the_plan(doings: Any) -> None:
    """Whatever is not settled upwards, and has not come in, has been reserved below what was included then."""
    world = World()
    ledger = _Meddled()
    meter = replace(world.meter_texts, ledger=ledger)
    included, beyond = [6], [0]

    def act(doing: str, numbers: list[tuple[int, int]]) -> None:
        plan = planned(included[-1], inbound_texts=True)
        if doing == "reserve":
            before = ledger.month(BUSINESS_ID, MONTH).used
            meter.reserve(plan, {key(number): segments for number, segments in numbers})
            after = ledger.month(BUSINESS_ID, MONTH).used
            assert after <= max(included[-1], before) + beyond[0]
        elif doing == "settle":
            number, said = numbers[0]
            before = ledger.month(BUSINESS_ID, MONTH).used
            meter.settle(key(number), said, plan)
            beyond[0] += max(ledger.month(BUSINESS_ID, MONTH).used - before, 0)
        elif doing == "release":
            meter.release(plan, [key(number) for number, _ in numbers])
        elif doing == "inbound":
            number, segments = numbers[0]
            meter.count_inbound(plan, InboundKind.TEXT, f"SM{number}", segments, at())
            beyond[0] += segments
        else:
            included.append(3 if doing == "lower" else 9)

    for doing, numbers, at_once in doings:
        if at_once:
            ledger.others.append(partial(act, doing, numbers))
        else:
            act(doing, numbers)
        month = ledger.month(BUSINESS_ID, MONTH)
        assert month.used == sum(entry.segments for entry in ledger.rows.values())
        assert month.inbound == sum(entry.segments for entry in ledger.rows.values() if entry.is_inbound)
        assert month.used <= max(included) + beyond[0]


def test_of_two_at_once_that_want_the_last_one_gets_it() -> None:
    world = World(settings := planned(10))
    ledger = _Meddled()
    meter = replace(world.meter_texts, ledger=ledger)
    other: list[int] = []
    ledger.others.append(lambda: other.append(len(meter.reserve(settings, {key(2): 6}))))

    assert not meter.reserve(settings, {key(1): 6})
    assert other == [1]
    assert ledger.month(BUSINESS_ID, MONTH).used == 6


def test_reserving_for_a_whole_chunk_is_one_change() -> None:
    """However many there are: a month's row takes about a thousand writes a second."""
    world = World(settings := planned(1000))
    changes: list[int] = []

    class Counted(MemoryTextLedger):
        def change(self, business_id: str, month: str, each: Any, limit: int | None = None) -> None:
            changes.append(len(each))
            super().change(business_id, month, each, limit)

    replace(world.meter_texts, ledger=Counted()).reserve(settings, {key(number): 1 for number in range(50)})
    assert changes == [50]


def test_a_settled_entry_is_as_the_largest_count_of_its_provider() -> None:
    entry = Entry(name_of(key(1)), MONTH, 3)
    assert [entry.after(2).after(1).segments, entry.after(1).after(2).segments] == [2, 2]
    assert entry.after(0) == entry.after(-1) == entry
    assert Change(None, entry).more == 3


# --- the owner --------------------------------------------------------------------------------------------------------


def notes(world: World) -> list[str]:
    """The subjects of what the owner was written."""
    world.rest()
    return [subject for _, to, subject, _ in world.rebound_mail.sent if to == "owner@juniper.example.com"]


def test_the_owner_is_told_at_80_and_at_100_percent_once_a_month_each() -> None:
    world = World(settings := planned(10, upgrade_url="https://platform.example/plans"))
    reserved(world, settings, m1=7)
    assert notes(world) == []
    reserved(world, settings, m2=1)
    reserved(world, settings, m3=1)
    assert notes(world) == ["Salon Juniper: most texts of November 2026 are used"]
    reserved(world, settings, m4=1, m5=1)
    reserved(world, settings, m6=1)
    assert notes(world)[1:] == ["Salon Juniper: no texts are left for November 2026"]
    assert all("https://platform.example/plans" in text for *_, text in world.rebound_mail.sent)
    assert [type(event).__name__ for event in world.domain_events.published] == ["TextPlanWarning", "TextPlanExhausted"]

    world.meter_texts.release(settings, [key(4)])
    reserved(world, settings, m7=1)
    assert len(notes(world)) == 2
    world.clock.move(timedelta(days=20))
    reserved(world, settings, m8=8)
    assert notes(world)[2:] == ["Salon Juniper: most texts of December 2026 are used"]


def test_the_owner_is_told_too_when_what_is_left_is_too_little() -> None:
    world = World(settings := planned(10))
    reserved(world, settings, m1=3, m2=3, m3=3)
    reserved(world, settings, m4=3)

    assert len(notes(world)) == 2
    assert used(world) == 9


def test_what_passes_both_at_once_is_told_in_two_notes() -> None:
    world = World(settings := planned(1))
    reserved(world, settings, m1=1)

    assert len(notes(world)) == 2


def test_an_owner_without_an_address_is_not_written_to_and_the_events_come() -> None:
    world = World(settings := business(text_plan=TextPlan(1)))
    reserved(world, settings, m1=1)
    world.rest()

    assert world.rebound_mail.sent == []
    assert len(world.domain_events.published) == 2


def test_corrections_and_what_comes_in_are_told_of_as_well() -> None:
    world = World(settings := planned(10, inbound_texts=True))
    reserved(world, settings, m1=6)
    world.meter_texts.settle(key(1), 7)
    world.meter_texts.count_inbound(settings, InboundKind.TEXT, "SM1", 1, at())
    assert len(notes(world)) == 1
    world.meter_texts.settle(key(1), 9)
    assert len(notes(world)) == 2


def test_who_takes_a_note_on_and_dies_leaves_it_to_another() -> None:
    world = World(settings := planned(1))
    reserved(world, settings, m1=1)
    month = world.text_ledger.month(BUSINESS_ID, MONTH)
    world.text_ledger.note(month, PlanNote.WARNING, Telling(at(), at() + TELLING_TAKES))

    assert len(notes(world)) == 2
    assert world.clock.now() >= at() + TELLING_TAKES


def test_a_timer_that_comes_again_tells_nothing_again() -> None:
    world = World(settings := planned(1))
    reserved(world, settings, m1=1)
    timers = list(world.timers.rows)
    assert len(notes(world)) == 2
    world.tell_owner(timers)

    assert len(notes(world)) == 2
    assert len(world.domain_events.published) == 2


def test_of_what_was_released_before_anybody_was_told_nobody_is_told() -> None:
    world = World(settings := planned(10))
    reserved(world, settings, **{f"m{number}": 1 for number in range(1, 11)})
    reserved(world, settings, m11=1)
    world.meter_texts.release(settings, [key(number) for number in range(1, 11)])
    assert notes(world) == []

    reserved(world, settings, **{f"m{number}": 1 for number in range(11, 21)})
    assert len(notes(world)) == 2


def test_the_warning_comes_first_and_promises_nothing_that_is_used_up() -> None:
    world = World(settings := planned(10))
    reserved(world, settings, m1=10)
    first, second = notes(world)

    assert (first, second) == (
        "Salon Juniper: most texts of November 2026 are used",
        "Salon Juniper: no texts are left for November 2026",
    )
    assert "Once none are left" not in world.rebound_mail.sent[0][3]
