"""What the providers say happened, applied in batches."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.metrics import MetricUnit

from rebound import wiring
from rebound.adapters.receipt_fields import MalformedReceiptError
from rebound.adapters.receipts_queue import decode
from rebound.telemetry import logger, metrics

if TYPE_CHECKING:
    from rebound.domain.receipts import Receipt

FIRST_RETRY: Final = timedelta(seconds=2)
LONGEST_RETRY: Final = timedelta(minutes=15)


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Apply a batch; early receipts come again soon, and in the end go to the dead letters."""
    records = {record["messageId"]: record for record in event["Records"]}
    entries: dict[str, Sequence[Receipt]] = {}
    malformed: list[str] = []
    for message_id, record in records.items():
        try:
            entries[message_id] = decode(record["body"])
        except MalformedReceiptError as error:
            logger().error("malformed receipt", message_id=message_id, problem=str(error))
            malformed.append(message_id)
    applied = wiring.apply_receipts()(entries)
    for message_id in applied.again:
        _come_again(records[message_id])
    _count(
        ReceiptsApplied=sum(map(len, entries.values())),
        EarlyReceipts=len(applied.early),
        ContendedReceipts=len(applied.contended),
        UnattributedReceipts=applied.unattributed,
        MalformedReceipts=len(malformed),
    )
    return {"batchItemFailures": [{"itemIdentifier": failed} for failed in [*malformed, *applied.again]]}


def _come_again(record: Mapping[str, Any]) -> None:
    """Sooner than the queue's visibility timeout: an early receipt's message is written a moment later."""
    received = int(record["attributes"]["ApproximateReceiveCount"])
    wiring.receipt_queue().retry_in(
        record["receiptHandle"], min(FIRST_RETRY * 2 ** min(received - 1, 12), LONGEST_RETRY)
    )


def _count(**counts: int) -> None:
    for name, count in counts.items():
        if count:
            metrics().add_metric(name, MetricUnit.Count, count)
    metrics().flush_metrics()
