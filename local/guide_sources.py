"""What the tables of the guide say of filters, files, the twin, limits, lists and repeated requests, from the code."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import cache
from typing import Any, Final

from local.twin import outcomes as twin
from rebound.api.areas import API, AREAS
from rebound.businesses.application.timing import FARTHEST_EXPIRY, FARTHEST_SCHEDULE
from rebound.businesses.domain.frequency import HIGHEST_CAP, LONGEST_WITHIN_DAYS, MOST_CAPS
from rebound.contacts.domain.contacts import MAX_CUSTOMERS_PER_CONTACT
from rebound.customers.application.profile_checks import MAX_TAG, MAX_TAGS
from rebound.customers.domain import (
    COMPARED_FIELDS,
    COUNTED_FIELDS,
    MOST_RECIPIENTS,
    PROFILE,
    REQUIRED_FIELDS,
    Kind,
    ProfileField,
)
from rebound.imports_exports.application.customer_files import CONSENT_COLUMNS, FLAG_COLUMNS, ID_COLUMN
from rebound.imports_exports.application.file_lines import MAX_LINE
from rebound.imports_exports.application.start_import import FILES_KEPT, MAX_COLUMNS, MAX_ERRORS
from rebound.kernel.channels import MAX_EMAIL
from rebound.kernel.languages import LANGUAGES
from rebound.kernel.problem_codes import PROBLEMS
from rebound.platform.http.app import LARGEST_PAGE, MAX_BODY, MAX_ID, MAX_IMPORT_BODY, MAX_KEY
from rebound.platform.http.once import DAY_SECONDS
from rebound.platform.http.openapi import operations
from rebound.platform.http.routes import DEFAULT_LIMIT, MAX_LIMIT
from rebound.platform.http.shapes import MAX_CUSTOMER_IDS, MAX_EXTERNAL_ID
from rebound.segments.application.find_customers import LONGEST_COUNT
from rebound.segments.domain.filters import MAX_DEPTH, MAX_NODES, MAX_PINNED_BYTES
from rebound.segments.domain.leaves import MAX_DAYS
from rebound.segments.domain.segments import MAX_ORDERED
from rebound.segments.http.customer_filters import MAX_IN_ADDRESS
from rebound.segments.http.filters import MAX_FILTER_BYTES
from rebound.templates.application.make_version import MOST_BYTES as MOST_OF_A_VERSION
from rebound.templates.application.render_layout import MOST_BYTES
from rebound.templates.application.written_parts import MAX_GIVEN_SUBJECT, MAX_PART_BYTES
from rebound.templates.domain.content import MAX_TEXT_CHARACTERS
from rebound.templates.domain.layout import MAX_BLOCKS
from rebound.templates.domain.rendering import MAX_EMAIL_CHARACTERS
from rebound.templates.domain.sendable import MANY_BYTES, MAX_SUBJECT
from rebound.templates.domain.variables import MOST_VARIABLES
from rebound.webhooks.adapters.dynamo_webhooks import KEPT
from rebound.webhooks.adapters.pinned_http import TOTAL_SECONDS
from rebound.webhooks.domain.places import MAX_URL
from rebound.webhooks.domain.webhooks import MOST_WEBHOOKS

FEW: Final = 6
"""The most values of a closed set that stand in a table."""


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(API.document())
    return document


def _shape(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a schema refers to, or itself."""
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    found: Mapping[str, Any] = _document()["components"]["schemas"][name] if name else schema
    return found


