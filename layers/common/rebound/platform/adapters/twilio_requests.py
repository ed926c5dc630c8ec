"""The requests that Twilio sends to us: their form fields and their signature.

Source: Twilio docs, "Webhooks security".
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from rebound.kernel.errors import MalformedReceiptError

_MAX_FIELDS: Final = 1000
"""Far above what Twilio sends; a body with more fields is refused before it is processed."""


def parse_form(raw_body: str) -> dict[str, str]:
    """The fields of a callback's body, including blank ones; a name that is repeated has its first value.

    :raises MalformedReceiptError: when there are more than ``_MAX_FIELDS``.
    """
    return {name: values[0] for name, values in _fields(raw_body).items()}


def verify_signature(auth_token: str, url: str, raw_body: str, signature: str | None) -> bool:
    """Whether Twilio signed this request with the account's token; to be checked before anything else is done.

    ``url`` is the configured public address with path and query string, never built from the Host header. The body is
    taken as it came over the wire: Twilio signs blank fields too and, of a repeated name, each distinct value once, in
    order. A signature holds no time: a replay passes, and is harmless because applying a receipt is idempotent.
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


def signed_form(event: Mapping[str, Any], url: str, auth_token: Callable[[], str]) -> Mapping[str, str] | None:
    """The fields of an API Gateway request; ``None`` unless Twilio has signed it for exactly this address.

    ``auth_token`` is called only when there is a signature to check.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    signature = headers.get("x-twilio-signature")
    if not signature:
        return None
    given: str = event.get("body") or ""
    try:
        body = base64.b64decode(given).decode() if event.get("isBase64Encoded") else given
    except UnicodeDecodeError:
        return None
    return parse_form(body) if verify_signature(auth_token(), url, body, signature) else None


class _Fields(dict[str, list[str]]):
    """Form fields as the multi-dictionary (``getlist``) that Twilio's validator supports."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def _fields(raw_body: str) -> _Fields:
    try:
        return _Fields(parse_qs(raw_body, keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    except ValueError:
        raise MalformedReceiptError("the form has too many fields") from None
