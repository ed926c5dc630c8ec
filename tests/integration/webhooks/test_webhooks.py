"""Webhooks over HTTP: put, read, tried, replayed, rotated, removed; by the deployed functions, to a real receiver."""

import json
from collections.abc import Iterator

import pytest

from rebound.kernel.events import EVENTS
from tests.fakes.clients_receiver import ClientsReceiver
from tests.integration.conftest import Stack

FIELDS = ["webhook_id", "url", "events", "status", "failing_since", "created_at", "updated_at", "secret"]


@pytest.fixture
def receiver() -> Iterator[ClientsReceiver]:
    with ClientsReceiver() as receiver:
        yield receiver


def deliver(stack: Stack) -> None:
    """What waits on the queue and is due comes to the function."""
    for record in stack.received("WEBHOOK_QUEUE_URL"):
        assert stack.invoke("deliver_webhooks", {"Records": [record]}) == {"batchItemFailures": []}


def test_a_webhook_is_put_tried_looked_at_replayed_and_removed(stack: Stack, receiver: ClientsReceiver) -> None:
    put = stack.api("PUT", "/v1/webhooks/crm", {"url": receiver.url, "events": ["ReplyReceived"]})
    assert (put.status, list(put.body)) == (200, FIELDS)
    receiver.secret = put.body["secret"]
    read = stack.api("GET", "/v1/webhooks/crm")
    assert read.body == {**put.body, "secret": None}
    assert stack.api("GET", "/v1/webhooks").body == {"items": [read.body], "next_cursor": None}
    again = stack.api("PUT", "/v1/webhooks/crm", {"url": receiver.url, "events": ["ReplyReceived", "ReplyReceived"]})
    assert (again.body["secret"], again.body["events"]) == (None, ["ReplyReceived"])
    tested = stack.api("POST", "/v1/webhooks/crm/test")
    assert (tested.status, tested.body["status"]) == (202, "pending")
    deliver(stack)
    [event] = receiver.verified
    assert (event["id"], event["type"]) == (tested.body["delivery_id"], "WebhookTest")
    listed = stack.api("GET", "/v1/webhooks/crm/deliveries").body
    assert [(each["delivery_id"], each["status"], each["response_status"]) for each in listed["items"]] == [
        (event["id"], "delivered", 204)
    ]
    replayed = stack.api("POST", f"/v1/webhooks/crm/deliveries/{event['id']}/replay")
    assert (replayed.status, replayed.body["attempts"]) == (202, 0)
    deliver(stack)
    assert receiver.verified == [event, event]
    rotated = stack.api("POST", "/v1/webhooks/crm/rotate-secret")
    assert rotated.body["secret"] not in (None, receiver.secret)
    stack.api("POST", "/v1/webhooks/crm/test")
    deliver(stack)
    assert receiver.headers[-1].count("v1=") == 2
    assert len(receiver.verified) == 3
    assert stack.api("DELETE", "/v1/webhooks/crm").status == 204
    assert stack.api("GET", "/v1/webhooks/crm").status == 404
    assert stack.api("GET", "/v1/webhooks").body["items"] == []


def test_a_new_secret_is_shown_once_also_to_who_asks_again(stack: Stack, receiver: ClientsReceiver) -> None:
    stack.api("PUT", "/v1/webhooks/crm", {"url": receiver.url, "events": list(EVENTS)})
    named = {"Idempotency-Key": "one"}
    rotated, again = (stack.api("POST", "/v1/webhooks/crm/rotate-secret", headers=named) for _ in range(2))

    assert (again.status, again.body["code"], again.body["id"]) == (409, "secret_shown_before", "crm")
    assert rotated.body["secret"] not in json.dumps(stack.table("IDEMPOTENCY_TABLE"), default=str)


def test_a_change_of_a_contact_comes_to_the_receiver_when_it_is_back(stack: Stack, receiver: ClientsReceiver) -> None:
    receiver.failures = 1
    put = stack.api("PUT", "/v1/webhooks/crm", {"url": receiver.url, "events": list(EVENTS)})
    receiver.secret = put.body["secret"]
    stack.api("POST", "/v1/webhooks/crm/test")
    deliver(stack)
    failing = stack.api("GET", "/v1/webhooks/crm").body
    assert (failing["status"], failing["failing_since"] is None) == ("failing", False)
    [delivery] = stack.api("GET", "/v1/webhooks/crm/deliveries").body["items"]
    assert (delivery["status"], delivery["attempts"], delivery["response_status"]) == ("pending", 1, 503)
    assert delivery["next_attempt_at"] > delivery["last_attempt_at"]
    # Somebody does not want to wait.
    stack.api("POST", f"/v1/webhooks/crm/deliveries/{delivery['delivery_id']}/replay")
    deliver(stack)
    assert stack.api("GET", "/v1/webhooks/crm").body["status"] == "active"
    assert len(receiver.verified) == 1


