"""What customers text back: STOP, START and HELP on the deployed stack, and nobody else's words."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import pytest

from tests.e2e.rebound_api import Answer, ReboundApi
from tests.e2e.surroundings import Calm, Operator, TwilioText, Twin
from tests.e2e.waiting import until

FORBIDDEN: Final = 403
OURS: Final = "+15005550071"
"""A number of this module's own: every business that sends from a number hears what is texted to it."""
SETTINGS: Final = ("--text-from", OURS, "--text-rate", "1000", "--owner-email", "owner@words.example.com")

FORGERIES: Final[Mapping[str, Callable[[TwilioText], Answer]]] = {
    "no signature": lambda text: text.deliver(headers={}),
    "another token": lambda text: replace(text, token="not-the-token").deliver(),  # noqa: S106 - it is wrong
    "another sender than was signed": lambda text: text.deliver(fields={**text.fields, "From": "+14155550172"}),
    "another word than was signed": lambda text: text.deliver(fields={**text.fields, "Body": "START"}),
    "another host than the public one": lambda text: replace(
        text, url=text.url.replace("127.0.0.1", "evil.example.com")
    ).deliver(url=text.url),
}


def opted_out(api: ReboundApi, customer_id: str) -> list[str]:
    found: list[str] = api.contact(customer_id, "sms")["opted_out"]
    return found


@pytest.fixture(scope="module")
def api(operator: Operator) -> ReboundApi:
    return operator.new_business("Words & Co", *SETTINGS)


def test_stop_ends_texts_and_start_brings_them_back(api: ReboundApi, calm: Calm, twin: Twin) -> None:
    number = "+14155550171"
    customer_id = api.new_customer(mobile_phone=number)

    assert twin.text(number, OURS, " Stop. ") == (
        "Words & Co: you will get no more texts from us. Text START to get them again."
    )
    assert opted_out(api, customer_id) == ["all"]
    stopped = api.new_message(customer_id, "sms")
    until("left out", lambda: api.message(customer_id, stopped)["status"], lambda status: status == "excluded")
    assert twin.text(number, OURS, "help") == (
        "Words & Co: for help contact owner@words.example.com. Text STOP to get no more texts."
    )
    assert twin.text(number, OURS, "unstop") is not None
    assert opted_out(api, customer_id) == []
    started = api.new_message(customer_id, "sms")
    until("delivered", lambda: api.message(customer_id, started)["status"], lambda status: status == "delivered")
    assert [send.message_id for send in twin.sends_of(api, number)] == [started]
    calm.wait()


def test_words_that_twilio_did_not_sign_or_has_handed_on_before_change_nothing(api: ReboundApi, calm: Calm) -> None:
    number = "+14155550173"
    customer_id = api.new_customer(mobile_phone=number)
    stop, start = TwilioText.to(api, number, OURS, "STOP"), TwilioText.to(api, number, OURS, "START")
    assert {name: forge(stop).status for name, forge in FORGERIES.items()} == dict.fromkeys(FORGERIES, FORBIDDEN)
    assert opted_out(api, customer_id) == []
    stop.deliver().expecting(200)
    assert opted_out(api, customer_id) == ["all"]
    start.deliver().expecting(200)
    for _ in range(2):
        stop.deliver().expecting(200)
    assert opted_out(api, customer_id) == []
    calm.wait()
