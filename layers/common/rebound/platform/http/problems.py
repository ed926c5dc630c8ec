"""Errors as RFC 9457 problem details: the one place where an error becomes a status."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from pydantic import ValidationError

from rebound.kernel.errors import (
    ChangedMeanwhileError,
    ComeAgainError,
    ConcurrentChangeError,
    ConflictError,
    FieldError,
    InvalidInputError,
    NotFoundError,
    TooSoonError,
)
from rebound.platform.telemetry import logger, place_of

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler.api_gateway import Route

_SAID_BY_US: Final = "Value error, "


class ForbiddenError(Exception):
    """The key has not the scope that the route asks for."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"This key lacks the scope {scope}.")
        self.scope = scope


class WrongRealmError(Exception):
    """The key is for another part of the API."""


class MalformedError(Exception):
    """The request is not of the form that HTTP or JSON asks for."""


class TooLargeError(Exception):
    """The body is larger than the route takes."""


class PathNotFoundError(Exception):
    """The API has nothing at the path."""


class MethodNotAllowedError(Exception):
    """The path has other methods."""

    def __init__(self, allowed: Iterable[str]) -> None:
        super().__init__()
        self.allowed = ", ".join(allowed)


def problem(
    code: str,
    detail: str,
    errors: Iterable[FieldError] = (),
    *,
    members: Mapping[str, str | list[str]] | None = None,
    wait_seconds: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[str]:
    """An answer that says what is wrong, by a code of ``kernel.problem_codes``.

    ``wait_seconds`` is for how long the client had better wait, where that is not the same for all of the code.
    """
    # What most requests do not need.
    from rebound.kernel.problem_codes import PROBLEMS  # noqa: PLC0415
    from rebound.platform.http.problem_details import CONTENT_TYPE, write_problem  # noqa: PLC0415

    kind = PROBLEMS[code]
    seconds = wait_seconds if wait_seconds is not None else kind.wait_seconds
    waiting = {} if seconds is None else {"Retry-After": str(seconds)}
    return Response(
        status_code=kind.status,
        content_type=CONTENT_TYPE,
        headers={**waiting, **(headers or {})},
        body=write_problem(code, detail, errors, members),
    )


def invalid(errors: Iterable[FieldError]) -> Response[str]:
    """The answer to values that are not acceptable."""
    return problem("validation_failed", "The request has values that are not acceptable.", errors)


def _fields_of_request(errors: Sequence[Mapping[str, Any]], route: Route, sent: Any) -> list[FieldError]:
    """What is wrong with a request whose body is ``sent``.

    The first part of each place says only whether it is in body, query or path.
    """
    from rebound.platform.http.error_fields import fields_of  # noqa: PLC0415
    from rebound.platform.http.unknown_names import shapes_of_body  # noqa: PLC0415

    below = [{**error, "loc": error["loc"][1:]} for error in errors if error["loc"][0] == "body"]
    others = [FieldError(str(error["loc"][1]), _sentence(error)) for error in errors if error["loc"][0] != "body"]
    return [*others, *fields_of(below, shapes_of_body(route), _sentence, sent)]


def fields_of_content(error: ValidationError, path: str = "content", sent: Any = None) -> list[FieldError]:
    """What is wrong with the content of a message, or with what was ``sent``, which stands at a path of the request."""
    from rebound.platform.http.error_fields import fields_of  # noqa: PLC0415
    from rebound.platform.http.unknown_names import shapes_called  # noqa: PLC0415

    return fields_of(error.errors(), shapes_called(error.title), _sentence, sent, path)


def _sentence(error: Mapping[str, Any]) -> str:
    """Pydantic's error in our words; what was sent is never repeated."""
    match error["type"]:
        case "missing":
            return "Is required."
        case "json_invalid":
            return "Is not JSON."
        case "string_pattern_mismatch":
            return _written_as(error["ctx"]["pattern"])
        case "timezone_aware":
            return "Must have a time zone, such as 2026-11-22T10:00:00Z."
        case "dict_type" | "model_type" | "model_attributes_type":
            return "Must be an object."
        case "list_type":
            return "Must be a list."
        case "too_short":
            least = error["ctx"]["min_length"]
            return f"Must have at least {least} items." if least > 1 else "Must have at least 1 item."
        case "too_long":
            return f"Must have at most {error['ctx']['max_length']} items."
        case _:
            message = str(error["msg"]).removeprefix(_SAID_BY_US).replace("Input should be", "Must be", 1)
            message = message.replace("String should have", "Must have", 1)
            return f"{message[:1].upper()}{message[1:]}{'' if message.endswith('.') else '.'}"


def _written_as(pattern: str) -> str:
    """What a text must be that a pattern refuses: in words where many meet it, else the pattern itself."""
    from rebound.platform.http import shapes  # noqa: PLC0415

    match pattern:
        case shapes.CUSTOMER_ID:
            return "Must be an id as the API gave it: 32 hexadecimal digits."
        case "^[A-Za-z0-9_-]{1,64}$":
            return "Must be 1 to 64 letters, digits, - or _."
        case "^[A-Za-z0-9_.-]{1,64}$":
            return "Must be 1 to 64 letters, digits, dots, - or _."
        case "^[A-Za-z0-9._:~-]{1,128}$":
            return "Must be 1 to 128 letters, digits, dots, colons, or any of - _ ~."
        case _:
            return f"Must match the pattern {pattern}"


def _of_validation(app: APIGatewayRestResolver, error: RequestValidationError) -> Response[str]:
    errors = error.errors()
    if any(wrong["type"] == "json_invalid" for wrong in errors):
        return problem("malformed", "The body is not JSON.")
    also = ignored(app)
    # Of a parameter that is given twice, pydantic only says that two values are not one.
    named = {("query", each.field) for each in also}
    errors = [wrong for wrong in errors if tuple(wrong["loc"][:2]) not in named]
    sent = json.loads(app.current_event.decoded_body or "null")
    return invalid([*_fields_of_request(errors, app.context["_route"], sent), *also])


def ignored(app: APIGatewayRestResolver) -> list[FieldError]:
    """What a request has that its route would not look at: parameters, or a body where none is taken."""
    event, takes = app.current_event.raw_event, app.context["_route"].dependant
    given = event.get("multiValueQueryStringParameters") or {}
    found: list[FieldError] = []
    if given.keys() - {field.alias for field in takes.query_params} or any(len(each) > 1 for each in given.values()):
        from rebound.platform.http.unknown_names import wrong_parameters  # noqa: PLC0415

        found.extend(wrong_parameters(app.context["_route"], given))
    if event.get("body") and not takes.body_params:
        from rebound.platform.http.unknown_names import fields_of_nothing  # noqa: PLC0415

        found.extend(fields_of_nothing(app.current_event.decoded_body or "{}"))
    return found


_ANSWERS: Final[Mapping[type[Exception], Callable[[Any], Response[str]]]] = {
    ValidationError: lambda error: invalid(fields_of_content(error)),
    InvalidInputError: lambda error: invalid(error.errors),
    MalformedError: lambda error: problem("malformed", str(error)),
    ForbiddenError: lambda error: problem("forbidden_scope", str(error), members={"scope": error.scope}),
    WrongRealmError: lambda _: problem("forbidden", "This key may not do that."),
    NotFoundError: lambda error: problem(
        "not_found", str(error), members={"resource": error.kind.lower().replace(" ", "_")}
    ),
    PathNotFoundError: lambda _: problem("path_not_found", "There is nothing at this address."),
    MethodNotAllowedError: lambda error: problem(
        "method_not_allowed", f"This address takes {error.allowed}.", headers={"Allow": error.allowed}
    ),
    ConflictError: lambda error: problem(error.code, str(error), members=error.members),
    ChangedMeanwhileError: lambda error: problem("changed_meanwhile", str(error)),
    TooSoonError: lambda error: problem("too_soon", str(error), wait_seconds=error.wait_seconds),
    ConcurrentChangeError: lambda _: problem("concurrent_change", "Somebody else has just changed this; try again."),
    ComeAgainError: lambda _: _unavailable(),
    TooLargeError: lambda error: problem("too_large", str(error)),
}


def answer_to(error: Exception) -> Response[str]:
    """The answer to an error of the table."""
    return _ANSWERS[type(error)](error)


def install(app: APIGatewayRestResolver) -> None:
    """Teach an app the answers."""
    for error, answer in _ANSWERS.items():
        app.exception_handler(error)(answer)

    app.exception_handler(RequestValidationError)(lambda error: _of_validation(app, error))
    app.exception_handler(Exception)(_unexpected)


def _unavailable() -> Response[str]:
    return problem("unavailable", "There is too much to do at this moment; try again.")


def _unexpected(error: Exception) -> Response[str]:
    from rebound.platform.adapters.aws import is_busy  # noqa: PLC0415

    if is_busy(error):
        return _unavailable()
    # The error's own text may hold personal data, so the log gets its type and where it was raised.
    logger().error("unexpected error", error=type(error).__name__, at=place_of(error))
    return problem("internal_error", "Something went wrong on our side; try again.")
