"""Answers to providers' webhooks, whose functions are behind the gateway and no part of the API's app."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from rebound.kernel.errors import MalformedReceiptError

type Handler = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]


def unsigned() -> Mapping[str, Any]:
    """To whatever is not signed by Twilio for exactly this address."""
    return problem("bad_signature", "The request is not signed by Twilio for this address.")


def malformed(what: str) -> Callable[[Handler], Handler]:
    """A handler that answers 400, with ``what`` is wrong, to requests that cannot be read."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def answer(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
            try:
                return handler(event, context)
            except MalformedReceiptError as error:
                return problem("malformed", f"{what}: {error}.")

        return answer

    return decorate


def problem(code: str, detail: str) -> Mapping[str, Any]:
    """Problem details (RFC 9457), by a code of ``kernel.problem_codes``."""
    # Most webhooks are what they should be.
    from rebound.kernel.problem_codes import PROBLEMS  # noqa: PLC0415
    from rebound.platform.http.problem_details import CONTENT_TYPE, write_problem  # noqa: PLC0415

    return {
        "statusCode": PROBLEMS[code].status,
        "headers": {"Content-Type": CONTENT_TYPE},
        "body": write_problem(code, detail),
    }
