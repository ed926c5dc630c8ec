"""The OpenAPI file: what the code writes, valid, and such that clients made of it do what their users say."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from rebound.api.areas import API
from rebound.platform.http.documented_ids import IDS, kind_of
from rebound.platform.http.openapi import camel_case, operations

FILE: Final = Path(__file__).parents[3] / "docs" / "openapi.json"
DOCUMENT: Final[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
SCHEMAS: Final[Mapping[str, Any]] = DOCUMENT["components"]["schemas"]
OPERATIONS: Final = list(operations(DOCUMENT))
OF_THE_API: Final = [each for each in OPERATIONS if each[2]["security"]]
"""Those that ask for a key."""
A_TIME: Final = re.compile(r"(.*_)?(at|since|until)")
NO_TIMES: Final = {
    "customer_since",  # a day
    "looked_at",  # what was looked at
    "QuietWindowRequest.until",  # what a clock shows
    "QuietWindowAnswer.until",
    "NewRecurringCampaignRequest.at",
    "RecurringCampaignChangeRequest.at",
    "ListedRecurringCampaignAnswer.at",
    "RecurringCampaignAnswer.at",
    "ActivityEventAnswer.until",  # a day
    "MembershipAnswer.until",
}


WHOSE: Final = {"AudienceShape.birthday", "FilterBirthday.birthday"}
"""Whom a birthday campaign, or a filter, is for."""


def reached(node: Any, path: str = "", met: frozenset[str] = frozenset()) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of a schema with its place, through references."""
    if isinstance(node, list):
        for number, each in enumerate(node):
            yield from reached(each, f"{path}/{number}", met)
    elif isinstance(node, dict):
        yield path, node
        name = str(node.get("$ref", "")).rpartition("/")[2]
        if name and name not in met:
            yield from reached(SCHEMAS[name], f"{path}/{name}", met | {name})
        for key, each in node.items():
            yield from reached(each, f"{path}/{key}", met)


def fields() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of every shape."""
    for name, schema in SCHEMAS.items():
        for field, described in schema.get("properties", {}).items():
            yield f"{name}.{field}", described


def test_the_file_is_what_the_code_writes() -> None:
    assert FILE.read_text(encoding="utf-8") == API.document(), "run `make openapi`"


def test_it_is_valid() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_no_partial_update_has_defaults() -> None:
    patches = [(path, operation) for path, method, operation in OPERATIONS if method == "patch"]
    assert len(patches) >= 2
    filled_in = [
        f"{path}: {place}"
        for path, operation in patches
        for place, node in reached(operation["requestBody"])
        # Not a field of that name.
        if "default" in node and not place.endswith("/properties")
    ]
    assert filled_in == [], "a client that fills them in would set what its user did not name"


def test_operations_are_called_like_their_routes_each_by_a_name_of_its_own() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name)] == []
    assert {"createCustomer", "listCampaigns", "changeBusiness", "receiveTwilioText"} <= set(names)
    assert camel_case("list_campaigns") == "listCampaigns"


def test_two_operations_of_one_name_are_refused() -> None:
    twice = {"/v1/elsewhere": {"get": {"operationId": "list_campaigns", "responses": {}}}}
    with pytest.raises(ValueError, match="listCampaigns"):
        type(API)(API.areas, lambda: twice).document()


def test_times_are_date_times() -> None:
    times = [
        (name, json.dumps(described))
        for name, described in fields()
        if A_TIME.fullmatch(name.partition(".")[2]) and not NO_TIMES & {name, name.partition(".")[2]}
    ]
    assert len(times) > 50
    assert [name for name, described in times if '"date-time"' not in described] == []
    days = [
        described
        for name, described in fields()
        if name.endswith((".birthday", ".customer_since")) and name not in WHOSE
    ]
    assert all('"date"' in json.dumps(described) for described in days)


def test_closed_sets_are_enums() -> None:
    closed = (".status", ".channel", ".category", ".format", ".kind", ".scope", ".language", ".provider", ".decision")
    loose = [
        name
        for name, described in fields()
        # A layout is written in any language.
        if name.endswith(closed) and name not in {"Problem.status", "Layout.language"}
        if not any("enum" in node or "const" in node for _, node in reached(described))
    ]
    assert loose == []


def _is_closed(items: dict[str, Any]) -> bool:
    return any("enum" in node for _, node in reached(items))


LIMITS: Final = {"enum", "const", "format", "pattern", "maxLength"}
AS_LARGE_AS_THE_BODY: Final = ("NewImportRequest/properties/content", "NewImportRequest/properties/columns")


def test_every_list_and_text_of_a_request_has_its_limit() -> None:
    unlimited = [
        place
        for path, method, operation in OF_THE_API
        for place, node in reached(operation.get("requestBody", {}), f"{method} {path}")
        if (node.get("type") == "array" and "maxItems" not in node and not _is_closed(node["items"]))
        or (node.get("type") == "string" and not LIMITS & node.keys())
        if not any(part in place for part in AS_LARGE_AS_THE_BODY)
    ]
    assert unlimited == []


def test_each_operation_says_what_a_key_needs_and_what_a_refusal_for_haste_brings() -> None:
    for path, method, operation in OF_THE_API:
        key = "operator_key" if path.startswith("/v1/operator/") else "key"
        assert all(scope.count(":") == 1 for way in operation["security"] for scope in way[key]), (method, path)
        assert any(way[key] for way in operation["security"]), (method, path)
        assert operation["responses"]["429"]["headers"]["Retry-After"]["schema"]["type"] == "integer"


def test_servers_can_be_filled_in() -> None:
    for server in DOCUMENT["servers"]:
        assert set(re.findall(r"{(\w+)}", server["url"])) == set(server["variables"])


def ids() -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Every field and parameter with an id: its place, its kind, and what has its description and its type."""
    for place, field in fields():
        kind = kind_of(place.rpartition(".")[2])
        if kind is not None:
            yield place, kind, field, field
    for path, method, operation in OPERATIONS:
        for parameter in operation.get("parameters", ()):
            kind = kind_of(parameter["name"])
            if kind is not None:
                yield f"{method} {path} {parameter['name']}", kind, parameter, parameter["schema"]


def test_each_kind_of_id_is_described_once_and_so_wherever_it_is_named() -> None:
    for place, kind, told, schema in ids():
        assert kind in IDS, f"{place}: a new kind of id wants its row in platform/http/documented_ids.py"
        what, keywords = IDS[kind]
        # Several where it may be one, a list of them, or any of a list.
        texts = [each for _, each in reached(schema) if each.get("type") == "string"]
        assert any(str(each.get("description")).startswith(what) for each in (told, *texts)), place
        # What is asked with has the limits that are checked, or none.
        for one in texts:
            own = {name: one[name] for name in ("pattern", "minLength", "maxLength") if name in one}
            assert own.get("pattern", keywords.get("pattern")) == keywords.get("pattern"), place
            assert own == keywords or is_asked(place), place


def is_asked(place: str) -> bool:
    """Whether it is a parameter of a query, or a field of a shape that requests have."""
    shape = place.partition(".")[0]
    bodies = [operation["requestBody"] for _, _, operation in OPERATIONS if "requestBody" in operation]
    return " " in place or any(path.endswith(f"/{shape}") for path, _ in reached(bodies))
