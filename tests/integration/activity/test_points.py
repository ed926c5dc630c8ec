"""Points by HTTP: booked once, refused below zero, shown wherever a customer is."""

import json
from typing import Any

from tests.integration.conftest import Answer, Stack

GIVEN = {"delta": 40, "reason": "Birthday", "who": "Mia"}


def somebody(stack: Stack) -> str:
    made: Any = stack.api("POST", "/v1/customers", {"first_name": "Ana", "last_name": "Silva"}).body
    assert made["points_balance"] == 0
    return str(made["customer_id"])


def book(stack: Stack, customer_id: str, **more: Any) -> Answer:
    return stack.api("POST", f"/v1/customers/{customer_id}/points", {**GIVEN, **more})


def test_points_are_booked_and_shown_in_profile_summary_log_filters_and_messages(stack: Stack) -> None:
    who = somebody(stack)
    assert book(stack, who).body == {"points_balance": 40}
    log = stack.api("GET", f"/v1/customers/{who}/log").body["items"][0]
    filtered = {"filter": json.dumps({"field": "points_balance", "equals": "40"})}
    template = {"name": "N", "channel": "sms", "content": {"body": "You have ##{{points_balance}} points"}}
    assert stack.api("PUT", "/v1/templates/points", template).status == 200
    shown = stack.api("POST", "/v1/templates/points/preview", {"customer_id": who})

    assert stack.api("GET", f"/v1/customers/{who}").body["points_balance"] == 40
    assert stack.api("GET", f"/v1/customers/{who}/summary").body["points_balance"] == 40
    assert (log["kind"], log["channel"], log["points"]["balance"]) == ("points", None, 40)
    assert log["sentence"] == "Mia added 40 points: Birthday. The balance was 40 afterwards."
    assert [each["customer_id"] for each in stack.api("GET", "/v1/customers", query=filtered).body["items"]] == [who]
    assert "You have 40 points" in shown.text


def test_what_is_not_there_is_not_taken_off_unless_the_business_allows_it(stack: Stack) -> None:
    who = somebody(stack)
    refused = book(stack, who, delta=-1)

    assert (refused.status, refused.body["code"], refused.body["points_balance"]) == (409, "not_enough_points", 0)
    assert stack.api("PATCH", "/v1/business", {"negative_points": True}).body["negative_points"] is True
    assert book(stack, who, delta=-1).body == {"points_balance": -1}


def test_clients_cannot_set_a_balance_and_what_is_wrong_is_named(stack: Stack) -> None:
    who = somebody(stack)

    assert stack.api("PATCH", f"/v1/customers/{who}", {"points_balance": 5}).status == 422
    assert book(stack, who, delta=0).fields == ["delta"]
    assert book(stack, who, delta=1.5).fields == ["delta"]
    assert book(stack, who, reason="", who=" ").fields == ["reason", "who"]
    assert book(stack, "0" * 32).status == 404
