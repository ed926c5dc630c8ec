"""The API: a request to the area that it is for, behind checks of size, scope and idempotency."""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from importlib import import_module
from typing import Any, Final
from urllib.parse import quote, unquote

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from msgspec import Struct

from rebound.kernel.api_scopes import AS_CUSTOMER, Realm
from rebound.kernel.errors import InvalidInputError
from rebound.platform.http.problems import (
    ForbiddenError,
    MalformedError,
    MethodNotAllowedError,
    PathNotFoundError,
    TooLargeError,
    WrongRealmError,
    answer_to,
    ignored,
    install,
)
from rebound.platform.http.routes import AGAIN, IDEMPOTENCY_HEADER, MAX_LIMIT, check_has, no_number, principal_of
from rebound.platform.wiring import roomy

MAX_BODY: Final = 512 * 1024
MAX_IMPORT_BODY: Final = 5_700_000
"""Bytes of the body as a text of JSON, as Lambda gets it: quotes, backslashes and line breaks take more there.

Lambda takes events of 6 MB (6,291,456 bytes), of which API Gateway's headers and context need some; what is larger
never arrives here. Source: "Lambda quotas", invocation payload.
"""
LARGEST_PAGE: Final = 3_000_000
"""Bytes of an answer with a part of a list. Lambda takes 6 MB, as JSON once more, where a quote takes two bytes."""
MAX_KEY: Final = 128
_PAGES: Final = "_only_asks_for_pages"
"""Where routes find ``Area.pages`` of the request."""
MAX_ID: Final = 128
"""Longer than any id of ours."""
_NO_TEXT: Final = "The path is not text in UTF-8."
_REPLACED: Final = "\N{REPLACEMENT CHARACTER}"
"""What a gateway that reads paths puts in the place of what is not UTF-8, so that different ids become one."""


class Area(Struct, frozen=True):
    """One kind of thing below ``/v1``: where it is, who has its routes, and what a key needs for it.

    ``address`` is the beginning of its paths, in which ``*`` stands for an id; of several areas a path belongs to the
    one that says most of it, from the left: a word goes before an id, and the longer address before the shorter.
    ``modules`` have ``add_routes``. Reading needs the scope ``<scope>:read``, everything else ``<scope>:write``; where
    nothing is changed by any method, ``reads`` is set, and without a ``scope`` any key will do. ``also`` are scopes
    that are needed besides. With ``whole_id`` everything behind the address is one id, in which slashes and the names
    of routes are like any other letters. ``pages`` says that its POSTs only ask for parts of a list: their answers are
    not kept for an Idempotency-Key, and may be larger than what could be kept. ``realm`` says whose keys open it; one
    function answers the areas of one realm. ``as_customer`` are methods for which ``customers:write_as_customer`` will
    do in place of the scope.
    """

    address: str
    modules: tuple[str, ...]
    scope: str | None = None
    reads: bool = False
    also: tuple[str, ...] = ()
    whole_id: bool = False
    pages: bool = False
    realm: Realm = Realm.BUSINESS
    as_customer: tuple[str, ...] = ()

    def has(self, path: Sequence[str]) -> bool:
        """Whether it has a path, given by its parts after ``v1``."""
        own = self.address.split("/")
        return len(path) >= len(own) and all(name in ("*", part) for name, part in zip(own, path, strict=False))

    def scopes(self, method: str) -> tuple[str, ...]:
        """The scopes that a method (in capitals) needs here."""
        if self.scope is None:
            return self.also
        right = "read" if self.reads or method == "GET" else "write"
        return (f"{self.scope}:{right}", *self.also)


class Api(Struct, frozen=True):
    """All areas, and the document's paths of what other functions answer under the same address."""

    areas: tuple[Area, ...]
    elsewhere: Callable[[], Mapping[str, Any]]

    def area_of(self, path: str) -> Area | None:
        """The area that has an address, which may have a route there."""
        version, *parts = [part for part in path.split("/") if part] or [""]
        found = [area for area in self.areas if version == "v1" and area.has(parts)]
        return max(found, key=lambda area: [part != "*" for part in area.address.split("/")], default=None)

    def document(self) -> str:
        """The OpenAPI document, generated from the routes and shapes."""
        # Half a second's worth of models, which only the document needs.
        from rebound.platform.http.openapi import write_document  # noqa: PLC0415

        modules = dict.fromkeys(module for area in self.areas for module in area.modules)

        def security(path: str, method: str) -> tuple[Realm, tuple[str, ...]]:
            area = self.area_of(path)
            return (Realm.BUSINESS, ()) if area is None else (area.realm, area.scopes(method))

        return write_document(resolver(self, *modules), self.elsewhere(), security)