def table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown."""
    heads = list(heading)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|---", "|---") for cells in lines)


# --- filters ----------------------------------------------------------------------------------------------------------


def conditions() -> str:
    """Every condition of the filter language, in its order, as the document has it."""
    shapes = [_shape(each) for each in _document()["components"]["schemas"]["Filter"]["anyOf"]]
    return table(("condition", "whom it matches"), ((f"`{_form(shape)}`", _said(shape)) for shape in shapes))


def _said(shape: Mapping[str, Any]) -> str:
    return str(shape["description"]).replace("\n", " ").replace("|", "\\|")


def _form(shape: Mapping[str, Any]) -> str:
    named_first = sorted(shape["properties"].items(), key=lambda item: item[0] != "field")
    fields = (f'"{name}": {_value(schema)}' for name, schema in named_first)
    return f"{{{', '.join(fields)}}}"


def _value(schema: Mapping[str, Any]) -> str:
    """What may stand there: a closed set that is small by its values, anything else by what it is called."""
    if str(schema.get("$ref", "")).endswith("/Filter"):
        return "condition"
    shape = _shape(schema)
    if "anyOf" in shape:
        return " or ".join(_value(each) for each in shape["anyOf"])
    if "enum" in shape:
        values = [json.dumps(each) for each in shape["enum"]]
        return " or ".join(values) if len(values) <= FEW else "one of the names below"
    if shape.get("type") == "object":
        return _form(shape)
    if shape.get("type") == "array":
        return f"[{_value(shape['items'])}, …]"
    return {"boolean": "true or false", "string": "text", "integer": "number", "number": "number", "null": "null"}[
        shape["type"]
    ]


COMPARED: Final[Mapping[Kind, str]] = {
    Kind.TEXT: "whole, without regard to case, accents and the shapes of quotes and spaces",
    Kind.EMAIL: "whole, without regard to case",
    Kind.PHONE: "by its digits, however they are written",
    Kind.DATE: "as `YYYY-MM-DD`",
    Kind.TIME_ZONE: "by its IANA name",
    Kind.LANGUAGE: f"as {', '.join(f'`{each}`' for each in LANGUAGES)}",
    Kind.SWITCH: "`true` or `false`",
    Kind.CHOICE: "as {choices}",
    Kind.RECIPIENTS: "one of them, whole: an email address, or a customer's id as Rebound gave it",
}
"""How a filter compares each kind of field that has one value."""


def filter_fields() -> str:
    """The fields that ``field`` can name."""
    fields = ((name, row) for name, row in PROFILE.items() if name in COMPARED_FIELDS)
    compared = [(f"`{name}`", COMPARED[row.kind].format(choices=_choices(row))) for name, row in fields]
    compared += [(f"`{name}`", "as a whole number") for name in COUNTED_FIELDS]
    return table(("field", "how it is compared"), compared)


# --- files ------------------------------------------------------------------------------------------------------------


HOLDS: Final[Mapping[Kind, str]] = {
    Kind.TEXT: "one line, up to {length} characters",
    Kind.EMAIL: "an email address",
    Kind.PHONE: "a phone number; without a country code, one of the business's country",
    Kind.DATE: "a day: `YYYY-MM-DD`, or as `date_format` says",
    Kind.TIME_ZONE: "an IANA time zone, such as `Europe/Lisbon`",
    Kind.LANGUAGE: f"{', '.join(f'`{each}`' for each in LANGUAGES)}, also with a region (`pt-BR`)",
    Kind.SWITCH: "yes or no, as `true`, `yes`, `1`, `x`, or `false`, `no`, `0`, and in the languages of the pages",
    Kind.CHOICE: "{choices}",
    Kind.RECIPIENTS: f"up to {MOST_RECIPIENTS} email addresses and ids of customers, separated by `;` or `,`",
    Kind.TAGS: f"tags, separated by `;` or `,`: up to {MAX_TAGS} of up to {MAX_TAG} characters",
}
"""What a column of each kind of field holds."""


def import_columns() -> str:
    """The columns that an import reads, and those that it skips."""
    rows = [(f"`{name}`", _held(row), _of(name, row)) for name, row in PROFILE.items()]
    known = ((f"`{ID_COLUMN}`", "32 hexadecimal digits, as Rebound gave them", "names a customer that there is"),)
    consent = (
        (f"`{name}`", "a time, RFC 3339", "since when; without it, from now")
        if name.endswith("_at")
        else (
            f"`{name}`",
            "scopes (`all`, `marketing`, `loyalty`, `transactional`), or yes and no",
            "empty opts nobody in",
        )
        for name in CONSENT_COLUMNS
    )
    flags = ", ".join(f"`{name}`" for name in FLAG_COLUMNS)
    skipped = (flags, "the flags in an exported file", "skipped: no import changes a flag")
    return table(("column", "what it holds", ""), (*known, *rows, *consent, skipped))


def _held(row: ProfileField) -> str:
    return HOLDS[row.kind].format(length=row.max_length, choices=_choices(row))


def _choices(row: ProfileField) -> str:
    return ", ".join(f"`{each}`" for each in row.choices)


def _of(name: str, row: ProfileField) -> str:
    if name in REQUIRED_FIELDS:
        return "required"
    return "" if row.description is None or row.kind in (Kind.TIME_ZONE, Kind.LANGUAGE) else row.description


# --- the twin ---------------------------------------------------------------------------------------------------------


_TOLD: Final[Mapping[str, str]] = {
    "Permanent/NoEmail": "no such mailbox",
    "Permanent/General": "for good",
    "Permanent/OnAccountSuppressionList": "not tried: on the account's suppression list",
    "Transient/MailboxFull": "mailbox full",
    "Transient/General": "for now",
    "Transient/ContentRejected": "its content",
    "Undetermined/Undetermined": "nobody knows why",
}


def twin_emails() -> str:
    """What the twin does with an email, by its address: tried on it, twice each."""
    rows = [("anything else", _email("anybody@example.com"))]
    for domain, names in ((twin.SIMULATOR_DOMAIN, twin.SIMULATOR_NAMES), (twin.TWIN_DOMAIN, twin.TWIN_NAMES)):
        rows += [(f"`{name}+x@{domain}`", _email(f"{name}+x@{domain}")) for name in names]
    return table(("email address", "what happens"), rows)


def _email(address: str) -> str:
    if not twin.remembers(address):
        return _each(twin.plan_email(address).outcomes)
    first = twin.plan_email(address)
    later = twin.plan_email(address, attempts=1, accepted=0 if first.throttled else 1)
    if first.throttled:
        return f"the first attempt: throttled; the next one: {_each(later.outcomes)}"
    if first.held:
        return (
            f"the first message: {_each(first.held)}, told after that of the next; later ones: {_each(later.outcomes)}"
        )
    return f"the first message: {_each(first.outcomes)}; later ones: {_each(later.outcomes)}"


def _each(outcomes: Iterable[twin.EmailOutcome]) -> str:
    return ", then ".join(
        each.event_type if each.bounce is None else f"{each.event_type} `{each.bounce}` ({_TOLD[each.bounce]})"
        for each in outcomes
    )


def twin_numbers() -> str:
    """What the twin does with a text, by its number: tried on it."""
    numbers = [
        "+14155550120",
        "+14155550127",
        "+14155550128",
        "+15553000542",
        *twin.REFUSED_NUMBERS,
        twin.CRASHING_NUMBER,
    ]
    named = {
        "+14155550120": "any other",
        "+14155550127": "ends in 7",
        "+14155550128": "ends in 8",
        "+15553000542": "`+1555CCCCCNN`, such as `+15553000542`",
    }
    rows = ((named.get(number, f"`{number}`"), _text(twin.plan_text(number))) for number in numbers)
    return table(("phone number", "what happens"), rows)


def _text(plan: twin.TextPlan) -> str:
    if plan.refused_with is not None:
        return f"refused at the call: {plan.refused_with}"
    statuses = ", ".join(f"`{status}`" for status in plan.statuses)
    if plan.crashes:
        return f"the call answers 500, and the text has gone out: {statuses}"
    return statuses if plan.error_code is None else f"{statuses}, with Twilio's code `CCCCC`, here {plan.error_code}"


# --- limits -----------------------------------------------------------------------------------------------------------


def _time(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if span == timedelta(days=1):
        return "a day"
    for name, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds % size == 0:
            return f"{seconds // size:,} {name}"
    return f"{seconds:,} seconds"


def _limits() -> Iterator[tuple[str, str]]:
    yield "the body of a request", f"{MAX_BODY:,} bytes"
    yield (
        "the body of an import with its `content`",
        f"{MAX_IMPORT_BODY:,} bytes, escaped once more as JSON; a file that is uploaded may be of any size",
    )
    yield "a part of a path, such as an id", f"{MAX_ID} characters"
    yield (
        "`Idempotency-Key`",
        f"{MAX_KEY} printable characters; its answer is kept for {_time(timedelta(seconds=DAY_SECONDS))}",
    )
    yield "`limit` of a list", f"1 to {MAX_LIMIT:,}; {DEFAULT_LIMIT} if left out"
    yield "a page of a list", f"{LARGEST_PAGE:,} bytes: one that would be larger is shorter"
    yield "`external_id`", f"{MAX_EXTERNAL_ID} characters"
    yield "tags of a customer", f"{MAX_TAGS}, of {MAX_TAG} characters each"
    yield "an email address", f"{MAX_EMAIL} characters"
    yield "customers who share one address or number", f"{MAX_CUSTOMERS_PER_CONTACT}"
    yield "a filter", f"{MAX_NODES} conditions, {MAX_DEPTH} levels deep, {MAX_FILTER_BYTES:,} bytes"
    yield (
        "a filter with the segments that it names",
        f"{MAX_NODES} conditions, {MAX_DEPTH} levels deep, {MAX_PINNED_BYTES:,} bytes",
    )
    yield "`within_days` of a filter", f"{MAX_DAYS}, counted back from today, which is 0"
    yield "an order of segments", f"{MAX_ORDERED:,} of them"
    yield "a filter in an address (`?filter=`)", f"{MAX_IN_ADDRESS:,} bytes"
    yield "a count or a preview while a client waits", f"{_time(LONGEST_COUNT)}; then it goes on as a job (202)"
    yield "`customer_ids` and the like in a request", f"{MAX_CUSTOMER_IDS:,}"
    yield "subject of an email", f"{MAX_GIVEN_SUBJECT} characters as posted, {MAX_SUBJECT} when it is filled in"
    yield "`html` and `text` of an email", f"{MAX_PART_BYTES:,} bytes each"
    yield "the HTML of a layout, with footer and values", f"{MOST_BYTES:,} bytes; a warning from {MANY_BYTES:,} on"
    yield "blocks of a layout", f"{MAX_BLOCKS}, those in columns included"
    yield (
        "a version of a template, in all its languages",
        f"{MOST_OF_A_VERSION:,} bytes, with what is rendered from layouts",
    )
    yield "variables of a template's own", f"{MOST_VARIABLES}"
    yield "a whole email, as SES counts it", f"{MAX_EMAIL_CHARACTERS:,} characters"
    yield "a text", f"{MAX_TEXT_CHARACTERS:,} characters"
    yield "`send_at` of a campaign or a message, `starts_at`", f"{_time(FARTHEST_SCHEDULE)} ahead"
    yield "`expires_at`", f"{_time(FARTHEST_EXPIRY)} ahead"
    yield (
        "frequency caps of a business",
        f"{MOST_CAPS}, each of at most {HIGHEST_CAP} messages within at most {LONGEST_WITHIN_DAYS} days",
    )
    yield "webhooks of a business", f"{MOST_WEBHOOKS}, each at an address of at most {MAX_URL} characters"
    yield (
        "an answer of a webhook",
        f"{TOTAL_SECONDS:g} seconds, with the connection; what was posted is kept for {_time(KEPT)}",
    )
    yield "columns of an imported file", f"{MAX_COLUMNS}"
    yield "a row of an imported file", f"{MAX_LINE:,} bytes"
    yield (
        "`errors` and `warnings` that an import shows",
        f"{MAX_ERRORS} of each; the file at `errors_url` has all, for {_time(FILES_KEPT)}",
    )


def limits() -> str:
    """What is bounded, and how."""
    return table(("what", "at most"), _limits())


# --- lists and repeated requests --------------------------------------------------------------------------------------


def lists() -> str:
    """Every operation that takes a cursor, with what else it takes in the address."""
    rows = []
    for path, method, operation in operations(_document()):
        names = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
        if "cursor" in names:
            others = ", ".join(f"`{name}`" for name in names if name not in ("cursor", "limit"))
            rows.append((f"`{method.upper()} {path}`", operation["summary"], others))
    return table(("list", "", "parameters besides"), rows)


def repeated() -> str:
    """What becomes of a request that comes again, by method, with the POSTs for which a key changes nothing."""
    pages = [f"`POST /v1/{area.address}`" for area in AREAS if area.pages]
    return table(
        ("method", "the same request again"),
        (
            ("`GET`, `HEAD`", "changes nothing"),
            ("`PUT`, `PATCH`", "leaves what the first left"),
            ("`DELETE`", "404: it is gone"),
            ("`POST` with an `Idempotency-Key`", f"gets the first answer, for {_time(timedelta(seconds=DAY_SECONDS))}"),
            (f"{', '.join(pages)}", "only reads: it is answered anew, and the key is not looked at"),
            ("any other `POST`", "is done again"),
        ),
    )


def repeated_problems() -> str:
    """The problems that a repeated request can meet."""
    codes = (
        "idempotency_in_progress",
        "idempotency_key_reused",
        "secret_shown_before",
        "concurrent_change",
        "not_answered",
    )
    return table(
        ("code", "what it means", "what to do"),
        ((f"`{code}`", PROBLEMS[code].meaning, PROBLEMS[code].way_out) for code in codes),
    )
