"""What the use cases of operations need from outside."""

from collections.abc import Callable, Sequence
from typing import Protocol

from rebound.imports_exports.ports import ImportsExportsPorts
from rebound.operations.domain import DeadLetter, Redriven
from rebound.receipts.ports import ReceiptsPorts
from rebound.staff.ports import StaffPorts


class DeadLetterQueues(Protocol):
    """The dead letters of every queue, by the queue's name."""

    @property
    def names(self) -> Sequence[str]:
        """The queues, in a fixed order."""

    def waiting(self, name: str) -> int:
        """About how many dead letters a queue has."""

    def read(self, name: str, limit: int) -> Sequence[DeadLetter]:
        """Up to ``limit`` of a queue's dead letters, which stay where they are."""

    def redrive(self, name: str, may_go_on: Callable[[], bool]) -> Redriven:
        """Put dead letters back on their queue while ``may_go_on``. One that cannot be put back stays where it is."""


class OperationsPorts(ReceiptsPorts, ImportsExportsPorts, StaffPorts, Protocol):
    """What the use cases of operations need from outside."""

    @property
    def dead_letter_queues(self) -> DeadLetterQueues: ...
