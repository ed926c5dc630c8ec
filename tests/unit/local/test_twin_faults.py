"""Faults strike at their rate, the same way for the same seed, and refuse nonsense by name."""

from typing import Any

import pytest

from local.twin.callbacks import Step
from local.twin.faults import ErrorMoment, Fault, FaultBoard, FaultKind, FaultRequestError, Provider


def board(kind: FaultKind, rate: float, seed: int = 7, seconds: float = 5.0) -> FaultBoard:
    faults = FaultBoard()
    faults.put(Fault(Provider.SES, kind, rate, seed, seconds))
    return faults


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ([], "object"),
        ({}, "provider"),
        ({"provider": "fax", "kind": "delay", "rate": 1}, "ses, twilio, sns"),
        ({"provider": "ses", "kind": "fire", "rate": 1}, "drop_callbacks"),
        ({"provider": ["ses"], "kind": "delay", "rate": 1}, "provider"),
        ({"provider": "ses", "kind": "delay"}, "rate"),
        ({"provider": "ses", "kind": "delay", "rate": "1"}, "rate"),
        ({"provider": "ses", "kind": "delay", "rate": True}, "rate"),
        ({"provider": "ses", "kind": "delay", "rate": 1.01}, "rate"),
        ({"provider": "ses", "kind": "delay", "rate": -0.1}, "rate"),
        ({"provider": "ses", "kind": "delay", "rate": float("nan")}, "rate"),
        ({"provider": "ses", "kind": "delay", "rate": 1, "seed": 1.5}, "seed"),
        ({"provider": "ses", "kind": "delay", "rate": 1, "seconds": 0}, "seconds"),
        ({"provider": "ses", "kind": "delay", "rate": 1, "seconds": 601}, "seconds"),
        ({"provider": "ses", "kind": "error", "rate": 1, "seconds": 3}, "seconds"),
        ({"provider": "ses", "kind": "delay", "rate": 1, "until": 3}, "until"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_by_the_name_of_its_field(document: Any, word: str) -> None:
    with pytest.raises(FaultRequestError, match=word):
        Fault.parse(document)


def test_a_fault_is_read_with_its_defaults() -> None:
    fault = Fault.parse({"provider": "twilio", "kind": "delay", "rate": 1})
    assert fault == Fault(Provider.TWILIO, FaultKind.DELAY, 1.0, seed=0, seconds=5.0)


def test_rate_zero_and_clearing_remove_a_fault() -> None:
    faults = board(FaultKind.THROTTLE, 1.0)
    assert [fault["kind"] for fault in faults.listing()] == ["throttle"]
    faults.put(Fault(Provider.SES, FaultKind.THROTTLE, 0.0))
    assert faults.listing() == []
    faults.put(Fault(Provider.SES, FaultKind.ERROR, 1.0))
    faults.clear()
    assert faults.listing() == []
    assert faults.error(Provider.SES) is None


def test_a_fault_belongs_to_one_provider() -> None:
    faults = board(FaultKind.THROTTLE, 1.0)
    assert faults.throttles_call(Provider.SES)
    assert not faults.throttles_call(Provider.TWILIO)


def test_the_same_seed_strikes_the_same_calls() -> None:
    def story(seed: int) -> list[bool]:
        faults = board(FaultKind.THROTTLE, 0.3, seed)
        return [faults.throttles_call(Provider.SES) for _ in range(50)]

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_a_bulk_throttle_mixes_whole_calls_and_entries_to_the_asked_rate() -> None:
    faults = board(FaultKind.THROTTLE, 0.4)
    refused = calls = 0
    for _ in range(1000):
        verdict = faults.throttles_bulk(Provider.SES, 10)
        calls += verdict is None
        refused += 10 if verdict is None else sum(verdict)
    assert 150 < calls < 250
    assert 3700 < refused < 4300


def test_a_full_bulk_throttle_lets_nothing_through() -> None:
    faults = board(FaultKind.THROTTLE, 1.0)
    verdicts = [faults.throttles_bulk(Provider.SES, 3) for _ in range(50)]
    assert None in verdicts
    assert all(verdict in (None, [True, True, True]) for verdict in verdicts)


def test_errors_strike_about_as_often_before_as_after_accepting() -> None:
    faults = board(FaultKind.ERROR, 1.0)
    moments = [faults.error(Provider.SES) for _ in range(400)]
    assert None not in moments
    assert 150 < moments.count(ErrorMoment.AFTER_ACCEPTING) < 250


def test_without_faults_callbacks_come_as_planned() -> None:
    steps = [Step(1.0, "a"), Step(2.0, "b")]
    assert FaultBoard().disturb(Provider.SES, steps) == [steps]
    assert FaultBoard().disturb(Provider.SES, list[Step[str]]()) == []


def test_dropped_callbacks_never_come() -> None:
    assert board(FaultKind.DROP_CALLBACKS, 1.0).disturb(Provider.SES, [Step(1.0, "a"), Step(2.0, "b")]) == []


def test_late_callbacks_are_late_by_no_more_than_asked() -> None:
    faults = board(FaultKind.DELAY, 1.0, seconds=3.0)
    late = [faults.disturb(Provider.SES, [Step(10.0, "a")])[0][0].due - 10 for _ in range(200)]
    assert all(0 <= seconds <= 3 for seconds in late)
    assert max(late) > 2


def test_duplicates_come_on_their_own_and_later() -> None:
    first, *strays = board(FaultKind.DUPLICATE, 1.0).disturb(Provider.SES, [Step(1.0, "a"), Step(2.0, "b")])
    assert first == [Step(1.0, "a"), Step(2.0, "b")]
    assert [[step.payload for step in stray] for stray in strays] == [["a"], ["b"]]
    assert strays[0][0].due > 1.0
    assert strays[1][0].due > 2.0
