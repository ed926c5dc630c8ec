"""Takes back the flags that a campaign's bounces raised, after somebody asked for it."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import asdict

from rebound import wiring
from rebound.application.roll_back_flags import RollbackProgress
from rebound.steps import step

RESERVE_MILLISECONDS: Final = 60_000
"""More than a page of chunks takes when all of their messages have bounced."""


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Void while there is time; ``done`` says whether all are, else ``cursor`` where to go on."""

    def may_go_on() -> bool:
        remaining: int = context.get_remaining_time_in_millis()
        return remaining > RESERVE_MILLISECONDS

    progress = wiring.roll_back_flags()(
        event["business_id"],
        event["campaign_id"],
        event["rollback_id"],
        RollbackProgress(event["cursor"], event["bounces"]),
        may_go_on,
    )
    return {"rollback_id": event["rollback_id"], **asdict(progress), "done": progress.cursor is None}
