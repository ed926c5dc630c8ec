"""Sending texts with Twilio's Messages resource."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from rebound.kernel.provider_codes import FailureClass, Provider, look_up
from rebound.kernel.receipts import MessageKey
from rebound.kernel.text_senders import SenderKind, kind_of
from rebound.platform.adapters.fields import optional_count_at
from rebound.rates.domain import Throttled
from rebound.sending.adapters.callback_address import status_callback_url
from rebound.sending.domain.recipients import Accepted, Refused, SendResult, Unknown

TIMEOUT_SECONDS: Final = 10
SHORTEST_VALIDITY_SECONDS: Final = 1
LONGEST_VALIDITY: Final = timedelta(hours=10)
"""Twilio refuses a text whose validity period is outside these bounds (21624); the longest is also its default."""
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500


class TwilioTexter:
    """Implements ``Texter``. Create has no idempotency key, so an answer that never came is ``Unknown``."""

    provider = Provider.TWILIO

    def __init__(self, client: Any, public_url: str) -> None:
        self._client = client
        self._public_url = public_url

    def send(
        self, sender: str | None, key: MessageKey, to: str, body: str, valid_for: timedelta | None = None
    ) -> SendResult:
        # ``connect``, which makes the client, has imported the SDK already; the errors come with it.
        from requests.exceptions import ConnectionError as NoConnectionError  # noqa: PLC0415
        from requests.exceptions import ConnectTimeout, RequestException  # noqa: PLC0415
        from twilio.base.exceptions import TwilioException, TwilioRestException  # noqa: PLC0415

        by_service = sender is not None and kind_of(sender) is SenderKind.MESSAGING_SERVICE
        try:
            message = self._client.messages.create(
                to=to,
                body=body,
                status_callback=status_callback_url(self._public_url, key),
                **{"messaging_service_sid" if by_service else "from_": sender},
                **_validity(valid_for),
            )
        except TwilioRestException as error:
            return _of_error(error.status, error.code, error.msg)
        except ConnectTimeout:
            return Throttled("20500")
        except (NoConnectionError, RequestException, TwilioException) as error:
            return Throttled("20500") if _never_connected(error) else Unknown(type(error).__name__)
        # "0" with a messaging service, which chooses the sender later.
        return Accepted(message.sid, optional_count_at({"segments": message.num_segments}, "segments"))


def _validity(valid_for: timedelta | None) -> Mapping[str, int]:
    """How long Twilio may keep a text in its queue; empty when no limit below Twilio's own is needed."""
    if valid_for is None or valid_for >= LONGEST_VALIDITY:
        return {}
    return {"validity_period": max(int(valid_for.total_seconds()), SHORTEST_VALIDITY_SECONDS)}


def _of_error(status: int, code: int | None, text: str) -> SendResult:
    if status == _TOO_MANY_REQUESTS:
        return Throttled("20429")
    if status >= _SERVER_ERROR:
        return Unknown(f"HTTP {status}")
    written = str(code or status)
    if look_up(Provider.TWILIO, written).failure_class is FailureClass.TRANSIENT:
        return Throttled(written)
    return Refused(written, text)


def _never_connected(error: BaseException) -> bool:
    """Whether the cause is that no connection could be made, so that nothing can have been sent."""
    from urllib3.exceptions import NewConnectionError  # noqa: PLC0415

    cause: Any = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", cause), NewConnectionError)


def connect(account_sid: str, auth_token: str, base_url: str | None) -> Any:
    """A Twilio client with a timeout of ten seconds and no retries; ``base_url`` replaces Twilio's own address."""
    from twilio.http.http_client import TwilioHttpClient  # noqa: PLC0415
    from twilio.rest import Client  # noqa: PLC0415

    client = Client(account_sid, auth_token, http_client=TwilioHttpClient(timeout=TIMEOUT_SECONDS, max_retries=0))
    if base_url is not None:
        client.api.base_url = base_url
    return client
