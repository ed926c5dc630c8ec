"""Posts events to the webhooks of businesses."""

from collections.abc import Mapping
from typing import Any

from rebound.platform.batches import process_queue
from rebound.platform.invocations import at_start
from rebound.platform.telemetry import count
from rebound.webhooks import wiring

at_start(lambda: wiring.use_cases().deliver_webhook)


def lambda_handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Deal with each task; one that fails comes again."""

    def deliver(body: str, _: str) -> None:
        for ending in wiring.use_cases().deliver_webhook(wiring.ports().decode_delivery(body)):
            count(ending)

    return process_queue(event, deliver)
