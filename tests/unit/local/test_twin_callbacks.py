"""Callbacks come in order within a sequence, are retried, and are counted."""

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from local.twin.callbacks import DELIVERED, GIVEN_UP, Attempt, CallbackLane, LaneCounts, Step, Verdict


class RecordingSender:
    def __init__(self, verdict: Callable[[Attempt[str]], Verdict] = lambda _: DELIVERED) -> None:
        self.sent: list[str] = []
        self.batches: list[int] = []
        self._verdict = verdict
        self._lock = threading.Lock()

    def send(self, attempts: Sequence[Attempt[str]]) -> Sequence[Verdict]:
        with self._lock:
            self.sent += [attempt.payload for attempt in attempts]
            self.batches.append(len(attempts))
        return [self._verdict(attempt) for attempt in attempts]


def settle(lane: CallbackLane[str]) -> LaneCounts:
    deadline = time.monotonic() + 5
    while lane.counts().pending:
        assert time.monotonic() < deadline, "callbacks do not settle"
        time.sleep(0.005)
    return lane.counts()


def run(sender: RecordingSender, *sequences: Sequence[Step[str]], threads: int = 3) -> LaneCounts:
    lane = CallbackLane("test", sender, threads=threads, batch_size=4, tick_seconds=0.01)
    for sequence in sequences:
        lane.submit(sequence)
    lane.start()
    try:
        return settle(lane)
    finally:
        lane.stop()


def test_steps_of_a_sequence_keep_their_order_even_when_all_are_overdue() -> None:
    sender = RecordingSender()
    sequences = [[Step(0.0, f"{name}{number}") for number in range(20)] for name in "abcd"]
    counts = run(sender, *sequences)
    assert counts == LaneCounts(pending=0, delivered=80, failed=0)
    for name in "abcd":
        own = [payload for payload in sender.sent if payload.startswith(name)]
        assert own == [f"{name}{number}" for number in range(20)]


def test_sequences_that_are_due_together_go_out_as_one_batch() -> None:
    sender = RecordingSender()
    run(sender, *[[Step(0.0, str(number))] for number in range(8)], threads=1)
    assert sender.batches == [4, 4]


def test_a_callback_does_not_come_before_its_time() -> None:
    sender = RecordingSender()
    due = time.time() + 0.1
    run(sender, [Step(due, "later")], [Step(0.0, "now")])
    assert time.time() >= due
    assert sender.sent == ["now", "later"]


def test_a_failed_callback_is_tried_again_before_the_next_step() -> None:
    def fail_twice(attempt: Attempt[str]) -> Verdict:
        failing = attempt.payload == "first" and attempt.number < 2
        return Verdict(delivered=False, retry_after_seconds=0.01) if failing else DELIVERED

    sender = RecordingSender(fail_twice)
    counts = run(sender, [Step(0.0, "first"), Step(0.0, "second")])
    assert sender.sent == ["first", "first", "first", "second"]
    assert counts.delivered == 2


def test_a_callback_that_is_given_up_is_counted_and_the_next_step_still_comes() -> None:
    sender = RecordingSender(lambda attempt: GIVEN_UP if attempt.payload == "first" else DELIVERED)
    counts = run(sender, [Step(0.0, "first"), Step(0.0, "second")])
    assert counts == LaneCounts(pending=0, delivered=1, failed=1)


def test_a_sender_that_breaks_does_not_end_the_lane(capsys: pytest.CaptureFixture[str]) -> None:
    def breaks(attempt: Attempt[str]) -> Verdict:
        if attempt.payload == "poison":
            raise RuntimeError("broken")
        return DELIVERED

    counts = run(RecordingSender(breaks), [Step(0.0, "poison")], [Step(time.time() + 0.05, "fine")], threads=1)
    assert counts == LaneCounts(pending=0, delivered=1, failed=1)
    assert "broken" in capsys.readouterr().err


def test_stopping_leaves_what_is_not_due() -> None:
    lane = CallbackLane("test", RecordingSender(), threads=2, batch_size=4)
    lane.submit([Step(time.time() + 60, "never")])
    lane.start()
    lane.stop()
    assert lane.counts().pending == 1
