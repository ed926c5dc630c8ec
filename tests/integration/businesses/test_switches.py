"""The switches through the API and the functions, with the settings in the real tables."""

import json
from typing import Any

import pytest

from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, customer, id_of
from tests.integration.conftest import Stack
from tests.integration.platform.test_functions import failures, records

ON = {"email": True, "sms": True, "text": True, "text_confirmations": True}
OFFER = {"name": "Offer", "category": "marketing", "filter": {"all": []}}
EMAIL = {"channel": "email", "content": {"subject": "Hello", "text": "Hello"}}
TEXT = {"channel": "sms", "content": {"body": "Please answer C to confirm."}}
QUEUES = {"email": ("PROMPT_EMAIL_QUEUE_URL", "send_email"), "sms": ("PROMPT_TEXT_QUEUE_URL", "send_text")}
OFF_TWICE = {"sms": False, "text": False}
CALLED = {"email": "emails", "sms": "texts"}


@pytest.fixture
def ana(stack: Stack) -> str:
    """A customer who can be reached on both channels."""
    assert stack.settings
    house.ports().customers.save([customer(1)], [])
    return id_of(1)


def switch(stack: Stack, **switches: bool) -> dict[str, bool]:
    answer = stack.api("PATCH", "/v1/business", {"switches": switches})
    assert answer.status == 200, answer.text
    found: dict[str, bool] = answer.body["switches"]
    return found


def operate(command: str, **given: Any) -> Any:
    return house.use_cases().run_command({"command": command, **given}, lambda: True)


def test_everything_is_on_at_first_and_a_switch_that_is_left_out_keeps_its_value(stack: Stack) -> None:
    before = stack.api("GET", "/v1/business").body

    assert (before["switches"], before["bundle"]) == (ON, "premium")
    assert switch(stack, email=False) == {**ON, "email": False}
    assert switch(stack, text_confirmations=False) == {**ON, "email": False, "text_confirmations": False}
    assert switch(stack) == {**ON, "email": False, "text_confirmations": False}
    assert switch(stack, email=True, text_confirmations=True) == ON


@pytest.mark.parametrize("names", [("sms",), ("text",), ("sms", "text")])
def test_the_channel_has_a_name_from_before_in_switches_and_senders(stack: Stack, names: tuple[str, ...]) -> None:
    own = {"email": [], "sms": ["+15005550006"], "text": ["+15005550006"]}
    printed = json.dumps(operate("add-sender", business_id=BUSINESS_ID, sender="+15005550006")["senders"])
    assert json.loads(printed) == own

    for on in (False, True):
        assert switch(stack, **dict.fromkeys(names, on)) == {**ON, "sms": on, "text": on}
    assert stack.api("GET", "/v1/business").body["senders"] == own


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"switches": None}, ["switches"]),
        ({"switches": "off"}, ["switches"]),
        ({"switches": {"email": "no"}}, ["switches.email"]),
        ({"switches": {"text": None, "post": True}}, ["switches.post", "switches.text"]),
        ({"switches": {"sms": None, "post": True}}, ["switches.post", "switches.sms"]),
        ({"switches": {"sms": True, "text": False}}, ["switches"]),
        ({"switches": {"sms": False, "text": True, "email": False}}, ["switches"]),
        ({"bundle": "premium"}, ["bundle"]),
    ],
)
def test_what_cannot_be_switched_is_refused_by_field_and_changes_nothing(
    stack: Stack, given: dict[str, Any], fields: list[str]
) -> None:
    answer = stack.api("PATCH", "/v1/business", {"name": "Other", **given})

    assert (answer.status, answer.fields) == (422, fields), answer.text
    after = stack.api("GET", "/v1/business").body
    assert (after["name"], after["switches"], after["bundle"]) == ("Salon Juniper", ON, "premium")


