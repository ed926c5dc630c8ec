"""Chunks of the email queue, sent over SES."""

from collections.abc import Mapping
from typing import Any

from rebound.platform.batches import process_queue
from rebound.platform.invocations import at_start
from rebound.sending import wiring

at_start(lambda: wiring.use_cases().send_email)


def lambda_handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Send each chunk; those that fail come again."""

    def send(body: str, owner: str) -> None:
        wiring.use_cases().send_email(wiring.ports().decode_task(body), owner)

    return process_queue(event, send)
