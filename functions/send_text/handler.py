"""Chunks of the text queue, sent over Twilio or SNS."""

from collections.abc import Mapping
from typing import Any, Final

from rebound.platform.batches import process_queue
from rebound.platform.invocations import at_start, more_than
from rebound.sending import wiring

RESERVE_MILLISECONDS: Final = 20_000
"""More than one text takes at its slowest, which is the texter's timeout."""


at_start(lambda: wiring.use_cases().send_text)


def lambda_handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Send each chunk while there is time; those that fail come again."""

    def send(body: str, owner: str) -> None:
        wiring.use_cases().send_text(wiring.ports().decode_task(body), owner, more_than(RESERVE_MILLISECONDS, context))

    return process_queue(event, send)
