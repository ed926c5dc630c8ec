"""Last step of an import: how it has ended."""

from collections.abc import Mapping
from typing import Any

from rebound.imports_exports import wiring
from rebound.platform.invocations import at_start, step

at_start(lambda: wiring.use_cases().close_import)


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda hands it over
    """Complete the import; with ``error``, fail it."""
    close = wiring.use_cases().close_import
    if "error" in event:
        close.fail(event["business_id"], event["import_id"])
    else:
        close.complete(event["business_id"], event["import_id"])
    return {}
