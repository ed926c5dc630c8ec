"""What the use cases of operations need from outside."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from rebound.imports_exports.ports import ImportsExportsPorts
from rebound.operations.domain import Alarm, DeadLetter, EmailAccount, Redriven, Usage
from rebound.receipts.ports import ReceiptsPorts
from rebound.staff.ports import StaffPorts


class DeadLetterQueues(Protocol):
    """The dead letters of every queue, by the queue's name."""

    @property
    def names(self) -> Sequence[str]:
        """The queues, in a fixed order."""

    def waiting(self, name: str) -> int:
        """About how many dead letters a queue has."""

    def read(self, name: str, limit: int, most_requests: int | None = None) -> Sequence[DeadLetter]:
        """Up to ``limit`` of a queue's dead letters, which stay where they are.

        SQS gives few at a time: with ``most_requests`` it is not asked more often, and some may be missing.
        """

    def redrive(self, name: str, may_go_on: Callable[[], bool]) -> Redriven:
        """Put dead letters back on their queue while ``may_go_on``. One that cannot be put back stays where it is."""


class Alarms(Protocol):
    """The alarms of the stack."""

    def list(self) -> Sequence[Alarm]:
        """All of them, in any order."""


class Usages(Protocol):
    """What is measured of the stack."""

    def between(self, start: datetime, end: datetime) -> Usage:
        """What was used from ``start`` on until ``end``."""


class EmailIdentities(Protocol):
    """What the account may send email from."""

    def verified(self) -> Mapping[str, bool]:
        """Each identity of the account, in lower case, and whether it may be sent from."""

    def account(self) -> EmailAccount:
        """What the account may send now."""


class OperationsPorts(ReceiptsPorts, ImportsExportsPorts, StaffPorts, Protocol):
    """What the use cases of operations need from outside."""

    @property
    def dead_letter_queues(self) -> DeadLetterQueues: ...

    @property
    def alarms(self) -> Alarms: ...

    @property
    def usages(self) -> Usages: ...

    @property
    def email_identities(self) -> EmailIdentities: ...
