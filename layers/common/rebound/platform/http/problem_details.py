"""Problem details (RFC 9457) as they are written, by the API and by what answers providers' webhooks."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from rebound.kernel.errors import FieldError
from rebound.kernel.problem_codes import PROBLEMS, type_of

CONTENT_TYPE: Final = "application/problem+json"


def write_problem(
    code: str, detail: str, errors: Iterable[FieldError] = (), members: Mapping[str, str | list[str]] | None = None
) -> str:
    """The problem as JSON. ``members`` are those that the code's row names."""
    kind = PROBLEMS[code]
    body: dict[str, Any] = {
        "type": type_of(code),
        "title": kind.status.phrase,
        "status": kind.status,
        "detail": detail,
        "code": code,
        "retryable": kind.retryable,
        **(members or {}),
    }
    wrong = list(errors)
    if wrong:
        body["errors"] = [{"field": error.field, "message": error.message} for error in wrong]
    meant = {error.field: error.did_you_mean for error in reversed(wrong) if error.did_you_mean is not None}
    if meant:
        body["did_you_mean"] = meant
    return json.dumps(body, ensure_ascii=False)
