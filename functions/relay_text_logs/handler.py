"""Puts SNS's text logs from CloudWatch on the receipts queue."""

from collections.abc import Mapping
from typing import Any

from rebound.platform.invocations import at_start
from rebound.receipts import wiring

at_start(lambda: wiring.ports().sqs_receipt_queue)


def lambda_handler(event: Mapping[str, Any], context: Any) -> None:  # noqa: ARG001 - Lambda's signature
    """Relay one delivery of the subscription."""
    wiring.ports().sqs_receipt_queue.put_bodies(wiring.ports().bodies_of_text_logs(event))
