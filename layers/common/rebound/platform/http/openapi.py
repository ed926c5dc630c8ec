"""The OpenAPI document. Printed by ``python -m rebound.api``, kept at docs/openapi.json.

Routes and shapes say what is true of one operation; what is true of all of them is said here, once. Loaded only for
the document.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer

from rebound.kernel.api_scopes import Realm
from rebound.platform.http.documented_ids import describe_id

VERSION: Final = "1.0.0"
DESCRIPTION: Final = (
    "Campaigns out over email and text, receipts back, contact details kept honest. Times are RFC 3339 in UTC, phone "
    "numbers E.164. Errors are problem details (RFC 9457): code says which, retryable whether to send it again. Fields "
    "and parameters that are not named here are refused, and a method that an address does not have is 405, with those "
    "that it has in Allow. POST takes an Idempotency-Key: the same key and body gives the first answer again for a "
    "day, the same key with another body 409. Lists take limit and cursor. What a PATCH leaves out keeps its value, at "
    "every depth. The scopes that an operation needs stand in its security. Answers may get further fields, and a "
    "reason or status further values; a client ignores those that it does not know."
)
SERVERS: Final = [
    {
        "url": "https://{api_id}.execute-api.{region}.amazonaws.com/{stage}",
        "description": "A stack on AWS: its output ApiUrl.",
        "variables": {
            "api_id": {"default": "api-id", "description": "The stack's output ApiId."},
            "region": {"default": "us-east-1"},
            "stage": {"default": "live"},
        },
    },
    {
        "url": "{api_url}",
        "description": "Any other address: a domain of one's own, or what `make env` prints as API_URL.",
        "variables": {"api_url": {"default": "http://127.0.0.1", "description": "What stands before /v1."}},
    },
]
METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
MAX_ID: Final = 128
KEYS: Final = {Realm.BUSINESS: "key", Realm.OPERATOR: "operator_key"}
"""What the document calls the key of each realm."""
_SCHEMAS: Final = "#/components/schemas/"
_IDEMPOTENCY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body gives the first answer again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}

type Json = dict[str, Any]


def write_document(
    app: APIGatewayRestResolver,
    elsewhere: Mapping[str, Any],
    needed: Callable[[str, str], tuple[Realm, tuple[str, ...]]],
) -> str:
    """The document as JSON, with sorted keys so that it can be compared.

    ``elsewhere`` are paths that others answer; ``needed`` says whose key with which scopes a method (in capitals) of
    a path asks for. Raises ``ValueError`` when two operations have the same name.
    """
    for route in (*app._static_routes, *app._dynamic_routes):  # noqa: SLF001 - there is no other way to them
        route.operation_id = camel_case(route.func.__name__)
    written = app.get_openapi_json_schema(
        title="Rebound",
        version=VERSION,
        description=DESCRIPTION,
        security_schemes={
            KEYS[Realm.BUSINESS]: HTTPBearer(scheme="bearer", description="An API key of the business."),
            KEYS[Realm.OPERATOR]: HTTPBearer(scheme="bearer", description="A key of whoever runs Rebound."),
        },
        security=[{"key": []}],
    )
    document: Json = json.loads(written)
    document["servers"] = SERVERS
    for path, method, operation in operations(document):
        realm, scopes = needed(path, method.upper())
        operation.setdefault("security", [{KEYS[realm]: list(scopes)}])
        if method == "post":
            operation.setdefault("parameters", []).append(_IDEMPOTENCY)
        for parameter in operation.get("parameters", ()):
            _tell_plainly(parameter)
            describe_id(parameter["name"], parameter, parameter["schema"], is_answered=parameter["in"] == "path")
        # Powertools takes every answer for JSON.
        operation["responses"].get("204", {}).pop("content", None)
    pages = json.loads(json.dumps(elsewhere))
    for _, _, operation in operations({"paths": pages}):
        operation["operationId"] = camel_case(operation["operationId"])
    document["paths"].update(pages)
    names = [operation["operationId"] for _, _, operation in operations(document)]
    if len(set(names)) < len(names):
        raise ValueError(f"Operations share a name: {sorted(name for name in names if names.count(name) > 1)}")
    document = _merge_directions(document)
    _describe_ids(document)
    _leave_out_defaults(document)
    for schema in document["components"]["schemas"].values():
        _leave_out_titles(schema)
    _leave_out_unused(document)
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def camel_case(name: str) -> str:
    """``list_campaigns`` as ``listCampaigns``."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Every operation with its path and its method, in small letters."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _tell_plainly(parameter: Json) -> None:
    """A parameter that is left out is not null, and there are no ids longer than ``MAX_ID``."""
    schema = parameter["schema"]
    if parameter["in"] == "path" and not {"enum", "pattern"} & schema.keys():
        schema.setdefault("maxLength", MAX_ID)
        schema.setdefault("minLength", 1)
    kinds = [kind for kind in schema.pop("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        schema.update(kinds[0])
    elif kinds:
        schema["anyOf"] = kinds
    schema.pop("title", None)
    schema.pop("description", None)


def _merge_directions(document: Json) -> Json:
    """Powertools tells apart what a shape is in requests and in answers, also where it is the same."""
    schemas = document["components"]["schemas"]
    same = {name.removesuffix("-Input") for name in schemas if name.endswith("-Input")}

    def merged(node: Any) -> str:
        text = json.dumps(node)
        for name in same:
            text = text.replace(f'{_SCHEMAS}{name}-Input"', f'{_SCHEMAS}{name}"')
            text = text.replace(f'{_SCHEMAS}{name}-Output"', f'{_SCHEMAS}{name}"')
        return text

    while differs := {n for n in same if merged(schemas[f"{n}-Input"]) != merged(schemas[f"{n}-Output"])}:
        same -= differs
    for name in same:
        schemas[name] = schemas.pop(f"{name}-Input")
        del schemas[f"{name}-Output"]
    whole: Json = json.loads(merged(document))
    return whole


def _leave_out_defaults(document: Json) -> None:
    """A client that fills in defaults would set what its user did not name: partial updates have none, at any depth."""
    schemas = document["components"]["schemas"]
    bodies = [operation["requestBody"] for _, method, operation in operations(document) if method == "patch"]
    for node in (*bodies, *(schemas[name] for name in _reached(document, bodies))):
        _without_defaults(node)


def _without_defaults(node: Any) -> None:
    if isinstance(node, list):
        for each in node:
            _without_defaults(each)
    elif isinstance(node, dict):
        for field in node.get("properties", {}).values():
            field.pop("default", None)
        for each in node.values():
            _without_defaults(each)


def _reached(document: Json, nodes: list[Any]) -> list[str]:
    """The names of all shapes that are referred to, directly or by another one."""
    schemas = document["components"]["schemas"]
    met: list[str] = []
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            name = str(node.get("$ref", "")).removeprefix(_SCHEMAS)
            if name and name not in met:
                met.append(name)
                waiting.append(schemas[name])
            waiting += node.values()
    return met


def _describe_ids(document: Json) -> None:
    """What has an id says which; answers keep to the form of their kind."""
    schemas = document["components"]["schemas"]
    asked = set(
        _reached(document, [each["requestBody"] for _, _, each in operations(document) if "requestBody" in each])
    )
    for shape, schema in schemas.items():
        for name, field in schema.get("properties", {}).items():
            describe_id(name, field, field, is_answered=shape not in asked)


def _leave_out_titles(node: Any) -> None:
    """Pydantic's titles only repeat the names of fields; the name of a component stays."""
    if isinstance(node, list):
        for each in node:
            _leave_out_titles(each)
    elif isinstance(node, dict):
        for field in node.get("properties", {}).values():
            if isinstance(field.get("title"), str):
                del field["title"]
        for each in node.values():
            _leave_out_titles(each)


def _leave_out_unused(document: Json) -> None:
    """Powertools describes its own answer to wrong values, which nobody gives."""
    schemas = document["components"]["schemas"]

    def unused() -> list[str]:
        text = json.dumps(document)
        return [name for name in schemas if f'"{_SCHEMAS}{name}"' not in text]

    while names := unused():
        for name in names:
            del schemas[name]
