"""The receipts queue: every form a body on it may have, and their one decoder.

SES's events come as they are (SNS with raw delivery), in an SNS envelope, or as an EventBridge event. Everything else
is put on the queue by us, as a JSON object with a ``kind``:

``twilio_status``  the form and query of a Twilio callback, and when it was received
``sns_text_log``   one line of SNS's delivery log
``receipt``        a receipt of our own making, without personal data

A CloudWatch Logs subscription event is on the queue when it could not be relayed and its dead letter was redriven.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from rebound.kernel.errors import MalformedReceiptError
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey, Outcome, Receipt
from rebound.platform.adapters.fields import moment_at, object_at, optional_text_at, text_at
from rebound.receipts.adapters.ses_events import parse_ses_event
from rebound.receipts.adapters.sns_text_logs import parse_awslogs, parse_text_log
from rebound.receipts.adapters.twilio_callbacks import parse_status_callback

SES_TOPIC_VALIDATION: Final = "Successfully validated SNS topic for Amazon SES event publishing."
"""What SES publishes, as plain text, when a topic becomes an event destination."""


def decode(body: str) -> tuple[Receipt, ...]:
    """The receipts in a body of the receipts queue; none when it says nothing about a message.

    :raises MalformedReceiptError: for any other body. The error names what is wrong without repeating the body.
    """
    if _is_topic_validation(body):
        return ()
    payload = _json_object(body)
    if "kind" in payload:
        return _decode_ours(payload)
    if "awslogs" in payload:
        return tuple(receipt for record in parse_awslogs(payload) for receipt in parse_text_log(record))
    if payload.get("Type") == "Notification":
        message = text_at(payload, "Message")
        return () if _is_topic_validation(message) else _decode_ses(_json_object(message))
    return _decode_ses(payload)


def encode_twilio_status(form: Mapping[str, str], query: Mapping[str, str], received_at: datetime) -> str:
    """The body for a Twilio status callback whose signature has been verified; ``received_at`` is aware."""
    return _dump(
        {"kind": "twilio_status", "form": dict(form), "query": dict(query), "received_at": received_at.isoformat()}
    )


def encode_sns_text_log(record: Mapping[str, object]) -> str:
    """The body for one line of SNS's delivery log."""
    return _dump({"kind": "sns_text_log", "record": dict(record)})


def _decode_ours(payload: Mapping[str, object]) -> tuple[Receipt, ...]:
    read = _KINDS.get(str(payload["kind"]))
    if read is None:
        raise MalformedReceiptError(f"kind is not one of {', '.join(_KINDS)}")
    return read(payload)


def _twilio_status(payload: Mapping[str, object]) -> tuple[Receipt, ...]:
    form, query = _text_fields(payload, "form"), _text_fields(payload, "query")
    return parse_status_callback(form, query, moment_at(payload, "received_at"))


def _sns_text_log(payload: Mapping[str, object]) -> tuple[Receipt, ...]:
    return parse_text_log(object_at(payload, "record"))


def _receipt(payload: Mapping[str, object]) -> tuple[Receipt, ...]:
    try:
        provider = Provider(text_at(payload, "provider"))
        outcome = Outcome(text_at(payload, "outcome"))
    except ValueError:
        raise MalformedReceiptError("provider or outcome is not one that is known") from None
    key = MessageKey(*(text_at(payload, f"key.{name}") for name in ("business_id", "customer_id", "message_id")))
    return (Receipt(provider, outcome, moment_at(payload, "occurred_at"), key, code=optional_text_at(payload, "code")),)


_KINDS: Final = {"twilio_status": _twilio_status, "sns_text_log": _sns_text_log, "receipt": _receipt}


def _decode_ses(payload: Mapping[str, object]) -> tuple[Receipt, ...]:
    if payload.get("source") == "aws.ses":
        payload = object_at(payload, "detail")
    return parse_ses_event(payload)


def _is_topic_validation(text: str) -> bool:
    return text.strip() == SES_TOPIC_VALIDATION


def _json_object(text: str) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        # The error is raised without its cause, which holds the whole text.
        raise MalformedReceiptError("the body is not JSON") from None
    if not isinstance(found, dict):
        raise MalformedReceiptError("the body is not a JSON object")
    return found


def _text_fields(payload: Mapping[str, object], path: str) -> dict[str, str]:
    return {name: value for name, value in object_at(payload, path).items() if isinstance(value, str)}


def _dump(payload: Mapping[str, object]) -> str:
    return json.dumps(payload, separators=(",", ":"))
