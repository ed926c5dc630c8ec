"""Releases chunks that are held back because their recipients wait for their hour."""

from collections.abc import Mapping
from typing import Any

from rebound.platform.batches import decoded, reason_of, report_failure
from rebound.platform.invocations import at_start
from rebound.platform.telemetry import logger, place_of
from rebound.sending import wiring

at_start(lambda: wiring.use_cases().release_held)


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Put due chunks on their lane and hold back the rest; as one batch, because a night has some forty rounds."""
    records = {record["messageId"]: record for record in event["Records"]}
    tasks, failed = decoded(records, wiring.ports().decode_held)
    try:
        wiring.use_cases().release_held(list(tasks.values()))
    except Exception as error:  # noqa: BLE001 - the others come again; a chunk that is enqueued twice is claimed once
        failed |= dict.fromkeys(tasks, reason_of(error))
        logger().warning("held chunks come again", error=type(error).__name__, at=place_of(error))
    for message_id, reason in failed.items():
        report_failure(records[message_id], reason)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