@pytest.mark.parametrize(("name", "what"), [("email", EMAIL), ("sms", TEXT)])
def test_nothing_is_taken_or_sent_on_a_channel_that_is_off(
    stack: Stack, ana: str, name: str, what: dict[str, Any]
) -> None:
    message = {**what, "category": "reminder", "customer_id": ana}
    posted = stack.api("POST", "/v1/messages", message).body
    assert switch(stack, **{name: False})[name] is False
    refused = [stack.api("POST", "/v1/messages", message), stack.api("POST", "/v1/campaigns", {**OFFER, **what})]
    queue, sender = QUEUES[name]
    for stored in stack.received(queue):
        assert failures(stack.invoke(sender, records(stored["body"]))) == []
    (row,) = stack.api("GET", f"/v1/customers/{ana}/messages").body["items"]
    preview = {"filter": {"all": []}, "channel": what["channel"], "category": "reminder"}

    for answer in refused:
        assert (answer.status, f"switches.{name} to true" in answer.body["detail"]) == (409, True)
    assert (row["message_id"], row["status"], row["reason"]) == (posted["message_id"], "excluded", "channel_off")
    assert row["barrier"] == "switched_off"
    (entry,) = stack.api("GET", f"/v1/customers/{ana}/log").body["items"]
    assert f"had switched {CALLED[name]} off." in entry["sentence"]
    assert stack.api("POST", "/v1/segments/preview", preview).body["excluded"] == {"channel_off": 1}


@pytest.mark.parametrize(("channel", "looked_at"), [("email", {"email": False}), ("sms", OFF_TWICE)])
def test_why_not_names_the_switch_and_what_to_do(
    stack: Stack, ana: str, channel: str, looked_at: dict[str, bool]
) -> None:
    switch(stack, **{channel: False})
    query = {"channel": channel, "category": "reminder"}
    why = stack.api("GET", f"/v1/customers/{ana}/reachability", query=query).body

    assert why["verdict"]["reason"] == "channel_off"
    assert why["verdict"]["sentence"] == f"The business has switched {CALLED[channel]} off, so none go out."
    assert f"(switches.{channel})" in why["next_step"]
    assert why["rules"][0]["looked_at"]["switches"] == looked_at


def test_text_confirmations_go_with_the_premium_bundle_which_the_operator_sets(stack: Stack, ana: str) -> None:
    asking = {**TEXT, "category": "reminder", "customer_id": ana, "appointment_id": "a-1", "asks_confirmation": True}
    assert operate("set-bundle", business_id=BUSINESS_ID, bundle="basic")["bundle"] == "basic"
    assert stack.api("GET", "/v1/business").body["bundle"] == "basic"
    refused = stack.api("POST", "/v1/messages", asking)
    query = {"channel": "sms", "category": "reminder", "asks_confirmation": "true"}
    why = stack.api("GET", f"/v1/customers/{ana}/reachability", query=query).body

    assert (refused.status, "premium bundle" in refused.body["detail"]) == (409, True)
    assert (
        why["verdict"]["sentence"]
        == "Text confirmations come with the premium bundle, which the business does not have."
    )
    assert why["rules"][0]["looked_at"]["bundle"] == "basic"
    assert stack.api("POST", "/v1/messages", {**asking, "asks_confirmation": False}).status == 202
    operate("set-bundle", business_id=BUSINESS_ID, bundle="premium")
    posted = stack.api("POST", "/v1/messages", asking)
    assert (posted.status, posted.body["appointment_id"], posted.body["asks_confirmation"]) == (202, "a-1", True)


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"appointment_id": ""}, ["appointment_id"]),
        ({"appointment_id": "a/1"}, ["appointment_id"]),
        ({"appointment_id": ".."}, ["appointment_id"]),
        ({"appointment_id": "a" * 129}, ["appointment_id"]),
        ({"appointment_id": 7}, ["appointment_id"]),
        ({"asks_confirmation": True}, ["asks_confirmation"]),
        ({"asks_confirmation": "yes", "appointment_id": "a-1"}, ["asks_confirmation"]),
        ({**EMAIL, "asks_confirmation": True, "appointment_id": "a-1"}, ["asks_confirmation"]),
    ],
)
def test_an_appointment_that_cannot_be_is_refused_by_field(
    stack: Stack, ana: str, given: dict[str, Any], fields: list[str]
) -> None:
    answer = stack.api("POST", "/v1/messages", {**TEXT, "category": "reminder", "customer_id": ana, **given})

    assert (answer.status, answer.fields) == (422, fields), answer.text
    assert stack.api("GET", f"/v1/customers/{ana}/messages").body["items"] == []
