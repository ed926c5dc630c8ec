"""Whose profile it is, over HTTP."""

from typing import Any, Final

import pytest

from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import Stack

ANA: Final = {"first_name": "Ana", "last_name": "Silva", "email": "ana@example.com", "mobile_phone": "+14155550123"}
AS_CUSTOMER: Final = "customers:write_as_customer"
PORTAL: Final = f"customers:read {AS_CUSTOMER}"


def made(stack: Stack) -> str:
    customer_id: str = stack.api("POST", "/v1/customers", ANA).body["customer_id"]
    return f"/v1/customers/{customer_id}"


def test_a_portal_writes_for_the_customer_who_then_owns_the_profile(stack: Stack) -> None:
    path = made(stack)
    assert stack.api("GET", path).body["claimed_at"] is None
    own = stack.api("PATCH", path, {"email": "own@example.com"}, scopes=PORTAL)
    assert (own.status, own.body["claimed_at"] is not None) == (200, True)

    refused = stack.api("PATCH", path, {"email": "desk@example.com", "last_name": "Souza", "gender": "f"})
    assert (refused.status, refused.body["code"], refused.body["locked_fields"]) == (
        409,
        "profile_locked",
        ["last_name", "email"],
    )
    assert f"{path}/update-requests" in refused.body["detail"]
    assert stack.api("GET", path).body["gender"] is None
    same = stack.api("PATCH", path, {"email": "OWN@example.com", "mobile_phone": "(415) 555-0123", "gender": "f"})
    assert (same.status, same.body["gender"], same.body["email"]) == (200, "f", "own@example.com")


def test_the_customers_edit_stands_in_the_log_as_theirs(stack: Stack) -> None:
    path = made(stack)
    stack.api("PATCH", path, {"email": "own@example.com"}, scopes=PORTAL)
    stack.api("POST", f"{path}/contacts/sms/confirm", scopes=PORTAL)
    entries = stack.api("GET", f"{path}/log").body["items"]

    assert [(each["kind"], each["channel"], each["sentence"]) for each in entries] == [
        ("profile", None, "The customer said that their mobile phone is right, in a portal."),
        ("profile", None, "The customer changed their email in a portal."),
    ]
    assert entries[1]["profile"]["fields"] == ["email"]
    one = stack.api("GET", f"{path}/log", query={"limit": "1"}).body
    two = stack.api("GET", f"{path}/log", query={"limit": "1", "cursor": one["next_cursor"]}).body
    assert [*one["items"], *two["items"]] == entries


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/customers", ANA),
        ("DELETE", "{customer}", None),
        ("POST", "/v1/customers/bulk-delete", {"filter": {"all": []}, "expected_count": 1}),
        ("POST", "{customer}/consent", {"channel": "email", "scope": "all", "opted_out": False}),
        ("POST", "/v1/imports", {"format": "csv", "content": ""}),
    ],
)
def test_a_portals_key_alone_changes_profiles_and_nothing_else(stack: Stack, method: str, path: str, body: Any) -> None:
    asked = path.replace("{customer}", made(stack))
    answer = stack.api(method, asked, body, scopes=PORTAL)

    assert (answer.status, answer.body["scope"]) == (403, "customers:write")


def test_a_portal_may_put_by_the_clients_own_id(stack: Stack) -> None:
    path = "/v1/customers/by-external-id/crm-1"
    assert stack.api("PUT", path, ANA, scopes=PORTAL).body["claimed_at"] is not None
    assert stack.api("PUT", path, ANA).status == 200
    assert stack.api("PUT", path, {**ANA, "day_phone": "+14155550188"}).body["locked_fields"] == ["day_phone"]


def test_a_key_gets_the_scope_only_when_it_is_named(stack: Stack) -> None:
    everything = stack.api("POST", f"/v1/operator/businesses/{BUSINESS_ID}/keys", {})
    portal = stack.api(
        "POST", f"/v1/operator/businesses/{BUSINESS_ID}/keys", {"scopes": ["customers:read", AS_CUSTOMER]}
    )

    assert (everything.status, AS_CUSTOMER in everything.body["scopes"]) == (201, False)
    assert (portal.status, portal.body["scopes"]) == (201, ["customers:read", AS_CUSTOMER])
