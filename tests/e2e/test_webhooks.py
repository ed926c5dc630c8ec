"""What happens comes to a client's own server, signed; what fails comes again, and what was missed when asked for."""

from collections.abc import Iterator

import pytest

from tests.e2e.rebound_api import Json, ReboundApi
from tests.e2e.waiting import until
from tests.fakes.clients_receiver import ClientsReceiver

BOUNCES = "bounce+hooks@simulator.amazonses.com"
EVENTS = ["ContactInvalidated", "MessageFailed", "ReplyReceived"]


@pytest.fixture
def receiver() -> Iterator[ClientsReceiver]:
    with ClientsReceiver() as receiver:
        yield receiver


def test_what_happens_is_posted_signed_tried_again_and_replayed(api: ReboundApi, receiver: ClientsReceiver) -> None:
    receiver.failures = 1
    made = api.put("/v1/webhooks/crm", {"url": receiver.url, "events": EVENTS})
    receiver.secret = made["secret"]
    customer_id = api.new_customer("Ana", "Silva", email=BOUNCES, external_id="crm-hooks")
    message_id = api.new_message(customer_id, "email")

    def heard() -> dict[str, Json]:
        return {event["type"]: event for event in receiver.verified}

    events = until("both events have come", heard, lambda found: len(found) == 2, 120)
    assert events["ContactInvalidated"]["data"]["customer_ids"] == [customer_id]
    assert events["ContactInvalidated"]["data"]["external_ids"] == ["crm-hooks"]
    assert events["MessageFailed"]["data"]["message_id"] == message_id
    assert events["MessageFailed"]["data"]["external_id"] == "crm-hooks"
    assert receiver.answered[0] == 503

    def listed() -> list[Json]:
        found: list[Json] = api.get("/v1/webhooks/crm/deliveries")["items"]
        return found

    kept = until("both are noted", listed, lambda found: {each["status"] for each in found} == {"delivered"}, 60)
    assert sorted(each["attempts"] for each in kept) == [1, 2]
    assert {each["delivery_id"] for each in kept} == {event["id"] for event in events.values()}

    known = len(receiver.verified)
    api.post(f"/v1/webhooks/crm/deliveries/{events['MessageFailed']['id']}/replay", status=202)
    until("it is posted once more", lambda: len(receiver.verified), lambda count: count > known, 60)
    assert receiver.verified[-1] == events["MessageFailed"]

    old, receiver.secret = receiver.secret, api.post("/v1/webhooks/crm/rotate-secret", status=200)["secret"]
    tested = api.post("/v1/webhooks/crm/test", status=202)
    until("the test event has come", lambda: receiver.verified[-1]["id"], lambda id_: id_ == tested["delivery_id"], 60)
    receiver.secret = old
    tested = api.post("/v1/webhooks/crm/test", status=202)
    until(
        "so it has for the old secret",
        lambda: receiver.verified[-1]["id"],
        lambda id_: id_ == tested["delivery_id"],
        60,
    )
    api.delete("/v1/webhooks/crm")
