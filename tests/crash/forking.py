"""Tries a boundary in a child process: the run forks there, and the child is the run in which the worker stops.

So that what came before has not to happen again in the same way, and is not paid for again.
"""

import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

_WELL: Final = "well"
_MOST_FAULTS: Final = 4
_MOST_BYTES: Final = 4000
"""Less than a pipe takes at once, so that a child never waits for its parent."""


class Forks:
    """The children of one run, as many at a time as there are processors."""

    def __init__(self, wrong: Callable[[str, str], None], begun: Callable[[int], None] = lambda _: None) -> None:
        """``wrong`` is told, in the parent, where the worker of a child stopped and what was wrong in the end.

        ``begun`` is told how many children there have been.
        """
        self.runs = 0
        self.is_child = False
        self._wrong = wrong
        self._begun = begun
        self._children: dict[int, tuple[str, int]] = {}
        self._writing = -1
        # What is there is never freed, so that looking for garbage copies no pages of it.
        gc.collect()
        gc.freeze()

    def here(self, where: object) -> bool:
        """Fork; whether this is the child, which must stop its worker now and ``end`` when the run is over."""
        while len(self._children) >= (os.cpu_count() or 1):
            self._wait()
        reading, writing = os.pipe()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            os.close(reading)
            self.is_child, self._children, self._writing = True, {}, writing
            return True
        os.close(writing)
        self._children[child] = (str(where), reading)
        self.runs += 1
        self._begun(self.runs)
        return False

    def end(self, faults: Sequence[str]) -> NoReturn:
        """In a child: say what was wrong, and be gone."""
        os.write(self._writing, ("; ".join(faults[:_MOST_FAULTS]) or _WELL).encode()[:_MOST_BYTES])
        os._exit(0)

    def wait(self) -> None:
        """In the parent: until all children have ended."""
        while self._children:
            self._wait()

    def _wait(self) -> None:
        child, _ = os.wait()
        where, reading = self._children.pop(child)
        with os.fdopen(reading, encoding="utf-8", errors="replace") as said:
            faults = said.read()
        if faults != _WELL:
            self._wrong(where, faults or "the run broke")
