"""Second step of an import: one part of its rows."""

from collections.abc import Mapping
from typing import Any, Final

from rebound.imports_exports import wiring
from rebound.platform.invocations import at_start, more_than, step

RESERVE_MILLISECONDS: Final = 30_000
"""More than a batch of rows takes, including its retries while others write the same rows."""


at_start(lambda: wiring.use_cases().import_customers)


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Import while there is time; ``done`` says whether the part is finished."""
    return {
        "done": wiring.use_cases().import_customers(
            event["business_id"], event["import_id"], event["part"], more_than(RESERVE_MILLISECONDS, context)
        )
    }
