"""Last step of a campaign: completed, or failed with a reason."""

from collections.abc import Mapping
from typing import Any, Final

from rebound import wiring
from rebound.steps import step

CANNOT_GO_ON: Final = "CampaignCannotGoOn"
"""The state machine's name for a failure whose cause is a sentence for the client."""


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """End the campaign."""
    error: Mapping[str, str] | None = event.get("error")
    if error is None:
        wiring.close_campaign().complete(event["business_id"], event["campaign_id"])
    else:
        reason = error["Cause"] if error["Error"] == CANNOT_GO_ON else "A technical error that did not go away."
        wiring.close_campaign().fail(event["business_id"], event["campaign_id"], reason)
    return {}
