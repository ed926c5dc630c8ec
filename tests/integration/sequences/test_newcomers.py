"""What was told of an id that nobody had is heard by sequences once a request or a file makes the customer."""

import json
from collections.abc import Sequence
from typing import Any, Final

import pytest
from moto.dynamodb.models import dynamodb_backends

from rebound.customers.domain import Customer
from rebound.timeline.wiring import TimelineUseCases
from tests.fakes import house
from tests.fakes.aws import ACCOUNT, REGION
from tests.fakes.deployment import _matches
from tests.fakes.making import BUSINESS_ID
from tests.integration.conftest import Stack
from tests.integration.platform.test_functions import imported
from tests.integration.sequences.test_activity_starts import HOUR, STARTING, ago, did, put, stands
from tests.integration.sequences.test_sequences import SEND, goes_on, sends
from tests.integration.sequences.test_triggers import TEMPLATE

FILTERS: Final = TEMPLATE["Resources"]["ForgetCustomersFunction"]["Properties"]["Events"]["Customers"]["Properties"][
    "FilterCriteria"
]["Filters"]
PATTERNS: Final = [json.loads(each["Pattern"]) for each in FILTERS]
ANA: Final = {"first_name": "Ana", "last_name": "Silva", "email": "ana@example.com"}


def passages(stack: Stack) -> list[dict[str, Any]]:
    """What the stream has for who follows those who come and go: what its filters let through."""
    shard = dynamodb_backends[ACCOUNT][REGION].tables[stack.settings["CUSTOMERS_TABLE"]].stream_shard
    assert shard is not None
    told = [json.loads(json.dumps(each.to_json(), default=str)) for each in shard.items]
    return [each for each in told if any(_matches(pattern, each) for pattern in PATTERNS)]


def follows(stack: Stack, after: int = 0) -> int:
    """The stream is read after so many records; how many there are."""
    records = passages(stack)
    assert stack.invoke("forget_customers", {"Records": records[after:]}) == {"batchItemFailures": []}
    goes_on(stack)
    return len(records)


def comes(stack: Stack, way: str) -> str:
    """They are made; their id."""
    match way:
        case "post":
            assert stack.api("POST", "/v1/customers", {**ANA, "external_id": "ana-1"}).status == 201
        case "put":
            assert stack.api("PUT", "/v1/customers/by-external-id/ana-1", ANA).status == 201
        case _:
            file = "external_id,first_name,last_name,email\nana-1,Ana,Silva,ana@example.com\n"
            assert imported(stack, file)["counts"]["created"] == 1
    return str(stack.api("GET", "/v1/customers/by-external-id/ana-1").body["customer_id"])


@pytest.mark.parametrize("way", ["post", "put", "import"])
def test_however_they_are_made(stack: Stack, way: str) -> None:
    put(stack, "visit", reentry="after_exit", steps=[SEND])
    did(stack, {"event_id": "v1", "kind": "visit"})
    assert stands(stack) == []
    comes(stack, way)
    for _ in range(2):
        follows(stack)

    assert sends(stack) == ["Hello Ana"]


@pytest.mark.parametrize("kind", STARTING)
def test_each_kind_that_starts_it(stack: Stack, kind: str) -> None:
    put(stack, kind)
    did(stack, {"event_id": "e1", **STARTING[kind], "at": ago(47 * HOUR)})
    comes(stack, "post")
    follows(stack)

    assert stands(stack) == [("waiting", None)]


def test_an_id_that_is_there_again_has_what_was_told_since_it_was_deleted(stack: Stack) -> None:
    put(stack, "visit", reentry="after_exit", steps=[SEND])
    who = comes(stack, "post")
    did(stack, {"event_id": "v1", "kind": "visit"})
    assert sends(stack) == ["Hello Ana"]
    assert stack.api("DELETE", f"/v1/customers/{who}").status == 204
    comes(stack, "put")
    # Deletion and new customer come in one batch: what they did before is erased before anybody is told of them.
    read = follows(stack)
    assert sends(stack) == ["Hello Ana"]
    assert stack.api("DELETE", f"/v1/customers/{who}").status == 204
    read = follows(stack, read)
    did(stack, {"event_id": "v2", "kind": "visit"})
    comes(stack, "put")
    follows(stack, read)

    assert sends(stack) == ["Hello Ana", "Hello Ana"]


def test_who_has_no_id_of_the_business_and_who_is_edited_wake_nobody(stack: Stack) -> None:
    assert stack.api("POST", "/v1/customers", ANA).status == 201
    assert passages(stack) == []
    assert stack.api("PUT", "/v1/customers/by-external-id/bea-1", {**ANA, "email": "bea@example.com"}).status == 201
    assert stack.api("PUT", "/v1/customers/by-external-id/bea-1", {**ANA, "first_name": "Bea"}).status == 200

    [one] = passages(stack)
    made = house.ports().new_customer_of(one)
    assert made is not None
    assert (made.business_id, made.external_id) == (BUSINESS_ID, "bea-1")


def test_whom_nobody_could_be_told_of_comes_again(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    put(stack, "visit", steps=[SEND])
    did(stack, {"event_id": "v1", "kind": "visit"})
    comes(stack, "post")
    records = passages(stack)

    def broken(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        house.stand_in_for_use_case(patched, TimelineUseCases, tell_of_newcomers=broken)
        first = records[0]["dynamodb"]["SequenceNumber"]
        failed = {"batchItemFailures": [{"itemIdentifier": first}]}
        assert stack.invoke("forget_customers", {"Records": records}) == failed
    goes_on(stack)
    assert sends(stack) == []
    follows(stack)

    assert sends(stack) == ["Hello Ana"]


def test_who_was_told_of_before_somebody_could_not_be_forgotten_is_not_lost(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    comes(stack, "post")
    bea = {**ANA, "first_name": "Bea", "email": "bea@example.com"}
    gone = str(stack.api("POST", "/v1/customers", bea).body["customer_id"])
    assert stack.api("DELETE", f"/v1/customers/{gone}").status == 204
    records = passages(stack)
    told: list[Customer] = []

    def broken(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        house.stand_in_for_use_case(patched, TimelineUseCases, erase_customer=broken, tell_of_newcomers=told.extend)
        failed = {"batchItemFailures": [{"itemIdentifier": records[1]["dynamodb"]["SequenceNumber"]}]}
        assert stack.invoke("forget_customers", {"Records": records}) == failed

    assert [each.external_id for each in told] == ["ana-1"]


def test_what_is_left_of_who_had_the_id_is_erased_before_anybody_is_told_of_who_has_it_now(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = comes(stack, "post")
    assert stack.api("DELETE", f"/v1/customers/{gone}").status == 204
    comes(stack, "post")
    did: list[str] = []

    def erase(_: Customer) -> None:
        did.append("erased")

    def tell(came: Sequence[Customer]) -> None:
        did.append(f"told of {len(came)}")

    with monkeypatch.context() as patched:
        house.stand_in_for_use_case(patched, TimelineUseCases, erase_customer=erase, tell_of_newcomers=tell)
        stack.invoke("forget_customers", {"Records": passages(stack)})

    assert did == ["erased", "told of 2"]
