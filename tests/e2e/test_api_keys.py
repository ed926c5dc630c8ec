"""Keys: shown once, one business each, limited to their scopes, replaced without a gap, ended at once."""

import json
from typing import Final

import pytest

from tests.e2e.rebound_api import Answer, ReboundApi
from tests.e2e.surroundings import Operator

NEW_CUSTOMER: Final = {"first_name": "Ana", "last_name": "Silva"}


def _is_problem(answer: Answer, status: int) -> bool:
    return (
        answer.status == status
        and answer.headers["content-type"].startswith("application/problem+json")
        and {"type", "title", "status", "detail"} <= set(answer.json())
        and answer.json()["status"] == status
    )


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer rb.x.y.z",
        "Bearer " + "a" * 5000,
        "Bearer rb." + "b" * 1100 + ".k.s",
        "Bearer rb.b." + "k" * 1100 + ".s",
        "Bearer rb.b.k.\u00e9",
        "Basic dXNlcjpwYXNzd29yZA==",
    ],
    ids=lambda value: repr(value)[:40],
)
def test_nobody_gets_in_without_a_key(api: ReboundApi, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    assert _is_problem(answer := api.with_key(None).call("GET", "/v1/business", headers=headers), 401), answer


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/customers"), ("GET", "/v1/campaigns/x/messages"), ("PATCH", "/v1/business")]
)
def test_there_is_no_way_past_the_door(api: ReboundApi, method: str, path: str) -> None:
    body = None if method == "GET" else NEW_CUSTOMER
    assert _is_problem(answer := api.with_key(None).call(method, path, body), 401), answer


def test_a_key_with_its_last_character_changed_opens_nothing(api: ReboundApi) -> None:
    assert api.key is not None
    wrong = api.key[:-1] + ("a" if api.key[-1] != "a" else "b")
    assert _is_problem(api.with_key(wrong).call("GET", "/v1/business"), 401)


def test_a_key_opens_its_own_business_only(api: ReboundApi, other: ReboundApi) -> None:
    assert api.get("/v1/business")["name"] == "test_api_keys"
    assert other.get("/v1/business")["name"] == "Somebody else"


def test_the_scheme_is_read_without_regard_to_case(api: ReboundApi) -> None:
    answer = api.with_key(None).call("GET", "/v1/business", headers={"authorization": f"bearer {api.key}"})
    assert answer.status == 200, answer


def test_a_key_does_what_its_scopes_say_and_nothing_else(api: ReboundApi, operator: Operator) -> None:
    made = operator.run(
        "create-key", "--business-id", api.business_id, "--label", "reader", "--scopes", "customers:read"
    )
    reader = api.with_key(made["api_key"])
    customer_id = api.new_customer()
    assert reader.customer(customer_id)["first_name"] == "Ana"
    before = api.listing("/v1/customers")
    refused = (
        ("POST", "/v1/customers", NEW_CUSTOMER),
        ("PATCH", f"/v1/customers/{customer_id}", {"first_name": "Eve"}),
        ("DELETE", f"/v1/customers/{customer_id}", None),
        ("POST", f"/v1/customers/{customer_id}/contacts/email/confirm", None),
        ("POST", "/v1/imports", {"format": "csv", "content": "first_name,last_name\nEve,Silva\n"}),
        ("GET", f"/v1/customers/{customer_id}/messages", None),
        ("GET", "/v1/campaigns", None),
        ("POST", "/v1/campaigns", {"name": "x"}),
        ("POST", "/v1/messages", {"customer_id": customer_id}),
        ("GET", "/v1/segments", None),
        ("PUT", "/v1/segments/everybody", {"name": "Everybody", "filter": {"all": []}}),
        ("GET", "/v1/business", None),
        ("PATCH", "/v1/business", {"name": "Eve's"}),
    )
    for method, path, body in refused:
        answer = reader.call(method, path, body)
        assert _is_problem(answer, 403), (method, path, answer)
    assert api.listing("/v1/customers") == before


def test_a_key_is_rotated_without_a_gap(api: ReboundApi, operator: Operator) -> None:
    old = operator.run("create-key", "--business-id", api.business_id)
    new = operator.run("rotate-key", "--business-id", api.business_id, "--key-id", old["key_id"])
    assert new["key_id"] != old["key_id"]
    for key in (old, new):
        assert api.with_key(key["api_key"]).get("/v1/business")["name"] == "test_api_keys"
    newest = operator.run(
        "rotate-key", "--business-id", api.business_id, "--key-id", new["key_id"], "--grace-hours", "0"
    )
    assert api.with_key(newest["api_key"]).call("GET", "/v1/business").status == 200
    assert _is_problem(api.with_key(new["api_key"]).call("GET", "/v1/business"), 401)


def test_a_revoked_key_is_dead_at_once(api: ReboundApi, operator: Operator) -> None:
    key = operator.run("create-key", "--business-id", api.business_id)
    doomed = api.with_key(key["api_key"])
    assert doomed.call("GET", "/v1/business").status == 200
    operator.run("revoke-key", "--business-id", api.business_id, "--key-id", key["key_id"])
    assert _is_problem(doomed.call("GET", "/v1/business"), 401)
    assert api.call("GET", "/v1/business").status == 200


def test_the_command_lists_keys_without_what_opens_them(api: ReboundApi, operator: Operator) -> None:
    made = operator.run("create-key", "--business-id", api.business_id, "--label", "till")
    listed = operator.run_apart(["list-keys", "--business-id", api.business_id])
    assert listed.returncode == 0, listed.stderr
    keys = json.loads(listed.stdout)["keys"]
    assert [key["label"] for key in keys if key["key_id"] == made["key_id"]] == ["till"]
    secret = made["api_key"].rpartition(".")[2]
    assert secret not in listed.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["create-business", "--name", "Nowhere", "--country", "XX", "--time-zone", "America/New_York"],
        ["create-business", "--name", "Nowhere", "--country", "US", "--time-zone", "Mars/Olympus"],
        ["create-key", "--business-id", "nobody"],
    ],
    ids=["a country that there is not", "a time zone that there is not", "a business that there is not"],
)
def test_the_command_says_what_is_wrong(operator: Operator, arguments: list[str]) -> None:
    done = operator.run_apart(arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr
    assert "Traceback" not in done.stderr
