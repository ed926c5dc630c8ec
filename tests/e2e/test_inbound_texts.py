"""What customers text back: STOP, START and HELP on the deployed stack, and nobody else's words."""

from collections.abc import Callable, Mapping
from copy import replace
from http import HTTPStatus
from typing import Final

import pytest

from tests.e2e.rebound_api import Answer, ReboundApi
from tests.e2e.surroundings import Calm, Operator, TwilioText, Twin
from tests.e2e.waiting import until

FORBIDDEN: Final = 403
SETTLED: Final = ("delivered", "excluded")
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


def settled(api: ReboundApi, customer_id: str, message_id: str) -> tuple[str, str | None]:
    """What became of a message to somebody, and why."""
    found = until("settled", lambda: api.message(customer_id, message_id), lambda each: each["status"] in SETTLED)
    return found["status"], found["reason"]


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


def test_a_wish_for_no_more_texts_holds_marketing_until_staff_have_read_it(
    api: ReboundApi, calm: Calm, twin: Twin
) -> None:
    kept, ended = "+14155550174", "+14155550175"
    people = {number: api.new_customer(mobile_phone=number) for number in (kept, ended)}
    words = {kept: "please stop texting me", ended: "Remove me from your list!"}
    for number, said in words.items():
        assert twin.text(number, OURS, said) is None
        assert opted_out(api, people[number]) == ["marketing"]
    held = {number: api.new_message(people[number], "sms", category="marketing") for number in people}
    reminders = {number: api.new_message(people[number], "sms") for number in people}
    for number, customer_id in people.items():
        assert settled(api, customer_id, held[number]) == ("excluded", "opted_out")
        assert settled(api, customer_id, reminders[number]) == ("delivered", None)

    waiting = {reply["number"]: reply for reply in api.listing("/v1/replies/review")}
    assert {number: reply["body"] for number, reply in waiting.items()} == words
    for number, decision, other in ((kept, "keep", "opt_out"), (ended, "opt_out", "keep")):
        resolve = f"/v1/replies/{waiting[number]['reply_id']}/resolve"
        assert api.post(resolve, {"decision": decision}, HTTPStatus.OK)["decision"] == decision
        assert api.call("POST", resolve, {"decision": other}).status == HTTPStatus.CONFLICT
    assert api.listing("/v1/replies/review") == []
    assert {number: opted_out(api, people[number]) for number in people} == {kept: [], ended: ["all"]}
    after = {number: api.new_message(people[number], "sms", category="marketing") for number in people}
    assert settled(api, people[kept], after[kept]) == ("delivered", None)
    assert settled(api, people[ended], after[ended]) == ("excluded", "opted_out")
    calm.wait()


def test_who_answers_a_message_from_the_number_before_is_heard_in_their_language(
    operator: Operator, calm: Calm, twin: Twin
) -> None:
    before, after, number = "+15005550072", "+15005550073", "+14155550176"
    api = operator.new_business("Moving & Co", "--text-from", before, "--text-rate", "1000")
    customer_id = api.new_customer(mobile_phone=number, language="de")
    operator.run("add-sender", "--business-id", api.business_id, "--sender", after)
    api.patch("/v1/business", {"text_from": after})

    assert twin.text(number, before, "stop") == (
        "Moving & Co: Sie erhalten keine SMS mehr von uns. Mit START erhalten Sie sie wieder."
    )
    assert opted_out(api, customer_id) == ["all"]
    stopped = api.new_message(customer_id, "sms")
    assert settled(api, customer_id, stopped) == ("excluded", "opted_out")
    assert twin.text(number, after, "start") is not None
    assert opted_out(api, customer_id) == []
    calm.wait()
