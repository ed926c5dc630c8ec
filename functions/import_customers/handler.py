"""Imports of customers, started by the arrival of their file."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_plus

from rebound import wiring
from rebound.adapters.import_store import import_of_key
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
        # S3 sends a test event without records when the notification is set up.
        for record in json.loads(body).get("Records", ()):
            business_id, import_id = import_of_key(unquote_plus(record["s3"]["object"]["key"]))
            try:
                done = wiring.import_customers()(business_id, import_id, may_go_on)
            except NotFoundError:
                logger().warning("file of an unknown import", import_id=import_id)
                continue
            if not done:
                raise ImportGoesOnError

    return process_queue(event, context, import_files)
