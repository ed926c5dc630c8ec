"""The operator's API: businesses, keys and senders by program, with keys that open nothing else."""

import json
import re
from copy import replace
from fnmatch import fnmatchcase
from io import StringIO
from typing import Any, Final

import pytest
from aws_lambda_powertools import Logger
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rebound.businesses.domain.business import BUSINESS_ID as ID_OF_A_BUSINESS
from rebound.businesses.domain.holds import AccountHold
from rebound.kernel.api_scopes import Realm
from rebound.operations.http import tenants
from rebound.platform.http.documented_ids import IDS as KINDS_OF_IDS
from rebound.platform.http.openapi import operations
from tests.fakes import house
from tests.fakes.aws import rows
from tests.fakes.making import BUSINESS_ID, NOON
from tests.fakes.partial_updates import DOCUMENT
from tests.integration.conftest import Answer, Stack, recorded

BUSINESSES: Final = "/v1/operator/businesses"
ELM: Final = f"{BUSINESSES}/elm"
NEW: Final = {"name": "Salon Elm", "country": "US", "time_zone": "America/New_York"}
ADDRESS, NUMBER = "elm@salon.example.com", "+14155550188"
ROUTES: Final = [(method.upper(), path) for path, method, operation in operations(DOCUMENT) if operation["security"]]
OWN: Final = [(method, path) for method, path in ROUTES if path.startswith("/v1/operator/")]
TENANTS: Final = [(method, path) for method, path in ROUTES if not path.startswith("/v1/operator/")]


def filled(path: str) -> str:
    return re.sub("{[a-z_]+}", "0" * 32, path)


def made(stack: Stack, **more: Any) -> Any:
    answer = stack.api("PUT", ELM, {**NEW, **more})
    assert answer.status == 201, answer.text
    return answer.body


def open_with(stack: Stack, token: str) -> Any:
    """What the authorizer answers to the holder of a token."""
    event = recorded("api_gateway/authorize_request.json")
    event["headers"] = {"Authorization": f"Bearer {token}"}
    return stack.invoke("authorize_request", event)


# --- whose keys open what ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), [*OWN, ("GET", "/v1/operator/nothing"), ("GET", "/v1/operator/x/y")])
def test_a_businesss_key_learns_nothing_from_the_operators_part(stack: Stack, method: str, path: str) -> None:
    """It has all scopes there are, should a gateway ever let it through."""
    before = rows()
    scopes = "operator:read operator:write business:write"
    answer = stack.api(method, filled(path), {}, realm=Realm.BUSINESS, scopes=scopes)

    assert (answer.status, answer.body["code"]) == (403, "forbidden")
    assert "operator" not in answer.body["detail"]
    assert rows() == before


@pytest.mark.parametrize(("method", "path"), TENANTS)
def test_an_operators_key_opens_no_businesss_part(stack: Stack, method: str, path: str) -> None:
    answer = stack.api(method, filled(path), {}, realm=Realm.OPERATOR)

    assert (answer.status, answer.body["code"]) == (403, "forbidden")


def test_the_operators_function_answers_nothing_of_the_businesses_part_and_the_other_way_round(stack: Stack) -> None:
    for function, realm, path in (
        ("serve_operator", Realm.OPERATOR, "/v1/customers"),
        ("serve_api", Realm.BUSINESS, BUSINESSES),
    ):
        event = recorded("api_gateway/post_campaign.json")
        event.update(path=path, httpMethod="GET", body=None, queryStringParameters=None)
        event.update(multiValueQueryStringParameters=None)
        every = "operator:read customers:read"
        event["requestContext"]["authorizer"] = {"realm": realm, "business_id": BUSINESS_ID, "scopes": every}
        assert json.loads(stack.invoke(function, event)["body"])["code"] == "path_not_found"


def decided(policy: Any, arn: str) -> str:
    """What a gateway decides by a policy: a refusal stands above every permission."""
    found = {
        statement["Effect"]
        for statement in policy["Statement"]
        if any(fnmatchcase(arn, resource) for resource in statement["Resource"])
    }
    return "Deny" if "Deny" in found else "Allow" if "Allow" in found else "none"


