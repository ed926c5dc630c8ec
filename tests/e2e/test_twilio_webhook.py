"""The status callback: only Twilio's own word counts, and an old word said again changes nothing."""

from collections.abc import Callable, Mapping
from copy import replace
from dataclasses import dataclass
from typing import Final

import pytest

from tests.e2e.rebound_api import Answer, Json, ReboundApi
from tests.e2e.surroundings import Calm, Send, TwilioCallback, Twin
from tests.e2e.waiting import until

FORBIDDEN: Final = 403
SIGNATURE: Final = "X-Twilio-Signature"

FORGERIES: Final[Mapping[str, Callable[[TwilioCallback], Answer]]] = {
    "no signature": lambda callback: callback.deliver(headers={}),
    "an empty signature": lambda callback: callback.deliver(headers={SIGNATURE: ""}),
    "a signature of nothing": lambda callback: callback.deliver(headers={SIGNATURE: "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}),
    "not even Base64": lambda callback: callback.deliver(headers={SIGNATURE: "%%%"}),
    "another token": lambda callback: replace(callback, token="not-the-token").deliver(),  # noqa: S106 - it is wrong
    "an empty token": lambda callback: replace(callback, token="").deliver(),
    "another error code than was signed": lambda callback: callback.deliver(
        fields={**callback.fields, "ErrorCode": "21211"}
    ),
    "another status than was signed": lambda callback: replace(
        callback, fields={**callback.fields, "MessageStatus": "delivered"}
    ).deliver(fields=callback.fields),
    "a field more than was signed": lambda callback: callback.deliver(fields={**callback.fields, "Price": "1"}),
    "a field less than was signed": lambda callback: callback.deliver(
        fields={name: value for name, value in callback.fields.items() if name != "AccountSid"}
    ),
    "another message than was signed": lambda callback: replace(
        callback, url=callback.url.replace("m=", "m=0")
    ).deliver(url=callback.url),
    "another host than the public one": lambda callback: replace(
        callback, url=callback.url.replace("127.0.0.1", "evil.example.com")
    ).deliver(url=callback.url, headers=None),
    "an empty body": lambda callback: callback.deliver(fields={}),
}


@dataclass(frozen=True, slots=True)
class Text:
    """A text that Twilio accepted and then kept silent about."""

    customer_id: str
    send: Send

    def log(self, api: ReboundApi) -> list[Json]:
        return api.client_log(self.customer_id)

    def status(self, api: ReboundApi) -> str:
        (message,) = self.log(api)
        return str(message["status"])


@pytest.fixture(scope="module")
def texts(api: ReboundApi, calm: Calm, twin: Twin) -> Mapping[str, Text]:
    """One text for each purpose, each to a customer of its own."""
    numbers = {"forged": "+14155550131", "blank": "+14155550132", "reordered": "+14155550133"}
    calm.wait()
    ids = {purpose: api.new_customer(mobile_phone=number) for purpose, number in numbers.items()}
    with twin.with_faults({"provider": "twilio", "kind": "drop_callbacks", "rate": 1}):
        posted = {purpose: api.new_message(customer_id, "sms") for purpose, customer_id in ids.items()}
        until(
            "all accepted",
            lambda: [api.message(ids[purpose], message_id)["status"] for purpose, message_id in posted.items()],
            lambda statuses: set(statuses) == {"sent"},
        )
    sends = {send.message_id: send for send in twin.sends_of(api)}
    return {purpose: Text(ids[purpose], sends[message_id]) for purpose, message_id in posted.items()}


def test_a_callback_that_twilio_did_not_sign_is_refused_and_leaves_no_trace(
    api: ReboundApi, calm: Calm, texts: Mapping[str, Text]
) -> None:
    text = texts["forged"]
    before = text.log(api), api.customer(text.customer_id)
    callback = TwilioCallback.about(api, text.send, "undelivered", 30005)
    answers = {name: forge(callback).status for name, forge in FORGERIES.items()}
    assert answers == dict.fromkeys(FORGERIES, FORBIDDEN)
    calm.wait()
    assert (text.log(api), api.customer(text.customer_id)) == before
    # The true word goes the same way and comes through; a forged failure would have outdone it.
    TwilioCallback.about(api, text.send, "delivered").deliver().expecting(200, 204)
    until("delivered", lambda: text.status(api), lambda status: status == "delivered")
    calm.wait()
    assert text.status(api) == "delivered"
    assert api.contact(text.customer_id, "sms")["invalid"] is False


def test_fields_that_are_new_or_blank_are_signed_and_accepted(api: ReboundApi, texts: Mapping[str, Text]) -> None:
    text = texts["blank"]
    callback = TwilioCallback.about(api, text.send, "delivered")
    fields = {**callback.fields, "MessagingServiceSid": "", "SomethingNew": "a b&c=d+é"}
    replace(callback, fields=fields).deliver().expecting(200, 204)
    until("delivered", lambda: text.status(api), lambda status: status == "delivered")


def test_callbacks_in_any_order_and_number_end_the_same(api: ReboundApi, calm: Calm, texts: Mapping[str, Text]) -> None:
    text = texts["reordered"]
    for status in ("delivered", "queued", "sent", "delivered", "sending", "sent"):
        TwilioCallback.about(api, text.send, status).deliver().expecting(200, 204)
    until("delivered", lambda: text.status(api), lambda status: status == "delivered")
    calm.wait()
    assert text.status(api) == "delivered"


def test_a_correctly_signed_replay_of_an_old_callback_changes_nothing(api: ReboundApi, calm: Calm, twin: Twin) -> None:
    number = "+15553000531"
    customer_id = api.new_customer(mobile_phone=number)
    api.new_message(customer_id, "sms")
    until("flagged", lambda: api.contact(customer_id, "sms")["invalid"], bool)
    cleared = api.post(f"/v1/customers/{customer_id}/contacts/sms/confirm", status=200)
    log = api.client_log(customer_id)
    (send,) = twin.sends_of(api, number)
    replayed = TwilioCallback.about(api, send, "undelivered", 30005)
    for _ in range(3):
        replayed.deliver().expecting(200, 204)
    calm.wait()
    assert api.client_log(customer_id) == log
    assert api.customer(customer_id)["contacts"] == cleared["contacts"]
    assert cleared["contacts"]["sms"]["invalid"] is False
