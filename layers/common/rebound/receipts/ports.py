"""What the use cases of receipts need from outside."""

from typing import Protocol

from rebound.receipts.domain import Reconciliation
from rebound.sending.ports import SendingPorts


class ReconciliationBook(Protocol):
    """Reconciliations, remembered for a few days."""

    def get(self, run: str) -> Reconciliation:
        """The run as it was saved last; a new run is at its beginning."""

    def save(self, reconciliation: Reconciliation) -> None:
        """Write the whole reconciliation."""


class ReceiptsPorts(SendingPorts, Protocol):
    """What the use cases of receipts need from outside."""

    @property
    def reconciliations(self) -> ReconciliationBook: ...
