"""Every payload in ``events/`` is read, and every receipt in them is the expected one."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest
from aws_lambda_powertools.utilities.data_classes import (
    APIGatewayProxyEvent,
    DynamoDBStreamEvent,
    S3Event,
    SQSEvent,
)
from aws_lambda_powertools.utilities.data_classes.api_gateway_authorizer_event import APIGatewayAuthorizerRequestEvent

from rebound.contacts.domain.replies import Keyword
from rebound.inbound.adapters import INBOUND_PATH, inbound_url, parse_inbound, twiml
from rebound.inbound.domain.replies import IncomingText
from rebound.kernel.errors import MalformedReceiptError
from rebound.kernel.provider_codes import FailureClass, Provider, look_up
from rebound.kernel.receipts import MessageKey, Outcome, Receipt
from rebound.platform.adapters.twilio_requests import parse_form, verify_signature
from rebound.receipts.adapters.receipts_queue import decode, encode_sns_text_log, encode_twilio_status
from rebound.receipts.adapters.sns_text_logs import parse_awslogs
from rebound.receipts.adapters.twilio_callbacks import key_from_query
from rebound.sending.adapters.callback_address import status_url
from rebound.sending.adapters.queues import decode_task, encode_task
from rebound.sending.adapters.sqs_receipt_queue import encode_receipt
from rebound.templates.domain.template_events import event_of_default
from rebound.templates.domain.variables import check_given, missing_of
from tests.contract.events.test_domain_events import EVENTS as DOMAIN_EVENTS
from tests.contract.events.test_domain_events import snake_case
from tests.fakes.making import business
from tests.fakes.template_defaults import made_default

EVENTS: Final = Path(__file__).parents[3] / "events"
KEY: Final = MessageKey("salon-juniper", "5f0c9c1e7ab84d0e9c53c2f1d2a6b7e4", "01M7W6C3805FEE6AD6R1F2WA02")
SES_ID: Final = "0100019ab3f5c138-7c191be4-5e9a-4edb-9a02-f94d12a87ddd-000000"
TWILIO_ID: Final = "SM1342fe1b2c904d1ab04f0fc7a58abca9"
SNS_ID: Final = "1077257a-92f3-5ca3-bc97-6a915b310625"
SIGNING_KEY: Final = "fake-auth-token-for-tests"
ANA, BRUNO, CARLA = "ana@example.com", "bruno@example.com", "Carla.Mendes@Example.com"
PHONE: Final = "+14155550123"


def at(hours: int, minutes: int, seconds: float) -> datetime:
    """A time on the day on which all of the recorded story happens."""
    whole, fraction = divmod(round(seconds * 1000), 1000)
    return datetime(2026, 11, 20, hours, minutes, whole, fraction * 1000, tzinfo=UTC)


SENT_AT, DELIVERED_AT, BOUNCED_AT = at(10, 0, 0.312), at(10, 0, 1.959), at(10, 0, 4.669)
DELAYED_AT, COMPLAINED_AT = at(10, 10, 40.095), at(18, 12, 44)
RECEIVED_AT, LOGGED_AT, REFUSED_AT = at(10, 0, 5), at(10, 0, 34.558), at(10, 0, 0)

type Expected = tuple[Outcome, str | None, datetime, tuple[str, ...]]
"""Outcome, code, time and addresses; one receipt for each address."""


def bounce(code: str, *addresses: str) -> Expected:
    return Outcome.FAILED, code, BOUNCED_AT, addresses or (ANA,)


def complaint(*addresses: str) -> Expected:
    return Outcome.COMPLAINED, "Complaint", COMPLAINED_AT, addresses or (ANA,)


def never_sent(code: str) -> Expected:
    return Outcome.FAILED, code, SENT_AT, (ANA,)


DELIVERED: Final[Expected] = (Outcome.DELIVERED, None, DELIVERED_AT, (ANA,))
DELAYED: Final[Expected] = (Outcome.DELAYED, None, DELAYED_AT, (ANA,))

SES: Final[dict[str, Expected | None]] = {
    "bounce_permanent_no_email": bounce("Permanent/NoEmail"),
    "bounce_permanent_general": bounce("Permanent/General", CARLA),
    "bounce_permanent_suppressed": bounce("Permanent/Suppressed"),
    "bounce_permanent_on_account_suppression_list": bounce("Permanent/OnAccountSuppressionList"),
    "bounce_permanent_on_tenant_suppression_list": bounce("Permanent/OnTenantSuppressionList"),
    "bounce_permanent_email_validation_suppressed": bounce("Permanent/EmailValidationSuppressed"),
    "bounce_permanent_unsubscribed_recipient": bounce("Permanent/UnsubscribedRecipient"),
    "bounce_transient_general": bounce("Transient/General"),
    "bounce_transient_out_of_office": bounce("Transient/General/NoReport"),
    "bounce_transient_mailbox_full": bounce("Transient/MailboxFull"),
    "bounce_transient_custom_timeout_exceeded": bounce("Transient/CustomTimeoutExceeded"),
    "bounce_transient_message_too_large": bounce("Transient/MessageTooLarge"),
    "bounce_transient_content_rejected": bounce("Transient/ContentRejected"),
    "bounce_transient_attachment_rejected": bounce("Transient/AttachmentRejected"),
    "bounce_undetermined": bounce("Undetermined/Undetermined"),
    "bounce_three_recipients": bounce("Permanent/General", ANA, BRUNO, CARLA),
    "complaint_abuse": complaint(),
    "complaint_not_spam": None,
    "complaint_several_candidates": complaint(ANA, BRUNO, CARLA),
    "complaint_without_report": complaint(),
    "complaint_on_account_suppression_list": (
        Outcome.FAILED,
        "Complaint/OnAccountSuppressionList",
        COMPLAINED_AT,
        (ANA,),
    ),
    "delivery": DELIVERED,
    "delivery_two_recipients": (Outcome.DELIVERED, None, DELIVERED_AT, (ANA, CARLA)),
    "delivery_delay": DELAYED,
    "send": None,
    "reject": never_sent("Reject"),
    "rendering_failure": never_sent("Rendering Failure"),
    "open": None,
    "click": None,
    "subscription": None,
    "identity_bounce": bounce("Permanent/General"),
    "identity_bounce_without_dsn": bounce("Permanent/General", ANA, BRUNO),
    "identity_complaint": complaint(),
    "identity_delivery": DELIVERED,
    "identity_topic_attached": None,
}

SES_EVENTBRIDGE: Final[dict[str, Expected | None]] = {
    "email_sent": None,
    "email_delivered": DELIVERED,
    "email_bounced": bounce("Permanent/NoEmail"),
    "email_complaint_received": complaint(),
    "email_rejected": never_sent("Reject"),
    "email_rendering_failed": never_sent("Rendering Failure"),
    "email_delivery_delayed": DELAYED,
}

SES_SNS: Final[dict[str, list[Expected | None]]] = {
    "envelope": [bounce("Permanent/NoEmail")],
    "raw_delivery": [DELIVERED, bounce("Permanent/General", ANA, BRUNO, CARLA)],
    "topic_validation_envelope": [None],
    "topic_validation_raw_delivery": [None],
}

TWILIO_STATUS: Final[dict[str, tuple[Outcome, str | None] | None]] = {
    "status_queued": None,
    "status_sending": None,
    "status_sent": (Outcome.SENT, None),
    "status_delivered": (Outcome.DELIVERED, None),
    "status_delivered_raw_dlr_done_date": (Outcome.DELIVERED, None),
    "status_delivered_messaging_service": (Outcome.DELIVERED, None),
    "status_read": (Outcome.DELIVERED, None),
    "status_undelivered_30003": (Outcome.FAILED, "30003"),
    "status_undelivered_30005": (Outcome.FAILED, "30005"),
    "status_undelivered_30007": (Outcome.FAILED, "30007"),
    "status_failed_30008": (Outcome.FAILED, "30008"),
    "status_failed_without_code": (Outcome.FAILED, None),
    "status_canceled": (Outcome.FAILED, None),
}

TWILIO_INBOUND: Final = {"inbound_stop": "STOP", "inbound_start": "START", "inbound_help": "HELP"}

TWILIO_CREATE_ERRORS: Final = {
    "create_error_20003": FailureClass.SENDER_FAULT,
    "create_error_20429": FailureClass.TRANSIENT,
    "create_error_20500": FailureClass.TRANSIENT,
    "create_error_21211": FailureClass.INVALID,
    "create_error_21408": FailureClass.SENDER_FAULT,
    "create_error_21610": FailureClass.OPTED_OUT,
    "create_error_21612": FailureClass.SENDER_FAULT,
    "create_error_21614": FailureClass.INVALID,
}

SNS: Final[dict[str, str | None]] = {
    "success": None,
    "failure_blocked_as_spam": "Blocked as spam by phone carrier",
    "failure_destination_blocked_list": "Destination is on a blocked list",
    "failure_invalid_phone_number": "Invalid phone number",
    "failure_message_body_invalid": "Message body is invalid",
    "failure_carrier_blocked_message": "Phone carrier has blocked this message",
    "failure_carrier_unreachable": "Phone carrier is currently unreachable/unavailable",
    "failure_phone_blocked_sms": "Phone has blocked SMS",
    "failure_phone_blocked_list": "Phone is on a blocked list",
    "failure_phone_unreachable": "Phone is currently unreachable/unavailable",
    "failure_opted_out": "Phone number is opted out",
    "failure_max_price": "This delivery would exceed max price",
    "failure_unknown_error": "Unknown error attempting to reach phone",
    "failure_rate_exceeded": "Rate exceeded",
}

AWSLOGS: Final = {
    "awslogs_failures": ["Invalid phone number", "Phone is currently unreachable/unavailable"],
    "awslogs_success": [None],
    "awslogs_control_message": [],
}

TRIGGERS: Final = {
    "api_gateway": {
        *("post_campaign", "post_message_from_template"),
        *("authorize_request", "one_click", "twilio_inbound", "twilio_status"),
    },
    "sqs": {"email_chunk", "text_chunk", "receipts"},
    "dynamodb": {"messages_insert", "messages_modify", "messages_window_ends"},
    "s3": {"import_uploaded", "import_uploaded_escaped_key", "test_event"},
    "scheduler": {"campaign_due"},
    "step_functions": {"reconcile_suppressions"},
}


def load(folder: str, case: str) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads((EVENTS / folder / f"{case}.json").read_text(encoding="utf-8"))
    return payload


def ses_receipts(expected: Expected | None, key: MessageKey | None = KEY) -> tuple[Receipt, ...]:
    if expected is None:
        return ()
    outcome, code, occurred_at, addresses = expected
    return tuple(Receipt(Provider.SES, outcome, occurred_at, key, SES_ID, address, code) for address in addresses)


def without_detail(receipts: tuple[Receipt, ...]) -> tuple[Receipt, ...]:
    return tuple(
        Receipt(r.provider, r.outcome, r.occurred_at, r.key, r.provider_id, r.address, r.code) for r in receipts
    )


def bodies(event: dict[str, Any]) -> list[str]:
    return [record.body for record in SQSEvent(event).records]


def refused(key: MessageKey, code: int | str, at: datetime, detail: str | None = None) -> Receipt:
    """What a sender says of a text that Twilio refused when it was created."""
    return Receipt(Provider.TWILIO, Outcome.FAILED, at, key, code=str(code), detail=detail)


def test_every_file_is_expected_by_a_table_here() -> None:
    tables = {
        "ses": set(SES),
        "ses_eventbridge": set(SES_EVENTBRIDGE),
        "ses_sns": set(SES_SNS),
        "twilio": {*TWILIO_STATUS, *TWILIO_INBOUND, *TWILIO_CREATE_ERRORS, "create_accepted"},
        "sns": {*SNS, *AWSLOGS},
        "domain": {snake_case(name) for name in DOMAIN_EVENTS},
        **TRIGGERS,
    }
    found: dict[str, set[str]] = {}
    for path in EVENTS.glob("*/*.json"):
        found.setdefault(path.parent.name, set()).add(path.stem)
    assert found == tables


def test_every_file_is_listed_in_the_readme_and_nothing_else_is() -> None:
    listed = re.findall(r"^\| `(\w+\.json)` \|", (EVENTS / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in EVENTS.glob("*/*.json"))


@pytest.mark.parametrize(("case", "expected"), SES.items())
def test_ses_events_become_the_expected_receipts(case: str, expected: Expected | None) -> None:
    key = None if case.startswith("identity_") else KEY
    receipts = decode(json.dumps(load("ses", case)))
    assert without_detail(receipts) == ses_receipts(expected, key)


@pytest.mark.parametrize(("case", "expected"), SES_EVENTBRIDGE.items())
def test_ses_events_on_eventbridge_become_the_expected_receipts(case: str, expected: Expected | None) -> None:
    assert without_detail(decode(json.dumps(load("ses_eventbridge", case)))) == ses_receipts(expected)


@pytest.mark.parametrize(("case", "expected"), SES_SNS.items())
def test_ses_events_over_sns_become_the_expected_receipts(case: str, expected: list[Expected | None]) -> None:
    decoded = [without_detail(decode(body)) for body in bodies(load("ses_sns", case))]
    assert decoded == [ses_receipts(one) for one in expected]


@pytest.mark.parametrize(("case", "expected"), TWILIO_STATUS.items())
def test_twilio_status_callbacks_become_the_expected_receipt(
    case: str, expected: tuple[Outcome, str | None] | None
) -> None:
    callback = load("twilio", case)
    assert parse_form(callback["body"]) == callback["form"]
    body = encode_twilio_status(callback["form"], callback["query"], RECEIVED_AT)
    receipts = (
        ()
        if expected is None
        else (Receipt(Provider.TWILIO, expected[0], RECEIVED_AT, KEY, TWILIO_ID, PHONE, expected[1]),)
    )
    assert without_detail(decode(body)) == receipts


@pytest.mark.parametrize("case", [*TWILIO_STATUS, *TWILIO_INBOUND])
def test_twilio_callbacks_carry_a_signature_that_holds(case: str) -> None:
    callback = load("twilio", case)
    signature = callback["headers"]["X-Twilio-Signature"]
    assert verify_signature(SIGNING_KEY, callback["url"], callback["body"], signature)
    assert not verify_signature("another-token", callback["url"], callback["body"], signature)


@pytest.mark.parametrize(("case", "word"), TWILIO_INBOUND.items())
def test_inbound_texts_keep_their_blank_fields(case: str, word: str) -> None:
    inbound = load("twilio", case)
    form = parse_form(inbound["body"])
    assert form == inbound["form"]
    assert form["FromZip"] == ""
    assert parse_inbound(form) == IncomingText(
        form["MessageSid"],
        PHONE,
        "+14155550100",
        ("+14155550100", "MG" + "X" * 32),
        word.capitalize(),
        Keyword(word.lower()),
    )


def test_a_text_over_the_rest_api_is_signed_for_the_address_that_it_came_to() -> None:
    event = APIGatewayProxyEvent(load("api_gateway", "twilio_inbound"))
    url = inbound_url(f"https://{event.request_context.api_id}.execute-api.us-east-1.amazonaws.com/live")

    assert event.path == INBOUND_PATH
    assert verify_signature(SIGNING_KEY, url, event.body or "", event.headers["X-Twilio-Signature"])


@pytest.mark.parametrize("missing", ["From", "To"])
def test_a_form_that_is_no_text_is_named(missing: str) -> None:
    form = {**load("twilio", "inbound_stop")["form"], missing: " "}
    with pytest.raises(MalformedReceiptError, match=missing):
        parse_inbound(form)


def test_a_text_with_pictures_only_and_an_opt_out_type_of_tomorrow_is_a_text() -> None:
    form = {**load("twilio", "inbound_stop")["form"], "OptOutType": "SNOOZE"}
    del form["Body"], form["MessagingServiceSid"], form["MessageSid"]
    text = parse_inbound(form)

    assert (text.body, text.keyword, text.senders) == ("", None, ("+14155550100",))
    assert text.reply_id == form["SmsSid"]


@pytest.mark.parametrize("answer", ['Juniper & <Vale>: ]]> "quoted" é 👋', " two  spaces ", "\n"])
def test_twiml_says_exactly_what_is_answered(answer: str) -> None:
    document = ET.fromstring(twiml(answer))  # noqa: S314 - our own

    assert [message.text for message in document.findall("Message")] == [answer]
    assert len(ET.fromstring(twiml(None))) == 0  # noqa: S314 - our own


@pytest.mark.parametrize(("case", "expected"), TWILIO_CREATE_ERRORS.items())
def test_errors_at_create_become_a_receipt_of_the_expected_class(case: str, expected: FailureClass) -> None:
    answer = load("twilio", case)
    error = answer["body"]
    receipt = refused(KEY, error["code"], REFUSED_AT, error["message"])
    assert answer["status"] == error["status"]
    assert look_up(receipt.provider, receipt.code).failure_class is expected
    assert decode(encode_receipt(receipt)) == (
        Receipt(Provider.TWILIO, Outcome.FAILED, REFUSED_AT, KEY, code=str(error["code"])),
    )


def test_an_accepted_create_answers_the_id_that_callbacks_name() -> None:
    answer = load("twilio", "create_accepted")
    assert answer["status"] == 201
    assert answer["body"]["sid"] == load("twilio", "status_sent")["form"]["MessageSid"]


def sns_receipt(code: str | None) -> Receipt:
    outcome = Outcome.DELIVERED if code is None else Outcome.FAILED
    return Receipt(Provider.SNS, outcome, LOGGED_AT, None, SNS_ID, PHONE, code)


@pytest.mark.parametrize(("case", "code"), SNS.items())
def test_sns_log_lines_become_the_expected_receipt(case: str, code: str | None) -> None:
    assert without_detail(decode(encode_sns_text_log(load("sns", case)))) == (sns_receipt(code),)


@pytest.mark.parametrize("code", [code for code in SNS.values() if code is not None])
def test_every_documented_sns_failure_has_a_row(code: str) -> None:
    assert look_up(Provider.SNS, code).failure_class is not FailureClass.UNKNOWN


@pytest.mark.parametrize(("case", "codes"), AWSLOGS.items())
def test_awslogs_events_unpack_into_log_lines(case: str, codes: list[str | None]) -> None:
    decoded = [without_detail(decode(encode_sns_text_log(record))) for record in parse_awslogs(load("sns", case))]
    assert decoded == [(sns_receipt(code),) for code in codes]


@pytest.mark.parametrize(("case", "codes"), AWSLOGS.items())
def test_an_awslogs_event_that_was_redriven_is_the_receipts_of_its_lines(case: str, codes: list[str | None]) -> None:
    assert without_detail(decode(json.dumps(load("sns", case)))) == tuple(sns_receipt(code) for code in codes)


def test_a_batch_of_every_form_on_the_receipts_queue_decodes() -> None:
    decoded = [without_detail(decode(body)) for body in bodies(load("sqs", "receipts"))]
    assert decoded == [
        ses_receipts(DELIVERED),
        (Receipt(Provider.TWILIO, Outcome.FAILED, RECEIVED_AT, KEY, TWILIO_ID, PHONE, "30003"),),
        (sns_receipt("Invalid phone number"),),
        (Receipt(Provider.TWILIO, Outcome.FAILED, REFUSED_AT, KEY, code="21211"),),
        (),
    ]


@pytest.mark.parametrize("case", ["email_chunk", "text_chunk"])
def test_chunks_on_the_queues_hold_ids_only(case: str) -> None:
    for body in bodies(load("sqs", case)):
        assert set(json.loads(body)) - {"turn_at"} == {"business_id", "campaign_id", "chunk", "size", "lane"}
        assert json.loads(encode_task(decode_task(body))) == json.loads(body)


def test_a_campaign_post_reaches_us_with_the_authorizers_context() -> None:
    event = APIGatewayProxyEvent(load("api_gateway", "post_campaign"))
    assert event.http_method == "POST"
    assert event.path == "/v1/campaigns"
    authorizer = event.request_context.authorizer
    assert authorizer.get("business_id") == KEY.business_id
    assert "campaigns:write" in str(authorizer.get("scopes")).split(" ")
    assert event.json_body["segment_id"] == "vips"


def test_a_message_from_a_default_template_gives_what_the_template_needs() -> None:
    body = APIGatewayProxyEvent(load("api_gateway", "post_message_from_template")).json_body
    found = event_of_default(body["template_id"])
    assert found == ("class_cancelled", body["channel"])
    declared = made_default(*found, business()).version.variables
    assert missing_of(declared, check_given(declared, body["variables"]), {}) == ()


def test_an_authorizer_request_carries_the_key_in_its_headers() -> None:
    event = APIGatewayAuthorizerRequestEvent(load("api_gateway", "authorize_request"))
    assert event.headers["authorization"].startswith("Bearer ")
    assert event.parsed_arn.resource == "v1/campaigns"


def test_a_twilio_callback_through_the_rest_api_verifies_by_its_configured_address() -> None:
    event = APIGatewayProxyEvent(load("api_gateway", "twilio_status"))
    public_url = f"https://{event.request_context.api_id}.execute-api.us-east-1.amazonaws.com/live"
    url = status_url(public_url, key_from_query(event.query_string_parameters))
    assert verify_signature(SIGNING_KEY, url, event.body or "", event.headers["x-twilio-signature"])
    body = encode_twilio_status(parse_form(event.body or ""), event.query_string_parameters, RECEIVED_AT)
    assert [receipt.outcome for receipt in decode(body)] == [Outcome.DELIVERED]


@pytest.mark.parametrize(
    ("case", "statuses"),
    [
        ("messages_insert", [(None, "sent")]),
        ("messages_modify", [("sent", "delivered")]),
        ("messages_window_ends", []),
    ],
)
def test_the_messages_stream_tells_the_status_before_and_after(
    case: str, statuses: list[tuple[str | None, str]]
) -> None:
    event = load("dynamodb", case)
    assert event["shardId"]
    told = []
    for record in DynamoDBStreamEvent(event).records:
        change = record.dynamodb
        assert change is not None
        before, after = change.old_image or {}, change.new_image or {}
        assert after["campaign_id"]
        assert MessageKey.of(after["recipient_id"], after["message_id"]) == KEY
        told.append((before.get("status"), after["status"]))
    assert told == statuses


@pytest.mark.parametrize(
    ("case", "key"),
    [
        ("import_uploaded", "imports/salon-juniper/01M7W5F8G0QK3D9V2T7N4H6J8M.csv"),
        ("import_uploaded_escaped_key", "imports/salon-juniper/my customers (autumn).csv"),
    ],
)
def test_uploads_reach_the_import_queue(case: str, key: str) -> None:
    [body] = bodies(load("s3", case))
    # The data class undoes S3's URL encoding.
    assert S3Event(json.loads(body)).object_key == key


def test_the_s3_test_event_has_no_records() -> None:
    [body] = bodies(load("s3", "test_event"))
    assert json.loads(body)["Event"] == "s3:TestEvent"
    assert "Records" not in json.loads(body)


def test_the_schedule_gives_the_state_machine_ids_only() -> None:
    assert set(load("scheduler", "campaign_due")) == {"business_id", "campaign_id"}


def texts(value: object) -> Iterator[str]:
    """Every text in a payload, in JSON held in a text and in packed log lines as well."""
    if isinstance(value, dict):
        for member in value.values():
            yield from texts(member)
        if isinstance(value.get("awslogs"), dict):
            yield from texts(parse_awslogs(value))
    elif isinstance(value, list):
        for member in value:
            yield from texts(member)
    elif isinstance(value, str):
        yield value
        if value.startswith("{"):
            yield from texts(json.loads(value))


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*/*.json")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_payloads_hold_nobodys_personal_data(path: Path) -> None:
    for text in texts(json.loads(path.read_text(encoding="utf-8"))):
        for domain in re.findall(r"@([\w.-]+\w)", text):
            assert domain.lower() == "example.com"
        for phone in re.findall(r"(?:\+|%2B)(1\d{10})", text):
            assert re.fullmatch(r"1415555\d{4}|1500555000\d", phone)
