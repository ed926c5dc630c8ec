"""What the use cases of platform need from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from rebound.kernel.events import DomainEvent


class FailedHandling(Struct, frozen=True):
    """Why a queue message could not be handled, as the last function that tried reports it. No personal data.

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
        """Wait for ``duration``."""


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
        """The id of a business's request: ``proposed`` when first seen, afterwards the id that was proposed then."""


class FailureLog(Protocol):
    """The reasons why messages end in the dead letters, which SQS does not keep. Forgotten after two weeks."""

    def record(self, failure: FailedHandling) -> None:
        """Keep the latest failure of a message; it replaces an earlier one."""

    def get_many(self, message_ids: Sequence[str]) -> Mapping[str, FailedHandling]:
        """The failures that are known, by message id."""


class DomainEvents(Protocol):
    """Publishes domain events to the operator's other systems."""

    def publish(self, events: Sequence[DomainEvent]) -> None:
        """Publish events; all are accepted when this returns."""


class Patience(Protocol):
    """Waits before a retry, so that other writers can finish first."""

    def wait(self, attempt: int) -> None:
        """Wait before another attempt: longer after each (counted from 1), and at random, so that workers differ."""


class PlatformPorts(Protocol):
    """What every capability needs from outside."""

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
        """The most key ranges into which the customers of a business are split for parallel work."""