def test_a_policy_that_is_kept_for_other_requests_opens_the_keys_own_part_and_nothing_else(stack: Stack) -> None:
    """Whichever request it was made for: both orders of asking, for all routes."""
    stage = recorded("api_gateway/authorize_request.json")["methodArn"].rsplit("/v1/", 1)[0].rsplit("/", 1)[0]
    tokens = {
        Realm.BUSINESS: house.use_cases().tenant_service.create_key(BUSINESS_ID).token,
        Realm.OPERATOR: house.use_cases().operator_key_service.create().token,
    }
    for realm, token in tokens.items():
        for asked in ("/v1/customers", BUSINESSES):
            event = recorded("api_gateway/authorize_request.json")
            event.update(headers={"Authorization": f"Bearer {token}"}, methodArn=f"{stage}/GET{asked}")
            policy = stack.invoke("authorize_request", event)["policyDocument"]
            allowed = {
                (method, path)
                for method, path in ROUTES
                if decided(policy, f"{stage}/{method}{filled(path)}") == "Allow"
            }
            assert allowed == set(OWN if realm is Realm.OPERATOR else TENANTS)
            assert decided(policy, f"{stage}/GET/v1/operator") == ("Allow" if realm is Realm.OPERATOR else "Deny")
            assert decided(policy, f"{stage.replace('live', 'other')}/GET{asked}") == "none" or "live" not in stage


def test_an_operators_key_opens_until_it_ends_and_of_its_secret_a_hash_is_kept(stack: Stack) -> None:
    new = stack.invoke("operate_stack", {"command": "create-operator-key", "label": "platform", "valid_days": 2})
    token, secret = new["operator_key"], new["operator_key"].rpartition(".")[2]
    answer = open_with(stack, token)

    assert answer["context"] == {
        "realm": "operator",
        "key_id": new["key_id"],
        "scopes": "operator:read operator:write",
    }
    assert secret not in json.dumps(rows(), default=str) + json.dumps(answer)
    assert [key["label"] for key in stack.invoke("operate_stack", {"command": "list-operator-keys"})["keys"]] == [
        "platform"
    ]
    for wrong in (
        f"{token}x",
        token.replace("rbo.", "rb.#operator."),
        token.replace("rbo.", "rb.operator-key."),
        "rbo.a.b",
    ):
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            open_with(stack, wrong)
    assert "errors" in stack.invoke("operate_stack", {"command": "revoke-operator-key", "key_id": "nobody"})
    stack.invoke("operate_stack", {"command": "revoke-operator-key", "key_id": new["key_id"]})
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        open_with(stack, token)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"scopes": ["customers:read"]}, "scopes"),
        ({"valid_days": 0}, "valid_days"),
        ({"valid_days": 1e9}, "valid_days"),
        ({"valid_days": "7"}, "valid_days"),
    ],
)
def test_an_operators_key_has_scopes_and_an_end_of_its_own(stack: Stack, more: dict[str, Any], field: str) -> None:
    answer = stack.invoke("operate_stack", {"command": "create-operator-key", **more})

    assert [error["field"] for error in answer["errors"]] == [field]
    assert house.ports().operator_keys.list() == []


def test_a_key_of_a_business_is_given_no_scope_of_the_operators(stack: Stack) -> None:
    made(stack)
    refused = stack.invoke(
        "operate_stack", {"command": "create-key", "business_id": "elm", "scopes": ["operator:read"]}
    )

    assert [error["field"] for error in refused["errors"]] == ["scopes"]
    assert stack.api("POST", f"{ELM}/keys", {"scopes": ["operator:read"]}).fields == ["scopes[0]"]


# --- businesses -------------------------------------------------------------------------------------------------------


def test_a_business_is_put_under_an_id_of_the_operators_own_and_the_same_again_changes_nothing(stack: Stack) -> None:
    request = {**NEW, "bundle": "basic", "email_from": ADDRESS, "text_from": "415-555-0188"}
    first = stack.api("PUT", ELM, request)
    before = rows()
    again = stack.api("PUT", ELM, request)

    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body == stack.api("GET", ELM).body
    assert rows() == before
    assert first.body["business_id"] == "elm"
    assert first.body["senders"] == {"email": [ADDRESS], "sms": [NUMBER], "text": [NUMBER]}
    assert (first.body["bundle"], first.body["text_from"]) == ("basic", NUMBER)
    # It is a business like any other.
    assert stack.api("GET", "/v1/business", business_id="elm").body == first.body


