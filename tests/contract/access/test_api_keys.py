"""The keys of the API: one suite against the fake and the tables."""

from copy import replace

from rebound.access.domain import ApiKey, hash_of
from rebound.kernel.api_scopes import ApiScope
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    at,
)


def api_key(key_id: str, business_id: str = BUSINESS_ID) -> ApiKey:
    scopes = (ApiScope("campaigns:read"), ApiScope("messages:write"))
    return ApiKey(business_id, key_id, hash_of("s"), scopes, created_at=at(0.000001), label="till")


def test_keys_are_kept_found_listed_and_replaced(ports: EveryPorts) -> None:
    first, second = api_key("key-1"), api_key("key-2")
    for key in (first, second, api_key("key-1", "other")):
        ports.api_keys.add(key)
    ended = replace(first, expires_at=at(9))
    ports.api_keys.replace(ended)

    assert ports.api_keys.find(BUSINESS_ID, "key-1") == ended
    assert list(ports.api_keys.list(BUSINESS_ID)) == [ended, second]
    assert ports.api_keys.find("other", "key-2") is None
