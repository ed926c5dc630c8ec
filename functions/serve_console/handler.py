"""The console: pages for people at the desk, and for operators."""

from collections.abc import Mapping
from typing import Any

from rebound.api import wiring
from rebound.platform.invocations import at_start

at_start(wiring.load_console)


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer one request."""
    return wiring.respond_in_console(event)
