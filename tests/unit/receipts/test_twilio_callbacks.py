"""Twilio callbacks: statuses, the signature, and the address they come back to."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from rebound.kernel.errors import MalformedReceiptError
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey, Outcome, Receipt
from rebound.platform.adapters.twilio_requests import parse_form, verify_signature
from rebound.receipts.adapters.receipts_queue import decode, encode_twilio_status
from rebound.receipts.adapters.twilio_callbacks import key_from_query, parse_status_callback
from rebound.sending.adapters.callback_address import status_callback_url, status_url
from rebound.sending.adapters.sqs_receipt_queue import encode_receipt

KEY = MessageKey("salon-juniper", "5f0c9c1e7ab84d0e9c53c2f1d2a6b7e4", "01M7W6C3805FEE6AD6R1F2WA02")
QUERY = {"b": KEY.business_id, "c": KEY.customer_id, "m": KEY.message_id}
RECEIVED_AT = datetime(2026, 11, 20, 10, 0, 5, tzinfo=UTC)
SIGNING_KEY = "fake-auth-token-for-tests"
URL = status_url("https://api.example.com/live", KEY)

# The worked example of Twilio's security page, in the two editions that have been published.
EXAMPLE_KEY = "12345"
EXAMPLE_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"


def example_body(caller: str) -> str:
    return urlencode(
        {"CallSid": "CA1234567890ABCDE", "Caller": caller, "Digits": "1234", "From": caller, "To": "+18005551212"}
    )


def sign(url: str, fields: list[tuple[str, str]], signing_key: str = SIGNING_KEY) -> str:
    """Twilio's rule, written down independently of its SDK: each distinct pair once, sorted, behind the address."""
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(signing_key.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def form(**changes: str) -> dict[str, str]:
    return {
        "AccountSid": "ACXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
        "From": "+14155550100",
        "To": "+14155550123",
        "MessageSid": "SM1342fe1b2c904d1ab04f0fc7a58abca9",
        "MessageStatus": "delivered",
        **changes,
    }


def refused(key: MessageKey, code: int | str | None, at: datetime, detail: str | None = None) -> Receipt:
    """What a sender says of a text that Twilio refused when it was created."""
    return Receipt(Provider.TWILIO, Outcome.FAILED, at, key, code=None if code is None else str(code), detail=detail)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("sent", Outcome.SENT),
        ("delivered", Outcome.DELIVERED),
        ("read", Outcome.DELIVERED),
        ("undelivered", Outcome.FAILED),
        ("failed", Outcome.FAILED),
        ("canceled", Outcome.FAILED),
    ],
)
def test_a_status_from_the_carrier_on_is_a_receipt(status: str, outcome: Outcome) -> None:
    [receipt] = parse_status_callback(form(MessageStatus=status), QUERY, RECEIVED_AT)
    assert receipt == Receipt(
        Provider.TWILIO,
        outcome,
        RECEIVED_AT,
        KEY,
        "SM1342fe1b2c904d1ab04f0fc7a58abca9",
        "+14155550123",
        code=None,
        detail="canceled" if status == "canceled" else None,
    )


@pytest.mark.parametrize("status", ["accepted", "scheduled", "queued", "sending", "something_new"])
def test_a_status_before_the_carrier_or_an_unknown_one_is_none(status: str) -> None:
    assert parse_status_callback(form(MessageStatus=status), QUERY, RECEIVED_AT) == ()


def test_a_failure_keeps_twilios_code() -> None:
    [receipt] = parse_status_callback(form(MessageStatus="undelivered", ErrorCode="30003"), QUERY, RECEIVED_AT)
    assert receipt.code == "30003"


def test_a_blank_error_code_is_no_code() -> None:
    [receipt] = parse_status_callback(form(MessageStatus="failed", ErrorCode=""), QUERY, RECEIVED_AT)
    assert receipt.code is None


def test_the_older_names_of_status_and_id_are_understood() -> None:
    old = {"SmsSid": "SM1", "SmsStatus": "sent", "To": "+14155550123"}
    [receipt] = parse_status_callback(old, QUERY, RECEIVED_AT)
    assert (receipt.outcome, receipt.provider_id) == (Outcome.SENT, "SM1")


@pytest.mark.parametrize("missing", ["b", "c", "m"])
def test_a_callback_without_a_part_of_its_key_is_malformed(missing: str) -> None:
    with pytest.raises(MalformedReceiptError, match=f"query {missing} "):
        parse_status_callback(form(), {**QUERY, missing: ""}, RECEIVED_AT)


