"""Last step of a campaign: completed, or failed for a technical reason."""

from collections.abc import Mapping
from typing import Any

from rebound.campaigns import wiring
from rebound.platform.invocations import at_start, step

at_start(lambda: wiring.use_cases().close_campaign)


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """End the campaign."""
    close = wiring.use_cases().close_campaign
    if "error" in event:
        close.fail(event["business_id"], event["campaign_id"], "A technical error that did not go away.")
    else:
        close.complete(event["business_id"], event["campaign_id"])
    return {}