def test_what_a_put_or_a_patch_leaves_out_stays(stack: Stack) -> None:
    first = made(stack, owner_email="owner@example.com", quiet_hours={"sms": None})
    for method, change in (("PUT", {"name": "Elm & Ash"}), ("PATCH", {"switches": {"email": False}})):
        assert stack.api(method, ELM, change).status == 200
    after = stack.api("GET", ELM).body

    assert after == {**first, "name": "Elm & Ash", "switches": {**first["switches"], "email": False}}


@given(st.text(st.characters(codec="ascii", exclude_characters="/"), min_size=1, max_size=70))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_id_of_a_business_is_one_that_all_keys_and_tags_can_hold(stack: Stack, business_id: str) -> None:
    path = f"{BUSINESSES}/{business_id}"
    answer = stack.api("PUT", path, NEW)

    if ID_OF_A_BUSINESS.fullmatch(business_id) and business_id != "failures":
        assert answer.status in (200, 201)
    else:
        assert answer.status in (404, 422)
        assert business_id not in house.ports().businesses.ids()


def test_what_is_no_id_of_a_business_is_told_what_one_is(stack: Stack) -> None:
    answer = stack.api("PUT", f"{BUSINESSES}/Bad_Id!", NEW)

    assert (answer.status, answer.fields) == (422, ["business_id"])
    assert "1 to 64 of a–z, 0–9, - and _" in answer.body["errors"][0]["message"]
    assert KINDS_OF_IDS["business_id"][1] == {"pattern": f"^{ID_OF_A_BUSINESS.pattern}$"}


def test_the_name_of_a_place_that_is_no_businesss_is_no_id(stack: Stack) -> None:
    assert stack.api("PUT", f"{BUSINESSES}/failures", NEW).fields == ["business_id"]


def test_a_business_that_is_posted_twice_with_one_key_is_made_once(stack: Stack) -> None:
    count = len(house.ports().businesses.ids())
    first, again = (stack.api("POST", BUSINESSES, NEW, headers={"Idempotency-Key": "one"}) for _ in range(2))
    other = stack.api("POST", BUSINESSES, {**NEW, "name": "Ash"}, headers={"Idempotency-Key": "one"})

    assert (first.status, again.status, first.body) == (201, 201, again.body)
    assert other.body["code"] == "idempotency_key_reused"
    assert len(house.ports().businesses.ids()) == count + 1


@pytest.mark.parametrize(
    ("method", "path", "body", "fields"),
    [
        ("PUT", ELM, {}, ["country", "name", "time_zone"]),
        ("PUT", ELM, {"name": "Elm"}, ["country", "time_zone"]),
        ("POST", BUSINESSES, {"name": "Elm"}, ["country", "time_zone"]),
        ("POST", BUSINESSES, {**NEW, "time_zone": "Mars"}, ["time_zone"]),
        ("POST", BUSINESSES, {**NEW, "country": "XX"}, ["country"]),
        ("PUT", ELM, {**NEW, "email_from": "elm@elsewhere.example"}, ["email_from"]),
        ("PUT", ELM, {**NEW, "text_from": "12"}, ["text_from"]),
        ("PUT", ELM, {**NEW, "bundle": "gold"}, ["bundle"]),
        ("PUT", ELM, {**NEW, "business_id": "elm"}, ["business_id"]),
        ("PUT", ELM, {**NEW, "text_rate": 5000}, ["text_rate"]),
        ("POST", BUSINESSES, {**NEW, "senders": []}, ["senders"]),
    ],
)
def test_what_is_wrong_with_a_business_is_said_and_nothing_is_made(
    stack: Stack, method: str, path: str, body: dict[str, Any], fields: list[str]
) -> None:
    before = rows()
    answer = stack.api(method, path, body)

    assert (answer.status, answer.fields) == (422, fields)
    assert rows() == before


