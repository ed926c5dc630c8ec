"""The pages behind links, opened as a browser does."""

import re
from typing import Any

from rebound.preferences.http.links import respond
from tests.fakes.world import World


def open_page(world: World, path: str, form: str | None = None) -> tuple[int, str]:
    """The status and the whole page; with a form, that is posted."""
    event: dict[str, Any] = {
        "httpMethod": "POST" if form is not None else "GET",
        "path": path,
        "headers": {"content-type": "application/x-www-form-urlencoded"},
        "body": form,
        "isBase64Encoded": False,
    }
    answer = respond(event, world)
    return answer["statusCode"], answer["body"]


def heading_of(world: World, path: str, form: str | None = None) -> tuple[int, str]:
    """The status and the heading."""
    status, page = open_page(world, path, form)
    found = re.search("<h1>(.*)</h1>", page)
    assert found is not None
    return status, found[1]
