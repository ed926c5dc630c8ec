"""First step of an import: read the file and divide it into parts."""

from collections.abc import Mapping
from typing import Any, Final

from rebound.imports_exports import wiring
from rebound.platform.invocations import at_start, more_than, step

RESERVE_MILLISECONDS: Final = 60_000
"""More than reading and writing a piece of every part takes."""


at_start(lambda: wiring.use_cases().split_import)


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Read on while there is time; when it is ``done``, ``parts`` holds the numbers of the parts."""
    parts = wiring.use_cases().split_import(
        event["business_id"], event["import_id"], more_than(RESERVE_MILLISECONDS, context)
    )
    return {"done": parts is not None, "parts": list(parts or ()), "concurrency": wiring.ports().import_concurrency}
