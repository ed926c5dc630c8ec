"""The operator's part of the API behind the gateway."""

from collections.abc import Mapping
from typing import Any

from rebound.api import wiring
from rebound.platform.invocations import at_start

at_start(wiring.load_api)


def lambda_handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Answer one request."""
    return wiring.respond_to_operator(event, context)
