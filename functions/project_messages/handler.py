"""What follows from changes of single messages: domain events, for businesses that ask for them."""

from collections.abc import Mapping
from typing import Any

from rebound.messages import wiring
from rebound.platform.invocations import at_start
from rebound.platform.telemetry import flush_counts, logger, place_of

at_start(lambda: wiring.use_cases().project_messages)


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Follow one batch of the stream, in order; the first change that fails and all after it come again."""
    failed = []
    for record in event["Records"]:
        try:
            change = wiring.ports().message_change_of(record)
            if change is not None:
                wiring.use_cases().project_messages(change)
        except Exception as error:  # noqa: BLE001 - reported to the stream, which comes again
            logger().error("change not told", error=type(error).__name__, at=place_of(error))
            failed.append({"itemIdentifier": record["dynamodb"]["SequenceNumber"]})
            break
    flush_counts()
    return {"batchItemFailures": failed}
