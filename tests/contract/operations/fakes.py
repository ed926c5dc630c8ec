"""Dead letters in memory."""

from collections.abc import Callable, Sequence
from functools import cached_property

from rebound.operations.domain import DeadLetter, Redriven
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

    def read(self, name: str, limit: int) -> Sequence[DeadLetter]:
        return self.letters[name][:limit]

    def redrive(self, name: str, may_go_on: Callable[[], bool]) -> Redriven:
        count = 0
        while may_go_on():
            if not self.letters[name]:
                return Redriven(count, done=True)
            self.redriven[name].append(self.letters[name].pop(0))
            count += 1
        return Redriven(count, done=False)


class MemoryOperationsPorts(MemoryReceiptsPorts, MemoryImportsExportsPorts, MemoryStaffPorts):
    """Implements ``OperationsPorts``."""

    @cached_property
    def dead_letter_queues(self) -> MemoryDeadLetterQueues:
        return MemoryDeadLetterQueues("email", "import", "receipts", "text", "upkeep")
