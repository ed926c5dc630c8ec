"""An id of the client's own in a path is what the client meant, and the scope asked for is that of the route meant.

API Gateway hands a path over as it was sent (REST APIs) or read (HTTP APIs, and the embedded AWS).
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rebound.api.areas import API, AREAS
from rebound.platform.http.app import path_of, respond
from rebound.platform.http.problems import MalformedError

BEFORE: Final = "/v1/customers/by-external-id/"
NAMES: Final = sorted({part for area in AREAS for part in area.address.split("/")} | {"contacts", "confirm", "count"})
PIECES: Final = (
    "/",
    "%",
    "+",
    " ",
    "%2F",
    "%25",
    "a",
    "7",
    "é",
    "😀",
    "..",
    ".",
    "?",
    "#",
    "{",
    "<id>",
    "\\",
    '"',
    *NAMES,
)
IDS: Final = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd"), min_size=1, max_size=12
)


def as_sent(id_: str, method: str = "GET") -> dict[str, Any]:
    """The event of a REST API."""
    return {"path": f"{BEFORE}{quote(id_, safe='')}", "httpMethod": method}


def as_read(id_: str, method: str = "GET") -> dict[str, Any]:
    """The event of the embedded AWS, which is that of an HTTP API."""
    return {"version": "1.0", "path": f"{BEFORE}{id_}", "httpMethod": method}


def id_in(event: Mapping[str, Any]) -> str:
    """The id that the route gets."""
    path = path_of(API, event)
    assert path.startswith(BEFORE)
    assert "/" not in path.removeprefix(BEFORE)
    return unquote(path.removeprefix(BEFORE))


@given(IDS)
@example("log")
@example("by-external-id")
@example("a/b")
@example("/")
@example("a/")
@example("%2F")
@example("100%25")
@example("+1 415")
@example("..")
def test_an_id_is_the_same_however_the_gateway_hands_it_over(id_: str) -> None:
    assert id_in(as_sent(id_)) == id_in(as_read(id_)) == id_


@given(IDS, st.sampled_from(["GET", "PUT", "DELETE"]))
@example("log", "GET")
@example("x/messages", "GET")
def test_the_scope_is_that_of_customers_whatever_the_id_is_called(id_: str, method: str) -> None:
    right = "read" if method == "GET" else "write"
    others = "messages:read messages:write segments:read campaigns:write"
    for event in (as_sent(id_, method), as_read(id_, method)):
        answer = respond(API, {**event, "requestContext": {"authorizer": {"scopes": others}}}, None)

        assert answer["statusCode"] == 403
        assert f"customers:{right}" in answer["body"]


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/v1/customers/x/log", "messages"),
        ("/v1/customers/by-external-id/log", "customers"),
        ("/v1/customers/by-external-id/messages", "customers"),
        ("/v1/customers/by-external-id%2Flog", "customers"),
        ("/v1/customers/log/messages", "messages"),
        ("/v1/segments/preview", "segments"),
        ("/v1/segments/preview/recipients", "segments"),
    ],
)
def test_a_word_goes_before_an_id(path: str, scope: str) -> None:
    area = API.area_of(path_of(API, {"path": path}))

    assert area is not None
    assert area.scope == scope


@pytest.mark.parametrize("method", ["POST", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("id_", ["x", "contacts/email/confirm", "x/log"])
def test_other_methods_say_which_there_are(method: str, id_: str) -> None:
    for event in (as_sent(id_, method), as_read(id_, method)):
        answer = respond(API, {**event, "requestContext": {}}, None)

        assert answer["statusCode"] == 405
        assert answer["headers"]["Allow"] == "DELETE, GET, HEAD, PUT"


@pytest.mark.parametrize(
    "path", ["/v1/appointments/a%3Ab/log", "/v1/appointments/a:b/log", "/v1/appointments/a%3ab/log"]
)
def test_escapes_are_read_in_every_path(path: str) -> None:
    assert path_of(API, {"path": path}) == "/v1/appointments/a:b/log"


def test_what_was_read_once_is_not_read_again() -> None:
    assert path_of(API, {"version": "1.0", "path": "/v1/segments/%41"}) == "/v1/segments/%41"


@pytest.mark.parametrize("path", [f"{BEFORE}7", f"{BEFORE}7/", f"{BEFORE}7//"])
def test_a_slash_behind_an_id_changes_nothing_where_it_can_be_told_from_one_of_the_id(path: str) -> None:
    assert path_of(API, {"path": path}) == f"{BEFORE}7"


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "POST"])
@pytest.mark.parametrize("behind", ["", "/", "//"])
def test_no_id_is_nowhere(method: str, behind: str) -> None:
    path = BEFORE.rstrip("/") + behind
    answer = respond(API, {"path": path, "httpMethod": method, "requestContext": {}}, None)

    assert (answer["statusCode"], '"path_not_found"' in answer["body"]) == (404, True)
    if behind != "//":
        as_read = {"version": "1.0", "path": path, "httpMethod": method, "requestContext": {}}
        assert respond(API, as_read, None)["statusCode"] == 404


def test_a_path_that_is_no_text_is_refused() -> None:
    with pytest.raises(MalformedError):
        path_of(API, {"path": f"{BEFORE}%FF"})

    answer = respond(API, {"path": f"{BEFORE}%FF", "httpMethod": "GET", "requestContext": {}}, None)
    assert answer["statusCode"] == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_a_gateway_could_not_read_is_no_id(method: str) -> None:
    for event in (as_read("M\ufffdller", method), as_sent("M\ufffdller", method)):
        answer = respond(API, {**event, "requestContext": {}}, None)

        assert answer["statusCode"] == 400
        assert "not text in UTF-8" in answer["body"]


def test_an_id_in_an_odd_place_is_nowhere() -> None:
    for path in (
        "/v1//customers/by-external-id/log",
        "//v1/customers/by-external-id/log",
        "/x/v1/customers/by-external-id/log",
    ):
        answer = respond(API, {"path": path, "httpMethod": "GET", "requestContext": {}}, None)

        assert answer["statusCode"] == 404
