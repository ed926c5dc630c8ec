"""Twilio's word about a text: the status callback, its signature, the address we give for it, and errors at create.

Sources: Twilio docs, "Outbound message status in status callbacks", "Webhooks security" and "Connection overrides".
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import parse_qs, urlencode

from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey, Outcome, Receipt
from rebound.receipts.adapters.receipt_fields import MalformedReceiptError, optional_text_at, text_at

STATUS_PATH: Final = "/v1/webhooks/twilio/status"
"""Where Twilio reports what became of a text."""

RETRIES: Final = "rc=2&rp=ct,rt,5xx"
"""Fragment of the callback's address: try twice more, also after a 5xx answer, which Twilio does not do by itself."""

_MAX_FIELDS: Final = 1000
"""Far above what Twilio sends; a body beyond it is refused before work is spent on it."""

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
    """The receipt of a status callback; none for a status before the carrier, or one that is not known.

    Twilio gives no time of the event (``RawDlrDoneDate`` is the carrier's local time, to the minute), so it is
    ``received_at``, when our webhook took the callback. Callbacks come in any order.

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
        ),
    )


def create_failure_receipt(
    key: MessageKey, code: int | str | None, occurred_at: datetime, detail: str | None = None
) -> Receipt:
    """The receipt of a text that Twilio refused when it was created: it has no id, and no callback will come."""
    return Receipt(
        provider=Provider.TWILIO,
        outcome=Outcome.FAILED,
        occurred_at=occurred_at,
        key=key,
        code=None if code is None else str(code),
        detail=detail,
    )


def status_url(public_url: str, key: MessageKey) -> str:
    """The address that Twilio signs for a message's callbacks.

    ``public_url`` is where the API is reached from outside, with the stage and without ``/v1``. The webhook builds the
    address again from this and the key, because API Gateway does not hand on the query string as it was written.
    """
    query = urlencode({"b": key.business_id, "c": key.customer_id, "m": key.message_id})
    return f"{public_url.rstrip('/')}{STATUS_PATH}?{query}"


def status_callback_url(public_url: str, key: MessageKey) -> str:
    """What to give Twilio as ``StatusCallback``: the signed address and how to try again, which is not signed."""
    return f"{status_url(public_url, key)}#{RETRIES}"


def key_from_query(query: Mapping[str, str]) -> MessageKey:
    """The message's key in the query of a callback that ``status_callback_url`` asked for.

    :raises MalformedReceiptError: when a part is missing.
    """
    missing = [name for name in ("b", "c", "m") if optional_text_at(query, name) is None]
    if missing:
        raise MalformedReceiptError(f"query {', '.join(missing)} is missing")
    return MessageKey(query["b"], query["c"], query["m"])


def parse_form(raw_body: str) -> dict[str, str]:
    """The fields of a callback's body, blank ones too; of a repeated name the first value.

    :raises MalformedReceiptError: when there are absurdly many.
    """
    return {name: values[0] for name, values in _fields(raw_body).items()}


def verify_signature(auth_token: str, url: str, raw_body: str, signature: str | None) -> bool:
    """Whether Twilio signed this request with the account's token; to be asked before anything else happens.

    ``url`` is the configured public address with path and query string, never built from the Host header. The body is
    taken as it came over the wire: blank fields are signed too, and of a repeated name each distinct value once, in
    order. There is no time in a signature: a replay passes, and is harmless because applying a receipt is idempotent.
    """
    if not signature or not auth_token:
        # Everybody can sign with an empty token.
        return False
    from twilio.request_validator import RequestValidator  # noqa: PLC0415 - slow to import, and only callbacks need it

    try:
        fields = _fields(raw_body)
    except MalformedReceiptError:
        return False
    return bool(RequestValidator(auth_token).validate(url, fields, signature))


class _Fields(dict[str, list[str]]):
    """Form fields in the form that Twilio's validator takes for a multi-dictionary."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def _fields(raw_body: str) -> _Fields:
    try:
        return _Fields(parse_qs(raw_body, keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    except ValueError:
        raise MalformedReceiptError("the form has too many fields") from None