def test_what_is_wrong_is_named_and_nothing_is_kept(stack: Stack) -> None:
    good = {"url": "https://hooks.example.com/in", "events": ["ReplyReceived"]}
    for webhook_id, body, fields in (
        ("twilio", good, ["webhook_id"]),
        ("a b", good, ["webhook_id"]),
        ("crm", {**good, "url": "http://hooks.example.com/in"}, ["url"]),
        ("crm", {**good, "url": "https://169.254.169.254/latest"}, ["url"]),
        ("crm", {**good, "url": "https://u:p@hooks.example.com/"}, ["url"]),
        ("crm", {**good, "events": []}, ["events"]),
        ("crm", {**good, "events": ["ReplyRecieved"]}, ["events[0]"]),
        ("crm", {"url": 7, "events": "all"}, ["events", "url"]),
        ("crm", {**good, "secret": "own"}, ["secret"]),
        ("twilio", {"url": "", "events": ["x"]}, ["events[0]", "url", "webhook_id"]),
    ):
        refused = stack.api("PUT", f"/v1/webhooks/{webhook_id}", body)
        assert (refused.status, refused.fields) == (422, fields), body
    assert stack.api("GET", "/v1/webhooks").body["items"] == []
    assert stack.api("GET", "/v1/webhooks/crm/deliveries").status == 404
    assert stack.api("POST", "/v1/webhooks/crm/test").status == 404
    assert stack.api("POST", "/v1/webhooks/crm/deliveries/01M7W6ARGFEXM6PVNM0V1C8F0N/replay").status == 404
    assert stack.api("DELETE", "/v1/webhooks/crm").status == 404


def test_a_sixth_webhook_is_a_conflict(stack: Stack) -> None:
    body = {"url": "https://hooks.example.com/in", "events": ["ReplyReceived"]}
    answers = [stack.api("PUT", f"/v1/webhooks/hook-{number}", body) for number in range(6)]

    assert [answer.status for answer in answers] == [200] * 5 + [409]
    assert answers[-1].body["code"] == "too_many_webhooks"


def test_another_business_sees_nothing_of_it(stack: Stack) -> None:
    body = {"url": "https://hooks.example.com/in", "events": ["ReplyReceived"]}
    stack.api("PUT", "/v1/webhooks/crm", body)

    assert stack.api("GET", "/v1/webhooks/crm", business_id="other").status == 404
    assert stack.api("GET", "/v1/webhooks", business_id="other").body["items"] == []
    assert stack.api("POST", "/v1/webhooks/crm/test", business_id="other").status == 404


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", ""), ("DELETE", ""), ("POST", "/test"), ("POST", "/rotate-secret")]
)
def test_who_may_only_read_settings_changes_no_webhook(method: str, path: str, stack: Stack) -> None:
    refused = stack.api(method, f"/v1/webhooks/crm{path}", {} if method == "PUT" else None, scopes="business:read")

    assert (refused.status, refused.body["scope"]) == (403, "business:write")


def test_a_secret_is_in_no_other_answer_and_in_no_message(stack: Stack) -> None:
    body = {"url": "https://hooks.example.com/in", "events": ["ReplyReceived"]}
    secret = stack.api("PUT", "/v1/webhooks/crm", body).body["secret"]
    answers = [
        stack.api("GET", "/v1/webhooks"),
        stack.api("GET", "/v1/webhooks/crm"),
        stack.api("PUT", "/v1/webhooks/crm", body),
        stack.api("POST", "/v1/webhooks/crm/test"),
        stack.api("GET", "/v1/webhooks/crm/deliveries"),
        stack.api("GET", "/v1/business"),
    ]
    queued = [record["body"] for record in stack.received("WEBHOOK_QUEUE_URL")]

    assert queued
    assert not any(secret in text for text in (*(answer.text for answer in answers), *queued))
    assert json.loads(answers[-1].text)["message_events"] == []


def test_the_events_of_messages_that_the_bus_gets_are_a_setting(stack: Stack) -> None:
    named = {"message_events": ["MessageFailed", "MessageFailed"]}

    assert stack.api("PATCH", "/v1/business", named).body["message_events"] == ["MessageFailed"]
    refused = stack.api("PATCH", "/v1/business", {"message_events": ["ContactInvalidated"]})
    assert (refused.status, refused.fields) == (422, ["message_events"])
    assert stack.api("PATCH", "/v1/business", {"message_events": []}).body["message_events"] == []