def test_null_is_left_out_of_a_new_business(stack: Stack) -> None:
    answer = stack.api("POST", BUSINESSES, {**NEW, "text_provider": None, "owner_email": None, "text_rate": None})

    assert answer.body["text_provider"] == house.ports().default_text_provider


def test_a_sender_that_another_business_has_is_not_taken_by_choosing_it(stack: Stack) -> None:
    made(stack, text_from=NUMBER)
    before = rows()
    for method, path in (("PUT", f"{BUSINESSES}/ash"), ("POST", BUSINESSES), ("PATCH", f"{BUSINESSES}/{BUSINESS_ID}")):
        answer = stack.api(method, path, {**NEW, "text_from": NUMBER})
        assert (answer.status, answer.fields) == (422, ["text_from"])
        assert "elm" in answer.text
    assert rows() == before


def test_the_operator_may_set_what_the_business_may_not(stack: Stack) -> None:
    made(stack, text_provider="sns")
    assert stack.api("PATCH", "/v1/business", {"text_rate": 50}, business_id="elm").fields == ["text_rate"]
    assert stack.api("PATCH", ELM, {"text_rate": 50, "bundle": "basic"}).body["text_rate"] == 50
    assert stack.api("PATCH", "/v1/business", {"bundle": "premium"}, business_id="elm").fields == ["bundle"]
    # A pace was granted for one account, and does not go along to another.
    assert stack.api("PATCH", ELM, {"text_provider": "twilio"}).body["text_rate"] is None


@pytest.mark.parametrize(
    ("given", "bundles", "former"),
    [
        ({}, ["marketing", "premium"], "premium"),
        ({"bundles": []}, [], "basic"),
        ({"bundles": ["marketing"]}, ["marketing"], "basic"),
        ({"bundle": "basic"}, [], "basic"),
        ({"bundle": "premium"}, ["premium"], "premium"),
    ],
)
def test_bundles_are_a_set_and_the_former_word_goes_on(
    stack: Stack, given: dict[str, Any], bundles: list[str], former: str
) -> None:
    body = stack.api("PUT", ELM, {**NEW, **given}).body
    assert (body["bundles"], body["bundle"]) == (bundles, former)
    assert stack.api("GET", "/v1/business", business_id="elm").body["bundles"] == bundles
    assert stack.api("PUT", ELM, {"bundle": "basic", "bundles": []}).status == 422
    assert stack.api("PUT", ELM, {"bundles": ["basic"]}).fields == ["bundles[0]"]


def test_accounts_are_held_by_a_policy_and_let_go_with_a_reason(stack: Stack) -> None:
    policy, lift = "/v1/operator/hold-policy", f"{BUSINESSES}/{BUSINESS_ID}/lift-hold"
    asked: dict[str, Any] = {"share": 0.5, "volume": 1, "contact": "support@platform.example"}
    assert stack.api("GET", policy).status == 404
    assert stack.api("PUT", policy, {**asked, "share": 0, "volume": 0, "contact": ""}).fields == [
        "contact",
        "share",
        "volume",
    ]
    assert (stack.api("PUT", policy, asked).body, stack.api("GET", policy).body) == (asked, asked)
    held = replace(house.ports().businesses.get(BUSINESS_ID), hold=AccountHold(NOON, 20, 0, asked["contact"]))
    house.ports().businesses.replace(held)
    offer = {"name": "x", "category": "marketing", "channel": "email", "content": {"subject": "x", "text": "x"}}
    refused = stack.api("POST", "/v1/campaigns", {**offer, "filter": {"all": []}})
    seen = stack.api("POST", "/v1/segments/preview", {"filter": {"all": []}, "channel": "email", "category": "loyalty"})

    assert (refused.status, refused.body["code"], refused.body["contact"]) == (409, "account_held", asked["contact"])
    assert set(seen.body["excluded"]) <= {"account_held"}
    assert stack.api("GET", "/v1/business").body["hold"] == {
        "since": "2026-11-20T12:00:00.000Z",
        "bulk": 20,
        "single": 0,
        "contact": asked["contact"],
    }
    assert stack.api("POST", lift, {"reason": ""}).fields == ["reason"]
    lifted = stack.api("POST", lift, {"reason": "Spoke to the owner"}).body
    assert (lifted["hold"], [one["reason"] for one in lifted["lifted_holds"]]) == (None, ["Spoke to the owner"])
    assert stack.api("POST", f"{BUSINESSES}/nobody/lift-hold", {"reason": "x"}).status == 404
    assert stack.api("DELETE", policy).status == 204
    assert stack.api("GET", policy).status == 404


