"""Every row of the profile's table, whichever there are: from the API to the store, files, filters and messages."""

from typing import Any, Final

import pytest

from rebound.customers.domain import PROFILE, REQUIRED_FIELDS, TEXT_FIELDS, Kind, ProfileField
from rebound.templates.domain.content import TextContent
from rebound.templates.domain.rendering import render_text, values_of
from tests.fakes import house
from tests.fakes.aws import make
from tests.fakes.making import BUSINESS_ID, business
from tests.integration.conftest import Stack

VALUES: Final[dict[Kind, Any]] = {
    Kind.TEXT: "=Rosé; “x”",
    Kind.EMAIL: "rose@example.com",
    Kind.PHONE: "+14155550123",
    Kind.DATE: "1990-02-28",
    Kind.TIME_ZONE: "Europe/Lisbon",
    Kind.LANGUAGE: "pt",
    Kind.TAGS: ["vip", "a;b\\c"],
}
WRONG: Final[dict[Kind, Any]] = {
    Kind.EMAIL: "rose",
    Kind.PHONE: "1",
    Kind.DATE: "1990-02-30",
    Kind.TIME_ZONE: "Lisbon",
    Kind.LANGUAGE: "xx",
    Kind.TAGS: [""],
}
NOBODY: Final = {"first_name": "Bo", "last_name": "Lee"}
"""Has nothing but what everybody has."""
OFFER: Final = {"name": "Offer", "category": "marketing", "channel": "email", "filter": {"all": []}}
OLD_ROW: Final[dict[str, Any]] = {
    "business_id": {"S": BUSINESS_ID},
    "customer_id": {"S": "0123456789abcdef0123456789abcdef"},
    "first_name": {"S": "Íris"},
    "last_name": {"S": "Silva"},
    "created_at": {"S": "2026-11-20T12:00:00.000000Z"},
    "updated_at": {"S": "2026-11-20T12:00:00.000001Z"},
    "external_id": {"S": "J-1"},
    "email": {"S": "Iris@example.com"},
    "mobile_phone": {"S": "+14155550123"},
    "day_phone": {"S": "+14155550124"},
    "night_phone": {"S": "+14155550125"},
    "gender": {"S": "f"},
    "birthday": {"S": "1990-02-28"},
    "customer_since": {"S": "2020-01-31"},
    "general_tags": {"L": [{"S": "vip"}, {"S": "a;b"}]},
    "time_zone": {"S": "Europe/Lisbon"},
    "language": {"S": "pt"},
    "failed_email": {"BOOL": False},
    "failed_phone": {"BOOL": False},
    "version": {"N": "3"},
}
"""As rows were before the table was there."""


@pytest.fixture(params=PROFILE.items(), ids=lambda item: item[0])
def named(request: pytest.FixtureRequest) -> tuple[str, ProfileField]:
    """Each field of the profile."""
    item: tuple[str, ProfileField] = request.param
    return item


def created(stack: Stack, **given: Any) -> dict[str, Any]:
    answer = stack.api("POST", "/v1/customers", {**NOBODY, **given})
    assert answer.status == 201, answer.text
    body: dict[str, Any] = answer.body
    return body


def exported(stack: Stack, format_: str, condition: dict[str, Any]) -> str:
    """A file of the customers whom the condition fits."""
    export_id = stack.api("POST", "/v1/exports", {"format": format_, "filter": condition}).body["export_id"]
    assert stack.invoke("export_customers", {"business_id": BUSINESS_ID, "export_id": export_id}) == {"done": True}
    kept = make("s3").get_object(Bucket="imports", Key=f"exports/{BUSINESS_ID}/{export_id}")
    content: str = kept["Body"].read().decode()
    return content


def imported(stack: Stack, format_: str, content: str) -> dict[str, int]:
    """What became of the rows of a file."""
    import_id = stack.api("POST", "/v1/imports", {"format": format_, "content": content}).body["import_id"]
    what = {"business_id": BUSINESS_ID, "import_id": import_id}
    for part in stack.invoke("split_import", what)["parts"]:
        assert stack.invoke("import_customers", {**what, "part": part})["done"]
    stack.invoke("close_import", what)
    counts: dict[str, int] = stack.api("GET", f"/v1/imports/{import_id}").body["counts"]
    return counts


