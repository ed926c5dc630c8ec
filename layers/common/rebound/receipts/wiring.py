"""The ports of receipts over AWS, and the use cases made of them (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rebound.kernel.errors import MalformedReceiptError
from rebound.platform.wiring import in_this_process, use_case
from rebound.sending.wiring import AwsSendingPorts, SendingUseCases

if TYPE_CHECKING:
    from rebound.kernel.receipts import Receipt
    from rebound.receipts.application.apply_receipts import ApplyReceipts
    from rebound.receipts.application.reconcile_suppressions import ReconcileSuppressions
    from rebound.receipts.ports import ReceiptsPorts, ReconciliationBook


class AwsReceiptsPorts(AwsSendingPorts):
    """The ports of receipts over AWS."""

    @cached_property
    def reconciliations(self) -> ReconciliationBook:
        from rebound.receipts.adapters.dynamo_reconciliations import DynamoReconciliationBook

        return DynamoReconciliationBook(self.settings["DIRECTORY_TABLE"])

    @staticmethod
    def decode_receipts(body: str) -> Sequence[Receipt]:
        """The receipts in a body of the receipts queue."""
        from rebound.receipts.adapters.receipts_queue import decode

        return decode(body)

    @staticmethod
    def bodies_of_text_logs(event: Mapping[str, Any]) -> Sequence[str]:
        """The queue bodies for the lines of SNS's delivery log in a subscription's event."""
        from rebound.receipts.adapters.receipts_queue import encode_sns_text_log
        from rebound.receipts.adapters.sns_text_logs import parse_awslogs

        return [encode_sns_text_log(record) for record in parse_awslogs(event)]

    def signed_status_callback(self, event: Mapping[str, Any]) -> str | None:
        """The queue body for a status callback; ``None`` unless Twilio has signed it for exactly this address."""
        from rebound.platform.adapters.twilio_requests import signed_form
        from rebound.receipts.adapters.receipts_queue import encode_twilio_status
        from rebound.receipts.adapters.twilio_callbacks import key_from_query

        query: Mapping[str, str] = event.get("queryStringParameters") or {}
        try:
            url = self.status_url(event["requestContext"]["apiId"], key_from_query(query))
        except MalformedReceiptError:
            return None
        form = signed_form(event, url, lambda: self.twilio_token)
        return None if form is None else encode_twilio_status(form, query, datetime.now(UTC))


class ReceiptsUseCases(SendingUseCases):
    """The use cases of receipts."""

    ports: ReceiptsPorts

    apply_receipts: ApplyReceipts = use_case(
        "rebound.receipts.application.apply_receipts", suppressions="suppression_list_client", meter="meter_at_need"
    )
    reconcile_suppressions: ReconcileSuppressions = use_case(
        "rebound.receipts.application.reconcile_suppressions",
        suppressions="suppression_list_client",
        book="reconciliations",
    )


use_cases = in_this_process(ReceiptsUseCases, AwsReceiptsPorts)
ports = AwsReceiptsPorts