def test_a_text_plan_is_set_raised_and_taken_away(stack: Stack) -> None:
    made(stack, owner_email="owner@elm.example.com")
    plans = f"{ELM}/plans"
    nothing = {"business_id": "elm", "texts": None, "now": None, "notes_to": None}
    assert stack.api("GET", plans).body == nothing
    asked = {"included": 500, "inbound_texts": True, "tier": "Studio", "upgrade_url": "https://platform.example/plans"}
    set_ = stack.api("PUT", plans, {"texts": asked})
    assert set_.body["texts"] == {**asked, "inbound_calls": False}
    assert set_.body == stack.api("GET", plans).body == stack.api("PUT", plans, {"texts": asked}).body
    assert set_.body["now"] == stack.api("GET", "/v1/text-plan", business_id="elm").body
    raised = stack.api("PUT", plans, {"texts": {"included": 600}}).body
    assert (raised["texts"]["included"], raised["texts"]["tier"], raised["now"]["included"]) == (600, None, 600)
    # Whom it writes to depends on what it writes from.
    stack.api("POST", f"{ELM}/senders", {"sender": ADDRESS})
    stack.api("PATCH", ELM, {"email_from": ADDRESS})
    assert stack.api("GET", plans).body["notes_to"] == "owner@elm.example.com"
    assert stack.api("PUT", plans, {"texts": None}).body["texts"] is None
    assert stack.api("GET", "/v1/text-plan", business_id="elm").status == 404


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({}, ["texts"]),
        ({"texts": {}}, ["texts.included"]),
        ({"texts": {"included": -1}}, ["texts.included"]),
        ({"texts": {"included": 10**9}}, ["texts.included"]),
        ({"texts": {"included": "500"}}, ["texts.included"]),
        ({"texts": {"included": 1, "tier": ""}}, ["texts.tier"]),
        ({"texts": {"included": 1, "tier": "  "}}, ["texts.tier"]),
        ({"texts": {"included": 1, "tier": "a\nb", "upgrade_url": "plans"}}, ["texts.tier", "texts.upgrade_url"]),
        *(
            ({"texts": {"included": 1, "upgrade_url": url}}, ["texts.upgrade_url"])
            for url in ("ftp://x.example", "https://", "https://x example", "javascript:alert(1)", "https://x:0/", "")
        ),
        ({"texts": {"included": 1, "include": 2}}, ["texts.include"]),
        ({"texts": {"included": 1}, "calls": None}, ["calls"]),
    ],
)
def test_a_plan_that_is_none_is_refused_and_changes_nothing(
    stack: Stack, given: dict[str, Any], fields: list[str]
) -> None:
    made(stack)
    before = rows()
    answer = stack.api("PUT", f"{ELM}/plans", given)

    assert (answer.status, answer.fields) == (422, fields)
    assert rows() == before


def test_a_new_policy_has_flags_copied_again(stack: Stack) -> None:
    made(stack)
    stack.api("PATCH", ELM, {"policy": {"preset": "strict"}})
    stack.api("PUT", ELM, {"name": "Elm"})

    assert [json.loads(record["body"])["business_id"] for record in stack.received("UPKEEP_QUEUE_URL")] == ["elm"]


