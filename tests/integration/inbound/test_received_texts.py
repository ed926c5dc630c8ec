"""Texts that people send, through the deployed function: verified, kept and applied before Twilio is answered."""

import base64
import json
from typing import Any, Final
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from twilio.request_validator import RequestValidator

from tests.fakes import house
from tests.fakes.aws import rows
from tests.fakes.making import BUSINESS_ID, business
from tests.integration.conftest import API_ID, TWILIO_TOKEN, Stack, recorded

URL: Final = f"https://{API_ID}.execute-api.us-east-1.amazonaws.com/live/v1/webhooks/twilio/inbound"
NUMBER: Final = "+14155550123"
FIELDS: Final = {"MessageSid": "SM1", "From": NUMBER, "To": "+14155550100", "Body": "Stop!", "FromZip": ""}


def text(url: str = URL, token: str = TWILIO_TOKEN, **fields: str) -> dict[str, Any]:
    """A text as the gateway hands it on, signed for our address."""
    event = recorded("api_gateway/twilio_inbound.json")
    form = {**FIELDS, **fields}
    signature = RequestValidator(token).compute_signature(url, form)
    event.update(headers={"X-Twilio-Signature": signature}, body=urlencode(form), isBase64Encoded=False)
    event["requestContext"]["apiId"] = API_ID
    return event


def receive(stack: Stack, event: dict[str, Any]) -> str | None:
    """What Twilio is told to answer."""
    answer = stack.invoke("receive_text", event)
    assert (answer["statusCode"], answer["headers"]) == (200, {"Content-Type": "text/xml"})
    return ET.fromstring(answer["body"]).findtext("Message")  # noqa: S314 - our own


def opted_out(stack: Stack, customer_id: str) -> list[str]:
    found: list[str] = stack.api("GET", f"/v1/customers/{customer_id}").body["contacts"]["sms"]["opted_out"]
    return found


@pytest.fixture
def ana(stack: Stack) -> str:
    given = {"first_name": "Ana", "last_name": "Silva", "mobile_phone": NUMBER}
    customer_id: str = stack.api("POST", "/v1/customers", given).body["customer_id"]
    return customer_id


def test_stop_holds_when_twilio_is_answered_and_start_gives_it_back(stack: Stack, ana: str) -> None:
    assert receive(stack, text()) == (
        "Salon Juniper: you will get no more texts from us. Text START to get them again."
    )
    assert opted_out(stack, ana) == ["all"]
    receive(stack, text(MessageSid="SM2", Body="info"))
    assert opted_out(stack, ana) == ["all"]
    receive(stack, text(MessageSid="SM3", Body="start"))

    assert opted_out(stack, ana) == []
    kept = [reply.body for reply in house.ports().replies.page(BUSINESS_ID, 9, None).items]
    assert kept == ["start", "info", "Stop!"]


