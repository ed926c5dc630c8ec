"""Sending email with SES v2 SendBulkEmail."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
)

from rebound.kernel.receipts import MessageKey
from rebound.platform.adapters.aws import DENIED, NOT_LET_IN, THROTTLES
from rebound.rates.domain import Throttled
from rebound.sending.domain.recipients import ACCESS_DENIED, Accepted, OutgoingEmail, Refused, SendResult, Unknown
from rebound.templates.domain.rendering import MAX_EMAIL_CHARACTERS, as_data, size_of

MAX_DESTINATIONS: Final = 50
PASS_THROUGH: Final = {"Subject": "{{{subject}}}", "Html": "{{{html}}}", "Text": "{{{text}}}"}
"""We render the emails; SES only inserts the parts. It does not read them as templates, nor escape them here."""
_COME_AGAIN: Final = frozenset({"ACCOUNT_THROTTLED", "ACCOUNT_DAILY_QUOTA_EXCEEDED", "TRANSIENT_FAILURE"})
_DAILY: Final = "ACCOUNT_DAILY_QUOTA_EXCEEDED"
_REFUSALS: Final = {
    "AccountSuspendedException": "ACCOUNT_SUSPENDED",
    "SendingPausedException": "ACCOUNT_SENDING_PAUSED",
    "MailFromDomainNotVerifiedException": "MAIL_FROM_DOMAIN_NOT_VERIFIED",
    "MessageRejected": "MESSAGE_REJECTED",
    "NotFoundException": "CONFIGURATION_SET_NOT_FOUND",
    "BadRequestException": "INVALID_PARAMETER",
}
_TOO_LARGE: Final = Refused("INVALID_PARAMETER", f"The email has more than {MAX_EMAIL_CHARACTERS} characters.")
_NOT_VERIFIED: Final = "Email address is not verified"
_SERVER_ERROR: Final = 500
_NOT_SENT: Final = (EndpointConnectionError, ConnectTimeoutError)


class SesMailer:
    """Implements ``Mailer``. The client must not retry: SendBulkEmail has no idempotency key."""

    def __init__(self, client: Any, configuration_set: str) -> None:
        self._client = client
        self._configuration_set = configuration_set

    def send(self, sender: str, emails: Sequence[OutgoingEmail], reply_to: str | None = None) -> Sequence[SendResult]:
        if len(emails) > MAX_DESTINATIONS:
            raise ValueError(f"at most {MAX_DESTINATIONS} emails a call")
        data = [as_data(email.content) for email in emails]
        fits = [size_of(each) <= MAX_EMAIL_CHARACTERS for each in data]
        # SES would refuse the whole call for the sake of one.
        entries = [_entry(email, each) for email, each, fit in zip(emails, data, fits, strict=True) if fit]
        results = iter(self._send(sender, reply_to, entries) if entries else ())
        return [next(results) if fit else _TOO_LARGE for fit in fits]

    def _send(self, sender: str, reply_to: str | None, entries: Sequence[Mapping[str, Any]]) -> Sequence[SendResult]:
        answered: Mapping[str, Any] = {} if reply_to is None else {"ReplyToAddresses": [reply_to]}
        try:
            answer = self._client.send_bulk_email(
                FromEmailAddress=sender,
                ConfigurationSetName=self._configuration_set,
                DefaultContent={"Template": {"TemplateContent": PASS_THROUGH, "TemplateData": _NO_DATA}},
                BulkEmailEntries=entries,
                **answered,
            )
        except ClientError as error:
            return [_of_error(error)] * len(entries)
        except _NOT_SENT:
            # No connection was made, so nothing has gone out.
            return [Throttled("TRANSIENT_FAILURE")] * len(entries)
        except (HTTPClientError, ConnectionClosedError) as error:
            return [Unknown(type(error).__name__)] * len(entries)
        return [_of_entry(result) for result in answer["BulkEmailEntryResults"]]


_NO_DATA: Final = json.dumps({"subject": "", "html": "", "text": ""})


def tags_of(key: MessageKey) -> Sequence[Mapping[str, str]]:
    """The tags that come back with every SES event: the message's key (truth 7)."""
    return [
        {"Name": "business_id", "Value": key.business_id},
        {"Name": "customer_id", "Value": key.customer_id},
        {"Name": "message_id", "Value": key.message_id},
    ]


def _entry(email: OutgoingEmail, data: str) -> Mapping[str, Any]:
    entry: dict[str, Any] = {
        "Destination": {"ToAddresses": [email.to]},
        "ReplacementTags": tags_of(email.key),
        "ReplacementEmailContent": {"ReplacementTemplate": {"ReplacementTemplateData": data}},
    }
    if email.headers:
        entry["ReplacementHeaders"] = [{"Name": name, "Value": value} for name, value in email.headers.items()]
    return entry


def _of_entry(result: Mapping[str, Any]) -> SendResult:
    status = result["Status"]
    if status == "SUCCESS":
        return Accepted(result["MessageId"])
    if status in _COME_AGAIN:
        return Throttled(status, daily=status == _DAILY)
    error = result.get("Error")
    if status == "MESSAGE_REJECTED" and _NOT_VERIFIED in (error or ""):
        # Of a sender, SES refuses the whole call; a recipient must be verified only in the sandbox.
        return Refused("RECIPIENT_NOT_VERIFIED", error)
    return Refused(status, error)


def _of_error(error: ClientError) -> SendResult:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in DENIED:
        return Refused(ACCESS_DENIED, message)
    if code in NOT_LET_IN:
        return Throttled(code)
    if code in THROTTLES:
        daily = "daily message quota" in message.lower()
        return Throttled(_DAILY if daily else "ACCOUNT_THROTTLED", daily=daily)
    if code == "MessageRejected" and _NOT_VERIFIED in message:
        return Refused("MAIL_FROM_DOMAIN_NOT_VERIFIED", message)
    if code in _REFUSALS:
        return Refused(_REFUSALS[code], message)
    if error.response["ResponseMetadata"].get("HTTPStatusCode", _SERVER_ERROR) >= _SERVER_ERROR:
        return Unknown(code)
    return Refused(code, message)
