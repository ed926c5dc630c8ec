"""Plants faults in functions, each in a child process that runs the tests which reach it: a plugin of pytest.

Everything has been imported and collected when the processes fork, so that a fault costs its tests and little else: the
code of a function is put in the place of the code that its callers have.
"""

import gc
import json
import os
import resource
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Final, NoReturn

import pytest

from tests.mutation import heart
from tests.mutation.mutants import Mutant, mutated, nodes_of
from tests.mutation.reach import functions_of

NOTICED: Final = "noticed"
SURVIVED: Final = "survived"
TOO_SLOW: Final = "ran too long"
"""Took far more of the processor than its tests take: it would never have ended. Counts as noticed."""
UNDECIDED: Final = "no answer in time"
"""The machine was too busy: the next run tries it again."""
BROKEN: Final = "could not be planted"

CONTROL: Final = Mutant("control", "", "", 0, "nothing planted", "")
"""Tried first: tests that notice it would notice anything."""

Answer = Callable[[Mutant, str, str, float], None]
"""Takes what became of a fault, by which test, after how many seconds."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A fault, and the tests to run, quickest first."""

    mutant: Mutant
    tests: Sequence[str]
    most_seconds: float
    """Of the processor; by the clock it may take so many times longer (``PATIENCE``)."""


PATIENCE: Final = 8.0


@dataclass(slots=True)
class _Child:
    trial: Trial
    reading: int
    began: float


class Server:
    """Runs trials instead of the session's tests."""

    def __init__(self, trials: Iterator[Trial], answer: Answer, workers: int) -> None:
        self._trials = trials
        self._answer = answer
        self._workers = workers
        self._children: dict[int, _Child] = {}
        self._items: dict[str, pytest.Item] = {}
        self._functions: dict[tuple[str, str, int], list[FunctionType]] = {}
        self._noticed: str | None = None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Everything is imported."""
        # What the tests of a child come to is said by the child alone.
        session.config.pluginmanager.unregister(name="terminalreporter")
        self._items = {item.nodeid: item for item in session.items}
        self._functions = functions_of(heart.paths())
        gc.collect()
        gc.freeze()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """In a child: a test noticed."""
        if report.failed:
            self._noticed = report.nodeid

    def pytest_runtestloop(self) -> bool:
        """All trials; true, because the session's own tests are not to be run."""
        with selectors.DefaultSelector() as waiting:
            for trial in self._trials:
                while len(self._children) >= self._workers:
                    self._wait(waiting)
                self._start(trial, waiting)
            while self._children:
                self._wait(waiting)
        return True

    def _start(self, trial: Trial, waiting: selectors.BaseSelector) -> None:
        reading, writing = os.pipe()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            os.close(reading)
            self._try(trial, writing)
        os.close(writing)
        self._children[child] = _Child(trial, reading, time.monotonic())
        waiting.register(reading, selectors.EVENT_READ, child)

    def _wait(self, waiting: selectors.BaseSelector) -> None:
        for key, _ in waiting.select(timeout=1):
            child = self._children.pop(key.data)
            said = os.read(child.reading, 4000)
            ended_by = self._over(waiting, key.data, child)
            other = (TOO_SLOW, "") if ended_by == signal.SIGXCPU else (NOTICED, "the process ended")
            verdict, by = json.loads(said) if said else other
            self._answer(child.trial.mutant, verdict, by, time.monotonic() - child.began)
        now = time.monotonic()
        for pid, child in list(self._children.items()):
            if now - child.began > child.trial.most_seconds * PATIENCE:
                os.kill(pid, signal.SIGKILL)
                self._over(waiting, pid, self._children.pop(pid))
                self._answer(child.trial.mutant, UNDECIDED, "", now - child.began)

    @staticmethod
    def _over(waiting: selectors.BaseSelector, pid: int, child: _Child) -> int:
        """The signal that ended the child, 0 where it ended by itself."""
        waiting.unregister(child.reading)
        os.close(child.reading)
        return os.WTERMSIG(os.waitpid(pid, 0)[1])

    # --- in a child ---------------------------------------------------------------------------------------------------

    def _try(self, trial: Trial, writing: int) -> NoReturn:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        most = int(trial.most_seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (most, most + 5))
        try:
            planted = trial.mutant is CONTROL or self._plant(trial.mutant)
        except Exception as error:  # noqa: BLE001 - whatever it is, there is nothing to try
            self._say(writing, BROKEN, repr(error)[:500])
        if not planted:
            self._say(writing, BROKEN, "no such function is alive")
        items = [self._items[name] for name in trial.tests if name in self._items]
        try:
            for item, after in zip(items, [*items[1:], None], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
                if self._noticed is not None:
                    self._say(writing, NOTICED, self._noticed)
        except BaseException as error:  # noqa: BLE001 - the fault broke the run itself
            self._say(writing, NOTICED, repr(error)[:500])
        self._say(writing, SURVIVED, f"{len(items)} tests")

    @staticmethod
    def _say(writing: int, verdict: str, by: str) -> NoReturn:
        os.write(writing, json.dumps([verdict, by]).encode())
        os._exit(0)

    def _plant(self, mutant: Mutant) -> bool:
        path = heart.path_of(mutant.module)
        found = False
        for code in _codes(mutated(mutant.module, path, mutant.name), mutant.function):
            for function in self._functions.get((str(path), code.co_qualname, code.co_firstlineno), ()):
                function.__code__ = code
                found = True
        return found


def _codes(module: CodeType, function: str) -> Iterator[CodeType]:
    return (code for code in nodes_of(module) if code.co_qualname == function)