@pytest.mark.parametrize("function", ["receive_text", "receive_callback"])
def test_a_stack_without_an_account_at_twilio_refuses_its_webhooks_and_raises_no_alarm(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    monkeypatch.setenv("TWILIO_SECRET_ARN", "")
    house.forget_use_cases()
    for event in (text(), text(token=""), recorded("api_gateway/twilio_status.json")):
        answer = stack.invoke(function, event)
        assert answer["statusCode"] == 403
        assert json.loads(answer["body"])["type"] == "urn:rebound:problem:bad_signature"


def test_the_recorded_stop_of_advanced_opt_out_is_applied_and_not_answered(stack: Stack, ana: str) -> None:
    event = recorded("api_gateway/twilio_inbound.json")

    assert receive(stack, event) is None
    assert opted_out(stack, ana) == ["all"]


def test_a_text_in_base64_is_the_same(stack: Stack, ana: str) -> None:
    event = text()
    event.update(body=base64.b64encode(event["body"].encode()).decode(), isBase64Encoded=True)
    receive(stack, event)

    assert opted_out(stack, ana) == ["all"]


def test_a_text_to_nobodys_number_is_acknowledged_and_changes_nothing(stack: Stack, ana: str) -> None:
    before = rows()

    assert receive(stack, text(To="+14155550999", MessagingServiceSid="MG" + "f" * 32)) is None
    assert rows() == before


def test_a_stop_is_remembered_for_a_number_that_comes_later_and_for_each_business_of_the_sender(stack: Stack) -> None:
    house.ports().businesses.add(business(business_id="other", name="Cedar"))
    answer = receive(stack, text())
    given = {"first_name": "Ana", "last_name": "Silva", "mobile_phone": NUMBER}
    made = [stack.api("POST", "/v1/customers", given, business_id=id_).body for id_ in (BUSINESS_ID, "other")]

    assert answer is not None
    assert answer.startswith("Cedar, Salon Juniper: ")
    assert [customer["contacts"]["sms"]["opted_out"] for customer in made] == [["all"], ["all"]]


GOOD: Final = text()
FORGERIES: Final[dict[str, dict[str, Any]]] = {
    "no signature": {"headers": {}},
    "no headers": {"headers": None},
    "an empty signature": {"headers": {"X-Twilio-Signature": ""}},
    "another signature": {"headers": {"X-Twilio-Signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}},
    "not even Base64": {"headers": {"X-Twilio-Signature": "%%%"}},
    "signed with another token": {"headers": text(token="other")["headers"]},  # noqa: S106 - opens nothing
    "signed with an empty token": {"headers": text(token="")["headers"]},
    "signed for the status callback": {"headers": text(URL.replace("inbound", "status"))["headers"]},
    "signed for another host": {"headers": text(URL.replace(API_ID, "evil"))["headers"]},
    "signed for another scheme": {"headers": text(URL.replace("https", "http"))["headers"]},
    "signed with a query": {"headers": text(f"{URL}?a=1")["headers"]},
    **{
        f"another {name} than was signed": {"body": urlencode({**FIELDS, name: changed})}
        for name, changed in {
            "MessageSid": "SM9",
            "From": "+14155550124",
            "To": "+14155550101",
            "Body": "START",
            "FromZip": "1",
        }.items()
    },
    **{
        f"without {missing}": {"body": urlencode({name: value for name, value in FIELDS.items() if name != missing})}
        for missing in FIELDS
    },
    "a field more": {"body": GOOD["body"] + "&OptOutType=START"},
    "a field twice": {"body": GOOD["body"] + "&Body=START"},
    "no body": {"body": None},
    "an empty body": {"body": ""},
    "not text": {"body": base64.b64encode(b"\xff\xfe").decode(), "isBase64Encoded": True},
    "too many fields": {"body": "&".join(f"a{n}=1" for n in range(2000))},
}


@pytest.mark.parametrize("changes", FORGERIES.values(), ids=FORGERIES)
def test_what_twilio_did_not_sign_for_exactly_this_address_leaves_no_trace(
    stack: Stack, ana: str, changes: dict[str, Any]
) -> None:
    before = rows()
    answer = stack.invoke("receive_text", {**text(), **changes})

    assert (answer["statusCode"], answer["headers"]) == (403, {"Content-Type": "application/problem+json"})
    assert json.loads(answer["body"])["code"] == "bad_signature"
    assert json.loads(answer["body"])["retryable"] is False
    assert rows() == before
    assert opted_out(stack, ana) == []


def test_what_twilio_signed_is_played_back_in_vain(stack: Stack, ana: str) -> None:
    receive(stack, text())
    receive(stack, text(MessageSid="SM2", Body="START"))
    before = rows()
    for played in (text(), text(MessageSid="SM2", Body="START"), text()):
        receive(stack, played)

    assert rows() == before
    assert opted_out(stack, ana) == []


def test_what_is_signed_and_no_text_is_told_what_is_missing(stack: Stack) -> None:
    before = rows()
    answer = stack.invoke("receive_text", text(From=" "))

    assert answer["statusCode"] == 400
    assert "From" in answer["body"]
    assert rows() == before


def test_a_revocation_is_read_and_resolved_by_staff(stack: Stack, ana: str) -> None:
    assert receive(stack, text(Body="please stop texting me")) is None
    assert opted_out(stack, ana) == ["marketing"]
    (waiting,) = stack.api("GET", "/v1/replies/review").body["items"]
    assert (waiting["reply_id"], waiting["kind"], waiting["body"]) == ("SM1", "revocation", "please stop texting me")
    assert (waiting["number"], waiting["to"], waiting["needs_staff"]) == (NUMBER, "+14155550100", True)
    resolved = stack.api("POST", "/v1/replies/SM1/resolve", {"decision": "opt_out", "who": "Kim"})

    assert (resolved.status, resolved.body["decision"], resolved.body["resolved_by"]) == (200, "opt_out", "Kim")
    assert opted_out(stack, ana) == ["all"]
    assert stack.api("GET", "/v1/replies/review").body == {"items": [], "next_cursor": None}
    assert stack.api("POST", "/v1/replies/SM1/resolve", {"decision": "keep"}).status == 409
    assert stack.api("POST", "/v1/replies/SM1/resolve", {"decision": "perhaps"}).fields == ["decision"]
    assert stack.api("POST", "/v1/replies/SM9/resolve", {"decision": "keep"}).status == 404
    assert stack.api("POST", "/v1/replies/SM1/resolve", {"decision": "keep"}, business_id="other").status == 404
    for method, path in (("GET", "/v1/replies/review"), ("POST", "/v1/replies/SM1/resolve")):
        assert stack.api(method, path, {"decision": "keep"}, scopes="customers:read").status == 403


def test_c_confirms_the_appointment_that_was_asked_about(stack: Stack, ana: str) -> None:
    asked: dict[str, Any] = {
        "customer_id": ana,
        "category": "reminder",
        "channel": "sms",
        "content": {"body": "Tomorrow? Answer C."},
    }
    asked |= {"appointment_id": "a-7", "asks_confirmation": True}
    message_id = stack.api("POST", "/v1/messages", asked).body["message_id"]
    records = stack.received("PROMPT_TEXT_QUEUE_URL")
    stack.invoke("send_text", {"Records": records})
    assert receive(stack, text(Body=" c! ")) is None
    log = stack.api("GET", "/v1/appointments/a-7/log").body

    assert log["confirmed_at"] is not None
    answer = log["items"][0]
    assert (answer["kind"], answer["reply_id"], answer["confirmed"]) == ("reply", "SM1", True)
    assert house.ports().replies.find(BUSINESS_ID, "SM1").message_id == message_id
    receive(stack, text())
    assert opted_out(stack, ana) == []


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"keywords": "twilio"}, 200),
        ({"language": "pt"}, 200),
        ({"confirmation_words": ["OK", "ja"]}, 200),
        ({"language": "xx"}, 422),
        ({"keywords": "nobody"}, 422),
        ({"confirmation_words": []}, 422),
        ({"confirmation_words": ["Stop"]}, 422),
        ({"confirmation_words": ["!"]}, 422),
        ({"words": 1}, 422),
    ],
)
def test_how_texts_are_answered_is_a_setting(stack: Stack, given: dict[str, Any], status: int) -> None:
    before = stack.api("GET", "/v1/business").body["text_answers"]
    answer = stack.api("PATCH", "/v1/business", {"text_answers": given})
    after = stack.api("GET", "/v1/business").body["text_answers"]

    assert answer.status == status
    assert after == ({**before, **given} if status == 200 else before)
