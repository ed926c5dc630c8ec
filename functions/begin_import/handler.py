"""Starts an import when its file has arrived."""

from collections.abc import Mapping
from typing import Any

from rebound.imports_exports import wiring
from rebound.platform.batches import process_queue
from rebound.platform.invocations import at_start
from rebound.platform.telemetry import logger

at_start(lambda: wiring.use_cases().begin_import)


def lambda_handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Start the imports whose files have arrived."""

    def begin(body: str, _: str) -> None:
        for business_id, import_id in wiring.ports().imports_of_notice(body):
            if not wiring.use_cases().begin_import(business_id, import_id):
                logger().warning("file of an unknown import", import_id=import_id)

    return process_queue(event, begin)
