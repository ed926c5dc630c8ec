"""What routes have in common: parameters, what is known of whoever asks, and answers."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import AfterValidator

from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.platform.http.problems import ForbiddenError, problem
from rebound.platform.http.shapes import Answer, Problem, one_of

IDEMPOTENCY_HEADER: Final = "Idempotency-Key"
DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 1000

Limit = Annotated[
    int, Query(ge=1, le=MAX_LIMIT, description="How many items at most; a page may have fewer and a next_cursor.")
]
Cursor = Annotated[str | None, Query(max_length=2000, description="next_cursor of the answer before.")]
CustomerInPath = Annotated[str, Path()]
ExternalIdInPath = Annotated[
    Annotated[str, AfterValidator(unquote)],
    Path(
        description="With everything but letters, digits and -._~ escaped: a slash is %2F.",
        examples=["crm-4711"],
    ),
]
"""Of an area with ``whole_id``, which hands the id over with its escapes."""
ChannelName = Annotated[Annotated[str, one_of(Channel)], Path(description="email or sms")]


def no_number(name: str) -> None:
    """NaN and the infinities are not JSON, though Python's reader takes them."""
    raise ValueError(name)


def check_has(scopes: str, needed: str) -> None:
    """Raises ``ForbiddenError`` when the scopes of a key, joined by spaces, lack one."""
    if needed not in scopes.split():
        raise ForbiddenError(needed)


def authorizer(app: APIGatewayRestResolver) -> dict[str, str]:
    """What is known of the key: its business, id and scopes."""
    context: dict[str, str] = app.current_event.raw_event["requestContext"].get("authorizer") or {}
    return context


def business_of(app: APIGatewayRestResolver) -> str:
    """The business that the key belongs to."""
    return authorizer(app)["business_id"]


OPERATOR: Final = "#operator"
"""Stands where a business would, in what is kept of an operator's requests."""


def principal_of(app: APIGatewayRestResolver) -> str:
    """For whom a request is made: the key's business, or the operator."""
    return authorizer(app).get("business_id", OPERATOR)


AGAIN: Final = "again"
"""What the app's context has of an answer that is not given twice."""


def shown_once(app: APIGatewayRestResolver, id_: str) -> None:
    """Let a request that comes again with its ``Idempotency-Key`` get a problem: the answer now has a secret.

    So the secret is not kept for the day for which answers are. ``id_`` is what it belongs to.
    """
    detail = "This request was done before, and the secret that it made is shown once. Rotate it to get another."
    app.context[AGAIN] = problem("secret_shown_before", detail, members={"id": id_})


def name_of_request(app: APIGatewayRestResolver) -> str | None:
    """The client's name for the request, ``None`` when it gave none."""
    key = app.current_event.headers.get(IDEMPOTENCY_HEADER)
    return None if key is None else f"{app.current_event.path}#{key}"


def prefers_a_job(app: APIGatewayRestResolver) -> bool:
    """RFC 7240: the client would rather poll than wait."""
    given = app.current_event.headers.get("Prefer") or ""
    return "respond-async" in [wish.split(";")[0].strip().lower() for wish in given.split(",")]


def channel_named(name: str) -> Channel:
    """The channel. Raises ``InvalidInputError``."""
    if name not in list(Channel):
        raise InvalidInputError(FieldError("channel", f"Must be one of {', '.join(Channel)}."))
    return Channel(name)


def json_answer(answer: Answer, status: HTTPStatus = HTTPStatus.OK) -> Response[str]:
    """An answer as JSON."""
    return Response(status_code=status, content_type="application/json", body=answer.model_dump_json())


TOO_MANY: Final[Mapping[str, Any]] = {
    "description": "Too many requests; try again after the seconds that Retry-After says",
    "headers": {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}},
}
PROBLEM: Final[Mapping[str, Any]] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
"""What the OpenAPI document says of a problem's body, where powertools does not write it."""


def nothing() -> Response[str]:
    """The answer when there is nothing to say: without a type the gateway calls it JSON, which it is not."""
    return Response(status_code=HTTPStatus.NO_CONTENT, content_type="text/plain", body="")


def responses(model: type[Answer], status: HTTPStatus = HTTPStatus.OK) -> dict[int, Any]:
    """What a route answers, for the OpenAPI document."""

    def problem(what: str) -> dict[str, Any]:
        return {"description": what, "content": {"application/problem+json": {"model": Problem}}}

    return {
        int(status): {"description": status.phrase, "content": {"application/json": {"model": model}}},
        400: problem("Malformed"),
        401: problem("No key, or one that opens nothing"),
        403: problem("The key lacks the scope"),
        404: problem("Not found, also for what belongs to another business"),
        409: problem("Conflicts with the present state"),
        413: problem("Too large"),
        422: problem("Values that are not acceptable, each with its field"),
        429: problem(TOO_MANY["description"]) | {"headers": TOO_MANY["headers"]},
    }


def no_content() -> dict[int, Any]:
    """What a route answers that removes something."""
    described = responses(Answer)
    del described[HTTPStatus.OK]
    return {int(HTTPStatus.NO_CONTENT): {"description": "Removed"}, **described}
