"""Family and friends, over HTTP."""

from typing import Any, Final

import pytest

from rebound.relations.domain import MOST_ASKED
from tests.integration.conftest import Stack

ANA: Final = {"first_name": "Ana", "last_name": "Silva", "email": "ana@example.com", "external_id": "ana"}
BEN: Final = {"first_name": "Ben", "last_name": "Silva", "email": "ben@example.com", "external_id": "ben"}


def made(stack: Stack) -> tuple[str, str]:
    ana, ben = (stack.api("POST", "/v1/customers", each).body["customer_id"] for each in (ANA, BEN))
    return ana, ben


def at(customer_id: str) -> str:
    return f"/v1/customers/{customer_id}/relations"


@pytest.mark.parametrize("named", ["customer_id", "external_id"])
def test_a_child_is_linked_and_both_see_it(stack: Stack, named: str) -> None:
    ana, ben = made(stack)
    given = {named: ben if named == "customer_id" else "ben", "relationship": "child"}
    answer = stack.api("POST", at(ana), given)
    relation_id = answer.body["relation_id"]

    assert (answer.status, answer.body["status"], answer.body["name"]) == (201, "accepted", "Ben Silva")
    [own] = stack.api("GET", at(ana)).body["items"]
    [theirs] = stack.api("GET", at(ben)).body["items"]
    assert own == answer.body
    assert (own["customer_id"], own["external_id"], own["relationship"]) == (ben, "ben", "child")
    assert (theirs["relation_id"], theirs["customer_id"], theirs["relationship"]) == (relation_id, ana, "parent")
    log = stack.api("GET", f"/v1/customers/{ben}/log").body["items"]
    assert [each["sentence"] for each in log] == ["Linked with Ana Silva as parent."]
    assert (log[0]["profile"]["customer_id"], log[0]["profile"]["external_id"]) == (ana, "ana")

    assert stack.api("DELETE", f"{at(ben)}/{relation_id}").status == 204
    assert stack.api("GET", at(ana)).body["items"] == []
    assert stack.api("DELETE", f"{at(ben)}/{relation_id}").body["resource"] == "relation"


def test_a_pet_and_an_invitation(stack: Stack) -> None:
    ana, ben = made(stack)
    pet = stack.api("POST", at(ana), {"name": "Rex", "relationship": "dog"})
    asked = stack.api("POST", at(ana), {"customer_id": ben, "relationship": "spouse", "invite": True})

    assert (pet.status, pet.body["status"], pet.body["customer_id"]) == (201, "accepted", None)
    assert (asked.status, asked.body["status"]) == (201, "pending")
    [message] = stack.api("GET", f"/v1/customers/{ben}/messages").body["items"]
    assert (message["category"], message["relation_id"]) == ("transactional", None)
    for whose, log_of in ((ana, "other"), (ben, "customer")):
        shown = stack.api("GET", at(whose)).body["items"][-1]["invitation"]
        assert shown == {
            "message_id": message["message_id"],
            "log_of": log_of,
            "address": "ben@example.com",
            "status": "queued",
            "reason": None,
        }


def test_an_invitation_to_who_is_no_customer_stands_in_the_log_of_who_asks(stack: Stack) -> None:
    ana, _ = made(stack)
    asked = stack.api("POST", at(ana), {"name": "Oma", "relationship": "grandmother", "invite": "oma@example.com"})
    [message] = stack.api("GET", f"/v1/customers/{ana}/messages").body["items"]

    assert (message["address"], message["relation_id"]) == ("oma@example.com", asked.body["relation_id"])
    invitation = asked.body["invitation"]
    assert (invitation["message_id"], invitation["log_of"]) == (message["message_id"], "customer")
    sentences = [each["sentence"] for each in stack.api("GET", f"/v1/customers/{ana}/log").body["items"]]
    assert "About to send an invitation to family and friends to oma@example.com." in sentences
    assert '"Oma" was asked by email whether to be linked with the customer, as grandmother.' in sentences


def test_an_address_is_asked_so_many_times_a_day(stack: Stack) -> None:
    ana, _ = made(stack)
    for number in range(MOST_ASKED):
        one = {"name": f"Aunt {number}", "relationship": "aunt", "invite": "aunts@example.com"}
        assert stack.api("POST", at(ana), one).status == 201
    refused = stack.api("POST", at(ana), {"name": "Aunt", "relationship": "aunt", "invite": "Aunts@example.com"})

    assert (refused.status, refused.body["code"], refused.body["retryable"]) == (429, "too_soon", True)
    assert 0 < int(refused.headers["Retry-After"]) <= 25 * 3600
    assert len(stack.api("GET", at(ana)).body["items"]) == MOST_ASKED


@pytest.mark.parametrize("scope", ["all", "transactional"])
def test_who_wants_no_such_emails_cannot_be_asked_and_nothing_is_written(stack: Stack, scope: str) -> None:
    ana, ben = made(stack)
    said = {"channel": "email", "scope": scope, "opted_out": True, "who": "Kim"}
    assert stack.api("POST", f"/v1/customers/{ben}/consent", said).status == 200
    asked = stack.api("POST", at(ana), {"customer_id": ben, "relationship": "spouse", "invite": True})

    assert (asked.status, asked.body["code"], asked.body["reasons"]) == (409, "no_channel_left", ["email: opted_out"])
    assert stack.api("GET", at(ana)).body["items"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"relationship": "child"}, "name"),
        ({"relationship": "child", "name": "Rex", "external_id": "ben"}, "name"),
        ({"relationship": " ", "name": "Rex"}, "relationship"),
        ({"name": "Rex"}, "relationship"),
        ({"relationship": "child", "external_id": "ana"}, "external_id"),
        ({"relationship": "child", "external_id": "nobody"}, "external_id"),
        ({"relationship": "child", "external_id": "ben", "invite": "x"}, "invite"),
        ({"relationship": "child", "external_id": "ben", "invite": 1}, "invite"),
        ({"relationship": "dog", "name": "Rex", "invite": True}, "invite"),
        ({"relationship": "dog", "name": "Rex", "invited": True}, "invited"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_field(stack: Stack, body: dict[str, Any], field: str) -> None:
    ana, _ = made(stack)
    answer = stack.api("POST", at(ana), body)

    assert (answer.status, [each["field"] for each in answer.body["errors"]]) == (422, [field])
    assert stack.api("GET", at(ana)).body["items"] == []


def test_the_same_pair_twice_is_a_conflict(stack: Stack) -> None:
    ana, ben = made(stack)
    first = stack.api("POST", at(ana), {"customer_id": ben, "relationship": "child"}).body
    again = stack.api("POST", at(ben), {"customer_id": ana, "relationship": "parent"})

    assert (again.status, again.body["code"], again.body["relation_id"]) == (
        409,
        "relation_exists",
        first["relation_id"],
    )
