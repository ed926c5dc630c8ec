"""Consent on the deployed stack: who said what, what staff can change, and what goes out after it."""

from http import HTTPStatus

from tests.e2e.rebound_api import Json, ReboundApi
from tests.e2e.surroundings import Twin
from tests.e2e.waiting import until

PHONE = "+14155550991"
OPTED_OUT_AT_TWILIO = "+15005550004"
"""The twin refuses texts to it with 21610, as Twilio does for a number that sent STOP."""


def consent(api: ReboundApi, customer_id: str) -> Json:
    return api.get(f"/v1/customers/{customer_id}/consent")


def test_staff_unsubscribe_and_resubscribe_and_a_message_to_one_person_goes_out_all_the_same(
    api: ReboundApi, twin: Twin
) -> None:
    ana = api.new_customer(mobile_phone=PHONE)
    said = {"channel": "sms", "scope": "marketing", "opted_out": True, "who": "Kim", "words": "asked at the desk"}
    state = api.post(f"/v1/customers/{ana}/consent", said, HTTPStatus.OK)
    assert state["channels"]["sms"]["scopes"]["marketing"]["opted_out"]

    offer = {"name": "Offer", "category": "marketing", "channel": "sms", "content": {"body": "20 % off"}}
    campaign = api.post("/v1/campaigns", {**offer, "customer_ids": [ana]})
    assert campaign["foreseen"] == {"matched": 1, "excluded": {"opted_out": 1}, "targeted": 0}
    message_id = api.new_message(ana, "sms", "one_to_one")
    until("delivered", lambda: api.message(ana, message_id), lambda seen: seen["status"] == "delivered", seconds=180)
    until(
        "completed",
        lambda: api.campaign(campaign["campaign_id"]),
        lambda seen: seen["status"] == "completed" and seen["audience"] == campaign["foreseen"],
        seconds=180,
    )
    assert [send.message_id for send in twin.sends_of(api, PHONE)] == [message_id]

    # Also after the stream has brought the statement into the history: it is there once.
    api.post(f"/v1/customers/{ana}/consent", {**said, "opted_out": False}, HTTPStatus.OK)
    again = until(
        "both statements", lambda: consent(api, ana), lambda seen: len(seen["history"]["items"]) == 2, seconds=90
    )
    assert [item["opted_out"] for item in again["history"]["items"]] == [False, True]


def test_what_the_customer_stopped_outlives_deletion_and_staff_cannot_undo_it(api: ReboundApi) -> None:
    bo = api.new_customer(mobile_phone=OPTED_OUT_AT_TWILIO)
    message_id = api.new_message(bo, "sms", "reminder")
    until(
        "learnt",
        lambda: consent(api, bo)["channels"]["sms"]["scopes"]["all"],
        lambda scope: scope["opted_out"],
        seconds=180,
    )
    api.delete(f"/v1/customers/{bo}")
    back = api.new_customer("Bo", mobile_phone=OPTED_OUT_AT_TWILIO)
    resubscribed = {"channel": "sms", "scope": "all", "opted_out": False, "who": "Kim", "words": "wants them back"}
    refused = api.call("POST", f"/v1/customers/{back}/consent", resubscribed).expecting(HTTPStatus.CONFLICT).json()
    seen = consent(api, back)

    assert "text START to" in refused["detail"]
    assert [(item["source"], item["message_id"]) for item in seen["history"]["items"]] == [("provider", message_id)]
    reminder = api.new_message(back, "sms", "one_to_one")
    until(
        "left out",
        lambda: api.message(back, reminder),
        lambda message: (message["status"], message["reason"]) == ("excluded", "opted_out"),
        seconds=180,
    )
