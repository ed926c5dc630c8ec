"""Copies of flags that have to follow a change of policy."""

from collections.abc import Mapping
from typing import Any, Final

from rebound import wiring
from rebound.adapters.sqs_recopy_queue import decode_recopying
from rebound.batches import process_queue

RESERVE_MILLISECONDS: Final = 60_000
"""More than a page of customers takes when every flag is to be written and the table is slow."""


def lambda_handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Copy while there is time; what fails comes again."""

    def may_go_on() -> bool:
        remaining: int = context.get_remaining_time_in_millis()
        return remaining > RESERVE_MILLISECONDS

    def recopy(body: str, _: str) -> None:
        wiring.recopy_flags()(decode_recopying(body), may_go_on)

    return process_queue(event, recopy)
