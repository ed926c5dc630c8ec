"""The pages behind the links in messages."""

from collections.abc import Mapping
from typing import Any

from rebound.api import wiring


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer one request."""
    return wiring.respond_to_link(event)
