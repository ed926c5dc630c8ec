"""Brings back the chunks that a pause set aside, after a resume or a cancellation."""

from collections.abc import Mapping
from typing import Any, Final

from rebound.platform.invocations import at_start, more_than, step
from rebound.sending import wiring

RESERVE_MILLISECONDS: Final = 30_000
"""More than a page of chunks takes."""


at_start(lambda: wiring.use_cases().requeue_campaign)


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Enqueue while there is time; ``done`` says whether all chunks are there, else ``cursor`` says where to go on."""
    cursor = wiring.use_cases().requeue_campaign(
        event["business_id"], event["campaign_id"], event["cursor"], more_than(RESERVE_MILLISECONDS, context)
    )
    return {"cursor": cursor, "done": cursor is None}
