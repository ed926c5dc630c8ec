"""Answers to providers' webhooks, whose functions are behind the gateway and no part of the API's app."""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any

from rebound.kernel.errors import MalformedReceiptError

type Handler = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]


def unsigned() -> Mapping[str, Any]:
    """To whatever is not signed by Twilio for exactly this address."""
    return problem(HTTPStatus.FORBIDDEN, "The request is not signed by Twilio for this address.")


def malformed(what: str) -> Callable[[Handler], Handler]:
    """A handler that answers 400, with ``what`` is wrong, to requests that cannot be read."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def answer(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
            try:
                return handler(event, context)
            except MalformedReceiptError as error:
                return problem(HTTPStatus.BAD_REQUEST, f"{what}: {error}.")

        return answer

    return decorate


def problem(status: HTTPStatus, detail: str) -> Mapping[str, Any]:
    """Problem details (RFC 9457)."""
    body = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    return {"statusCode": status, "headers": {"Content-Type": "application/problem+json"}, "body": json.dumps(body)}
