"""Brings back the chunks that a pause set aside, after a resume or a cancellation."""

from collections.abc import Mapping
from typing import Any, Final

from rebound import wiring
from rebound.steps import step

RESERVE_MILLISECONDS: Final = 30_000
"""More than a page of chunks takes."""


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Enqueue while there is time; ``done`` says whether all are there, else ``cursor`` where to go on."""

    def may_go_on() -> bool:
        remaining: int = context.get_remaining_time_in_millis()
        return remaining > RESERVE_MILLISECONDS

    cursor = wiring.requeue_campaign()(event["business_id"], event["campaign_id"], event["cursor"], may_go_on)
    return {"cursor": cursor, "done": cursor is None}
