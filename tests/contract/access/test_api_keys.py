"""The keys of the API: one suite against the fake and the tables."""

from copy import replace

import pytest

from rebound.access.domain import ApiKey, OperatorKey, hash_of
from rebound.kernel.api_scopes import OPERATOR_SCOPES, ApiScope
from rebound.kernel.errors import InvalidInputError
from tests.fakes.aws import make
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    at,
)


def api_key(key_id: str, business_id: str = BUSINESS_ID) -> ApiKey:
    scopes = (ApiScope("campaigns:read"), ApiScope("messages:write"))
    return ApiKey(business_id, key_id, hash_of("s"), scopes, created_at=at(0.000001), label="till")


@pytest.mark.parametrize("tables", ["dynamodb", "benchmarks"], indirect=True)
def test_a_scope_that_only_newer_code_knows_opens_nothing_and_breaks_nothing(ports: EveryPorts) -> None:
    ports.api_keys.add(api_key("key-1"))
    [kept] = make("dynamodb").query(
        TableName="DirectoryTable",
        KeyConditionExpression="business_id = :business",
        ExpressionAttributeValues={":business": {"S": BUSINESS_ID}},
    )["Items"]
    kept["document"]["S"] = kept["document"]["S"].replace("messages:write", "holograms:write")
    make("dynamodb").put_item(TableName="DirectoryTable", Item=kept)

    assert ports.api_keys.find(BUSINESS_ID, "key-1") == replace(api_key("key-1"), scopes=(ApiScope("campaigns:read"),))


def test_keys_are_kept_found_listed_and_replaced(ports: EveryPorts) -> None:
    first, second = api_key("key-1"), api_key("key-2")
    for key in (first, second, api_key("key-1", "other")):
        ports.api_keys.add(key)
    ended = replace(first, expires_at=at(9))
    ports.api_keys.replace(ended)

    assert ports.api_keys.find(BUSINESS_ID, "key-1") == ended
    assert list(ports.api_keys.list(BUSINESS_ID)) == [ended, second]
    assert ports.api_keys.find("other", "key-2") is None


def test_keys_are_listed_page_by_page(ports: EveryPorts) -> None:
    for number in range(5):
        ports.api_keys.add(api_key(f"key-{number}"))
        ports.api_keys.add(api_key(f"key-{number}", "other"))
    first = ports.api_keys.page(BUSINESS_ID, 2, None)
    second = ports.api_keys.page(BUSINESS_ID, 4, first.next_cursor)

    assert [key.key_id for key in (*first.items, *second.items)] == [f"key-{number}" for number in range(5)]
    assert second.next_cursor is None
    with pytest.raises(InvalidInputError):
        ports.api_keys.page(BUSINESS_ID, 2, "!")


def test_an_operators_keys_are_kept_apart_from_those_of_businesses(ports: EveryPorts) -> None:
    own = OperatorKey("key-1", hash_of("s"), OPERATOR_SCOPES, created_at=at(1), label="platform", expires_at=at(9))
    ports.operator_keys.add(own)
    ports.operator_keys.add(replace(own, key_id="key-2", label="dashboard"))
    ended = replace(own, expires_at=at(2))
    ports.operator_keys.replace(ended)

    assert ports.operator_keys.find("key-1") == ended
    assert [key.key_id for key in ports.operator_keys.list()] == ["key-1", "key-2"]
    assert ports.operator_keys.find("key-3") is None
    # Whatever partition a token names.
    assert ports.api_keys.find("#operator", "key-1") is None
    assert not ports.api_keys.list("#operator")
