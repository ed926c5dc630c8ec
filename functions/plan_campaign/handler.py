"""First step of a campaign: fix what the run will do."""

from collections.abc import Mapping
from typing import Any

from rebound import wiring
from rebound.domain.errors import InvalidInputError, NotFoundError
from rebound.steps import step


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """The ranges to expand, or the reason why the campaign cannot go on."""
    try:
        ranges = wiring.plan_campaign()(event["business_id"], event["campaign_id"])
    except (NotFoundError, InvalidInputError) as error:
        return {"ranges": [], "failure": str(error)}
    return {"ranges": list(ranges)}
