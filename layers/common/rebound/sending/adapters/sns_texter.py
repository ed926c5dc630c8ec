"""Sending texts with SNS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, HTTPClientError

from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey
from rebound.kernel.text_senders import SenderKind, kind_of
from rebound.platform.adapters.aws import DENIED, NOT_LET_IN
from rebound.rates.domain import Throttled
from rebound.sending.domain.recipients import ACCESS_DENIED, Accepted, Refused, SendResult, Unknown

if TYPE_CHECKING:
    from datetime import timedelta

_ATTRIBUTE: Final = {False: "AWS.MM.SMS.OriginationNumber", True: "AWS.SNS.SMS.SenderID"}
"""What the sender is called, by whether it is a name."""
_THROTTLES: Final = frozenset({"Throttled", "ThrottledException", "ThrottlingException", "Throttling"})
_INVALID: Final = frozenset({"InvalidParameter", "InvalidParameterValue"})
_SERVER_ERROR: Final = 500


class SnsTexter:
    """Implements ``Texter``. SNS takes no key of ours along, so a text's outcome is found by the id that it returns."""

    provider = Provider.SNS

    def __init__(self, client: Any) -> None:
        self._client = client

    def send(
        self,
        sender: str | None,
        key: MessageKey,  # noqa: ARG002 - SNS takes nothing of ours along
        to: str,
        body: str,
        valid_for: timedelta | None = None,  # noqa: ARG002 - nor how long a text is of use
    ) -> SendResult:
        attributes = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
        if sender is not None:
            attributes[_ATTRIBUTE[kind_of(sender) is SenderKind.NAME]] = {"DataType": "String", "StringValue": sender}
        try:
            answer = self._client.publish(PhoneNumber=to, Message=body, MessageAttributes=attributes)
        except ClientError as error:
            return _of_error(error)
        except (EndpointConnectionError, ConnectTimeoutError):
            return Throttled("Rate exceeded")
        except HTTPClientError as error:
            return Unknown(type(error).__name__)
        return Accepted(answer["MessageId"])


def _of_error(error: ClientError) -> SendResult:
    code = error.response["Error"]["Code"]
    if code in DENIED:
        return Refused(ACCESS_DENIED, error.response["Error"].get("Message", ""))
    if code in NOT_LET_IN:
        return Throttled(code)
    if code in _THROTTLES:
        return Throttled("Rate exceeded")
    if error.response["ResponseMetadata"].get("HTTPStatusCode", _SERVER_ERROR) >= _SERVER_ERROR:
        return Unknown(code)
    message = error.response["Error"].get("Message", "")
    if code in _INVALID and "PhoneNumber" in message:
        # Any other invalid parameter is our own mistake, and says nothing about the number.
        return Refused("Invalid phone number", message)
    if code == "OptedOut":
        return Refused("Phone number is opted out", message)
    return Refused(code, message)
