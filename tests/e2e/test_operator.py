"""A platform by program: salons, their keys and their senders over HTTP, by a key that opens nothing of theirs."""

from typing import Final

import pytest

from tests.e2e.rebound_api import Answer, ReboundApi
from tests.e2e.surroundings import Calm, Operator, Twin

BUSINESSES: Final = "/v1/operator/businesses"
SALON: Final = {"name": "Salon Oak", "country": "US", "time_zone": "America/New_York", "quiet_hours": {"email": None}}


@pytest.fixture(scope="module")
def platform(operator: Operator) -> ReboundApi:
    return operator.over_http("--label", "platform", "--valid-days", "1")


def is_forbidden(answer: Answer) -> bool:
    return (answer.status, answer.json().get("code")) == (403, "forbidden")


def test_a_salon_is_made_and_sends_without_a_shell(platform: ReboundApi, twin: Twin, calm: Calm) -> None:
    sender = "oak@salon.example.com"
    for status in (201, 200):
        made = platform.call("PUT", f"{BUSINESSES}/oak-1", {**SALON, "email_from": sender}).expecting(status).json()
    key = platform.post(f"{BUSINESSES}/oak-1/keys", {"label": "till"}, 201)
    salon = platform.with_key(key["api_key"])
    assert salon.get("/v1/business") == made
    customer_id = salon.new_customer(email="by-program@example.com")
    content = {"subject": "Your appointment", "text": "Tomorrow at ten."}
    message = {"customer_id": customer_id, "category": "reminder", "channel": "email", "content": content}
    salon.post("/v1/messages", message)
    calm.wait()
    assert [each["status"] for each in salon.client_log(customer_id)] == ["delivered"]
    assert [send.to for send in twin.sends() if send.business_id == "oak-1"] == ["by-program@example.com"]


def test_neither_key_opens_the_others_part_whichever_is_asked_first(platform: ReboundApi) -> None:
    platform.call("PUT", f"{BUSINESSES}/oak-2", SALON).expecting(200, 201)
    for order in (1, -1):
        key = platform.post(f"{BUSINESSES}/oak-2/keys", {}, 201)
        salon = platform.with_key(key["api_key"])
        for path in ("/v1/business", BUSINESSES, "/v1/customers", f"{BUSINESSES}/oak-2")[::order]:
            own, other = (platform, salon) if path.startswith(BUSINESSES) else (salon, platform)
            assert own.call("GET", path).status == 200, path
            assert is_forbidden(other.call("GET", path)), path
            assert own.call("GET", path).status == 200, path
    for path in ("/v1/operator/nothing", "/v1/%6Fperator/businesses", "/v1//operator/businesses", "/v1/operator"):
        assert salon.call("GET", path).status in (403, 404), path
    platform.post(f"{BUSINESSES}/oak-2/keys/{key['key_id']}/revoke", status=200)
    assert salon.call("GET", "/v1/business").status == 401


def test_senders_come_and_go(platform: ReboundApi) -> None:
    platform.call("PUT", f"{BUSINESSES}/oak-3", SALON).expecting(200, 201)
    for sender in ("+14155550177", "o'ak+3@salon.example.com"):
        assert platform.post(f"{BUSINESSES}/oak-3/senders", {"sender": sender}, 200)["chosen"] is False
        assert [each["sender"] for each in platform.get(f"{BUSINESSES}/oak-3/senders")["items"]] == [sender]
        platform.delete(f"{BUSINESSES}/oak-3/senders/{sender.replace('+', '%2B')}")
    assert platform.get(f"{BUSINESSES}/oak-3/senders") == {"items": []}


def test_salons_are_listed_and_an_ended_key_opens_nothing(platform: ReboundApi, operator: Operator) -> None:
    for number in (4, 5):
        platform.call("PUT", f"{BUSINESSES}/oak-{number}", {**SALON, "name": f"Salon Elder {number}"}).expecting(
            200, 201
        )
    listed = [each["business_id"] for each in platform.listing(BUSINESSES, q="elder", limit=1)]
    assert listed == ["oak-4", "oak-5"]
    new = operator.run("create-operator-key", "--scopes", "operator:read")
    reader = platform.with_key(new["operator_key"])
    assert reader.call("GET", BUSINESSES).status == 200
    assert reader.call("PUT", f"{BUSINESSES}/oak-6", SALON).json()["scope"] == "operator:write"
    operator.run("revoke-operator-key", "--key-id", new["key_id"])
    assert reader.call("GET", BUSINESSES).status == 401
