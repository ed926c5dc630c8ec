"""Imports of customers, started by the arrival of their file."""

from collections.abc import Mapping
from typing import Any, Final

from rebound import wiring
from rebound.adapters.import_store import imports_of_notice
from rebound.batches import process_queue
from rebound.domain.errors import NotFoundError, ReboundError
from rebound.telemetry import logger

RESERVE_MILLISECONDS: Final = 30_000
"""More than a batch of rows takes."""


class ImportGoesOnError(ReboundError):
    """The time is up: the queue message comes again, and the import goes on where it stopped."""


def lambda_handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Import the files that have arrived."""

    def may_go_on() -> bool:
        remaining: int = context.get_remaining_time_in_millis()
        return remaining > RESERVE_MILLISECONDS

    def import_files(body: str, _: str) -> None:
        for business_id, import_id in imports_of_notice(body):
            try:
                done = wiring.import_customers()(business_id, import_id, may_go_on)
            except NotFoundError:
                logger().warning("file of an unknown import", import_id=import_id)
                continue
            if not done:
                raise ImportGoesOnError

    return process_queue(event, context, import_files)
