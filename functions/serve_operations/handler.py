"""The console's pages of operators: of the stack as a whole, and of no business's customers."""

from collections.abc import Mapping
from typing import Any

from rebound.api import wiring
from rebound.platform.invocations import at_start

at_start(wiring.load_console)


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer one request."""
    return wiring.respond_in_operations(event)
