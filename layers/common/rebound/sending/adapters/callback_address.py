"""Where Twilio reports what became of a text.

Source: Twilio docs, "Connection overrides".
"""

from typing import Final
from urllib.parse import urlencode

from rebound.kernel.receipts import MessageKey

STATUS_PATH: Final = "/v1/webhooks/twilio/status"
"""Where Twilio reports what became of a text."""


RETRIES: Final = "rc=2&rp=all"
"""Fragment of the callback's address: Twilio retries twice, also after a 5xx, and after a 429 when we are throttled."""


def status_url(public_url: str, key: MessageKey) -> str:
    """The address that Twilio signs for a message's callbacks.

    ``public_url`` is where the API is reached from outside, with the stage and without ``/v1``. The webhook builds the
    address again from this and the key, because API Gateway does not hand on the query string as it was written.
    """
    query = urlencode({"b": key.business_id, "c": key.customer_id, "m": key.message_id})
    return f"{public_url.rstrip('/')}{STATUS_PATH}?{query}"


def status_callback_url(public_url: str, key: MessageKey) -> str:
    """What to give Twilio as ``StatusCallback``: the signed address, and the retry fragment, which is not signed."""
    return f"{status_url(public_url, key)}#{RETRIES}"
