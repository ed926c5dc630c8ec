"""What receipts need from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rebound.sending.ports import SendingPorts

if TYPE_CHECKING:
    from rebound.application.ports import ReconciliationBook


class ReceiptsPorts(SendingPorts, Protocol):
    """What the use cases of receipts need from outside."""

    @property
    def reconciliations(self) -> ReconciliationBook: ...
