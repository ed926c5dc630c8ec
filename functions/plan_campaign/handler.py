"""First step of a campaign: fix what the run will do, and expand the campaign at once if it has a single range."""

from collections.abc import Mapping
from typing import Any, Final

from rebound.platform.invocations import at_start, more_than, step
from rebound.sending import wiring

RESERVE_MILLISECONDS: Final = 30_000
"""More than a page of customers takes, so that the rest of a range is left to a step of its own."""


at_start(
    lambda: (wiring.use_cases().plan_campaign, wiring.use_cases().expand_campaign, wiring.use_cases().look_at_campaign)
)


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Plan, and answer what a first look at the campaign finds; a campaign that cannot go on ends here.

    A single range is expanded here and now: state transitions are most of what a small campaign costs.
    """
    business_id, campaign_id = event["business_id"], event["campaign_id"]
    ranges = wiring.use_cases().plan_campaign(business_id, campaign_id)
    if len(ranges) == 1:
        wiring.use_cases().expand_campaign(
            business_id, campaign_id, ranges[0], more_than(RESERVE_MILLISECONDS, context)
        )
    return wiring.use_cases().look_at_campaign(business_id, campaign_id, polls=0).for_the_state_machine()
