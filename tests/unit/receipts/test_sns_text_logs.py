"""SNS delivery logs: unpacking the subscription event and reading one line."""

import base64
import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from rebound.kernel.errors import MalformedReceiptError
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import Outcome, Receipt
from rebound.receipts.adapters.receipts_queue import decode, encode_sns_text_log
from rebound.receipts.adapters.sns_text_logs import parse_awslogs, parse_text_log


def log_line(status: str = "FAILURE", response: str | None = "Invalid phone number") -> dict[str, Any]:
    return {
        "notification": {"messageId": "1077257a", "timestamp": "2016-06-28 00:40:34.558"},
        "delivery": {"destination": "+14155550123", "providerResponse": response, "dwellTimeMs": 599},
        "status": status,
    }


def packed(payload: object) -> dict[str, Any]:
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(payload).encode())).decode()}}


def subscription(*lines: str) -> dict[str, Any]:
    return packed(
        {
            "messageType": "DATA_MESSAGE",
            "logEvents": [{"id": str(number), "timestamp": 0, "message": line} for number, line in enumerate(lines)],
        }
    )


def test_a_failure_keeps_snss_sentence_as_its_code() -> None:
    assert parse_text_log(log_line()) == (
        Receipt(
            Provider.SNS,
            Outcome.FAILED,
            datetime(2016, 6, 28, 0, 40, 34, 558000, tzinfo=UTC),
            key=None,
            provider_id="1077257a",
            address="+14155550123",
            code="Invalid phone number",
        ),
    )


def test_blanks_around_the_sentence_do_not_make_another_code() -> None:
    [receipt] = parse_text_log(log_line(response=" Invalid phone number\n"))
    assert receipt.code == "Invalid phone number"


def test_a_failure_without_a_sentence_has_no_code() -> None:
    [receipt] = parse_text_log(log_line(response=None))
    assert receipt.code is None


def test_a_success_has_no_code() -> None:
    [receipt] = parse_text_log(log_line("SUCCESS", "Message has been accepted by phone carrier"))
    assert (receipt.outcome, receipt.code) == (Outcome.DELIVERED, None)
    assert receipt.detail == "Message has been accepted by phone carrier"


def test_a_status_that_is_not_known_says_nothing() -> None:
    assert parse_text_log(log_line("PENDING")) == ()


@pytest.mark.parametrize(
    ("part", "named"),
    [("notification", "notification.timestamp"), ("status", "status")],
)
def test_a_missing_part_is_named(part: str, named: str) -> None:
    record = log_line()
    del record[part]
    with pytest.raises(MalformedReceiptError, match=named) as raised:
        parse_text_log(record)
    assert "+1415" not in str(raised.value)


def test_a_subscription_event_gives_its_lines_in_order() -> None:
    lines = [log_line(), log_line("SUCCESS")]
    assert parse_awslogs(subscription(*map(json.dumps, lines))) == lines


def test_a_control_message_has_no_lines() -> None:
    control = {"messageType": "CONTROL_MESSAGE", "logEvents": [{"message": "CWL CONTROL MESSAGE: …"}]}
    assert parse_awslogs(packed(control)) == []


def test_an_unreadable_line_does_not_take_its_neighbours_along() -> None:
    records = parse_awslogs(subscription("not json", json.dumps(log_line()), "[]"))
    assert records == [{"unreadable": "not json"}, log_line(), {"unreadable": "[]"}]
    with pytest.raises(MalformedReceiptError):
        decode(encode_sns_text_log(records[0]))


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"awslogs": {"data": ""}},
        {"awslogs": {"data": "%%%"}},
        {"awslogs": {"data": base64.b64encode(b"not gzip").decode()}},
        {"awslogs": {"data": base64.b64encode(gzip.compress(b"not json")).decode()}},
        {"awslogs": {"data": base64.b64encode(gzip.compress(b"{}")[:-6]).decode()}},
        packed([]),
        packed({"messageType": "DATA_MESSAGE"}),
    ],
)
def test_an_event_that_cannot_be_unpacked_is_malformed(event: dict[str, Any]) -> None:
    with pytest.raises(MalformedReceiptError):
        parse_awslogs(event)


@pytest.mark.parametrize(("said", "segments"), [(3, 3), ("2", 2), (0, 0), (None, None), (-1, None), (1.5, None)])
@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE"])
def test_the_parts_of_a_text_are_its_segments(status: str, said: object, segments: int | None) -> None:
    line = log_line(status)
    line["delivery"]["numberOfMessageParts"] = said
    [receipt] = parse_text_log(line)
    assert receipt.segments == segments
