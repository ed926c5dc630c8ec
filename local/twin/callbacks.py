"""Callbacks waiting for their time, and the threads that hand them over."""

import heapq
import itertools
import math
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Step[P]:
    """One callback: what to say, and from when on (epoch seconds)."""

    due: float
    payload: P


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one hand-over; with ``retry_after_seconds`` it is tried again."""

    delivered: bool
    retry_after_seconds: float | None = None


DELIVERED = Verdict(delivered=True)
GIVEN_UP = Verdict(delivered=False)


@dataclass(frozen=True, slots=True)
class Attempt[P]:
    """A payload to hand over now; ``number`` counts from 0."""

    payload: P
    number: int


class Sender[P](Protocol):
    """Hands callbacks over to whoever listens; gives one verdict per attempt, in order."""

    def send(self, attempts: Sequence[Attempt[P]]) -> Sequence[Verdict]:
        """Hand over a batch; one verdict for each attempt."""


@dataclass(frozen=True, slots=True)
class LaneCounts:
    """Where a lane's callbacks are."""

    pending: int
    delivered: int
    failed: int


@dataclass(slots=True)
class _Sequence[P]:
    steps: Sequence[Step[P]]
    position: int = 0
    attempt: int = 0

    @property
    def current(self) -> Step[P]:
        return self.steps[self.position]


class CallbackLane[P]:
    """The callbacks of one provider.

    Steps of one sequence are handed over strictly one after the other, whatever the load; sequences are independent.
    Due times are rounded up to a tick, so that callbacks which are due at nearly the same time go out as one batch.
    """

    def __init__(
        self,
        name: str,
        sender: Sender[P],
        *,
        threads: int,
        batch_size: int,
        tick_seconds: float = 0.02,
    ) -> None:
        self._name = name
        self._sender = sender
        self._batch_size = batch_size
        self._tick = tick_seconds
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, _Sequence[P]]] = []
        self._order = itertools.count()
        self._pending = self._delivered = self._failed = 0
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"callbacks-{name}-{n}", daemon=True) for n in range(threads)
        ]

    def start(self) -> None:
        """Begin to hand over."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Finish what is being handed over; what still waits for its time is not sent any more."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout_seconds)

    def submit(self, steps: Sequence[Step[P]]) -> None:
        """Plan one sequence; a step waits for its due time and for the end of the step before it."""
        if not steps:
            return
        with self._changed:
            self._pending += len(steps)
            self._push(_Sequence(steps), steps[0].due)

    def counts(self) -> LaneCounts:
        """A consistent look at the counters; failed ones were given up after their retries."""
        with self._changed:
            return LaneCounts(self._pending, self._delivered, self._failed)

    def _push(self, sequence: _Sequence[P], due: float) -> None:
        ticked = math.ceil(due / self._tick) * self._tick
        heapq.heappush(self._heap, (ticked, next(self._order), sequence))
        if self._heap[0][2] is sequence:
            self._changed.notify()

    def _take(self) -> list[_Sequence[P]]:
        """Wait for callbacks that are due; an empty list means stop."""
        with self._changed:
            while not self._stopping:
                now = time.time()
                due: list[_Sequence[P]] = []
                while self._heap and self._heap[0][0] <= now and len(due) < self._batch_size:
                    due.append(heapq.heappop(self._heap)[2])
                if due:
                    self._changed.notify()
                    return due
                self._changed.wait(self._heap[0][0] - now if self._heap else None)
            return []

    def _work(self) -> None:
        while batch := self._take():
            try:
                verdicts = self._sender.send([Attempt(s.current.payload, s.attempt) for s in batch])
            # A thread that died would silently end every callback of the provider.
            except Exception as error:  # noqa: BLE001
                sys.stderr.write(f"twin: {self._name} callbacks given up: {error!r}\n")
                verdicts = [GIVEN_UP] * len(batch)
            self._settle(batch, verdicts)

    def _settle(self, batch: Sequence[_Sequence[P]], verdicts: Sequence[Verdict]) -> None:
        with self._changed:
            for sequence, verdict in zip(batch, verdicts, strict=True):
                if verdict.retry_after_seconds is not None:
                    sequence.attempt += 1
                    self._push(sequence, time.time() + verdict.retry_after_seconds)
                    continue
                self._pending -= 1
                self._delivered += verdict.delivered
                self._failed += not verdict.delivered
                sequence.position += 1
                sequence.attempt = 0
                if sequence.position < len(sequence.steps):
                    self._push(sequence, sequence.current.due)
