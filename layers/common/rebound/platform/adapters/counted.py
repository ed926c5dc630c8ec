"""Ports that count what goes through them, for the operator's metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rebound.kernel.events import DomainEvent
    from rebound.platform.ports import DomainEvents
    from rebound.platform.telemetry import Count


class CountedDomainEvents:
    """Implements ``DomainEvents`` by another one; the metric is called like the event."""

    def __init__(self, events: DomainEvents, count: Count) -> None:
        self._events = events
        self._count = count

    def publish(self, events: Sequence[DomainEvent]) -> None:
        self._events.publish(events)
        for event in events:
            self._count(type(event).__name__)
