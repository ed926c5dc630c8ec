"""SNS's report of what became of a text, which exists only as a log line in CloudWatch.

SNS writes one line for each text to the log group ``sns/<region>/<account>/DirectPublishToPhoneNumber`` or the one
below it, ``…/Failure``, up to 72 hours later; a subscription filter hands the lines to a function. Source: SNS
developer guide, "Viewing Amazon CloudWatch metrics and logs for SMS deliveries".
"""

import base64
import binascii
import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Final

from rebound.kernel.errors import MalformedReceiptError
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import Outcome, Receipt
from rebound.platform.adapters.fields import moment_at, objects_at, optional_count_at, optional_text_at, text_at

_OUTCOMES: Final[Mapping[str, Outcome]] = {"SUCCESS": Outcome.DELIVERED, "FAILURE": Outcome.FAILED}


def parse_awslogs(event: Mapping[str, object]) -> list[dict[str, object]]:
    """The log lines in a CloudWatch Logs subscription event; none in a control message.

    A line that is not a JSON object is returned as ``{"unreadable": line}``: it has to end in the dead-letter queue,
    and the other lines must not end there with it.

    :raises MalformedReceiptError: when the event itself cannot be unpacked.
    """
    try:
        unpacked = json.loads(gzip.decompress(base64.b64decode(text_at(event, "awslogs.data"), validate=True)))
    except (binascii.Error, OSError, EOFError, zlib.error, ValueError):
        raise MalformedReceiptError("awslogs.data is not JSON in gzip in base64") from None
    if not isinstance(unpacked, dict):
        raise MalformedReceiptError("awslogs.data is not an object")
    if unpacked.get("messageType") == "CONTROL_MESSAGE":
        return []
    return [_record(text_at(log_event, "message")) for log_event in objects_at(unpacked, "logEvents")]


def parse_text_log(record: Mapping[str, object]) -> tuple[Receipt, ...]:
    """The receipt in one log line; it has no key, because a text over SNS carries nothing of ours.

    The receipt's time is when the text was published: SNS logs no other time, only dwell times. A failure's code is
    SNS's sentence in ``providerResponse``. An unknown status gives no receipt.

    :raises MalformedReceiptError: when the status, the message's id or its time is missing.
    """
    outcome = _OUTCOMES.get(text_at(record, "status"))
    if outcome is None:
        return ()
    response = optional_text_at(record, "delivery.providerResponse")
    failed = outcome is Outcome.FAILED
    return (
        Receipt(
            provider=Provider.SNS,
            outcome=outcome,
            occurred_at=moment_at(record, "notification.timestamp"),
            key=None,
            provider_id=text_at(record, "notification.messageId"),
            address=optional_text_at(record, "delivery.destination"),
            code=response if failed else None,
            detail=None if failed else response,
            segments=optional_count_at(record, "delivery.numberOfMessageParts"),
        ),
    )


def _record(line: str) -> dict[str, object]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    return record if isinstance(record, dict) else {"unreadable": line}
