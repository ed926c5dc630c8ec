"""Applies what clients say of events."""

from collections.abc import Mapping
from typing import Any

from rebound.platform.batches import process_queue
from rebound.platform.invocations import at_start
from rebound.sequences import wiring

at_start(lambda: wiring.use_cases().apply_activity)


def lambda_handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Apply each part; one that fails comes again."""

    def apply(body: str, _: str) -> None:
        wiring.use_cases().apply_activity(wiring.ports().decode_activity(body))

    return process_queue(event, apply)
