"""The kinds of ids as the OpenAPI document tells them: each is described here, once, and so wherever one is named."""

from collections.abc import Mapping
from typing import Any, Final

type Json = dict[str, Any]

_ULID: Final = {"pattern": "^[0-9A-Z]{26}$"}
_NAME: Final = {"pattern": "^[A-Za-z0-9_-]{1,64}$"}
_YOURS: Final = {"minLength": 1, "maxLength": 128}
IDS: Final[Mapping[str, tuple[str, Mapping[str, str | int]]]] = {
    "appointment_id": ("An appointment, as you call it.", {"pattern": "^[A-Za-z0-9_:-][A-Za-z0-9._:-]{0,127}$"}),
    "business_id": ("A business.", {"pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"}),
    "campaign_id": ("A campaign: a ULID, which sorts by time.", _ULID),
    "class_id": ("A class, as you call it.", _YOURS),
    "customer_id": ("A customer: 32 hexadecimal digits.", {"pattern": "^[0-9a-f]{32}$"}),
    "delivery_id": ("A delivery to a webhook: the id of the event that was posted, a ULID.", _ULID),
    "event_id": ("An event of a customer, as you call it.", {"pattern": "^[A-Za-z0-9._:~-]{1,128}$"}),
    "export_id": ("An export: a ULID.", _ULID),
    "external_id": ("Your own id of a customer.", {"minLength": 1, "maxLength": 128}),
    "import_id": ("An import: a ULID.", _ULID),
    "job_id": ("A job: a ULID.", _ULID),
    "key_id": ("An API key, which is no secret.", {}),
    "location_id": ("A location, as you call it.", _YOURS),
    "membership_id": ("A membership, as you call it.", _YOURS),
    "message_id": ("A message: a ULID, which sorts by time. What came in by text has the provider's id.", {}),
    "order_id": ("An order, as you call it.", _YOURS),
    "package_id": ("A package, as you call it.", _YOURS),
    "parent_id": ("The campaign that this one is a part of: a ULID.", _ULID),
    "product_id": ("A product, as you call it.", _YOURS),
    "recurring_campaign_id": ("A recurring campaign: a ULID.", _ULID),
    "ready_made_id": ("A sequence that is ready to be taken over.", {"pattern": "^[a-z_]{1,64}$"}),
    "relation_id": ("A link between a customer and somebody of their family or friends: a ULID.", _ULID),
    "reply_id": ("A text that came in, by the provider's id.", {}),
    "segment_id": ("A saved segment, as you call it.", _NAME),
    "sequence_id": ("A sequence, as you call it.", _NAME),
    "series_id": ("A recurring class, as you call it.", _YOURS),
    "step_id": ("A step of a sequence, as you call it, or by its place, such as 2 or 3.then.1.", {"minLength": 1}),
    "template_id": ("A template, as you call it.", {"pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"}),
    "waiver_id": ("A waiver, as you call it.", _NAME),
    "webhook_id": ("A webhook, as you call it.", _NAME),
}
"""What each kind is, and keywords of JSON Schema that all ids of the kind keep to. A new kind wants its row."""


def kind_of(name: str) -> str | None:
    """The kind of id that a field or parameter of this name has, one or a list; ``None`` for anything else."""
    one = name.removesuffix("s")
    if not one.endswith("_id"):
        return None
    return next((kind for kind in IDS if one == kind or one.endswith(f"_{kind}")), one)


def describe_id(name: str, field: Json, schema: Json, *, is_answered: bool) -> None:
    """Say which id a field or parameter has, before what is said of this one.

    ``schema`` is its type. Only what ``is_answered``, or looked up, is said to keep to the kind's form: what is asked
    with has the limits that are checked.
    """
    kind = kind_of(name) or ""
    leaf = _leaf(schema)
    if kind not in IDS or leaf is None:
        return
    what, keywords = IDS[kind]
    told = leaf if any("items" in each for each in (schema, *schema.get("anyOf", ()))) else field
    own = told.get("description")
    told["description"] = what if own is None or own == what else f"{what} {own}"
    if is_answered:
        for limit in ("minLength", "maxLength"):
            leaf.pop(limit, None)
        leaf.update(keywords)


def _leaf(schema: Json) -> Json | None:
    """The part of a type that is one id: alone, in a list, or in a choice of one with null or with several of them."""
    options = [option for option in schema.get("anyOf", (schema,)) if option.get("type") != "null"]
    if len(options) == 1:
        options = [one.get("items", {}) if one.get("type") == "array" else one for one in options]
    return next((one for one in options if one.get("type") == "string"), None)
