"""What the use cases of platform need from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from rebound.kernel.events import DomainEvent


class FailedHandling(Struct, frozen=True):
    """Why a queue message could not be dealt with, by the last function that tried. No personal data.

    ``reason`` is a sentence of ours, or an error's type and the place where it was raised.
    """

    message_id: str
    reason: str
    first_tried_at: datetime
    failed_at: datetime
    receives: int


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Now, aware, in UTC."""

    def wait(self, duration: timedelta) -> None:
        """Let so much time pass."""


class Ids(Protocol):
    """New identifiers."""

    def ulid(self, at: datetime) -> str:
        """A ULID: 26 characters that sort by time."""

    def customer_id(self) -> str:
        """32 random hexadecimal digits."""

    def secret(self) -> str:
        """A secret of at least 256 bits, URL-safe."""


class RequestIds(Protocol):
    """Ids that belong to requests: the same request tried again, also after a crash, makes the same thing."""

    def id_for(self, business_id: str, request: str, proposed: str) -> str:
        """``proposed`` the first time that the business's request is seen, afterwards what was proposed then."""


class FailureLog(Protocol):
    """What SQS does not keep: the reasons for which messages end in the dead letters. Forgotten after two weeks."""

    def record(self, failure: FailedHandling) -> None:
        """Keep the last word about a message."""

    def get_many(self, message_ids: Sequence[str]) -> Mapping[str, FailedHandling]:
        """Those that are known, by message."""


class DomainEvents(Protocol):
    """Tells the operator's other systems."""

    def publish(self, events: Sequence[DomainEvent]) -> None:
        """All are accepted when this returns."""


class Patience(Protocol):
    """Waits for others to be done with something that can be tried again."""

    def wait(self, attempt: int) -> None:
        """Wait before another attempt: longer after each (counted from 1), and not as long as everybody else."""


class PlatformPorts(Protocol):
    """What everybody needs from outside."""

    @property
    def clock(self) -> Clock: ...

    @property
    def ids(self) -> Ids: ...

    @property
    def patience(self) -> Patience: ...

    @property
    def request_ids(self) -> RequestIds: ...

    @property
    def domain_events(self) -> DomainEvents: ...

    @property
    def failure_log(self) -> FailureLog: ...

    @property
    def expansion_ranges(self) -> int:
        """Into how many key ranges the customers of a business are split at the most, for work side by side."""
