"""Takes back the flags that a campaign's bounces raised, after somebody asked for it."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import asdict

from rebound.campaigns import wiring
from rebound.platform.invocations import at_start, more_than, step

RESERVE_MILLISECONDS: Final = 60_000
"""More than a page of chunks takes when all of their messages have bounced."""


at_start(lambda: wiring.use_cases().roll_back_flags)


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Void evidence while there is time; ``done`` says whether all is void, else ``cursor`` says where to go on."""
    progress = wiring.use_cases().roll_back_flags(
        event["business_id"],
        event["campaign_id"],
        event["rollback_id"],
        event["cursor"],
        event["bounces"],
        more_than(RESERVE_MILLISECONDS, context),
    )
    return {"rollback_id": event["rollback_id"], **asdict(progress), "done": progress.cursor is None}