def test_businesses_are_listed_page_by_page_and_searched(stack: Stack) -> None:
    for number in range(5):
        stack.api("PUT", f"{BUSINESSES}/salon-{number}", {**NEW, "name": f"Salon {'Ash' if number % 2 else 'Oak'}"})
    found, cursor = [], None
    while True:
        query = {"limit": "2"} if cursor is None else {"limit": "2", "cursor": cursor}
        page = stack.api("GET", BUSINESSES, query=query).body
        found += [business["business_id"] for business in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break

    assert found == sorted([BUSINESS_ID, *(f"salon-{number}" for number in range(5))])
    named = stack.api("GET", BUSINESSES, query={"q": "ash"}).body["items"]
    assert [business["business_id"] for business in named] == ["salon-1", "salon-3"]
    assert stack.api("GET", BUSINESSES, query={"cursor": "!"}).fields == ["cursor"]


@pytest.mark.parametrize(("method", "path"), [route for route in OWN if "{business_id}" in route[1]])
def test_what_is_asked_of_no_business_is_not_found(stack: Stack, method: str, path: str) -> None:
    bodies = {
        ("POST", "senders"): {"sender": ADDRESS},
        ("POST", "lift-hold"): {"reason": "A move"},
        ("PUT", "{business_id}"): {**NEW, "name": ""},
        ("PUT", "plans"): {"texts": {"included": 1}},
    }
    before = rows()
    answer = stack.api(
        method, filled(path), bodies.get((method, path.rpartition("/")[2]), {}) if method != "GET" else None
    )

    assert answer.status == (422 if (method, path) == ("PUT", ELM.replace("elm", "{business_id}")) else 404)
    assert rows() == before


# --- keys -------------------------------------------------------------------------------------------------------------


def test_a_key_is_made_listed_rotated_and_ended(stack: Stack) -> None:
    made(stack)
    scopes = ["customers:read", "messages:write"]
    new = stack.api("POST", f"{ELM}/keys", {"label": "till", "scopes": scopes})
    key_id = new.body["key_id"]
    assert new.status == 201
    assert open_with(stack, new.body["api_key"])["context"] == {
        "realm": "business",
        "business_id": "elm",
        "key_id": key_id,
        "scopes": " ".join(scopes),
    }
    after = stack.api("POST", f"{ELM}/keys/{key_id}/rotate", {"grace_hours": 0.5})
    assert (after.status, after.body["label"], after.body["scopes"]) == (201, "till", scopes)
    for token in (new.body["api_key"], after.body["api_key"]):
        open_with(stack, token)
    ended = stack.api("POST", f"{ELM}/keys/{key_id}/revoke")
    assert ended.status == 200
    assert ended.body["expires_at"] is not None
    with pytest.raises(Exception, match="Unauthorized"):
        open_with(stack, new.body["api_key"])
    refused = stack.api("POST", f"{ELM}/keys/{key_id}/rotate", {})
    assert (refused.status, refused.body["code"]) == (409, "key_ended")
    listed = stack.api("GET", f"{ELM}/keys")
    assert [key["key_id"] for key in listed.body["items"]] == [key_id, after.body["key_id"]]
    assert "api_key" not in listed.text
    assert after.body["api_key"].rpartition(".")[2] not in listed.text


@pytest.mark.parametrize("path", ["keys", "keys/{key_id}/rotate"])
def test_a_secret_is_shown_once_and_not_kept_for_whoever_asks_again(stack: Stack, path: str) -> None:
    made(stack)
    key_id = stack.api("POST", f"{ELM}/keys", {}).body["key_id"]
    asked = [
        stack.api("POST", f"{ELM}/{path.format(key_id=key_id)}", {}, headers={"Idempotency-Key": "one"})
        for _ in range(3)
    ]

    assert [answer.status for answer in asked] == [201, 409, 409]
    assert {answer.body["code"] for answer in asked[1:]} == {"secret_shown_before"}
    assert {answer.body["id"] for answer in asked[1:]} == {asked[0].body["key_id"]}
    assert asked[0].body["api_key"].rpartition(".")[2] not in json.dumps(rows(), default=str)
    assert len(house.ports().api_keys.list("elm")) == 2


@pytest.mark.parametrize("course", ["rotate", "revoke"])
def test_a_key_is_reached_by_its_own_business_only(stack: Stack, course: str) -> None:
    made(stack)
    key_id = stack.api("POST", f"{BUSINESSES}/{BUSINESS_ID}/keys", {}).body["key_id"]
    before = rows()

    assert stack.api("POST", f"{ELM}/keys/{key_id}/{course}", {} if course == "rotate" else None).status == 404
    assert rows() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"label": "x" * 101}, "label"),
        ({"label": "two\nlines"}, "label"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes[0]"),
        ({"name": "till"}, "name"),
    ],
)
def test_what_is_wrong_with_a_key_is_said(stack: Stack, body: dict[str, Any], field: str) -> None:
    made(stack)

    assert stack.api("POST", f"{ELM}/keys", body).fields == [field]
    assert house.ports().api_keys.list("elm") == []


