"""Second step of an import: one part of its rows."""

from collections.abc import Mapping
from typing import Any, Final

from rebound import wiring
from rebound.steps import step

RESERVE_MILLISECONDS: Final = 30_000
"""More than a batch of rows takes, also when it has to wait for others."""


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Import while there is time; ``done`` says whether the part is finished."""

    def may_go_on() -> bool:
        remaining: int = context.get_remaining_time_in_millis()
        return remaining > RESERVE_MILLISECONDS

    return {"done": wiring.import_customers()(event["business_id"], event["import_id"], event["part"], may_go_on)}
