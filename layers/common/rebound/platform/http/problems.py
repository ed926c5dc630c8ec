"""Errors as RFC 9457 problem details: the one place where an error becomes a status."""

import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from pydantic import ValidationError

from rebound.kernel.errors import (
    ConcurrentChangeError,
    ConflictError,
    FieldError,
    InvalidInputError,
    NotFoundError,
    TooSoonError,
)
from rebound.platform.telemetry import logger, place_of

CONTENT_TYPE: Final = "application/problem+json"
_SAID_BY_US: Final = "Value error, "


class ForbiddenError(Exception):
    """The key has not the scope that the route asks for."""


class MalformedError(Exception):
    """The request is not of the form that HTTP or JSON asks for."""


class TooLargeError(Exception):
    """The body is larger than the route takes."""


def problem(status: HTTPStatus, detail: str, errors: Iterable[FieldError] = ()) -> Response[str]:
    """An answer that says what is wrong."""
    body: dict[str, Any] = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    wrong = [{"field": error.field, "message": error.message} for error in errors]
    if wrong:
        body["errors"] = wrong
    return Response(status_code=status, content_type=CONTENT_TYPE, body=json.dumps(body, ensure_ascii=False))


def invalid(errors: Iterable[FieldError]) -> Response[str]:
    """The answer to values that are not acceptable."""
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request has values that are not acceptable.", errors)


def _fields_of_request(errors: Iterable[Mapping[str, Any]]) -> list[FieldError]:
    """What is wrong with a request; the first part of each place says only whether it is in body, query or path."""
    return [FieldError(".".join(map(str, error["loc"][1:])) or "body", _sentence(error)) for error in errors]


def _fields_of_content(errors: Iterable[Mapping[str, Any]]) -> list[FieldError]:
    """What is wrong with the content of a message."""
    return [FieldError(".".join(map(str, ("content", *error["loc"]))), _sentence(error)) for error in errors]


def _sentence(error: Mapping[str, Any]) -> str:
    """Pydantic's error in our words; what was sent is never repeated."""
    match error["type"]:
        case "missing":
            return "Is required."
        case "extra_forbidden":
            return "Is not a field of this request."
        case "json_invalid":
            return "Is not JSON."
        case "string_pattern_mismatch":
            return "Must be an id as the API gave it: 32 hexadecimal digits."
        case "timezone_aware":
            return "Must have a time zone, such as 2026-11-22T10:00:00Z."
        case "dict_type" | "model_type" | "model_attributes_type":
            return "Must be an object."
        case "list_type":
            return "Must be a list."
        case "too_short":
            return f"Must have at least {error['ctx']['min_length']} item."
        case "too_long":
            return f"Must have at most {error['ctx']['max_length']} items."
        case _:
            message = str(error["msg"]).removeprefix(_SAID_BY_US).replace("Input should be", "Must be", 1)
            message = message.replace("String should have", "Must have", 1)
            return f"{message[:1].upper()}{message[1:]}{'' if message.endswith('.') else '.'}"


def _of_validation(error: RequestValidationError) -> Response[str]:
    errors = error.errors()
    if any(wrong["type"] == "json_invalid" for wrong in errors):
        return problem(HTTPStatus.BAD_REQUEST, "The body is not JSON.")
    return invalid(_fields_of_request(errors))


_ANSWERS: Final[Mapping[type[Exception], Callable[[Any], Response[str]]]] = {
    RequestValidationError: _of_validation,
    ValidationError: lambda error: invalid(_fields_of_content(error.errors())),
    InvalidInputError: lambda error: invalid(error.errors),
    MalformedError: lambda error: problem(HTTPStatus.BAD_REQUEST, str(error)),
    ForbiddenError: lambda error: problem(HTTPStatus.FORBIDDEN, str(error)),
    NotFoundError: lambda error: problem(HTTPStatus.NOT_FOUND, str(error)),
    ConflictError: lambda error: problem(HTTPStatus.CONFLICT, str(error)),
    TooSoonError: lambda error: problem(HTTPStatus.TOO_MANY_REQUESTS, str(error)),
    ConcurrentChangeError: lambda _: problem(HTTPStatus.CONFLICT, "Somebody else has just changed this; try again."),
    TooLargeError: lambda error: problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error)),
}


def answer_to(error: Exception) -> Response[str]:
    """The answer to an error of the table."""
    return _ANSWERS[type(error)](error)


def install(app: APIGatewayRestResolver) -> None:
    """Teach an app the answers."""
    for error, answer in _ANSWERS.items():
        app.exception_handler(error)(answer)

    app.not_found(lambda _: problem(HTTPStatus.NOT_FOUND, "There is nothing at this address."))
    app.exception_handler(Exception)(_unexpected)


def _unexpected(error: Exception) -> Response[str]:
    # The error's own text may hold personal data, so the log gets its type and where it was raised.
    logger().error("unexpected error", error=type(error).__name__, at=place_of(error))
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side; try again.")
