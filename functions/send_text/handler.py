"""Chunks of the text queue, sent over Twilio or SNS."""

from collections.abc import Mapping
from typing import Any, Final

from rebound import wiring
from rebound.adapters.queues import decode_ticket
from rebound.batches import process_queue

RESERVE_MILLISECONDS: Final = 20_000
"""More than one text takes at its slowest, which is the texter's timeout."""


def lambda_handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Send each chunk while there is time; those that fail come again."""

    def may_go_on() -> bool:
        remaining: int = context.get_remaining_time_in_millis()
        return remaining > RESERVE_MILLISECONDS

    def send(body: str, owner: str) -> None:
        wiring.send_text()(decode_ticket(body), owner, may_go_on)

    return process_queue(event, send)
