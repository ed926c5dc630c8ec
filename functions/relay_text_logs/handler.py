"""SNS's text logs in CloudWatch, put on the one queue of receipts."""

from collections.abc import Mapping
from typing import Any

from rebound.receipts import wiring
from rebound.receipts.adapters.receipts_queue import encode_sns_text_log
from rebound.receipts.adapters.sns_text_logs import parse_awslogs


def lambda_handler(event: Mapping[str, Any], context: Any) -> None:  # noqa: ARG001 - Lambda's signature
    """Relay one delivery of the subscription."""
    wiring.ports().sqs_receipt_queue.put_bodies([encode_sns_text_log(record) for record in parse_awslogs(event)])
