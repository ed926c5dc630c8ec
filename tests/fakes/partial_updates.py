"""Every PATCH of the OpenAPI document, and PUT that merges, the fields that it can name, and two values for each."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from rebound.kernel.times import write_time
from rebound.platform.http.openapi import operations

DOCUMENT: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "docs" / "openapi.json").read_text(encoding="utf-8")
)
SCHEMAS: Final[Mapping[str, Any]] = DOCUMENT["components"]["schemas"]
BY_EXTERNAL_ID: Final = "/v1/customers/by-external-id/{external_id}"
PATCHES: Final = {
    path: operation
    for path, method, operation in operations(DOCUMENT)
    if (path, method) == (BY_EXTERNAL_ID, "put") or method == "patch"
}

type Place = tuple[str, ...]
"""A field by its names from the outermost in."""
type Pair = tuple[Any, Any]
"""What a field has, and what it is changed to: as the answer writes them."""

_LATE: Final = {"from": "20:00", "until": "09:00", "categories": ["marketing"]}
_EARLY: Final = {"from": "19:30", "until": "10:15", "categories": ["loyalty"]}
_LATO: Final = {"name": "Lato", "stylesheet": "https://fonts.googleapis.com/css?family=Lato"}
_CAP: Final = {
    "name": "A week",
    "categories": ["marketing"],
    "channel": None,
    "at_most": 3,
    "within_days": 7,
    "per_segment": True,
}


_NOBODY: Final = dict.fromkeys(("birthday", "lost_customer", "segment_id", "filter", "every"))
WHOLE: Final[frozenset[Place]] = frozenset({("audience",)})
"""What is set as a whole, although nothing in it is required."""


def in_days(days: int) -> str:
    return write_time((datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0))


NO_DATES: Final = {"valid_from": None, "valid_until": None}
VALUES: Final[dict[str, Mapping[Place, Pair]]] = {
    "/v1/business": {
        ("name",): ("Salon Juniper", "Juniper & Daughters"),
        ("country",): ("US", "CA"),
        ("time_zone",): ("America/New_York", "America/Chicago"),
        ("owner_email",): ("owner@example.com", "daughter@example.com"),
        ("email_from",): ("hello@salon.example.com", None),
        ("email_from_name",): ("Juniper, front desk", "##{{business_name}}"),
        ("reply_to",): ("desk@example.com", "answers@example.com"),
        ("postal_address",): ("12 High Street, Springfield", "14 High Street, Springfield"),
        ("text_provider",): ("twilio", "sns"),
        ("text_from",): ("+15005550006", None),
        ("text_rate",): (0.5, 0.25),
        ("smart_encoding",): (True, False),
        ("negative_points",): (True, False),
        ("voucher_reward_percent",): (7, 0),
        ("policy",): (
            {"preset": "custom", "counts": {"invalid": 2, "unreachable": 7}},
            {"preset": "strict", "counts": None},
        ),
        ("recovery", "spaced"): (True, False),
        ("recovery", "probe_marketing"): (True, False),
        ("switches", "email"): (False, True),
        ("switches", "sms"): (False, True),
        ("switches", "text_confirmations"): (False, True),
        ("double_opt_in", "email"): (True, False),
        ("double_opt_in", "sms"): (True, False),
        ("frequency_caps",): ([_CAP], [{**_CAP, "channel": "sms", "at_most": 2}]),
        ("loyalty_interval_days",): (3, None),
        ("quiet_hours", "sms"): (_LATE, _EARLY),
        ("quiet_hours", "email"): (_LATE, None),
        ("text_answers", "keywords"): ("twilio", "rebound"),
        ("test_recipients",): (["owner@example.com"], []),
        ("text_answers", "language"): ("de", "fr"),
        ("text_answers", "confirmation_words"): (["JA"], ["OUI", "OK"]),
        ("layout_style", "font"): ("Georgia", "Verdana"),
        ("layout_style", "web_font"): (_LATO, None),
        ("layout_style", "heading_color"): ("#1b5e20", None),
        **{
            ("layout_style", f"{of}_color"): ("#1b5e20", "#0d3d11")
            for of in ("text", "link", "button", "button_text", "content", "background")
        },
        ("layout_style", "corner_radius"): (0, 30),
        ("message_events",): (["MessageFailed"], ["MessageDelivered", "MessageExcluded"]),
        ("booking_block_message",): ("Please call us to book.", None),
    },
    "/v1/customers/{customer_id}": {
        ("external_id",): ("crm-1", "crm-1"),
        ("first_name",): ("Ana", "Anna"),
        ("last_name",): ("Silva", "Silveira"),
        ("email",): ("ana@example.com", "anna@example.com"),
        ("mobile_phone",): ("+14155550123", "+14155550124"),
        ("day_phone",): ("+14155550125", None),
        ("night_phone",): ("+14155550126", "+14155550127"),
        ("gender",): ("f", None),
        ("birthday",): ("1990-02-28", "1990-03-01"),
        ("customer_since",): ("2020-01-01", None),
        ("general_tags",): (["vip", "new"], []),
        ("time_zone",): ("Europe/Lisbon", "Europe/Madrid"),
        ("language",): ("pt", "es"),
        ("address", "street"): ("1 High Street", None),
        ("address", "city"): ("Springfield", "Shelbyville"),
        ("address", "region"): ("OR", "WA"),
        ("address", "postal_code"): ("97477", "98001"),
        ("address", "country"): ("USA", None),
        ("referred_by",): ("Bea", None),
        ("reminders", "email"): (False, True),
        ("reminders", "sms"): (False, True),
        ("reminders", "push"): (True, False),
        ("online_booking",): ("block", "require_acceptance"),
        ("cc",): (["bea@example.com"], []),
    },
    "/v1/campaigns/{campaign_id}": {
        ("name",): ("Autumn offer", "Winter offer"),
        ("category",): ("marketing", "loyalty"),
        ("content",): (
            {"subject": "Hello ##{{first_name}}", "html": "<p>Hi</p>", "text": None},
            {"subject": "Hello", "html": None, "text": "Hi ##{{first_name}}"},
        ),
        # In place of content, of which nothing would be left.
        ("contents",): (None, None),
        ("template_id",): (None, None),
        ("variables",): (None, None),
        ("email_content",): (None, None),
        ("variants",): (None, None),
        ("holdout",): (12.5, 0),
        ("goal",): ({"kind": "visit", "within_days": 7}, {"kind": "purchase", "within_days": 90}),
        # Needs variants.
        ("winner",): (None, None),
        ("segment_id",): (None, None),
        ("filter",): ({"tag": "vip"}, {"all": []}),
        ("customer_ids",): (None, None),
        ("external_ids",): (None, None),
        ("exclude_failed",): (False, True),
        ("include_customer_ids",): (["0123456789abcdef" * 2], []),
        ("include_external_ids",): (["crm/1"], ["crm/2", "crm/3"]),
        ("exclude_customer_ids",): (["fedcba9876543210" * 2], []),
        ("exclude_external_ids",): (["crm/7"], ["crm/8", "crm/9"]),
        ("voucher",): (
            {**NO_DATES, "kind": "percent", "value": "10", "currency": None, "valid_days": 14},
            {**NO_DATES, "kind": "amount", "value": "5.00", "currency": "EUR", "valid_days": 7},
        ),
        ("send_at",): (in_days(30), in_days(31)),
        ("local",): (False, False),
        ("expires_at",): (in_days(40), None),
    },
    "/v1/recurring-campaigns/{recurring_campaign_id}": {
        ("name",): ("Birthdays", "Every month"),
        ("category",): ("marketing", "loyalty"),
        ("content",): (
            {"subject": "Hello ##{{first_name}}", "html": "<p>Hi</p>", "text": None},
            {"subject": "Hello", "html": None, "text": "Hi ##{{first_name}}"},
        ),
        # In place of content, of which nothing would be left.
        ("template_id",): (None, None),
        ("variables",): (None, None),
        ("email_content",): (None, None),
        ("audience",): (
            {**_NOBODY, "birthday": {"days_before": 3}},
            {**_NOBODY, "filter": {"tag": "vip"}, "every": {"weekday": None, "day_of_month": 31}},
        ),
        ("at",): ("09:30", "18:00"),
        ("local",): (True, False),
        ("exclude_failed",): (False, True),
        ("catch_up_hours",): (48, 24),
        ("backlog",): (True, False),
        ("status",): ("on", "off"),
        ("voucher",): (
            {**NO_DATES, "kind": "percent", "value": "10", "currency": None, "valid_days": 14},
            {**NO_DATES, "kind": "free_minutes", "value": "30", "currency": None, "valid_days": 7},
        ),
    },
    "/v1/sequences/{sequence_id}": {
        ("status",): ("on", "off"),
        ("late",): ("go_on", "lapse"),
    },
    "/v1/messages/{message_id}": {
        ("content",): (
            {"subject": "Hello ##{{first_name}}", "html": "<p>Hi</p>", "text": None},
            {"subject": "Hello", "html": None, "text": "Hi ##{{first_name}}"},
        ),
        # In place of content, of which nothing would be left.
        ("template_id",): (None, None),
        ("variables",): (None, None),
        ("email_content",): (None, None),
        ("send_at",): (in_days(30), in_days(31)),
        ("local",): (False, False),
        ("expires_at",): (in_days(40), None),
    },
    "/v1/templates/{template_id}": {
        ("name",): ("Welcome", "Welcome back"),
        ("event",): (None, None),
        ("category",): ("transactional", "reminder"),
        ("variables",): (
            {"room": {"type": "text", "required": True, "default": None, "example": "Hall", "texts": None}},
            {"room": {"type": "number", "required": False, "default": "3", "example": "4", "texts": None}},
        ),
        ("content",): (None, None),
        ("contents",): (
            {"de": {"subject": "Hallo", "html": "<p>Hi</p>", "text": None}},
            {"de": {"subject": "Hallo ##{{first_name}}", "html": None, "text": "##{{room}}"}},
        ),
        ("layout",): (None, None),
        ("email_content",): (None, None),
        ("status",): ("published", "published"),
    },
}
"""A new field of such a request wants its row, and a new PATCH its rows."""
BECOMES_ANOTHER: Final = {
    path: {("layout",)}
    for path in (
        "/v1/campaigns/{campaign_id}",
        "/v1/messages/{message_id}",
        "/v1/recurring-campaigns/{recurring_campaign_id}",
    )
}
"""Fields of a request that no answer has, because what they say is kept as something else."""
VALUES[BY_EXTERNAL_ID] = {
    **VALUES["/v1/customers/{customer_id}"],
    ("external_id",): ("crm/1 %", "crm/1 %"),
}
VALUES["/v1/operator/businesses/{business_id}"] = {
    **VALUES["/v1/business"],
    ("bundles",): (["marketing"], ["marketing", "premium"]),
    # Each sender has one business; that the operator grants them is tried elsewhere.
    ("email_from",): (None, None),
    ("text_from",): (None, None),
    # Above what its kind allows at least, as only the operator may; it is lost with the provider.
    ("text_rate",): (50.0, 25.0),
    ("text_provider",): ("twilio", "twilio"),
}
MADE_WITH: Final[Mapping[str, Mapping[str, Any]]] = {
    "/v1/campaigns/{campaign_id}": {"channel": "email", "status": "draft"},
    "/v1/messages/{message_id}": {"external_id": "crm-2", "channel": "email", "category": "reminder"},
    "/v1/templates/{template_id}": {"channel": "email"},
    "/v1/recurring-campaigns/{recurring_campaign_id}": {"channel": "email"},
    "/v1/sequences/{sequence_id}": {"name": "Welcome", "trigger": {"kind": "visit"}, "steps": []},
}
"""What else the POST of such a thing needs."""
NAMED: Final[Mapping[str, Mapping[str, str]]] = {
    "/v1/templates/{template_id}": {"template_id": "welcome"},
    "/v1/sequences/{sequence_id}": {"sequence_id": "welcome"},
}
"""What the client names a thing that it makes by PUT."""
MADE_AFTER: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "/v1/messages/{message_id}": (
        "/v1/customers/by-external-id/crm-2",
        {"first_name": "Ben", "last_name": "Costa", "email": "ben@example.com"},
    ),
}
"""What is PUT before such a thing is made: its path and body."""


def method_of(path: str) -> str:
    """How the thing at the path is changed."""
    return "PUT" if path == BY_EXTERNAL_ID else "PATCH"


def address_of(path: str, ids: Mapping[str, Any]) -> str:
    """The path with ids in it, escaped as clients do."""
    return re.sub("{([a-z_]+)}", lambda name: quote(str(ids[name[1]]), safe=""), path)


def places(path: str) -> set[Place]:
    """The fields that a PATCH can name, by the document: of a group, in which nothing is required, each option.

    Names from before are no fields of their own: what they change has another one.
    """
    schema = PATCHES[path]["requestBody"]["content"]["application/json"]["schema"]
    return set(_places(SCHEMAS[name_of(schema)])) - BECOMES_ANOTHER.get(path, set())


def name_of(schema: Mapping[str, Any]) -> str:
    """The name of the shape that a schema refers to, ``""`` when it refers to none."""
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _places(schema: Mapping[str, Any], above: Place = ()) -> Iterator[Place]:
    for name, field in schema["properties"].items():
        if field.get("deprecated"):
            continue
        group = _group(field)
        if group is not None and (*above, name) not in WHOLE:
            yield from _places(group, (*above, name))
        else:
            yield (*above, name)


def _group(field: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The shape of a group of options, of which the document may say that it may be null as well."""
    shapes = (SCHEMAS.get(name_of(each), each) for each in (field, *field.get("anyOf", ())))
    return next((each for each in shapes if each.get("properties") and not each.get("required")), None)


def request_of(values: Mapping[Place, Any]) -> dict[str, Any]:
    """The request that names these fields."""
    request: dict[str, Any] = {}
    for (*above, name), value in values.items():
        group = request
        for each in above:
            group = group.setdefault(each, {})
        group[name] = value
    return request


def found_in(answer: Mapping[str, Any], path: str) -> dict[Place, Any]:
    """What an answer says of the fields."""
    found: dict[Place, Any] = {}
    for place in VALUES[path]:
        value: Any = answer
        for name in place:
            value = value[name]
        found[place] = value
    return found