class Routes(APIGatewayRestResolver):
    """Some routes, which say which methods a path has."""

    def methods_at(self, path: str) -> list[str]:
        """The methods of the address that has the path: one with fixed words goes before one with ids there."""
        for routes in (self._static_routes, self._dynamic_routes):
            found = [str(route.method) for route in routes if route.rule.match(path)]
            if found:
                return found
        return []


@cache
@roomy
def resolver(api: Api, *modules: str) -> Routes:
    """The routes of some modules, behind validation and idempotency; a request pays for those of its area alone."""
    app = Routes(enable_validation=True)
    install(app)
    app.use(middlewares=[_nothing_ignored, _once])
    for module in modules:
        import_module(module).add_routes(app)

    @app.get("/v1/openapi.json", include_in_schema=False)
    def get_document() -> Response[str]:
        return Response(status_code=HTTPStatus.OK, content_type="application/json", body=_document(api))

    return app


@cache
def _document(api: Api) -> str:
    return api.document()


def path_of(api: Api, event: Mapping[str, Any]) -> str:
    """The path of a request as routes are looked for: its escapes are read once, and an id that is whole has them anew.

    A REST API hands the path over as it was sent. An HTTP API hands it over as it is read, and names the ``version`` of
    its events, which a REST API's have not; so does the embedded AWS. There, a slash at the end of an id that is whole
    belongs to the id; where it can be told from one that is escaped, it changes nothing, as behind every path.

    Source: "Lambda proxy integrations" (REST APIs), "Payload format version" (HTTP APIs). Raises ``MalformedError``.
    """
    path: str = event["path"]
    if "version" not in event:
        try:
            path = unquote(path.rstrip("/"), errors="strict")
        except UnicodeDecodeError:
            raise MalformedError(_NO_TEXT) from None
    if _REPLACED in path:
        raise MalformedError(_NO_TEXT)
    area = api.area_of(path)
    if area is None or not area.whole_id:
        return path
    before, address, whole = path.partition(f"/v1/{area.address}/")
    return path if before else f"{address}{quote(whole, safe='')}"


def respond(api: Api, event: dict[str, Any], context: Any, realm: Realm = Realm.BUSINESS) -> Mapping[str, Any]:
    """Answer one request to the areas of a realm: what may not be asked at all is refused before anything is looked at.

    HEAD is answered as GET, without the body (RFC 9110, 9.3.2). OPTIONS is a method like any other, and no path has
    it: browsers, which ask with it, are not meant to have keys.
    """
    method = event["httpMethod"]
    try:
        _check_realm(event, realm)
        asked = {**event, "path": path_of(api, event), "httpMethod": "GET" if method == "HEAD" else method}
        area = api.area_of(asked["path"])
        if area is not None and area.realm is not realm:
            area = None
        app = resolver(api, *(area.modules if area is not None else ()))
        _check_address(api, app, asked, area)
        _check_scope(asked, area)
        _check_size(asked)
        _check_body(asked)
    except (
        WrongRealmError,
        PathNotFoundError,
        MethodNotAllowedError,
        ForbiddenError,
        TooLargeError,
        MalformedError,
    ) as error:
        refusal = answer_to(error)
        answer: dict[str, Any] = {
            "statusCode": refusal.status_code,
            "headers": {"Content-Type": refusal.content_type, **refusal.headers},
            "body": refusal.body,
            "isBase64Encoded": False,
        }
    else:
        answer = _resolved(app, asked, area, context)
    return {**answer, "body": ""} if method == "HEAD" else answer


