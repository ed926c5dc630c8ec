"""Second step of a campaign: turn one key range of customers into chunks on the queue."""

from collections.abc import Mapping
from typing import Any, Final

from rebound.platform.invocations import at_start, more_than, step
from rebound.sending import wiring

RESERVE_MILLISECONDS: Final = 30_000
"""More than a page takes, so that the function ends by itself and goes on in a new invocation."""


at_start(lambda: wiring.use_cases().expand_campaign)


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Expand while there is time; ``done`` says whether the range is finished."""
    done = wiring.use_cases().expand_campaign(
        event["business_id"], event["campaign_id"], event["range"], more_than(RESERVE_MILLISECONDS, context)
    )
    return {"done": done}
