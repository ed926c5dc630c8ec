"""Twilio's status callback about a text: its receipt, and the message's key in the query of its address.

Sources: Twilio docs, "Outbound message status in status callbacks", "Webhooks security" and "Connection overrides".
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from rebound.kernel.errors import MalformedReceiptError
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey, Outcome, Receipt
from rebound.platform.adapters.fields import optional_count_at, optional_text_at, text_at

_OUTCOMES: Final[Mapping[str, Outcome]] = {
    "sent": Outcome.SENT,
    "delivered": Outcome.DELIVERED,
    "read": Outcome.DELIVERED,
    "undelivered": Outcome.FAILED,
    "failed": Outcome.FAILED,
    "canceled": Outcome.FAILED,
}


def parse_status_callback(
    form: Mapping[str, str], query: Mapping[str, str], received_at: datetime
) -> tuple[Receipt, ...]:
    """The receipt of a status callback; none for a status before the carrier has the text, or for an unknown one.

    Twilio gives no time of the event (``RawDlrDoneDate`` is the carrier's local time, to the minute), so the receipt's
    time is ``received_at``, when our webhook received the callback. Callbacks come in any order.

    :raises MalformedReceiptError: when the status, the message's id or a part of its key is missing.
    """
    status = optional_text_at(form, "MessageStatus") or text_at(form, "SmsStatus")
    outcome = _OUTCOMES.get(status)
    if outcome is None:
        return ()
    return (
        Receipt(
            provider=Provider.TWILIO,
            outcome=outcome,
            occurred_at=received_at,
            key=key_from_query(query),
            provider_id=optional_text_at(form, "MessageSid") or text_at(form, "SmsSid"),
            address=optional_text_at(form, "To"),
            code=optional_text_at(form, "ErrorCode") if outcome is Outcome.FAILED else None,
            detail=status if status == "canceled" else None,
            segments=optional_count_at(form, "NumSegments"),
        ),
    )


def key_from_query(query: Mapping[str, str]) -> MessageKey:
    """The message's key in the query of a callback to an address from ``status_callback_url``.

    :raises MalformedReceiptError: when a part is missing.
    """
    missing = [name for name in ("b", "c", "m") if optional_text_at(query, name) is None]
    if missing:
        raise MalformedReceiptError(f"query {', '.join(missing)} is missing")
    return MessageKey(query["b"], query["c"], query["m"])
