"""What happens between two calls of a port: workers that die, and workers that take turns."""

import random
import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal, Self, cast

type Side = Literal["before", "after"]


class Boundary(str):
    """``<port>.<method>``, at which side of the call."""

    __slots__ = ("side",)
    side: Side

    def __new__(cls, call: str, side: Side) -> Self:
        boundary = super().__new__(cls, call)
        boundary.side = side
        return boundary


Checkpoint = Callable[[Boundary], None]
"""Called before and after each call of a watched port, also after one that raised."""


class WorkerDiedError(BaseException):
    """The process is gone. No code under test can catch it, as none can catch its own death."""


class BrokenCallError(Exception):
    """A call failed for a technical reason, perhaps after it was carried out. The code under test sees it."""


class _Watched:
    def __init__(self, port: object, name: str, checkpoint: Checkpoint) -> None:
        self._port = port
        self._name = name
        self._checkpoint = checkpoint

    def __getattr__(self, method: str) -> Any:
        """What the port has by that name. A method is wrapped once, when it is first asked for: there are millions."""
        port, checkpoint = self._port, self._checkpoint
        found = getattr(port, method)
        if not callable(found):
            return found
        before, after = (Boundary(f"{self._name}.{method}", side) for side in ("before", "after"))

        def call(*given: Any, **named: Any) -> Any:
            checkpoint(before)
            try:
                answer = getattr(port, method)(*given, **named)
            except Exception:
                checkpoint(after)
                raise
            checkpoint(after)
            return answer

        setattr(self, method, call)
        return call


def watched[T](port: T, name: str, checkpoint: Checkpoint) -> T:
    """The port, with a checkpoint before and after each of its calls."""
    return cast("T", _Watched(port, name, checkpoint))


class Turns:
    """Runs some tasks in threads of which one at a time moves, from checkpoint to checkpoint, in a seeded order."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - the same in every run
        self._turn = threading.Condition()
        self._waiting: set[int] = set()
        self._current: int | None = None

    def checkpoint(self, _: str) -> None:
        """Hand the turn on, perhaps to oneself; does nothing outside of ``run``."""
        me = threading.get_ident()
        with self._turn:
            if me not in self._waiting:
                return
            self._hand_on()
            self._turn.wait_for(lambda: self._current == me)

    def run(self, tasks: Sequence[Callable[[], None]]) -> None:
        """Run all tasks to their end; the first error of any is raised."""
        errors: list[BaseException] = []
        ready = threading.Barrier(len(tasks) + 1)

        def run(task: Callable[[], None]) -> None:
            me = threading.get_ident()
            with self._turn:
                self._waiting.add(me)
            ready.wait()
            with self._turn:
                self._turn.wait_for(lambda: self._current == me)
            try:
                task()
            except BaseException as error:  # noqa: BLE001 - raised again by who started the tasks
                errors.append(error)
            finally:
                with self._turn:
                    self._waiting.discard(me)
                    self._hand_on()

        threads = [threading.Thread(target=run, args=(task,), daemon=True) for task in tasks]
        for thread in threads:
            thread.start()
        ready.wait()
        with self._turn:
            self._hand_on()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive(), "a task waits for ever"
        if errors:
            raise errors[0]

    def _hand_on(self) -> None:
        self._current = self._random.choice(sorted(self._waiting)) if self._waiting else None
        self._turn.notify_all()
