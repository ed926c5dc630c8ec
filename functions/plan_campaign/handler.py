"""First step of a campaign: fix what the run will do."""

from collections.abc import Mapping, Sequence
from typing import Any

from rebound import wiring
from rebound.domain.errors import InvalidInputError, NotFoundError
from rebound.steps import step


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """The ranges to expand; none of a campaign that cannot go on, which ends here."""
    business_id, campaign_id = event["business_id"], event["campaign_id"]
    ranges: Sequence[int] = ()
    try:
        ranges = wiring.plan_campaign()(business_id, campaign_id)
    except (NotFoundError, InvalidInputError) as error:
        wiring.close_campaign().fail(business_id, campaign_id, str(error))
    return {"ranges": list(ranges), "polls": 0}
