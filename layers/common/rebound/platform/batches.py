"""Batches from SQS, one message at a time, with only the failed ones coming again.

A loop of our own and not powertools' processor, which imports asyncio and every event that AWS has: an eighth of what a
sender needs to start.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from rebound.kernel.errors import MalformedReceiptError, ReboundError
from rebound.platform import wiring
from rebound.platform.telemetry import flush_counts, logger, place_of

Handle = Callable[[str, str], None]
"""Takes a message's body and a name of its own for this attempt at it."""

REPORTED_FROM: Final = 2
"""Most of what fails once does not fail again, and would only be written for nothing."""


def process_queue(event: Mapping[str, Any], handle: Handle) -> Mapping[str, Any]:
    """Handle each message of a batch; the answer names those that failed."""
    failed: list[str] = []
    for record in event["Records"]:
        message_id: str = record["messageId"]
        try:
            handle(record["body"], uuid4().hex)
        except Exception as error:  # noqa: BLE001 - reported to the queue; the text may hold personal data
            logger().warning(
                "message comes again", message_id=message_id, error=type(error).__name__, at=place_of(error)
            )
            report_failure(record, reason_of(error))
            failed.append(message_id)
    flush_counts()
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def decoded[T](
    records: Mapping[str, Mapping[str, Any]], decode: Callable[[str], T]
) -> tuple[dict[str, T], dict[str, str]]:
    """The bodies of a batch that is handled as one, by message id, and why others could not be read."""
    entries: dict[str, T] = {}
    failed: dict[str, str] = {}
    for message_id, record in records.items():
        try:
            entries[message_id] = decode(record["body"])
        except MalformedReceiptError as error:
            logger().error("malformed receipt", message_id=message_id, problem=str(error))
            failed[message_id] = f"malformed: {error}"
        except (KeyError, TypeError, ValueError) as error:
            failed[message_id] = reason_of(error)
    return entries, failed


def reason_of(error: Exception) -> str:
    """Why a message failed, without personal data: type and place of an error, and the text of one of our own."""
    detail = f": {error}" if isinstance(error, ReboundError) and str(error) else ""
    return f"{type(error).__name__}{detail} (at {place_of(error)})"


def report_failure(record: Mapping[str, Any], reason: str) -> None:
    """Keep for the operator why a queue's record failed. That it cannot be kept must not fail anything else."""
    attributes = record["attributes"]
    receives = int(attributes["ApproximateReceiveCount"])
    if receives < REPORTED_FROM:
        return
    from rebound.platform.ports import FailedHandling  # noqa: PLC0415 - hardly ever needed

    first_tried_at = datetime.fromtimestamp(int(attributes["ApproximateFirstReceiveTimestamp"]) / 1000, UTC)
    try:
        wiring.ports().failure_log.record(
            FailedHandling(record["messageId"], reason, first_tried_at, wiring.ports().clock.now(), receives)
        )
    except Exception as error:  # noqa: BLE001 - the message comes again in any case
        logger().warning(
            "reason not kept", message_id=record["messageId"], error=type(error).__name__, at=place_of(error)
        )
