"""What operations need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rebound.businesses.ports import BusinessesPorts

if TYPE_CHECKING:
    from rebound.application.ports import DeadLetterQueues


class OperationsPorts(BusinessesPorts, Protocol):
    """What the use cases of operations need from outside."""

    @property
    def dead_letter_queues(self) -> DeadLetterQueues: ...
