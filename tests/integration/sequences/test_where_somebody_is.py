"""Where somebody is in sequences, what comes next, and why somebody is not in one, over HTTP and in the console."""

from typing import Any

import pytest

from tests.integration.conftest import Stack
from tests.integration.sequences.test_sequences import PATH, SEND, WELCOME, goes_on, sends


@pytest.fixture
def customer_id(stack: Stack) -> str:
    given = {"first_name": "Ana", "last_name": "Silva", "email": "ana@example.com", "external_id": "ana-1"}
    return str(stack.api("POST", "/v1/customers", given).body["customer_id"])


def stands(stack: Stack, customer_id: str) -> dict[str, Any]:
    answer = stack.api("GET", f"/v1/customers/{customer_id}/sequences")
    assert (answer.status, answer.body["external_id"]) == (200, "ana-1"), answer.text
    return {each["sequence_id"]: each for each in answer.body["items"]}


def test_what_comes_next_is_said_in_data_and_in_words(stack: Stack, customer_id: str) -> None:
    stack.api("PUT", PATH, WELCOME)
    stack.api("POST", f"{PATH}/enrolments", {"customer_id": customer_id, "entry_key": "1"})
    [begun] = stack.api("GET", f"{PATH}/enrolments").body["items"]
    nothing = {"waits_for": None, "condition": None, "then_step_id": None, "else_step_id": None, "tag": None}
    said = {"channel": "email", "category": "marketing", "template_id": None, "subject": "Hello ##{{first_name}}"}
    assert begun["next"] == {"step_id": "hello", "kind": "send", "at": begun["wake_at"], **nothing, **said}
    goes_on(stack)
    assert sends(stack) == ["Hello Ana"]

    [one] = stack.api("GET", f"{PATH}/enrolments", query={"customer_id": customer_id}).body["items"]
    assert (one["next"]["kind"], one["next"]["step_id"], one["next"]["at"]) == ("wait", "3", one["wake_at"])
    assert one["sentence"].startswith("Waits until ")
    stand = stands(stack, customer_id)["welcome"]
    assert (stand["name"], stand["status"], stand["place"]) == ("Welcome", "on", "inside")
    assert (stand["enrolment"], stand["sentence"]) == (one, one["sentence"])
    last = stand["last_message"]
    assert (last["step_id"], last["status"], last["reason"]) == ("hello", "sent", None)
    [message] = stack.api("GET", f"/v1/customers/{customer_id}/messages").body["items"]
    assert last["message_id"] == message["message_id"]


def test_a_condition_names_both_ways(stack: Stack, customer_id: str) -> None:
    steps = [{"wait": {"days": 1}}, {"id": "ask", "if": {"tag": "vip"}, "then": [SEND], "else": []}, {"exit": {}}]
    stack.api("PUT", PATH, {**WELCOME, "steps": steps})
    stack.api("POST", f"{PATH}/enrolments", {"customer_id": customer_id, "entry_key": "1"})
    goes_on(stack)
    [one] = stack.api("GET", f"{PATH}/enrolments").body["items"]

    assert (one["next"]["kind"], one["next"]["condition"]) == ("if", {"tag": "vip"})
    assert (one["next"]["then_step_id"], one["next"]["else_step_id"]) == ("ask.then.1", "3")


def test_why_somebody_is_not_in_a_sequence_is_said(stack: Stack, customer_id: str) -> None:
    given: dict[str, dict[str, Any]] = {
        "off": {"status": "off"},
        "vips": {"filter": {"tag": "vip"}},
        "open": {"filter": None},
    }
    for sequence_id, more in given.items():
        assert stack.api("PUT", f"/v1/sequences/{sequence_id}", {**WELCOME, **more}).status == 200
    stack.api("PUT", "/v1/sequences/once", {**WELCOME, "reentry": "never", "steps": [{"tag": {"add": "been"}}]})
    stack.api("POST", "/v1/sequences/once/enrolments", {"customer_id": customer_id, "entry_key": "1"})
    goes_on(stack)

    found = stands(stack, customer_id)
    places = {"off": "off", "vips": "filter", "open": "not_started", "once": "only_once"}
    assert {sequence_id: each["place"] for sequence_id, each in found.items()} == places
    assert found["open"]["sentence"] == "Nothing has started it for them: it begins with a visit (yoga)."
    assert [each["enrolment"] is None for each in found.values()] == [True, False, True, True]
    assert found["once"]["enrolment"]["left_because"] == "ended"
    assert stack.api("GET", "/v1/customers/0123456789abcdef0123456789abcdef/sequences").status == 404


def test_the_log_has_what_was_begun_and_left(stack: Stack, customer_id: str) -> None:
    stack.api("PUT", PATH, {**WELCOME, "steps": [{"id": "hello", **SEND}]})
    stack.api("POST", f"{PATH}/enrolments", {"customer_id": customer_id, "entry_key": "1"})
    goes_on(stack)
    sends(stack)
    items = stack.api("GET", f"/v1/customers/{customer_id}/log").body["items"]
    told = [each for each in items if each["kind"] == "sequence"]
    own: dict[str, Any] = {"sequence_id": "welcome", "name": "Welcome", "version": 1, "entry_key": "by-hand#1"}

    assert [each["sequence"] for each in told] == [
        {**own, "what": "left", "step_id": "hello", "left_because": "ended"},
        {**own, "what": "begun", "step_id": None, "left_because": None},
    ]
    assert told[0]["sentence"] == 'Left the sequence "Welcome": they had come to its end.'
    assert {each["kind"] for each in items} >= {"sequence", "message"}
