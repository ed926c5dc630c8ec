"""What operators do with dead letters: see what is there and why, and put it back on its queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.operations.domain import DeadLetter

if TYPE_CHECKING:
    from rebound.operations.ports import DeadLetterQueues
    from rebound.platform.ports import FailedHandling, FailureLog

ALL: Final = "all"
UNREPORTED: Final = (
    "No function has said why: none was reached, or each was ended (out of time or memory) before it could."
)


class ExplainedLetter(Struct, frozen=True):
    """A dead letter, and the last failure to handle it, if a function has reported one."""

    letter: DeadLetter
    failure: FailedHandling | None

    @property
    def reason(self) -> str:
        """Why the message was given up."""
        return self.failure.reason if self.failure is not None else self.letter.note or UNREPORTED


class LettersOfQueue(Struct, frozen=True):
    """Some of a queue's dead letters; ``waiting`` is about how many there are."""

    waiting: int
    letters: Sequence[ExplainedLetter]


class RedrivenQueues(Struct, frozen=True):
    """How many messages of each queue went back; ``done`` is false when time was up before all were back."""

    counts: Mapping[str, int]
    done: bool


class DeadLetterService(Struct, frozen=True, kw_only=True):
    """Lists and redrives dead letters. A redrive is safe at any time: everything that reads a queue is idempotent."""

    queues: DeadLetterQueues
    failures: FailureLog

    def waiting(self, queues: Sequence[str]) -> Mapping[str, int]:
        """About how many dead letters each of these queues has."""
        return {name: self.queues.waiting(name) for name in queues}

    def list(self, queue: str, limit: int, most_requests: int | None = None) -> Mapping[str, LettersOfQueue]:
        """Up to ``limit`` dead letters of a queue, or of each queue for ``ALL``; raises ``InvalidInputError``.

        With ``most_requests``, each queue is asked no more often, and some of its letters may be missing.
        """
        found: dict[str, LettersOfQueue] = {}
        for name in self._named(queue):
            # Counted first: reading them makes them invisible for a moment.
            waiting = self.queues.waiting(name)
            letters = self.queues.read(name, limit, most_requests)
            failures = self.failures.get_many([letter.message_id for letter in letters])
            found[name] = LettersOfQueue(
                max(waiting, len(letters)),
                [ExplainedLetter(letter, failures.get(letter.message_id)) for letter in letters],
            )
        return found

    def redrive(self, queue: str, may_go_on: Callable[[], bool]) -> RedrivenQueues:
        """Put back the dead letters of a queue, or of each queue for ``ALL``; raises ``InvalidInputError``."""
        counts: dict[str, int] = {}
        for name in self._named(queue):
            redriven = self.queues.redrive(name, may_go_on)
            counts[name] = redriven.count
            if not redriven.done:
                return RedrivenQueues(counts, done=False)
        return RedrivenQueues(counts, done=True)

    def _named(self, queue: str) -> Sequence[str]:
        names = self.queues.names
        if queue == ALL:
            return names
        if queue not in names:
            raise InvalidInputError(FieldError("queue", f"Must be one of {', '.join([ALL, *names])}."))
        return [queue]
