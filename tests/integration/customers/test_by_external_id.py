"""Customers by the business's own ids, over HTTP: whatever the ids are, and wherever ours are taken."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import pytest

from rebound.kernel.ids import id_of_external
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, business
from tests.integration.conftest import Answer, Stack

ODD: Final = (
    "a/b",
    "/",
    "100%",
    "%2F",
    "+1 415",
    " inside it ",
    "log",
    "messages",
    "by-external-id",
    "count",
    "contacts/email/confirm",
    "..",
    "é😀",
    "?q=1#x",
    "\\",
    '"',
    "<customer_id>",
    "{id}",
    "0" * 32,
    "x" * 128,
    "😀" * 128,
)
ANA: Final = {"first_name": "Ana", "last_name": "Silva", "email": "ana@example.com"}
TEXT: Final = {"category": "transactional", "channel": "email", "content": {"subject": "Hi", "text": "Hello."}}


def at(external_id: str) -> str:
    return f"/v1/customers/by-external-id/{quote(external_id, safe='')}"


def put(stack: Stack, external_id: str, body: Mapping[str, Any] = ANA, **options: Any) -> Answer:
    return stack.api("PUT", at(external_id), body, **options)


@pytest.mark.parametrize("external_id", ODD)
def test_any_id_is_put_read_and_deleted(stack: Stack, external_id: str) -> None:
    created = put(stack, external_id)
    repeated = put(stack, external_id)
    read = stack.api("GET", at(external_id))
    by_ours = stack.api("GET", f"/v1/customers/{created.body['customer_id']}")

    assert (created.status, repeated.status, read.status) == (201, 200, 200)
    assert created.body["external_id"] == external_id.strip()
    assert created.body == repeated.body == read.body == by_ours.body
    assert stack.api("DELETE", at(external_id)).status == 204
    assert stack.api("GET", at(external_id)).status == 404
    assert stack.api("DELETE", at(external_id)).status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("external_id", ["crm-1", "log", "x/messages"])
def test_the_scopes_are_those_of_customers(stack: Stack, method: str, external_id: str) -> None:
    needed = "customers:read" if method == "GET" else "customers:write"
    body = ANA if method == "PUT" else None
    refused = stack.api(method, at(external_id), body, scopes="messages:read messages:write campaigns:write")

    assert (refused.status, refused.body["scope"]) == (403, needed)
    assert stack.api(method, at(external_id), body, scopes=needed).status in (201, 404)


def test_another_business_has_its_own(stack: Stack) -> None:
    house.ports().businesses.add(business(business_id="other"))
    put(stack, "crm-1")

    assert stack.api("GET", at("crm-1"), business_id="other").status == 404
    assert put(stack, "crm-1", business_id="other").status == 201


def test_what_a_new_one_lacks_and_what_is_wrong_is_named(stack: Stack) -> None:
    assert put(stack, "crm-1", {}).fields == ["first_name", "last_name"]
    assert put(stack, "crm-1", {**ANA, "external_id": "crm-2"}).fields == ["external_id"]
    assert put(stack, "crm-1", {**ANA, "name": "Ana"}).fields == ["name"]
    assert put(stack, "x" * 129).fields == ["external_id"]
    assert stack.api("PUT", at("crm-1"), raw="").status == 422
    assert stack.api("GET", at("crm-1")).status == 404


def test_only_what_is_named_is_changed_and_null_empties(stack: Stack) -> None:
    first = put(stack, "crm-1", {**ANA, "gender": "f", "general_tags": ["vip"]}).body
    second = put(stack, "crm-1", {"gender": None, "first_name": "Anna"}).body
    changed = {name for name in first if first[name] != second[name]}

    assert changed == {"gender", "first_name", "updated_at"}
    assert put(stack, "crm-1", {"gender": None, "first_name": "Anna"}).body == second


def test_a_conflict_names_the_customer_who_can_be_put(stack: Stack) -> None:
    known = put(stack, "crm-1").body["customer_id"]
    refused = stack.api("POST", "/v1/customers", {**ANA, "external_id": "crm-1"})

    assert (refused.status, refused.body["customer_id"]) == (409, known)


@pytest.mark.parametrize("external_id", ["crm-1", "a/b %"])
def test_a_message_is_posted_to_either_id_and_answered_with_both(stack: Stack, external_id: str) -> None:
    known = put(stack, external_id).body["customer_id"]
    by_theirs = stack.api("POST", "/v1/messages", {**TEXT, "external_id": external_id})
    by_ours = stack.api("POST", "/v1/messages", {**TEXT, "customer_id": known})
    log = stack.api("GET", f"/v1/customers/{known}/messages").body["items"]

    assert (by_theirs.status, by_ours.status) == (202, 202)
    for message in (by_theirs.body, by_ours.body, *log):
        assert (message["customer_id"], message["external_id"]) == (known, external_id)
    assert len(log) == 2


def test_a_message_is_for_exactly_one_who_is_there(stack: Stack) -> None:
    known = put(stack, "crm-1").body["customer_id"]

    assert stack.api("POST", "/v1/messages", {**TEXT, "external_id": "crm-2"}).fields == ["external_id"]
    assert stack.api("POST", "/v1/messages", {**TEXT, "customer_id": "0" * 32}).fields == ["customer_id"]
    for both in ({"customer_id": known, "external_id": "crm-1"}, {}, {"customer_id": None, "external_id": None}):
        refused = stack.api("POST", "/v1/messages", {**TEXT, **both})
        assert refused.status == 422
        assert "exactly one of customer_id, external_id" in refused.text


def test_who_has_no_external_id_is_shown_with_none(stack: Stack) -> None:
    known = stack.api("POST", "/v1/customers", ANA).body["customer_id"]

    assert stack.api("POST", "/v1/messages", {**TEXT, "customer_id": known}).body["external_id"] is None
    assert known != id_of_external(BUSINESS_ID, "")