@pytest.mark.parametrize(("missing", "named"), [("MessageSid", "SmsSid"), ("MessageStatus", "SmsStatus")])
def test_a_callback_without_status_or_id_is_malformed(missing: str, named: str) -> None:
    fields = form()
    del fields[missing]
    with pytest.raises(MalformedReceiptError, match=named) as raised:
        parse_status_callback(fields, QUERY, RECEIVED_AT)
    assert "+1415" not in str(raised.value)


def test_the_callback_address_names_the_message_and_asks_for_another_try() -> None:
    url = status_callback_url("https://api.example.com/live/", KEY)
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://api.example.com/live/v1/webhooks/twilio/status"
    assert parts.fragment == "rc=2&rp=all"
    assert key_from_query({name: values[0] for name, values in parse_qs(parts.query).items()}) == KEY
    assert url.partition("#")[0] == status_url("https://api.example.com/live", KEY)


def test_an_id_with_signs_of_its_own_survives_the_callback_address() -> None:
    odd = MessageKey("a&b=c#d", "c+d e", "m/é")
    query = urlsplit(status_callback_url("https://api.example.com", odd)).query
    assert key_from_query({name: values[0] for name, values in parse_qs(query).items()}) == odd


@pytest.mark.parametrize(
    ("caller", "signature"),
    [("+14158675310", "GvWf1cFY/Q7PnoempGyD5oXAezc="), ("+14158675309", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")],
)
def test_the_signature_of_twilios_documentation_holds(caller: str, signature: str) -> None:
    assert verify_signature(EXAMPLE_KEY, EXAMPLE_URL, example_body(caller), signature)
    assert not verify_signature(EXAMPLE_KEY, EXAMPLE_URL, example_body("+14158675311"), signature)
    assert not verify_signature("54321", EXAMPLE_URL, example_body(caller), signature)


@pytest.mark.parametrize("signature", [None, "", " ", "RSOYDt4T1cUTdK1PDd93/VVr8B9=", "é" * 28, "short"])
def test_a_missing_or_wrong_signature_is_refused(signature: str | None) -> None:
    assert not verify_signature(SIGNING_KEY, URL, urlencode(form()), signature)


def test_a_token_that_was_never_configured_lets_nobody_in() -> None:
    assert not verify_signature("", URL, urlencode(form()), sign(URL, [*form().items()], signing_key=""))


@pytest.mark.parametrize(
    "tampered",
    [
        form(MessageStatus="failed"),
        form(To="+14155550124"),
        form(Extra=""),
        {name: value for name, value in form().items() if name != "From"},
    ],
)
def test_a_tampered_body_is_refused(tampered: dict[str, str]) -> None:
    signature = sign(URL, [*form().items()])
    assert verify_signature(SIGNING_KEY, URL, urlencode(form()), signature)
    assert not verify_signature(SIGNING_KEY, URL, urlencode(tampered), signature)


@pytest.mark.parametrize(
    "url",
    [
        status_url("https://api.example.com/live", MessageKey("another", KEY.customer_id, KEY.message_id)),
        status_url("https://api.example.com", KEY),
        status_url("http://api.example.com/live", KEY),
        status_url("https://attacker.example.com/live", KEY),
        status_url("https://api.example.com/live", KEY) + "&b=another",
        status_url("https://api.example.com/live", KEY).partition("?")[0],
    ],
)
def test_another_address_is_refused(url: str) -> None:
    assert not verify_signature(SIGNING_KEY, url, urlencode(form()), sign(URL, [*form().items()]))


def test_the_signature_holds_with_and_without_the_default_port() -> None:
    with_port = URL.replace("api.example.com", "api.example.com:443")
    assert verify_signature(SIGNING_KEY, URL, urlencode(form()), sign(with_port, [*form().items()]))
    assert verify_signature(SIGNING_KEY, with_port, urlencode(form()), sign(URL, [*form().items()]))


def test_the_signature_holds_for_an_address_with_a_port_of_its_own() -> None:
    local = status_url("http://127.0.0.1:4566/restapis/a1b2c3d4e5/live/_user_request_", KEY)
    assert verify_signature(SIGNING_KEY, local, urlencode(form()), sign(local, [*form().items()]))


def test_blank_fields_are_signed() -> None:
    fields = [*form(FromZip="", Body="").items()]
    assert verify_signature(SIGNING_KEY, URL, urlencode(fields), sign(URL, fields))


def test_a_blank_field_that_was_not_signed_is_refused() -> None:
    fields = [("A", "1"), ("B", "")]
    assert not verify_signature(SIGNING_KEY, URL, urlencode([*fields, ("C", "")]), sign(URL, fields))


def test_a_repeated_field_is_signed_once_for_each_distinct_value_in_order() -> None:
    fields = [("MediaUrl", "b"), ("MediaUrl", "a"), ("MediaUrl", "b"), *form().items()]
    assert verify_signature(SIGNING_KEY, URL, urlencode(fields), sign(URL, fields))
    assert not verify_signature(SIGNING_KEY, URL, urlencode([*fields, ("MediaUrl", "c")]), sign(URL, fields))


def test_signs_outside_ascii_plus_and_spaces_are_signed_as_they_were_meant() -> None:
    fields = [*form(Body="Olá + bom dia & até já ☕").items()]
    assert verify_signature(SIGNING_KEY, URL, urlencode(fields), sign(URL, fields))


def test_a_body_with_absurdly_many_fields_is_refused() -> None:
    fields = [(f"f{number}", "1") for number in range(2000)]
    assert not verify_signature(SIGNING_KEY, URL, urlencode(fields), sign(URL, fields))
    with pytest.raises(MalformedReceiptError):
        parse_form(urlencode(fields))


def test_a_form_keeps_blank_fields_and_the_first_of_a_repeated_one() -> None:
    assert parse_form("To=%2B14155550123&FromZip=&A=1&A=2") == {"To": "+14155550123", "FromZip": "", "A": "1"}


@pytest.mark.parametrize(("code", "kept"), [(21211, "21211"), ("30005", "30005"), (None, None)])
def test_an_error_at_create_is_a_failure_found_by_its_key_alone(code: int | str | None, kept: str | None) -> None:
    receipt = refused(KEY, code, RECEIVED_AT, "The 'To' number +14155550123 is not valid.")
    assert (receipt.provider, receipt.outcome, receipt.code) == (Provider.TWILIO, Outcome.FAILED, kept)
    assert (receipt.key, receipt.provider_id, receipt.address) == (KEY, None, None)


def test_a_receipt_of_our_own_crosses_the_queue_without_personal_data() -> None:
    receipt = refused(KEY, 21211, RECEIVED_AT, "The 'To' number +14155550123 is not valid.")
    body = encode_receipt(receipt)
    assert "+1415" not in body
    assert decode(body) == (refused(KEY, 21211, RECEIVED_AT),)


def test_a_receipt_without_a_key_is_not_put_on_the_queue() -> None:
    with pytest.raises(ValueError, match="key"):
        encode_receipt(Receipt(Provider.SNS, Outcome.DELIVERED, RECEIVED_AT, key=None, provider_id="1"))


def test_a_callback_comes_back_from_the_queue_as_it_was_received() -> None:
    fields = form(MessageStatus="undelivered", ErrorCode="30005", Body="Olá")
    body = encode_twilio_status(fields, QUERY, RECEIVED_AT)
    assert decode(body) == parse_status_callback(fields, QUERY, RECEIVED_AT)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json about ana@example.com",
        '"Successfully validated SNS topic"',
        "[]",
        "{}",
        '{"kind": "something_else", "to": "ana@example.com"}',
        '{"kind": ["receipt"]}',
        '{"kind": "twilio_status", "form": {"To": "ana@example.com"}, "query": {}}',
        '{"kind": "sns_text_log"}',
        '{"kind": "receipt", "provider": "ana@example.com", "outcome": "failed"}',
        '{"kind": "receipt", "provider": "twilio", "outcome": "failed", "occurred_at": "2026-11-20T10:00:00Z"}',
        '{"Type": "Notification"}',
        '{"Type": "Notification", "Message": "hello ana@example.com"}',
        '{"Type": "Notification", "Message": "{\\"kind\\": \\"receipt\\"}"}',
        '{"Type": "SubscriptionConfirmation", "SubscribeURL": "https://example.com"}',
        '{"source": "aws.ses"}',
        '{"source": "aws.ses", "detail": {"to": "ana@example.com"}}',
    ],
)
def test_anything_else_on_the_queue_is_malformed_and_not_repeated(body: str) -> None:
    with pytest.raises(MalformedReceiptError) as raised:
        decode(body)
    assert "example.com" not in str(raised.value)
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


@pytest.mark.parametrize(("said", "segments"), [("3", 3), ("0", 0), ("", None), ("x", None)])
def test_a_callback_may_say_how_many_segments_there_were(said: str, segments: int | None) -> None:
    [receipt] = parse_status_callback(form(NumSegments=said), QUERY, RECEIVED_AT)
    assert receipt.segments == segments
