"""A deployment in memory in which a worker is stopped at a boundary that it comes to."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rebound.businesses.domain.business import Business
from tests.fakes.watching import Boundary, WorkerDiedError
from tests.fakes.world import CRASHES, World


@dataclass(frozen=True, slots=True)
class Reached:
    """A boundary that a run came to: the worker, the call, its side, and how often the worker had been there."""

    step: str
    call: str
    side: str
    occurrence: int

    @property
    def kind(self) -> tuple[str, str, str]:
        """What it has in common with boundaries that differ only in when."""
        return self.step, self.call, self.side

    def __str__(self) -> str:
        return f"{self.side} {self.call} of {self.step}, time {self.occurrence}"


class Stopping(World):
    """``stop_at`` numbers the boundaries at which a worker is stopped, each once.

    ``stops_here`` is asked at every boundary until it says yes, or a worker was stopped otherwise.
    """

    def __init__(
        self,
        *businesses: Business,
        seed: int = 0,
        stop_at: frozenset[int] = frozenset(),
        stop: Callable[[str], BaseException] = WorkerDiedError,
        stops_here: Callable[[Reached], bool] | None = None,
        **given: Any,
    ) -> None:
        super().__init__(*businesses, seed=seed, **given)
        self.checkpoint = self._note
        self.reached: list[Reached] = []
        self.stopped: list[Reached] = []
        self._stop_at = stop_at
        self._stop = stop
        self._stops_here = stops_here
        self._times: Counter[tuple[str, str, str]] = Counter()

    def play(self) -> None:
        """From the first request until nothing is left to happen."""
        raise NotImplementedError

    def faults(self) -> list[str]:
        """What is wrong in the end."""
        raise NotImplementedError

    def _note(self, where: Boundary) -> None:
        if not self._may_die:
            return
        self._interrupt(where)
        kind = (self.step, str(where), where.side)
        self._times[kind] += 1
        here = Reached(*kind, self._times[kind])
        number = len(self.reached)
        self.reached.append(here)
        if number in self._stop_at or (self._stops_here is not None and not self.stopped and self._stops_here(here)):
            self.stopped.append(here)
            raise self._stop(str(here))

    def _interrupt(self, where: Boundary) -> None:
        """What somebody else does while a worker waits for an answer."""

    def _asked[A](self, name: str, ask: Callable[[], A]) -> A:
        """A client's request, sent again when no answer came."""
        while True:
            try:
                answer: A = self._mortal(name, ask)
            except CRASHES:
                continue
            return answer
