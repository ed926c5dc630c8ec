"""What receipts need from outside, AWS behind it, and the use cases made of it (``platform.wiring``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rebound.platform.wiring import in_this_process
from rebound.sending.wiring import AwsSendingPorts, SendingUseCases

if TYPE_CHECKING:
    from rebound.receipts.application.apply_receipts import ApplyReceipts
    from rebound.receipts.application.reconcile_suppressions import ReconcileSuppressions
    from rebound.receipts.ports import ReceiptsPorts, ReconciliationBook


class AwsReceiptsPorts(AwsSendingPorts):
    """The same over AWS."""

    @cached_property
    def reconciliations(self) -> ReconciliationBook:
        from rebound.receipts.adapters.dynamo_reconciliations import DynamoReconciliationBook

        return DynamoReconciliationBook(self.settings["DIRECTORY_TABLE"])


class ReceiptsUseCases(SendingUseCases):
    """The use cases of receipts."""

    ports: ReceiptsPorts

    @cached_property
    def apply_receipts(self) -> ApplyReceipts:
        from rebound.receipts.application.apply_receipts import ApplyReceipts

        return ApplyReceipts(
            messages=self.ports.messages,
            contacts=self.ports.contacts,
            suppressions=self.suppression_desk,
            tell=self.tell_contact,
        )

    @cached_property
    def reconcile_suppressions(self) -> ReconcileSuppressions:
        from rebound.receipts.application.reconcile_suppressions import ReconcileSuppressions

        return ReconcileSuppressions(
            businesses=self.ports.businesses,
            contacts=self.ports.contacts,
            messages=self.ports.messages,
            suppressions=self.suppression_desk,
            book=self.ports.reconciliations,
            tell=self.tell_contact,
        )


def use_cases() -> ReceiptsUseCases:
    """Those of this process."""
    return in_this_process(ReceiptsUseCases, ports)


def ports() -> AwsReceiptsPorts:
    """Those of this process, over AWS."""
    return AwsReceiptsPorts()
