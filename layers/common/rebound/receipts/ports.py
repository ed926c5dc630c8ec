"""What receipts need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rebound.sending.ports import SendingPorts

if TYPE_CHECKING:
    from rebound.receipts.domain import Reconciliation


class ReconciliationBook(Protocol):
    """Reconciliations, remembered for a few days."""

    def get(self, run: str) -> Reconciliation:
        """The run, at its beginning when it is new."""

    def save(self, reconciliation: Reconciliation) -> None:
        """Write whole."""


class ReceiptsPorts(SendingPorts, Protocol):
    """What the use cases of receipts need from outside."""

    @property
    def reconciliations(self) -> ReconciliationBook: ...
