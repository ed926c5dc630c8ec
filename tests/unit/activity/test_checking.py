"""What is wrong with an event is said all at once, by the fields that a client wrote or left out."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rebound.activity.domain.checking import (
    HAPPENED_WITHIN,
    STARTS_WITHIN,
    EventError,
    ReadingContext,
    checked_event,
)
from rebound.activity.domain.events import FIELDS, REQUIRED, EventKind, MembershipStatus
from tests.fakes.making import id_of

NOW: Final = datetime(2026, 11, 29, 12, tzinfo=UTC)
CONTEXT: Final = ReadingContext("America/New_York", NOW)
MONEY: Final = {"amount", "currency"}
NAMES: Final = sorted({name for names in FIELDS.values() for name in names})


def written(moment: datetime) -> str:
    return moment.isoformat()


def times(furthest: timedelta) -> st.SearchStrategy[str]:
    zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
    ahead = st.timedeltas(-timedelta(days=9_000), furthest)
    return st.builds(lambda by, zone: written((NOW + by).astimezone(zone)), ahead, zones)


RIGHT: Final[dict[str, st.SearchStrategy[Any]]] = {
    "event_id": st.from_regex(r"\A[A-Za-z0-9._:~-]{1,128}\Z"),
    "at": times(HAPPENED_WITHIN),
    "customer_id": st.just(id_of(1)),
    "starts_at": times(STARTS_WITHIN),
    "amount": st.decimals(0, 999_999, places=2).map(str),
    "currency": st.sampled_from(["EUR", "USD", "KWD", "HUF"]),
    "status": st.sampled_from(list(MembershipStatus)),
    "until": st.one_of(st.dates(NOW.date()).filter(lambda day: day.year < 2200).map(str), times(timedelta(days=9_000))),
    "credits_left": st.integers(0, 1_000_000),
    "rating": st.integers(1, 5),
    **{name: st.just("a1") for name in ("appointment_id", "template_id")},
}
ALWAYS_WRONG: Final = st.sampled_from([[], {}, True, 1.5, "", "\n", "x" * 2_000, -1])
WRONG: Final[dict[str, st.SearchStrategy[Any]]] = {
    "kind": st.sampled_from(["nap", "Visit", "", 7, [], {}]),
    "at": st.sampled_from(
        [
            *("2026-11-29", "2026-11-29T10:00:00", "٢٠٢٦-11-29T10:00:00Z", "2099-01-01T00:00:00Z"),
            *("2026-13-01T00:00:00Z", 1_764_000_000, written(NOW + HAPPENED_WITHIN * 1.001)),
        ]
    ),
    "customer_id": st.sampled_from(["me", "0" * 31, "٠" * 32, "A" * 32, ["0" * 32]]),
    "starts_at": st.sampled_from(["2099-01-01T00:00:00Z", written(NOW + STARTS_WITHIN * 1.001)]),
    "amount": st.sampled_from(["٥", "5٫5", "５", "-1", "+1", "1e3", "1,5", ".5", "5.", "1.23456", "1" * 13, 5, "NaN"]),
    "currency": st.sampled_from(["ZZZ", "XXX", "XAU", "eur", "EURO", "€", "ＥＵＲ", 978]),
    "status": st.sampled_from(["on", [], {}]),
    "text": st.sampled_from([[], {}, True, "", "x" * 1_001]),
    "until": st.sampled_from(["2026-W48-1", "20261129", "2026-02-29", "٢٠٢٦-11-29", "tomorrow"]),
}


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """An event that is right, of any kind, with some of what is not required."""
    kind = draw(st.sampled_from(list(EventKind)))
    offered = [name for name in FIELDS[kind] if name not in REQUIRED.get(kind, ())]
    chosen = draw(st.sets(st.sampled_from(offered))) if offered else set()
    if chosen & MONEY:
        chosen |= MONEY
    names = ("event_id", "at", "customer_id", *REQUIRED.get(kind, ()), *sorted(chosen))
    return {"kind": kind.value, **{name: draw(RIGHT.get(name, st.just("some words"))) for name in names}}


def faults(event: object, index: int = 0) -> list[str]:
    try:
        checked_event(event, index, CONTEXT)
    except EventError as error:
        return [each.field for each in error.errors]
    return []


@given(events())
def test_what_is_right_is_taken_as_it_is_written(given: dict[str, Any]) -> None:
    event = checked_event(given, 0, CONTEXT)

    assert (event.event_id, event.kind) == (given["event_id"], given["kind"])
    assert event.at == datetime.fromisoformat(given["at"])
    assert event.amount == (Decimal(given["amount"]) if "amount" in given else None)
    assert {name for name in NAMES if getattr(event, name) is not None} == given.keys() & set(NAMES)


@settings(max_examples=400, deadline=None)
@given(events(), st.data())
def test_every_fault_is_named_and_nothing_else(given: dict[str, Any], data: st.DataObject) -> None:
    spoilt = sorted(data.draw(st.sets(st.sampled_from(sorted(given)), min_size=1)))
    dropped = data.draw(st.sets(st.sampled_from(spoilt)))
    kind = EventKind(given["kind"])
    required = {"event_id", "kind", "at", "customer_id", *REQUIRED.get(kind, ())}
    expected = set()
    for name in spoilt:
        if name in dropped:
            del given[name]
            expected |= {name} & required
        else:
            given[name] = data.draw(WRONG.get(name, ALWAYS_WRONG))
            expected.add(name)
    missing = {name for name in MONEY & set(FIELDS[kind]) if name not in given and MONEY & given.keys()}
    if "kind" in expected:
        # Which of the others are required is not known; what is there is read all the same.
        expected -= {name for name in expected if name not in given} - {"event_id", "kind", "at", "customer_id"}
    expected |= missing
    assume(expected)
    found = faults(given)

    assert sorted(found) == sorted(expected)


@given(st.sampled_from([None, "text", 7, 1.5, True, [], [{}]]), st.integers(0, 499))
def test_what_is_no_event_is_named_by_its_place(given: object, index: int) -> None:
    assert faults(given, index) == [f"events[{index}]"]


def test_of_nothing_all_that_every_event_has_is_missing() -> None:
    assert faults({}) == ["event_id", "kind", "customer_id", "at"]


@pytest.mark.parametrize("kind", list(EventKind))
def test_nothing_has_happened_more_than_a_day_ahead(kind: EventKind) -> None:
    base = {"event_id": "e", "kind": kind, "customer_id": id_of(1)}
    assert "at" not in faults({**base, "at": written(NOW + HAPPENED_WITHIN)})
    assert "at" in faults({**base, "at": written(NOW + HAPPENED_WITHIN + timedelta(seconds=1))})


@pytest.mark.parametrize(
    ("amount", "currency", "wrong"),
    [
        ("5.5", "JPY", True),
        ("5.00", "JPY", False),
        ("5.001", "EUR", True),
        ("5.0010", "KWD", False),
        ("5.0001", "KWD", True),
        ("100.50", "RSD", False),
        ("1.0001", "CLF", False),
    ],
)
@pytest.mark.parametrize("kind", ["visit", "purchase", "refund"])
def test_an_amount_has_no_more_decimals_than_its_currency(kind: str, amount: str, currency: str, wrong: bool) -> None:
    event = {"event_id": "e", "kind": kind, "at": written(NOW), "customer_id": id_of(1)}
    assert faults({**event, "amount": amount, "currency": currency}) == ["amount"] * wrong
