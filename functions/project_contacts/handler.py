"""What follows from changes of contacts: flags on customers, domain events."""

from collections.abc import Mapping, Sequence
from typing import Any

from rebound.platform.invocations import at_start
from rebound.platform.telemetry import flush_counts, logger, place_of
from rebound.timeline import wiring

at_start(lambda: wiring.use_cases().project_contacts)


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Follow one batch of the stream, in order; the first change that fails and all after it come again."""
    try:
        return {"batchItemFailures": _follow(event["Records"])}
    finally:
        flush_counts()


def _follow(records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, str]]:
    for record in records:
        try:
            change = wiring.ports().contact_change_of(record)
            if change is not None:
                wiring.use_cases().project_contacts(change)
        except Exception as error:  # noqa: BLE001 - reported to the stream, which comes again
            logger().error("change not followed", error=type(error).__name__, at=place_of(error))
            return [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]
    return []
