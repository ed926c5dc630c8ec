"""The API: a request to the area that it is for, behind checks of size, scope and idempotency."""

import base64
import json
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from importlib import import_module
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

from rebound.domain.errors import NotFoundError
from rebound.domain.keys import ApiScope
from rebound.http.openapi import write_document
from rebound.http.problems import ForbiddenError, MalformedError, TooLargeError, answer_to, install
from rebound.http.routes import IDEMPOTENCY_HEADER, business_of, check_has, no_number

MAX_BODY: Final = 512 * 1024
MAX_IMPORT_BODY: Final = 5 * 1024 * 1024
"""Lambda takes 6 MB, of which API Gateway's own event needs some."""
MAX_KEY: Final = 128
MAX_ID: Final = 128
"""Longer than any id of ours."""

_BY_NAME: Final[Mapping[str, str]] = {
    "business": "business",
    "customers": "customers",
    "jobs": "jobs",
    "imports": "imports",
    "exports": "exports",
    "segments": "segments",
    "campaigns": "campaigns",
    "messages": "messages",
    "appointments": "logs",
    "replies": "replies",
    "replies.csv": "replies",
}
_OF_A_CUSTOMER: Final[Mapping[str, str]] = {
    "reachability": "reachability",
    "consent": "consent",
    "messages": "messages",
    "log": "logs",
}
"""What has an area of its own below ``/v1/customers/<id>``."""
AREAS: Final = tuple(sorted({*_BY_NAME.values(), *_OF_A_CUSTOMER.values()}))


def areas_of(path: str) -> tuple[str, ...]:
    """The one area that may have a route at an address, or none."""
    parts = [part for part in path.split("/") if part]
    name = parts[1] if len(parts) > 1 else ""
    if name == "customers" and len(parts) > 3 and parts[3] in _OF_A_CUSTOMER:  # noqa: PLR2004 - /v1/customers/<id>/…
        return (_OF_A_CUSTOMER[parts[3]],)
    return (_BY_NAME[name],) if name in _BY_NAME else ()


@cache
def api(*areas: str) -> APIGatewayRestResolver:
    """The routes of some areas, behind validation and idempotency; a request pays for loading its own area alone."""
    app = APIGatewayRestResolver(enable_validation=True)
    install(app)
    app.use(middlewares=[_once])
    for area in areas:
        import_module(f"rebound.http.areas.{area}").add_routes(app)

    @app.get("/v1/openapi.json", include_in_schema=False)
    def get_document() -> Response[str]:
        return Response(status_code=HTTPStatus.OK, content_type="application/json", body=document())

    return app


@cache
def document() -> str:
    """The OpenAPI document, generated from the routes and schemas."""
    return write_document(api(*AREAS))


def respond(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Answer one request: what may not be asked at all is refused before anything of it is looked at."""
    try:
        _check_size(event)
        _check_scope(event)
        _check_body(event)
    except (TooLargeError, MalformedError, ForbiddenError, NotFoundError) as error:
        refusal = answer_to(error)
        return {
            "statusCode": refusal.status_code,
            "headers": {"Content-Type": refusal.content_type},
            "body": refusal.body,
            "isBase64Encoded": False,
        }
    return api(*areas_of(event["path"])).resolve(event, context)


def _check_size(event: Mapping[str, Any]) -> None:
    if any(len(part) > MAX_ID for part in event["path"].split("/")):
        raise NotFoundError("address")
    is_import = event["path"].rstrip("/").endswith("/imports")
    most = MAX_IMPORT_BODY if is_import else MAX_BODY
    if len(event.get("body") or "") > most:
        hint = " Ask for an upload_url for larger files." if is_import else ""
        raise TooLargeError(f"The body may have at most {most} bytes.{hint}")


def _check_scope(event: Mapping[str, Any]) -> None:
    needed = _scope_of(event["httpMethod"], event["path"])
    scopes = (event["requestContext"].get("authorizer") or {}).get("scopes", "")
    check_has(scopes, needed)


def _check_body(event: Mapping[str, Any]) -> None:
    body = event.get("body") or ""
    if not body:
        return
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    if headers.get("content-type", "application/json").split(";")[0].strip().lower() != "application/json":
        raise MalformedError("The body must be JSON, with Content-Type: application/json.")
    try:
        text = base64.b64decode(body, validate=True).decode() if event.get("isBase64Encoded") else body
        given = json.loads(text, parse_constant=no_number)
        # A half of a surrogate pair is JSON and no text: it could be neither stored nor answered.
        json.dumps(given, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise MalformedError("The body is not JSON, or not text in UTF-8.") from None
    if not isinstance(given, dict):
        raise MalformedError("The body must be a JSON object.")


_AREAS_OF_MESSAGES: Final = ("appointments", "replies", "replies.csv")
"""Whoever may read messages may read what was answered."""


def _scope_of(method: str, path: str) -> ApiScope | None:
    """Reading and writing are scopes of their own for each kind of thing."""
    parts = [part for part in path.split("/") if part]
    area = parts[1] if len(parts) > 1 else ""
    if area == "imports":
        area = "customers"
    elif area == "exports":
        # Asking for a file of customers reads them, although it is a POST.
        area, method = "customers", "GET"
    elif area in _AREAS_OF_MESSAGES or (area == "customers" and parts[-1] in ("messages", "log")):
        area = "messages"
    elif area == "segments" and parts[-1] == "preview":
        method = "GET"
    action = "read" if method == "GET" else "write"
    return ApiScope(f"{area}:{action}") if f"{area}:{action}" in list(ApiScope) else None


def _once(app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """With an ``Idempotency-Key`` a POST is done once; the same request again gets the first answer again for a day."""
    event = app.current_event
    key = event.headers.get(IDEMPOTENCY_HEADER)
    if key is None or event.http_method != "POST":
        return next_middleware(app)
    if not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise MalformedError(f"{IDEMPOTENCY_HEADER} must have 1 to {MAX_KEY} printable characters.")
    # Loaded for who asks for it: reading and a client without keys need none of it.
    from rebound.http.once import do_once  # noqa: PLC0415

    def perform() -> dict[str, Any]:
        response = next_middleware(app)
        body = response.body
        return {"status": response.status_code, "body": body if isinstance(body, str) else json.dumps(body)}

    given = json.loads(event.decoded_body or "{}")
    done = do_once(perform, [business_of(app), event.path, key], given, app.lambda_context)
    return Response(status_code=done["status"], content_type="application/json", body=done["body"])
