"""Third step of a campaign: look whether it is expanded, and whether everybody targeted is accounted for."""

from collections.abc import Mapping
from typing import Any

from rebound.platform.invocations import at_start, step
from rebound.sending import wiring

at_start(lambda: wiring.use_cases().drain_campaign)


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Which ranges are not done, whether the campaign is drained, and when to look again."""
    return (
        wiring.use_cases()
        .drain_campaign(event["business_id"], event["campaign_id"], event["polls"])
        .for_the_state_machine()
    )
