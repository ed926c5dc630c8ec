"""The API as a function answers it."""

from collections.abc import Mapping
from typing import Any

from rebound.api.areas import API
from rebound.platform.http import app


def respond(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Answer one request of API Gateway."""
    return app.respond(API, event, context)
