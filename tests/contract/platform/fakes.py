"""What every capability uses, in memory: a clock that stands until it is moved, ids that are the same in every run."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import Final, Self

import time_machine

from rebound.kernel.events import DomainEvent
from rebound.platform.ports import FailedHandling
from tests.fakes.making import NOON

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class FakeClock:
    """Implements ``Clock``."""

    def __init__(self, at: datetime = NOON) -> None:
        self._now = at

    def now(self) -> datetime:
        return self._now

    def wait(self, duration: timedelta) -> None:
        self.move(duration)

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self._now += by

    def move_to(self, at: datetime) -> None:
        """Let time pass until ``at``; never back."""
        self._now = max(self._now, at)


class MachineClock(FakeClock):
    """The clock of this machine while it is entered: whoever asks for the time in this process, a library too, is told.

    The monotonic clock goes on.
    """

    def __enter__(self) -> Self:
        # As a number, since a time that has a zone would set the machine's zone as well.
        self._travel = time_machine.travel(self.now().timestamp(), tick=False)
        self._traveller = self._travel.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._travel.stop()

    def move(self, by: timedelta) -> None:
        super().move(by)
        self._traveller.shift(by)

    def move_to(self, at: datetime) -> None:
        self.move(max(at - self.now(), timedelta()))


class CountingPatience:
    """Implements ``Patience``: does not wait, and remembers how often it would have."""

    def __init__(self) -> None:
        self.attempts: list[int] = []

    def wait(self, attempt: int) -> None:
        self.attempts.append(attempt)


class SeededIds:
    """Implements ``Ids``."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - the same in every run
        self._count = 0

    def ulid(self, at: datetime) -> str:
        self._count += 1
        milliseconds = int(at.timestamp() * 1000)
        return _base32(milliseconds, 10) + _base32(self._count, 16)

    def customer_id(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def secret(self) -> str:
        return f"secret-{self._random.getrandbits(256):064x}"


def _base32(number: int, digits: int) -> str:
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(digits)))


class MemoryRequestIds:
    """Implements ``RequestIds``."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], str] = {}

    def id_for(self, business_id: str, request: str, proposed: str) -> str:
        return self._rows.setdefault((business_id, request), proposed)


class MemoryFailureLog:
    """Implements ``FailureLog``."""

    def __init__(self) -> None:
        self._rows: dict[str, FailedHandling] = {}

    def record(self, failure: FailedHandling) -> None:
        self._rows[failure.message_id] = failure

    def get_many(self, message_ids: Sequence[str]) -> Mapping[str, FailedHandling]:
        return {message_id: self._rows[message_id] for message_id in message_ids if message_id in self._rows}


class RecordingDomainEvents:
    """Implements ``DomainEvents``."""

    def __init__(self) -> None:
        self.published: list[DomainEvent] = []

    def publish(self, events: Sequence[DomainEvent]) -> None:
        self.published.extend(events)


class MemoryPlatformPorts:
    """Implements ``PlatformPorts``, and ``Memory…Ports`` of each capability the ports of that one.

    As over AWS, what a capability below has is inherited, and everything is made when it is first asked for.
    """

    def __init__(self, *, seed: int = 0, ranges: int = 4) -> None:
        self.random = random.Random(seed)  # noqa: S311 - the same in every run
        self.seed = seed
        self.expansion_ranges = ranges

    @cached_property
    def clock(self) -> FakeClock:
        return FakeClock()

    @cached_property
    def ids(self) -> SeededIds:
        return SeededIds(self.seed)

    @cached_property
    def patience(self) -> CountingPatience:
        return CountingPatience()

    @cached_property
    def request_ids(self) -> MemoryRequestIds:
        return MemoryRequestIds()

    @cached_property
    def domain_events(self) -> RecordingDomainEvents:
        return RecordingDomainEvents()

    @cached_property
    def failure_log(self) -> MemoryFailureLog:
        return MemoryFailureLog()
