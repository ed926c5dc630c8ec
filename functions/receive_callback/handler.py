"""Twilio's status callbacks: verified, stored, then acknowledged (truth 11)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from rebound.platform.http.webhooks import unsigned
from rebound.platform.invocations import at_start
from rebound.receipts import wiring

at_start(lambda: wiring.ports().sqs_receipt_queue)


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Store one callback. A request that Twilio has not signed for exactly this address leaves no trace."""
    body = wiring.ports().signed_status_callback(event)
    if body is None:
        return unsigned()
    wiring.ports().sqs_receipt_queue.put_body(body)
    # Without a type the gateway calls it JSON, which it is not.
    return {"statusCode": HTTPStatus.NO_CONTENT, "headers": {"Content-Type": "text/plain"}, "body": ""}
