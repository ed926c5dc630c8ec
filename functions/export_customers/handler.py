"""The only step of an export: write its file."""

from collections.abc import Mapping
from typing import Any, Final

from rebound.imports_exports import wiring
from rebound.platform.invocations import at_start, more_than, step

RESERVE_MILLISECONDS: Final = 60_000
"""More than looking through 5,000 customers and writing a part takes."""


at_start(lambda: wiring.use_cases().export_customers)


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Write while there is time; ``done`` says whether the file is complete. With ``error``, fail the export."""
    export = wiring.use_cases().export_customers
    if "error" in event:
        export.fail(event["business_id"], event["export_id"])
        return {"done": True}
    return {"done": export(event["business_id"], event["export_id"], more_than(RESERVE_MILLISECONDS, context))}
