"""Dead letters, alarms, costs and identities in memory."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from rebound.operations.domain import Alarm, DeadLetter, EmailAccount, Redriven, Usage
from tests.contract.imports_exports.fakes import MemoryImportsExportsPorts
from tests.contract.receipts.fakes import MemoryReceiptsPorts
from tests.contract.staff.fakes import MemoryStaffPorts


class MemoryDeadLetterQueues:
    """Implements ``DeadLetterQueues``; a message moves from ``letters`` to ``redriven``."""

    def __init__(self, *names: str) -> None:
        self.letters: dict[str, list[DeadLetter]] = {name: [] for name in names}
        self.redriven: dict[str, list[DeadLetter]] = {name: [] for name in names}

    @property
    def names(self) -> Sequence[str]:
        return sorted(self.letters)

    def waiting(self, name: str) -> int:
        return len(self.letters[name])

    def read(self, name: str, limit: int, most_requests: int | None = None) -> Sequence[DeadLetter]:
        return self.letters[name][:limit]

    def redrive(self, name: str, may_go_on: Callable[[], bool]) -> Redriven:
        count = 0
        while may_go_on():
            if not self.letters[name]:
                return Redriven(count, done=True)
            self.redriven[name].append(self.letters[name].pop(0))
            count += 1
        return Redriven(count, done=False)


class MemoryAlarms:
    """Implements ``Alarms``."""

    def __init__(self, *alarms: Alarm) -> None:
        self.alarms = alarms

    def list(self) -> Sequence[Alarm]:
        return self.alarms


class MemoryUsages:
    """Implements ``Usages``; ``asked`` is for when."""

    def __init__(self, usage: Usage) -> None:
        self.usage = usage
        self.asked: list[tuple[datetime, datetime]] = []

    def between(self, start: datetime, end: datetime) -> Usage:
        self.asked.append((start, end))
        return self.usage


class MemoryEmailIdentities:
    """Implements ``EmailIdentities``."""

    def __init__(self, **verified: bool) -> None:
        self.known = verified
        self.allowed = EmailAccount(may_send=True, in_sandbox=False, sent=0, limit=50_000, a_second=14.0)

    def verified(self) -> Mapping[str, bool]:
        return self.known

    def account(self) -> EmailAccount:
        return self.allowed


class MemoryOperationsPorts(MemoryReceiptsPorts, MemoryImportsExportsPorts, MemoryStaffPorts):
    """Implements ``OperationsPorts``."""

    @cached_property
    def dead_letter_queues(self) -> MemoryDeadLetterQueues:
        return MemoryDeadLetterQueues("email", "import", "receipts", "text", "upkeep")

    @cached_property
    def alarms(self) -> MemoryAlarms:
        return MemoryAlarms()

    @cached_property
    def usages(self) -> MemoryUsages:
        return MemoryUsages(Usage({}, emails=0, texts=0, is_measured=False))

    @cached_property
    def email_identities(self) -> MemoryEmailIdentities:
        return MemoryEmailIdentities()
