"""Chunks whose recipients wait for their hour."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rebound.platform.batches import reason_of, report_failure
from rebound.platform.telemetry import logger, place_of
from rebound.sending import wiring
from rebound.sending.adapters.queues import decode_held

if TYPE_CHECKING:
    from rebound.sending.domain.pacing import HeldTicket


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Bring what is due to its lane, and hold the rest back again; together, because a night has some forty rounds."""
    records = {record["messageId"]: record for record in event["Records"]}
    tickets: dict[str, HeldTicket] = {}
    failed: dict[str, str] = {}
    for message_id, record in records.items():
        try:
            tickets[message_id] = decode_held(record["body"])
        except (KeyError, TypeError, ValueError) as error:
            failed[message_id] = reason_of(error)
    try:
        wiring.use_cases().release_held(list(tickets.values()))
    except Exception as error:  # noqa: BLE001 - the others come again; a chunk that is enqueued twice is claimed once
        failed |= dict.fromkeys(tickets, reason_of(error))
        logger().warning("held chunks come again", error=type(error).__name__, at=place_of(error))
    for message_id, reason in failed.items():
        report_failure(records[message_id], reason)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
