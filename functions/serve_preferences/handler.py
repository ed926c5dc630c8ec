"""The pages behind the links in messages."""

from collections.abc import Mapping
from typing import Any

from rebound.api import wiring
from rebound.platform.invocations import at_start

at_start(wiring.load_links)


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer one request."""
    return wiring.respond_to_link(event)