def everybody(stack: Stack, **query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = stack.api("GET", "/v1/customers", query=query).body["items"]
    return items


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_a_field_is_kept_filtered_by_written_to_a_file_and_read_from_it(
    named: tuple[str, ProfileField], format_: str, stack: Stack
) -> None:
    name, row = named
    value = VALUES[row.kind]
    created(stack)
    customer_id = created(stack, **{name: value})["customer_id"]
    [kept] = [item for item in stack.table("CUSTOMERS_TABLE") if item["customer_id"] == {"S": customer_id}]
    one = {"field": name, "equals": value} if name in TEXT_FIELDS else {"tag": value[-1]}
    file = exported(stack, format_, one)
    stack.api("DELETE", f"/v1/customers/{customer_id}")
    counts = imported(stack, format_, file.replace(customer_id, ""))

    assert kept[name] == ({"L": [{"S": tag} for tag in value]} if row.kind is Kind.TAGS else {"S": value})
    assert (counts["rows"], counts["created"]) == (1, 1)
    assert [customer[name] for customer in everybody(stack) if customer[name] not in (None, [], NOBODY.get(name))] == [
        value
    ]


def test_a_field_is_changed_and_emptied_but_not_by_what_it_cannot_hold(
    named: tuple[str, ProfileField], stack: Stack
) -> None:
    name, row = named
    path = f"/v1/customers/{created(stack)['customer_id']}"
    wrong = stack.api("PATCH", path, {name: WRONG.get(row.kind, "x" * (row.max_length + 1))})
    number = stack.api("PATCH", path, {name: 1})
    changed = stack.api("PATCH", path, {name: VALUES[row.kind]})
    emptied = stack.api("PATCH", path, {name: None})

    assert (wrong.status, wrong.fields, number.status) == (422, [name], 422)
    if name == "external_id":
        assert (changed.status, emptied.status) == (422, 200)
    else:
        assert changed.body[name] == VALUES[row.kind]
        assert (emptied.status == 422) if name in REQUIRED_FIELDS else (emptied.body[name] in (None, []))


def test_a_field_is_shown_in_messages_and_found_by_its_words_where_its_row_says_so(
    named: tuple[str, ProfileField], stack: Stack
) -> None:
    name, row = named
    value = VALUES[row.kind]
    customer_id = created(stack, **{name: value})["customer_id"]
    is_shown = row.placeholder and name in TEXT_FIELDS
    content = {"subject": f"##{{{{{name}}}}}", "text": "…"}
    offered = stack.api("POST", "/v1/campaigns", {**OFFER, "content": content})
    found = everybody(stack, q=value if isinstance(value, str) else value[0])

    assert (offered.status, offered.fields) == ((202, []) if is_shown else (422, ["content.subject"])), offered.text
    assert [customer["customer_id"] for customer in found] == ([customer_id] if row.searched else [])
    if is_shown:
        values = values_of(house.ports().customers.get(BUSINESS_ID, customer_id), business())
        assert render_text(TextContent(f"##{{{{{name}}}}}"), values) == value


def test_a_row_from_before_is_read_as_it_is_and_written_as_it_was(stack: Stack) -> None:
    make("dynamodb").put_item(TableName=stack.settings["CUSTOMERS_TABLE"], Item=OLD_ROW)
    book = house.ports().customers
    [read] = everybody(stack)
    book.save([book.get(BUSINESS_ID, OLD_ROW["customer_id"]["S"])], [])
    [written] = stack.table("CUSTOMERS_TABLE")

    assert [read[name] for name in OLD_ROW if name in PROFILE] == [
        [tag["S"] for tag in value["L"]] if "L" in value else value["S"]
        for name, value in OLD_ROW.items()
        if name in PROFILE
    ]
    assert {**written, "version": OLD_ROW["version"]} == OLD_ROW
