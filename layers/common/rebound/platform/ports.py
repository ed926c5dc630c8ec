"""What platform need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rebound.application.ports import Clock, DomainEvents, FailureLog, Ids, Patience, RequestIds


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