def _resolved(app: Routes, event: Mapping[str, Any], area: Area | None, context: Any) -> dict[str, Any]:
    """The answer of a route. A part of a list has fewer items than were asked for when it would be too large."""
    pages = area is not None and area.pages

    def resolve(asked: Mapping[str, Any]) -> dict[str, Any]:
        app.context[_PAGES] = pages
        return app.resolve(dict(asked), context)

    answer = resolve(event)
    if event["httpMethod"] != "GET" and not pages:
        return answer
    given = (event.get("queryStringParameters") or {}).get("limit", "")
    limit = int(given) if given.isdecimal() else MAX_LIMIT
    while limit > 1 and (size := len(answer["body"].encode())) > LARGEST_PAGE:
        limit = max(1, limit * LARGEST_PAGE // size)
        answer = resolve(_with_limit(event, str(limit)))
    return answer


def _with_limit(event: Mapping[str, Any], limit: str) -> Mapping[str, Any]:
    single = event.get("queryStringParameters") or {}
    multiple = event.get("multiValueQueryStringParameters") or {}
    return {
        **event,
        "queryStringParameters": {**single, "limit": limit},
        "multiValueQueryStringParameters": {**multiple, "limit": [limit]},
    }


def _check_realm(event: Mapping[str, Any], realm: Realm) -> None:
    """The authorizer's policy lets a key into its own realm only; this holds also where a gateway thinks otherwise."""
    known = event["requestContext"].get("authorizer")
    # The contract is public, and keys from before there were realms are of businesses.
    if known and known.get("realm", Realm.BUSINESS) != realm:
        raise WrongRealmError


def _check_address(api: Api, app: Routes, event: Mapping[str, Any], area: Area | None) -> None:
    """Whether there is something at the path, and for the method: the document has both, so that neither is secret."""
    path, method = event["path"], event["httpMethod"]
    if _lacks_an_id(path, area):
        raise PathNotFoundError
    here = app.methods_at(path)
    if method in here:
        return
    there = here or _methods_elsewhere(api, path)
    if there and method not in there:
        raise MethodNotAllowedError(sorted({*there, "HEAD"} if "GET" in there else {*there}))
    raise PathNotFoundError


def _lacks_an_id(path: str, area: Area | None) -> bool:
    """Whether an id is longer than any of ours, or one that is whole is missing: its area's name is no id."""
    if area is not None and area.whole_id:
        return path.rstrip("/") == f"/v1/{area.address}"
    return any(len(part) > MAX_ID for part in path.split("/"))


def _methods_elsewhere(api: Api, path: str) -> list[str]:
    """The methods of a path that another function answers; those that it has not got come here."""
    for template, item in api.elsewhere().items():
        if re.fullmatch(re.sub(r"{[^}]+}", "[^/]+", template), path):
            return [name.upper() for name in item]
    return []


def _check_size(event: Mapping[str, Any]) -> None:
    body = event.get("body") or ""
    if len(body) <= MAX_BODY:
        return
    if event["path"].rstrip("/") != "/v1/imports":
        raise TooLargeError(f"The body may have at most {MAX_BODY} bytes.")
    if len(json.dumps(body, ensure_ascii=False).encode(errors="surrogatepass")) > MAX_IMPORT_BODY:
        raise TooLargeError(
            f"The body may have at most {MAX_IMPORT_BODY} bytes, escaped once more as JSON. Leave the content out, and "
            "PUT the file to the upload_url of the answer."
        )


def _check_scope(event: Mapping[str, Any], area: Area | None) -> None:
    scopes = (event["requestContext"].get("authorizer") or {}).get("scopes", "")
    if area is None or (event["httpMethod"] in area.as_customer and AS_CUSTOMER in scopes.split()):
        return
    for needed in area.scopes(event["httpMethod"]):
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
        given = json.loads(text, parse_constant=no_number, object_pairs_hook=_object)
        # A half of a surrogate pair is JSON and no text: it could be neither stored nor answered.
        json.dumps(given, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise MalformedError("The body is not JSON, or not text in UTF-8.") from None
    if not isinstance(given, dict):
        raise MalformedError("The body must be a JSON object.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of a body. Of two fields of one name Python's reader would take the second, and say nothing."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise MalformedError("The body has an object with two fields of the same name.")
    return found


def _nothing_ignored(app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """What a route would not look at is refused, so that a name that is spelled wrongly is never a wish unheard."""
    errors = ignored(app)
    if errors:
        raise InvalidInputError(*errors)
    return next_middleware(app)


def _once(app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """With an ``Idempotency-Key`` a POST is done once; the same request again gets the first answer again for a day."""
    event = app.current_event
    key = event.headers.get(IDEMPOTENCY_HEADER)
    if key is None or event.http_method != "POST" or app.context[_PAGES]:
        return next_middleware(app)
    if not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise MalformedError(f"{IDEMPOTENCY_HEADER} must have 1 to {MAX_KEY} printable characters.")
    # Loaded for who asks for it: reading and a client without keys need none of it.
    from rebound.platform.http.once import do_once  # noqa: PLC0415

    def perform() -> dict[str, Any]:
        response = next_middleware(app)
        answered.append(response)
        again = app.context.get(AGAIN, response)
        body = again.body
        text = body if isinstance(body, str) else json.dumps(body)
        return {"status": again.status_code, "body": text, "content_type": again.content_type}

    answered: list[Response[Any]] = []
    given = json.loads(event.decoded_body or "{}")
    done = do_once(perform, [principal_of(app), event.path, key], given, app.lambda_context)
    if answered:
        return answered[0]
    kind = done.get("content_type", "application/json")
    return Response(status_code=done["status"], content_type=kind, body=done["body"])
