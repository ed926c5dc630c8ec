"""Values that a schema of the OpenAPI document takes, for the examples of the reference."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

SCHEMAS: Final = "#/components/schemas/"
DEEPEST: Final = 6
"""Objects within objects; what is further in is left empty where it may be."""
TEXTS: Final = (
    "hello",
    "0123456789abcdef0123456789abcdef",
    "01JE6Q5R7S8T9V0W1X2Y3Z4A5B",
    "2026-12-01T09:00:00Z",
    "2026-12-01T09:00:00",
    "2026-12-01",
    "2026-12",
    "09:00",
    "#1a73e8",
    "US",
    "USD",
    "1.5",
    "en",
    "12",
    "https://example.com/path",
    "x",
)
"""The first that a schema takes is what an example has."""
NAMED: Final[Mapping[str, str]] = {
    "address": "amara@example.com",
    "body": "See you soon.",
    "code": "SPRING10",
    "country": "US",
    "currency": "USD",
    "email": "amara@example.com",
    "email_from": "hello@example.com",
    "external_id": "customer-1042",
    "first_name": "Amara",
    "language": "en",
    "last_name": "Osei",
    "mobile_phone": "+14155550101",
    "name": "Salon Elm",
    "owner_email": "owner@example.com",
    "phone": "+14155550101",
    "reply_to": "desk@example.com",
    "subject": "See you soon",
    "text": "See you soon.",
    "confirmed_test_recipients": "owner@example.com",
    "test_recipients": "owner@example.com",
    "text_from": "+14155550100",
    "time_zone": "America/New_York",
    "url": "https://example.com/hook",
    "value": "10",
}
"""What a field of a name has where its schema takes it."""
CONTENT: Final = {"subject": "Hello ##{{first_name}}", "text": "See you soon."}
REQUESTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "addRelation": {"external_id": "customer-1043"},
    "bulkDeleteCustomers": {"tag": "left"},
    "changeBusiness": {"voucher_reward_percent": 15},
    "changeBusinessAsOperator": {"bundles": ["premium"]},
    "changeCustomer": {"email": "amara@example.com"},
    "createCampaign": {"name": "Spring", "category": "marketing", "filter": {"tag": "vip"}, "content": CONTENT},
    "createCustomer": {"email": "amara@example.com", "mobile_phone": "+14155550101"},
    "createKey": {"label": "Till"},
    "createRecurringCampaign": {"name": "Birthdays", "content": CONTENT},
    "listRecipients": {"category": "marketing", "filter": {"tag": "vip"}},
    "postMessage": {"external_id": "customer-1042", "content": CONTENT},
    "previewAudience": {"category": "marketing", "filter": {"tag": "vip"}},
    "putBusiness": {"name": "Salon Elm", "country": "US", "time_zone": "America/New_York"},
    "putCustomerByExternalId": {"first_name": "Amara", "last_name": "Osei", "email": "amara@example.com"},
    "putTemplate": {"content": CONTENT},
    "putSegment": {"name": "Regulars", "filter": {"tag": "vip"}},
}
"""By operation, what its example has besides what it must have, so that somebody could send it as it stands."""
FORMATS: Final = {"date-time": "2026-12-01T09:00:00Z", "date": "2026-12-01", "uri": "https://example.com/path"}


class Examples:
    """Makes an example of any schema; the same each time."""

    def __init__(self, schemas: Mapping[str, Any]) -> None:
        self._schemas = schemas

    def request(self, operation: str, schema: Mapping[str, Any]) -> Any:
        """A body for an operation: what it must have, and what makes sense beside it."""
        value, more = self.of(schema, whole=False), REQUESTS.get(operation)
        if more is None:
            return value
        shape = self._schemas[schema["$ref"].removeprefix(SCHEMAS)]
        return {**{name: each for name, each in value.items() if name in shape.get("required", ())}, **more}

    def of(self, schema: Mapping[str, Any], name: str = "", *, whole: bool, within: tuple[str, ...] = ()) -> Any:
        """A value that a schema takes; with ``whole``, objects have all fields, else those that they must have.

        Raises ``ValueError`` for a schema of which none is known: then ``TEXTS`` wants a row.
        """
        if "examples" in schema:
            return schema["examples"][0]
        if "const" in schema or "enum" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        if "default" in schema and not whole and schema["default"] is not None:
            return schema["default"]
        if "$ref" in schema:
            shape = schema["$ref"].removeprefix(SCHEMAS)
            return self.of(self._schemas[shape], name, whole=whole, within=(*within, shape))
        ways = schema.get("anyOf") or schema.get("oneOf")
        if ways:
            return self._of_ways(ways, name, whole=whole, within=within)
        return self._of_type(schema, name, whole=whole, within=within)

    def _of_type(self, schema: Mapping[str, Any], name: str, *, whole: bool, within: tuple[str, ...]) -> Any:
        match schema.get("type"):
            case "object":
                return self._of_object(schema, whole=whole, within=within)
            case "array":
                wanted = schema.get("minItems", 1)
                item = self._inside(schema.get("items", {}), name, whole=whole, within=within)
                return [item] * wanted if item is not None else []
            case "string":
                return _text(schema, name)
            case "integer" | "number":
                return _number(schema)
            case "boolean":
                return True
            case "null":
                return None
            case None:
                return "…" if not schema.keys() & {"properties", "items"} else {}
        raise ValueError(f"No example of {schema} is known.")

    def _of_ways(self, ways: Sequence[Mapping[str, Any]], name: str, *, whole: bool, within: tuple[str, ...]) -> Any:
        for way in ways:
            if way.get("type") == "null" or self._goes_round(way, within):
                continue
            return self.of(way, name, whole=whole, within=within)
        return None

    def _of_object(self, schema: Mapping[str, Any], *, whole: bool, within: tuple[str, ...]) -> Any:
        fields: Mapping[str, Any] = schema.get("properties", {})
        required = schema.get("required", ())
        if not fields and isinstance(schema.get("additionalProperties"), dict):
            name = self.of({"type": "string", **schema.get("propertyNames", {})}, whole=False)
            value = self._inside(schema["additionalProperties"], "", whole=whole, within=within)
            return {} if value is None else {name: value}
        found = {}
        for name, field in fields.items():
            may_go = not whole or field.get("deprecated", False) or self._goes_round(field, within)
            if may_go and name not in required:
                continue
            found[name] = self._inside(field, name, whole=whole, within=within)
        if not found and fields and not whole:
            # Any may be left out, so that one stands for all.
            name = next((each for each, field in fields.items() if "examples" in field), next(iter(fields)))
            found[name] = self._inside(fields[name], name, whole=whole, within=within)
        return found

    def _inside(self, schema: Mapping[str, Any], name: str, *, whole: bool, within: tuple[str, ...]) -> Any:
        if self._goes_round(schema, within):
            return None
        return self.of(schema, name, whole=whole and len(within) < DEEPEST, within=within)

    def _goes_round(self, schema: Mapping[str, Any], within: tuple[str, ...]) -> bool:
        """Whether a schema leads back to one that is being filled."""
        reference = str(schema.get("$ref", "")).removeprefix(SCHEMAS)
        return bool(reference) and reference in within


def takes(schema: Mapping[str, Any], text: str) -> bool:
    """Whether a schema of a text takes it."""
    fits = schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text))
    return fits and re.search(schema.get("pattern", ""), text) is not None


def _text(schema: Mapping[str, Any], name: str) -> str:
    if schema.get("format") in FORMATS:
        return FORMATS[schema["format"]]
    if name in NAMED and takes(schema, NAMED[name]):
        return NAMED[name]
    try:
        return next(text for text in TEXTS if takes(schema, text))
    except StopIteration:
        raise ValueError(f"No example of {schema} is known.") from None


def _number(schema: Mapping[str, Any]) -> float:
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + ("exclusiveMinimum" in schema))
    wanted: float = max(1, least)
    wanted = min(wanted, schema.get("maximum", wanted))
    return int(wanted) if schema["type"] == "integer" or wanted == int(wanted) else wanted
