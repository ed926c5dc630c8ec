"""How far a reconciliation has got, in memory."""

from functools import cached_property

from rebound.receipts.domain import Reconciliation
from tests.contract.sending.fakes import MemorySendingPorts


class MemoryReconciliationBook:
    """Implements ``ReconciliationBook``."""

    def __init__(self) -> None:
        self._rows: dict[str, Reconciliation] = {}

    def get(self, run: str) -> Reconciliation:
        return self._rows.get(run) or Reconciliation(run)

    def save(self, reconciliation: Reconciliation) -> None:
        self._rows[reconciliation.run] = reconciliation


class MemoryReceiptsPorts(MemorySendingPorts):
    """Implements ``ReceiptsPorts``."""

    @cached_property
    def reconciliations(self) -> MemoryReconciliationBook:
        return MemoryReconciliationBook()
