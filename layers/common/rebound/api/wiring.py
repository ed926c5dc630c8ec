"""What is answered over HTTP: the API, the console, pages behind links. A function loads only what it needs of it."""

from collections.abc import Mapping
from typing import Any


def load_api() -> None:
    """Load what nearly every request for the API uses, whatever its area (decision 0037)."""
    from rebound.api import areas  # noqa: F401
    from rebound.platform.adapters import dynamo  # noqa: F401
    from rebound.platform.http import app  # noqa: F401


def load_links() -> object:
    """Load what every request for a page uses."""
    from rebound.preferences import wiring
    from rebound.preferences.http import links  # noqa: F401

    return wiring.use_cases().follow_links


def respond(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Answer one request for the API."""
    from rebound.api.areas import API
    from rebound.platform.http import app

    return app.respond(API, event, context)


def respond_to_operator(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Answer one request of the operator's."""
    from rebound.api.areas import API
    from rebound.kernel.api_scopes import Realm
    from rebound.platform.http import app

    return app.respond(API, event, context, Realm.OPERATOR)


def respond_to_link(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Answer one request for a page behind a link in a message."""
    from rebound.preferences import wiring
    from rebound.preferences.http import links

    return links.respond(event, wiring.use_cases())


def load_console() -> None:
    """Load what nearly every page of the console uses."""
    from rebound.console import wiring  # noqa: F401
    from rebound.console.http import frame, rendering, visits  # noqa: F401
    from rebound.platform.adapters import dynamo  # noqa: F401


def respond_in_operations(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Answer one request for a page of operators."""
    from rebound.console import wiring
    from rebound.console.http import frame

    return frame.respond(event, wiring.use_cases(), operations=True)


def respond_in_console(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Answer one request for a page of the console."""
    from rebound.console import wiring
    from rebound.console.http import frame

    return frame.respond(event, wiring.use_cases())
