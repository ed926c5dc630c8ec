"""The arrival of a file sets its import going."""

from collections.abc import Mapping
from typing import Any

from rebound.imports_exports import wiring
from rebound.imports_exports.adapters.import_store import imports_of_notice
from rebound.kernel.errors import NotFoundError
from rebound.platform.batches import process_queue
from rebound.platform.telemetry import logger


def lambda_handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Start the imports whose files have arrived."""

    def begin(body: str, _: str) -> None:
        for business_id, import_id in imports_of_notice(body):
            try:
                wiring.use_cases().begin_import(business_id, import_id)
            except NotFoundError:
                logger().warning("file of an unknown import", import_id=import_id)

    return process_queue(event, begin)
