"""Erases what is kept of customers who were deleted, and tells sequences of new ones, as the change stream tells."""

from collections.abc import Mapping, Sequence
from typing import Any

from rebound.platform.invocations import at_start
from rebound.platform.telemetry import flush_counts, logger, place_of
from rebound.timeline import wiring

at_start(lambda: wiring.use_cases().erase_customer)


def lambda_handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Follow one batch of the stream; what fails comes again."""
    try:
        return {"batchItemFailures": _follow(event["Records"])}
    finally:
        flush_counts()


def _follow(records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, str]]:
    failed = []
    for place, record in enumerate(records):
        try:
            customer = wiring.ports().deleted_customer_of(record)
            if customer is not None:
                wiring.use_cases().erase_customer(customer)
        except Exception as error:  # noqa: BLE001 - reported to the stream, which comes again
            logger().error("customer not forgotten", error=type(error).__name__, at=place_of(error))
            failed, records = [_named(record)], records[:place]
            break
    # Whoever has the id of somebody who was deleted finds nothing of them any more.
    came = [customer for record in records if (customer := wiring.ports().new_customer_of(record)) is not None]
    if came:
        try:
            wiring.use_cases().tell_of_newcomers(came)
        except Exception as error:  # noqa: BLE001 - the same
            logger().error("newcomers not told of", error=type(error).__name__, at=place_of(error))
            return [_named(records[0])]
    return failed


def _named(record: Mapping[str, Any]) -> Mapping[str, str]:
    return {"itemIdentifier": record["dynamodb"]["SequenceNumber"]}
