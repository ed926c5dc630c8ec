"""SES's events and feedback notifications about an email: two shapes, read into receipts.

Configuration sets publish events with ``eventType`` and the message's tags; an identity's own feedback notifications
have ``notificationType`` and never carry tags, so their receipts have no key. Source: SES developer guide, "Contents of
event data that Amazon SES publishes to Amazon SNS" and "Amazon SNS notification contents for Amazon SES".
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from msgspec import Struct

from rebound.kernel.errors import MalformedReceiptError
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey, Outcome, Receipt
from rebound.platform.adapters.fields import moment_at, object_at, objects_at, optional_text_at, text_at, texts_at
from rebound.receipts.adapters.mail_servers import code_of_bounce
from rebound.receipts.adapters.mailboxes import addresses_in

KEY_TAGS: Final = ("business_id", "customer_id", "message_id")
"""The email tags that carry the message's key through SES, in the order of ``MessageKey``."""


class _Recipient(Struct, frozen=True):
    """A recipient as SES writes it, with the provider's own words about it and the code of what happened."""

    written: str = ""
    detail: str | None = None
    code: str | None = None


def parse_ses_event(record: Mapping[str, object]) -> tuple[Receipt, ...]:
    """One receipt for each recipient the event names; none for an event that is not about arrival (send, open, click…).

    An unknown type gives no receipt either: SES adds types, and announces a topic's set-up in the same way. When SES
    names no recipient, the receipt has no address and is about the message's own. Addresses keep the case of SES.

    :raises MalformedReceiptError: when a part that the event's type promises is missing.
    """
    event_type = optional_text_at(record, "eventType") or optional_text_at(record, "notificationType")
    if event_type is None:
        raise MalformedReceiptError("eventType is missing or not a text")
    reader = _READERS.get(event_type)
    return () if reader is None else reader(record)


def _bounce(event: Mapping[str, object]) -> tuple[Receipt, ...]:
    label = f"{text_at(event, 'bounce.bounceType')}/{text_at(event, 'bounce.bounceSubType')}"
    recipients = [
        _bounced(label, recipient, optional_text_at(recipient, "status"), optional_text_at(recipient, "diagnosticCode"))
        for recipient in objects_at(event, "bounce.bouncedRecipients")
    ]
    return _receipts(event, Outcome.FAILED, moment_at(event, "bounce.timestamp"), recipients, label)


def _bounced(label: str, recipient: Mapping[str, object], status: str | None, diagnostic: str | None) -> _Recipient:
    code = code_of_bounce(label, status, diagnostic)
    return _Recipient(text_at(recipient, "emailAddress"), diagnostic, code)


def _complaint(event: Mapping[str, object]) -> tuple[Receipt, ...]:
    feedback = optional_text_at(event, "complaint.complaintFeedbackType")
    if feedback == "not-spam":
        # The recipient moved the message out of the spam folder: the opposite of a complaint.
        return ()
    sub_type = optional_text_at(event, "complaint.complaintSubType")
    # With a sub-type, SES did not try to send: an earlier complaint had put the address on its suppression list.
    return _receipts(
        event,
        Outcome.FAILED if sub_type else Outcome.COMPLAINED,
        moment_at(event, "complaint.timestamp"),
        # These are candidates: every recipient of the message at the provider that reported the complaint.
        [
            _Recipient(text_at(recipient, "emailAddress"), sub_type or feedback)
            for recipient in objects_at(event, "complaint.complainedRecipients")
        ],
        code=f"Complaint/{sub_type}" if sub_type else "Complaint",
    )


def _delivery(event: Mapping[str, object]) -> tuple[Receipt, ...]:
    answer = optional_text_at(event, "delivery.smtpResponse")
    return _receipts(
        event,
        Outcome.DELIVERED,
        moment_at(event, "delivery.timestamp"),
        [_Recipient(address, answer) for address in texts_at(event, "delivery.recipients")],
    )


def _delivery_delay(event: Mapping[str, object]) -> tuple[Receipt, ...]:
    delay_type = optional_text_at(event, "deliveryDelay.delayType")
    return _receipts(
        event,
        Outcome.DELAYED,
        moment_at(event, "deliveryDelay.timestamp"),
        [
            _Recipient(text_at(recipient, "emailAddress"), delay_type)
            for recipient in objects_at(event, "deliveryDelay.delayedRecipients")
        ],
    )


def _reject(event: Mapping[str, object]) -> tuple[Receipt, ...]:
    return _never_sent(event, "Reject", optional_text_at(event, "reject.reason"))


def _rendering_failure(event: Mapping[str, object]) -> tuple[Receipt, ...]:
    return _never_sent(event, "Rendering Failure", optional_text_at(event, "failure.errorMessage"))


def _never_sent(event: Mapping[str, object], code: str, detail: str | None) -> tuple[Receipt, ...]:
    # A reject or a rendering failure has neither a time nor recipients of its own.
    recipients = [_Recipient(address, detail) for address in texts_at(event, "mail.destination")]
    return _receipts(event, Outcome.FAILED, moment_at(event, "mail.timestamp"), recipients, code=code)


_READERS: Final[Mapping[str, Callable[[Mapping[str, object]], tuple[Receipt, ...]]]] = {
    "Bounce": _bounce,
    "Complaint": _complaint,
    "Delivery": _delivery,
    "DeliveryDelay": _delivery_delay,
    "Reject": _reject,
    "Rendering Failure": _rendering_failure,
}


def _receipts(
    event: Mapping[str, object],
    outcome: Outcome,
    occurred_at: datetime,
    recipients: Iterable[_Recipient],
    code: str | None = None,
) -> tuple[Receipt, ...]:
    key = _key(event)
    provider_id = text_at(event, "mail.messageId")
    named: list[tuple[str | None, _Recipient]]
    named = [(address, each) for each in recipients for address in addresses_in(each.written)]
    return tuple(
        Receipt(
            provider=Provider.SES,
            outcome=outcome,
            occurred_at=occurred_at,
            key=key,
            provider_id=provider_id,
            address=address,
            code=each.code or code,
            detail=each.detail,
        )
        for address, each in named or [(None, _Recipient())]
    )


def _key(event: Mapping[str, object]) -> MessageKey | None:
    tags = object_at(event, "mail").get("tags")
    if not isinstance(tags, Mapping) or not any(name in tags for name in KEY_TAGS):
        return None
    business_id, customer_id, message_id = (_only_value(tags, name) for name in KEY_TAGS)
    return MessageKey(business_id, customer_id, message_id)


def _only_value(tags: Mapping[str, object], name: str) -> str:
    values = texts_at(tags, name)
    if len(values) != 1:
        raise MalformedReceiptError(f"mail.tags.{name} has not exactly one value")
    return values[0]
