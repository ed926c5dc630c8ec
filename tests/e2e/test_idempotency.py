"""A POST that carries an Idempotency-Key is done once, however often it is sent."""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tests.e2e.rebound_api import CONTENT, Json, ReboundApi
from tests.e2e.surroundings import Calm, Twin

KEY: Final = "Idempotency-Key"
CAMPAIGN: Final[Json] = {
    "name": "Once",
    "category": "marketing",
    "channel": "email",
    "filter": {"tag": "nobody-has-this"},
    "content": CONTENT["email"],
}


def test_the_same_key_and_body_gives_the_first_answer_and_one_campaign(api: ReboundApi) -> None:
    answers = [api.call("POST", "/v1/campaigns", CAMPAIGN, {KEY: "autumn"}).expecting(202) for _ in range(3)]
    assert answers[0].json() == answers[1].json() == answers[2].json()
    # The order of names in a JSON object says nothing.
    backwards = dict(reversed(CAMPAIGN.items()))
    assert api.call("POST", "/v1/campaigns", backwards, {KEY: "autumn"}).json() == answers[0].json()
    ids = [campaign["campaign_id"] for campaign in api.listing("/v1/campaigns")]
    assert ids == [answers[0].json()["campaign_id"]]


def test_the_same_key_with_another_body_is_a_conflict(api: ReboundApi) -> None:
    customer = {"first_name": "Ana", "last_name": "Silva"}
    first = api.call("POST", "/v1/customers", customer, {KEY: "ana"}).expecting(201)
    again = api.call("POST", "/v1/customers", customer | {"first_name": "Bo"}, {KEY: "ana"})
    assert again.status == 409
    assert again.headers["content-type"].startswith("application/problem+json")
    assert api.call("POST", "/v1/customers", customer, {KEY: "ana"}).expecting(201).json() == first.json()
    assert [c["first_name"] for c in api.listing("/v1/customers", q="silva")] == ["Ana"]


def test_a_refused_request_does_not_use_up_its_key(api: ReboundApi) -> None:
    body = {"first_name": "Cy", "last_name": "Corrected", "email": "not-an-address"}
    assert api.call("POST", "/v1/customers", body, {KEY: "cy"}).status == 422
    assert api.call("POST", "/v1/customers", body | {"email": "cy@example.com"}, {KEY: "cy"}).status == 201


def test_a_key_belongs_to_one_business(api: ReboundApi, other: ReboundApi) -> None:
    body = {"first_name": "Dee", "last_name": "Double"}
    ours = api.call("POST", "/v1/customers", body, {KEY: "dee"}).expecting(201).json()
    theirs = other.call("POST", "/v1/customers", body, {KEY: "dee"}).expecting(201).json()
    assert ours["customer_id"] != theirs["customer_id"]


def test_a_message_asked_for_many_times_at_once_goes_out_once(api: ReboundApi, calm: Calm, twin: Twin) -> None:
    address = "eager@example.com"
    customer_id = api.new_customer(email=address)
    body = {"customer_id": customer_id, "category": "reminder", "channel": "email", "content": CONTENT["email"]}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: api.call("POST", "/v1/messages", body, {KEY: "eager"}), range(4)))
    # Those that came while the first was at work may be told to come again.
    assert {answer.status for answer in answers} <= {202, 409}
    accepted = [answer.json()["message_id"] for answer in answers if answer.status == 202]
    assert accepted
    assert len(set(accepted)) == 1
    calm.wait()
    assert [message["message_id"] for message in api.client_log(customer_id)] == accepted[:1]
    assert len(twin.sends_of(api, address)) == 1
