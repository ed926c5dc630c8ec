"""Batches from SQS, handled one message at a time; only the failed messages are delivered again.

The loop is our own, because powertools' batch processor imports asyncio and the classes of every event that AWS has:
that would be an eighth of what a sender needs to start.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from rebound.kernel.errors import MalformedReceiptError, ReboundError
from rebound.platform import wiring
from rebound.platform.telemetry import flush_counts, logger, place_of

Handle = Callable[[str, str], None]
"""Takes the body of a message and a unique name for this attempt at handling it."""

REPORTED_FROM: Final = 2
"""The receive count from which a failure is recorded: most messages that fail once do not fail again."""


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
    """For a batch that is handled as one: the decoded bodies by message id, and why the others could not be decoded."""
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
    """Why a message failed, without personal data: the type and place of an error, and its text if it is ours."""
    detail = f": {error}" if isinstance(error, ReboundError) and str(error) else ""
    return f"{type(error).__name__}{detail} (at {place_of(error)})"


def report_failure(record: Mapping[str, Any], reason: str) -> None:
    """Keep for the operator why a queue's record failed. If that write fails, it is logged and nothing is raised."""
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
