"""Domain events on the EventBridge bus."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from rebound.kernel.errors import ReboundError
from rebound.kernel.events import DomainEvent, detail_of
from rebound.platform.adapters.aws import batches_by_size

if TYPE_CHECKING:
    from rebound.platform.ports import DomainEvents
    from rebound.platform.telemetry import Count


SOURCE: Final = "rebound"


class NotPublishedError(ReboundError):
    """EventBridge did not take some events; the caller publishes the whole batch again."""


class EventBridgeDomainEvents:
    """Implements ``DomainEvents``. The detail type is the event's name, the detail its fields."""

    def __init__(self, client: Any, bus: str) -> None:
        self._client = client
        self._bus = bus

    def publish(self, events: Sequence[DomainEvent]) -> None:
        details = [json.dumps(detail_of(event)) for event in events]
        for batch in batches_by_size(details):
            answer = self._client.put_events(
                Entries=[
                    {
                        "EventBusName": self._bus,
                        "Source": SOURCE,
                        "DetailType": type(events[place]).__name__,
                        "Detail": details[place],
                    }
                    for place in batch
                ]
            )
            if answer.get("FailedEntryCount"):
                raise NotPublishedError


class CountedDomainEvents:
    """Implements ``DomainEvents`` by passing on to another one; counts each event in a metric of the event's name."""

    def __init__(self, events: DomainEvents, count: Count) -> None:
        self._events = events
        self._count = count

    def publish(self, events: Sequence[DomainEvent]) -> None:
        self._events.publish(events)
        for event in events:
            self._count(type(event).__name__)