# --- senders ----------------------------------------------------------------------------------------------------------


def test_senders_are_granted_listed_and_taken_away(stack: Stack) -> None:
    made(stack, email_from=ADDRESS)
    granted = stack.api("POST", f"{ELM}/senders", {"sender": "(415) 555-0188"})
    again = stack.api("POST", f"{ELM}/senders", {"sender": NUMBER})
    assert (granted.status, again.status) == (200, 200)
    assert granted.body == again.body == {"sender": NUMBER, "chosen": False}
    assert stack.api("GET", f"{ELM}/senders").body["items"] == [{"sender": ADDRESS, "chosen": True}, granted.body]
    for sender in (NUMBER, ADDRESS.upper()):
        assert stack.api("DELETE", f"{ELM}/senders/{sender}").status == 204
        gone = stack.api("DELETE", f"{ELM}/senders/{sender}")
        assert (gone.status, gone.body["resource"]) == (404, "sender")
    after = stack.api("GET", ELM).body
    assert (after["senders"], after["email_from"]) == ({"email": [], "sms": [], "text": []}, None)


def test_a_sender_has_one_business_unless_it_is_shared_on_purpose(stack: Stack) -> None:
    made(stack, text_from=NUMBER)
    path = f"{BUSINESSES}/{BUSINESS_ID}/senders"
    refused = stack.api("POST", path, {"sender": NUMBER})

    assert (refused.status, refused.fields) == (422, ["sender"])
    assert "share" in refused.text
    assert stack.api("POST", path, {"sender": NUMBER, "share": True}).status == 200
    # Both go on having it, whoever asks again.
    assert stack.api("POST", path, {"sender": NUMBER}).status == 200
    assert stack.api("POST", f"{ELM}/senders", {"sender": NUMBER}).body["chosen"] is True


# --- what is told -----------------------------------------------------------------------------------------------------


def test_what_an_operators_key_did_is_written_down_by_ids(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    written = StringIO()
    kept = Logger(service="operator", level="INFO", stream=written)
    monkeypatch.setattr(tenants, "logger", lambda: kept)
    made(stack, text_from=NUMBER)
    key_id = stack.api("POST", f"{ELM}/keys", {}).body["key_id"]
    stack.api("POST", f"{ELM}/keys/{key_id}/rotate", {})
    stack.api("POST", f"{ELM}/keys/{key_id}/revoke")
    stack.api("POST", f"{ELM}/senders", {"sender": ADDRESS})
    stack.api("DELETE", f"{ELM}/senders/{ADDRESS}")
    stack.api("PATCH", ELM, {"name": "Elm & Ash"})
    stack.api("PATCH", ELM, {"name": ""})
    stack.api("GET", ELM)
    said = written.getvalue()
    lines = [json.loads(line) for line in said.splitlines()]

    assert [line["did"] for line in lines] == [
        "create_business",
        "create_key",
        "rotate_key",
        "revoke_key",
        "grant_sender",
        "remove_sender",
        "change_business",
    ]
    assert {(line["key_id"], line["business_id"]) for line in lines} == {("key-1", "elm")}
    assert [line["of_key_id"] for line in lines if line["did"] == "revoke_key"] == [key_id]
    for private in (NUMBER, ADDRESS, "Elm"):
        assert private not in said


def test_the_answers_of_a_route_have_its_own_form(stack: Stack) -> None:
    """Each answer that the document has for success is given by a test above; here, what a mistake is told."""
    made(stack)
    wrong: list[Answer] = [
        stack.api("GET", BUSINESSES, query={"name": "elm"}),
        stack.api("DELETE", ELM),
        stack.api("GET", f"{ELM}/bills"),
        stack.api("POST", f"{ELM}/keys", {}, scopes="operator:read"),
    ]

    assert [(answer.status, answer.body["code"]) for answer in wrong] == [
        (422, "validation_failed"),
        (405, "method_not_allowed"),
        (404, "path_not_found"),
        (403, "forbidden_scope"),
    ]
