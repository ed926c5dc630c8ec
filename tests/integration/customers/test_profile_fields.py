"""Every row of the profile's table, whichever there are: from the API to the store, files, filters and messages."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import pytest

from rebound.customers.domain import (
    COMPARED_FIELDS,
    LIST_FIELDS,
    PROFILE,
    REQUIRED_FIELDS,
    TEXT_FIELDS,
    UNSET,
    Kind,
    ProfileField,
)
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
    Kind.CHOICE: "block",
    Kind.RECIPIENTS: ["bea@example.com", "fedcba9876543210fedcba9876543210"],
    Kind.TAGS: ["vip", "a;b\\c"],
}
WRONG: Final[dict[Kind, Any]] = {
    Kind.EMAIL: "rose",
    Kind.PHONE: "1",
    Kind.DATE: "1990-02-30",
    Kind.TIME_ZONE: "Lisbon",
    Kind.LANGUAGE: "xx",
    Kind.SWITCH: "yes",
    Kind.CHOICE: "Block!",
    Kind.RECIPIENTS: ["bea@"],
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


def value_of(name: str, row: ProfileField) -> Any:
    """One that is not what nobody has set."""
    return not UNSET[name] if row.kind is Kind.SWITCH else VALUES[row.kind]


def said(name: str, value: Any) -> dict[str, Any]:
    """The field in a request."""
    row = PROFILE[name]
    return {name: value} if row.group is None else {row.group: {row.name_in_group(name): value}}


def found_in(answer: Any, name: str) -> Any:
    """The field in an answer."""
    row = PROFILE[name]
    return answer[name] if row.group is None else answer[row.group][row.name_in_group(name)]


def stored(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"BOOL": value}
        case list():
            return {"L": [{"S": each} for each in value]}
    return {"S": value}


@pytest.fixture(autouse=True)
def recipient(stack: Stack) -> None:
    """The customer who is named as one."""
    row = {name: value for name, value in OLD_ROW.items() if name in ("business_id", "created_at", "updated_at")}
    names = {name: {"S": value} for name, value in NOBODY.items()}
    row |= {"customer_id": {"S": VALUES[Kind.RECIPIENTS][1]}, "version": {"N": "1"}, **names}
    make("dynamodb").put_item(TableName=stack.settings["CUSTOMERS_TABLE"], Item=row)


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


def imported(
    stack: Stack, format_: str, content: str, options: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, int]:
    """What became of the rows of a file."""
    counts: dict[str, int] = import_of(stack, format_, content, options)["counts"]
    return counts


def import_of(stack: Stack, format_: str, content: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """An import that is done."""
    asked = {"format": format_, "content": content, **options}
    import_id = stack.api("POST", "/v1/imports", asked).body["import_id"]
    what = {"business_id": BUSINESS_ID, "import_id": import_id}
    for part in stack.invoke("split_import", what)["parts"]:
        assert stack.invoke("import_customers", {**what, "part": part})["done"]
    stack.invoke("close_import", what)
    done: dict[str, Any] = stack.api("GET", f"/v1/imports/{import_id}").body
    return done


def everybody(stack: Stack, **query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = stack.api("GET", "/v1/customers", query=query).body["items"]
    return items


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_a_field_is_kept_filtered_by_written_to_a_file_and_read_from_it(
    named: tuple[str, ProfileField], format_: str, stack: Stack
) -> None:
    name, row = named
    value = value_of(name, row)
    created(stack)
    customer_id = created(stack, **said(name, value))["customer_id"]
    [kept] = [item for item in stack.table("CUSTOMERS_TABLE") if item["customer_id"] == {"S": customer_id}]
    wanted = value[-1] if name in LIST_FIELDS else value
    one = {"field": name, "equals": wanted} if name in COMPARED_FIELDS else {"tag": wanted}
    file = exported(stack, format_, one)
    stack.api("DELETE", f"/v1/customers/{customer_id}")
    counts = imported(stack, format_, file.replace(customer_id, ""))

    assert kept[name] == stored(value)
    assert (counts["rows"], counts["created"], counts["incomplete"]) == (1, 1, 0)
    held = [found_in(customer, name) for customer in everybody(stack)]
    assert [each for each in held if each not in (as_answered(name), NOBODY.get(name))] == [value]


def as_answered(name: str) -> Any:
    """What an answer has of a field that nobody has set."""
    unset = UNSET.get(name)
    return list(unset) if isinstance(unset, tuple) else unset


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
@pytest.mark.parametrize("clears", [False, True])
def test_what_was_exported_changes_nothing_when_it_is_imported(format_: str, clears: bool, stack: Stack) -> None:
    full: dict[str, Any] = {}
    for name, row in PROFILE.items():
        for group, value in said(name, value_of(name, row) if name in UNSET else NOBODY[name]).items():
            full[group] = {**full.get(group, {}), **value} if isinstance(value, dict) else value
    created(stack, **full)
    before = everybody(stack)
    options = {"empty_cells": "clear"} if clears else {}
    counts = imported(stack, format_, exported(stack, format_, {"all": []}), options)

    assert (counts["rows"], counts["unchanged"], counts["incomplete"]) == (2, 2, 0)
    assert everybody(stack) == before


def test_a_field_is_changed_and_emptied_but_not_by_what_it_cannot_hold(
    named: tuple[str, ProfileField], stack: Stack
) -> None:
    name, row = named
    path = f"/v1/customers/{created(stack)['customer_id']}"
    wrong = stack.api("PATCH", path, said(name, WRONG.get(row.kind, "x" * (row.max_length + 1))))
    number = stack.api("PATCH", path, said(name, 1))
    value = value_of(name, row)
    changed = stack.api("PATCH", path, said(name, value))
    emptied = stack.api("PATCH", path, said(name, None))

    assert (wrong.status, wrong.fields, number.status) == (422, [".".join(path_of(name))], 422)
    if name == "external_id":
        assert (changed.status, emptied.status) == (422, 200)
    elif name in REQUIRED_FIELDS:
        assert (found_in(changed.body, name), emptied.status) == (value, 422)
    else:
        assert (found_in(changed.body, name), found_in(emptied.body, name)) == (value, as_answered(name))


def path_of(name: str) -> tuple[str, ...]:
    row = PROFILE[name]
    return (name,) if row.group is None else (row.group, row.name_in_group(name))


def test_a_field_is_shown_in_messages_and_found_by_its_words_where_its_row_says_so(
    named: tuple[str, ProfileField], stack: Stack
) -> None:
    name, row = named
    value = value_of(name, row)
    customer_id = created(stack, **said(name, value))["customer_id"]
    is_shown = row.placeholder and name in TEXT_FIELDS
    content = {"subject": f"##{{{{{name}}}}}", "text": "…"}
    offered = stack.api("POST", "/v1/campaigns", {**OFFER, "content": content})
    found = everybody(stack, q=value[0] if name in LIST_FIELDS else str(value))

    assert (offered.status, offered.fields) == ((202, []) if is_shown else (422, ["content.subject"])), offered.text
    assert [customer["customer_id"] for customer in found] == ([customer_id] if row.searched else [])
    if is_shown:
        values = values_of(house.ports().customers.get(BUSINESS_ID, customer_id), business())
        assert render_text(TextContent(f"##{{{{{name}}}}}"), values) == value


def test_a_row_from_before_is_read_as_it_is_and_written_as_it_was(stack: Stack) -> None:
    make("dynamodb").put_item(TableName=stack.settings["CUSTOMERS_TABLE"], Item=OLD_ROW)
    book = house.ports().customers
    stack.api("DELETE", f"/v1/customers/{VALUES[Kind.RECIPIENTS][1]}")
    [read] = everybody(stack)
    book.save([book.get(BUSINESS_ID, OLD_ROW["customer_id"]["S"])], [])
    [written] = stack.table("CUSTOMERS_TABLE")

    assert [read[name] for name in OLD_ROW if name in PROFILE] == [
        [tag["S"] for tag in value["L"]] if "L" in value else value["S"]
        for name, value in OLD_ROW.items()
        if name in PROFILE
    ]
    assert {**written, "version": OLD_ROW["version"]} == OLD_ROW


ANA: Final = {"first_name": "Ana", "last_name": "Silva"}


def test_a_part_of_an_object_is_changed_alone_and_null_takes_all_of_it(stack: Stack) -> None:
    home = {"street": "1 High Street", "city": "Springfield", "region": None, "postal_code": "97477", "country": "USA"}
    customer = created(stack, address=home, reminders={"sms": False, "push": True})
    path = f"/v1/customers/{customer['customer_id']}"
    moved = stack.api("PATCH", path, {"address": {"city": "Shelbyville", "street": None}, "reminders": {"sms": None}})
    emptied = stack.api("PATCH", path, {"address": None, "reminders": None, "online_booking": None, "cc": None})

    assert (customer["address"], customer["reminders"]) == (home, {"email": True, "sms": False, "push": True})
    assert moved.body["address"] == {**home, "city": "Shelbyville", "street": None}
    assert moved.body["reminders"] == {"email": True, "sms": True, "push": True}
    assert emptied.body["address"] == dict.fromkeys(home)
    assert emptied.body["reminders"] == {"email": True, "sms": True, "push": False}
    assert (emptied.body["online_booking"], emptied.body["cc"]) == ("allow", [])


@pytest.mark.parametrize(
    ("given", "field", "meant"),
    [
        ({"address": {"town": "Springfield"}}, "address.town", None),
        ({"address": {"citty": "Springfield"}}, "address.citty", "city"),
        ({"address": "1 High Street"}, "address", None),
        ({"address": {"city": "a\nb"}}, "address.city", None),
        ({"address_city": "Springfield"}, "address_city", None),
        ({"reminders": {"sms": "no"}}, "reminders.sms", None),
        ({"reminders": {"mail": False}}, "reminders.mail", "email"),
        ({"online_booking": "forbid"}, "online_booking", None),
        ({"cc": ["nobody-known"]}, "cc", None),
        ({"cc": ["a@example.com", ""]}, "cc", None),
        ({"cc": [f"a{number}@example.com" for number in range(11)]}, "cc", None),
    ],
)
def test_what_is_wrong_in_an_object_is_named_by_its_path(
    given: dict[str, Any], field: str, meant: str | None, stack: Stack
) -> None:
    before = created(stack)
    refused = stack.api("PATCH", f"/v1/customers/{before['customer_id']}", given)
    never = stack.api("POST", "/v1/customers", {**ANA, **given})

    assert (refused.status, refused.fields, never.status, never.fields) == (422, [field], 422, [field]), refused.text
    assert meant is None or refused.body["did_you_mean"] == {field: meant}
    assert stack.api("GET", f"/v1/customers/{before['customer_id']}").body == before


def test_recipients_of_copies_are_kept_once_each_and_customers_by_our_id(stack: Stack) -> None:
    bea = created(stack, external_id="J-17")["customer_id"]
    cc = ["J-17", bea, " Bea@Example.com", "bea@example.com"]
    ana = stack.api("PUT", "/v1/customers/by-external-id/J-1", {**ANA, "cc": cc}).body
    stack.api("DELETE", f"/v1/customers/{bea}")
    again = stack.api("PUT", "/v1/customers/by-external-id/J-1", {"cc": cc})

    assert ana["cc"] == [bea, "Bea@example.com"]
    assert (again.status, again.body["updated_at"]) == (200, ana["updated_at"])


def test_bad_cells_cost_their_field_with_line_and_reason(stack: Stack) -> None:
    file = (
        "first_name,last_name,Address City,reminders_sms,reminders_email,online booking,cc\n"
        "Ana,Silva,Springfield,nein,x,Require Acceptance,bea@example.com;J-9\n"
        "Bo,Sims,Shelbyville,unsubscribed,perhaps,never,bea@\n"
    )
    done = import_of(stack, "csv", file, {})
    [ana], [bo] = (everybody(stack, q=q) for q in ("Silva", "Sims"))
    told = {(each["line"], each["field"]): each["message"] for each in done["warnings"]}

    assert (done["counts"]["created"], done["counts"]["incomplete"], done["errors"]) == (2, 2, [])
    # Kept, and told: the customer may come later.
    assert "J-9" in told.pop((2, "cc"))
    assert told == {
        (3, "reminders_sms"): "Must be yes or no.",
        (3, "reminders_email"): "Must be yes or no.",
        (3, "online_booking"): "Must be one of allow, block, require_acceptance.",
        (3, "cc"): "Has up to 10 ids of customers, yours or ours, and email addresses; “bea@” is none.",
    }
    assert (ana["address"]["city"], ana["online_booking"]) == ("Springfield", "require_acceptance")
    assert (ana["reminders"], ana["cc"][0], len(ana["cc"])) == (
        {"email": True, "sms": False, "push": False},
        "bea@example.com",
        2,
    )
    assert bo["reminders"] == {"email": True, "sms": True, "push": False}


def test_filters_ask_for_switches_choices_recipients_and_parts_of_an_address(stack: Stack) -> None:
    bea = created(stack, first_name="Bea", address={"city": "Málaga"})
    created(stack, first_name="Cy", reminders={"sms": False}, online_booking="block", cc=[bea["customer_id"]])

    def found(condition: dict[str, Any]) -> list[str]:
        wanted = {"all": [condition, {"field": "first_name", "in": ["Bea", "Cy"]}]}
        kept = stack.api("PUT", "/v1/segments/asked", {"name": "Asked", "filter": wanted})
        assert kept.status == 200, kept.text
        return [each["first_name"] for each in everybody(stack, segment_id="asked")]

    assert found({"field": "address_city", "equals": "malaga"}) == ["Bea"]
    assert found({"field": "address_city", "present": False}) == ["Cy"]
    assert found({"field": "reminders_sms", "equals": False}) == found({"field": "reminders_sms", "equals": "false"})
    assert found({"field": "reminders_sms", "in": [False]}) == ["Cy"]
    assert found({"field": "online_booking", "in": ["block", "require_acceptance"]}) == ["Cy"]
    assert found({"field": "cc", "equals": bea["customer_id"]}) == found({"field": "cc", "present": True}) == ["Cy"]
    assert sorted(found({"field": "reminders_email", "present": True})) == ["Bea", "Cy"]
    for wrong in ({"field": "reminders_sms", "equals": "off"}, {"field": "online_booking", "in": ["nothing"]}):
        answer = stack.api("POST", "/v1/segments/preview", {"filter": wrong, "channel": "email", "category": "loyalty"})
        assert (answer.status, len(answer.fields)) == (422, 1), answer.text


def test_lines_of_json_may_have_objects_as_the_api_has_them(stack: Stack) -> None:
    line = '{"first_name": "Cy", "last_name": "Fir", "address": {"city": "Porto"}, "reminders": null}'
    odd = '{"first_name": "Di", "last_name": "Ash", "address": {"town": "Porto"}}'
    done = import_of(stack, "jsonl", f"{line}\n{odd}\n", {})
    [cy], [di] = (everybody(stack, q=q) for q in ("Fir", "Ash"))

    assert (cy["address"]["city"], di["address"]["city"]) == ("Porto", None)
    assert done["errors"] == []
    assert [(each["line"], each["field"]) for each in done["warnings"]] == [(2, "address")]


@pytest.mark.parametrize(("language", "begins"), [("en", "You cannot"), ("de", "Online können")])
def test_who_may_not_book_online_reads_the_businesses_message_or_one_in_their_language(
    language: str, begins: str, stack: Stack
) -> None:
    path = f"/v1/customers/{created(stack, language=language)['customer_id']}"

    def booking(**given: Any) -> tuple[str, str | None]:
        assert stack.api("PATCH", path, given).status == 200
        answer = stack.api("GET", f"{path}/booking").body
        assert set(answer) == {"decision", "message"}
        return answer["decision"], answer["message"]

    assert booking() == ("allow", None)
    assert booking(online_booking="require_acceptance") == ("require_acceptance", None)
    blocked, said = booking(online_booking="block")
    assert (blocked, str(said)[: len(begins)]) == ("block", begins)
    stack.api("PATCH", "/v1/business", {"booking_block_message": " Please call us. "})
    assert booking() == ("block", "Please call us.")
    stack.api("PATCH", "/v1/business", {"booking_block_message": None})
    assert booking() == ("block", said)
    assert stack.api("PATCH", "/v1/business", {"booking_block_message": " "}).status == 422
