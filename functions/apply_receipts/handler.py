"""What the providers say happened, applied in batches."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from rebound.platform.batches import decoded, reason_of, report_failure
from rebound.platform.invocations import at_start
from rebound.platform.telemetry import count, flush_counts, logger, place_of
from rebound.receipts import wiring

FIRST_RETRY: Final = timedelta(seconds=2)
LONGEST_RETRY: Final = timedelta(minutes=15)
EARLY: Final = "early: the message that it is about is not known"
CONTENDED: Final = "contended: others kept changing the same rows"
UNANSWERED: Final = "unanswered: the suppression list may not be asked"
FIRST_LOOK_UP: Final = timedelta(seconds=30)
LOOK_UP_EVERY: Final = timedelta(seconds=2)
CLAIMED_WITHIN: Final = timedelta(minutes=15)
"""After this, a text that is named by the provider's id alone was sent by other software of the account: the sender
writes the id down within seconds of the call, or never. SNS's delivery log is one for the whole account and region."""


at_start(lambda: (wiring.use_cases().apply_receipts, wiring.ports().sqs_receipt_queue))


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Apply a batch; failed entries come again soon, and end in the dead letters; postponed ones come later."""
    records = {record["messageId"]: record for record in event["Records"]}
    entries, failed = decoded(records, wiring.ports().decode_receipts)
    count("MalformedReceipts", len(failed))
    try:
        applied = wiring.use_cases().apply_receipts(entries)
    except Exception as error:  # noqa: BLE001 - the whole batch comes again; raising would log the error's text
        logger().error("receipts not applied", error=type(error).__name__, at=place_of(error))
        return _failed(records, failed | dict.fromkeys(entries, reason_of(error)))
    foreign = {message_id for message_id in applied.unclaimed if _has_waited(records[message_id], CLAIMED_WITHIN)}
    failed |= dict.fromkeys(applied.early - foreign, EARLY) | dict.fromkeys(applied.contended, CONTENDED)
    failed |= dict.fromkeys(applied.unanswered, UNANSWERED)
    for message_id in applied.again - foreign:
        _come_again(records[message_id])
    _come_later([records[message_id]["body"] for message_id in sorted(applied.postponed)])
    for message_id, receipts in entries.items():
        if message_id not in failed and message_id not in foreign and message_id not in applied.postponed:
            for receipt in receipts:
                count(f"Receipts{receipt.outcome.capitalize()}")
    count("EarlyReceipts", len(applied.early - foreign))
    count("ForeignReceipts", len(foreign))
    count("ContendedReceipts", len(applied.contended))
    count("PostponedReceipts", len(applied.postponed))
    count("UnansweredReceipts", len(applied.unanswered))
    count("UnattributedReceipts", applied.unattributed)
    return _failed(records, failed)


def _failed(records: Mapping[str, Mapping[str, Any]], failed: Mapping[str, str]) -> Mapping[str, Any]:
    for message_id, reason in failed.items():
        report_failure(records[message_id], reason)
    flush_counts()
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _has_waited(record: Mapping[str, Any], duration: timedelta) -> bool:
    """Whether an entry has been on the queue for a time."""
    sent_at = datetime.fromtimestamp(int(record["attributes"]["SentTimestamp"]) / 1000, UTC)
    return wiring.ports().clock.now() - sent_at > duration


def _come_again(record: Mapping[str, Any]) -> None:
    """Retry sooner than the queue's visibility timeout: an early receipt's message is written a moment later."""
    received = int(record["attributes"]["ApproximateReceiveCount"])
    wiring.ports().sqs_receipt_queue.retry_in(
        record["receiptHandle"], min(FIRST_RETRY * 2 ** min(received - 1, 12), LONGEST_RETRY)
    )


def _come_later(bodies: Sequence[str]) -> None:
    """Enqueue as new messages, because lack of time is no failed attempt; apart, at the rate of the look-ups."""
    for number, body in enumerate(bodies):
        wiring.ports().sqs_receipt_queue.put_body(body, min(FIRST_LOOK_UP + LOOK_UP_EVERY * number, LONGEST_RETRY))
