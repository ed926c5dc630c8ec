"""Emails of Rebound itself to the people who run businesses, over SES."""

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from rebound.kernel.errors import ComeAgainError
from rebound.platform.adapters.aws import DENIED
from rebound.platform.telemetry import logger

_FOR_GOOD: Final = DENIED | {
    *("AccountSuspendedException", "BadRequestException", "MailFromDomainNotVerifiedException", "MessageRejected"),
    *("NotFoundException", "SendingPausedException"),
}


class SesReboundMail:
    """Implements ``ReboundMail``. Without a configuration set: nobody follows what becomes of these.

    What SES refuses for good, as in its sandbox, is logged and not tried again.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def send(self, sender: str, to: str, subject: str, text: str) -> None:
        content = {"Subject": _written(subject), "Body": {"Text": _written(text)}}
        try:
            self._client.send_email(
                FromEmailAddress=sender, Destination={"ToAddresses": [to]}, Content={"Simple": content}
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in _FOR_GOOD:
                raise ComeAgainError(f"SES did not take an email of Rebound's own: {code}") from None
            logger().error("email of Rebound's own refused", code=code)
        except BotoCoreError as error:
            raise ComeAgainError(f"SES did not take an email of Rebound's own: {type(error).__name__}") from None


def _written(text: str) -> Mapping[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
