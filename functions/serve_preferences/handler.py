"""The pages behind the links in messages."""

from collections.abc import Mapping
from typing import Any

from rebound.preferences import wiring
from rebound.preferences.http.links import respond


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer one request."""
    return respond(event, wiring.use_cases().honour_links)
