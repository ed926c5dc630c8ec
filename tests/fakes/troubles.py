"""A DynamoDB that is busy, and one that is listened to."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast
from unittest.mock import patch

from botocore.awsrequest import AWSResponse
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse

from rebound.platform.adapters.aws import session

_ERRORS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    **dict.fromkeys(("PutItem", "UpdateItem", "DeleteItem"), ("TransactionConflictException", {})),
    "TransactWriteItems": (
        "TransactionCanceledException",
        {"CancellationReasons": [{"Code": "ThrottlingError", "Message": "Throughput exceeds"}, {"Code": "None"}]},
    ),
    **dict.fromkeys(("GetItem", "Query", "Scan"), ("ProvisionedThroughputExceededException", {})),
}
"""What each operation is refused with."""
_LEFT: Final = {"BatchGetItem": "UnprocessedKeys", "BatchWriteItem": "UnprocessedItems"}
"""Batches are answered, with all of it left to do."""


@contextmanager
def busy_dynamodb() -> Iterator[Counter[str]]:
    """While this is open, every call is refused once before it is taken, as some are in a busy account.

    Counts what was refused, by operation.
    """
    refused: Counter[str] = Counter()
    met: set[tuple[str, bytes]] = set()

    def meet(stubber: Any, event_name: str, request: Any, **given: Any) -> Any:
        operation = event_name.rpartition(".")[2]
        place = operation, bytes(request.body or b"")
        if not stubber.enabled or ".dynamodb." not in event_name or operation not in {*_ERRORS, *_LEFT}:
            return answered(stubber, event_name, request, **given)
        if place in met:
            met.discard(place)
            return answered(stubber, event_name, request, **given)
        met.add(place)
        refused[operation] += 1
        if operation in _LEFT:
            asked = json.loads(request.body)["RequestItems"]
            answer: dict[str, Any] = (
                {"Responses": {table: [] for table in asked}} if operation == "BatchGetItem" else {}
            )
            return _response(request.url, 200, {**answer, _LEFT[operation]: asked})
        code, more = _ERRORS[operation]
        body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code, **more}
        return _response(request.url, 400, body)

    answered: Any = BotocoreStubber.__call__
    session.cache_clear()
    try:
        with (
            patch.object(BotocoreStubber, "__call__", meet),
            patch("botocore.endpoint.time.sleep"),
            patch("rebound.platform.adapters.aws.sleep"),
        ):
            yield refused
    finally:
        session.cache_clear()


@contextmanager
def recorded_requests() -> Iterator[list[tuple[str, Mapping[str, Any]]]]:
    """While this is open, each request to DynamoDB is noted as it leaves: its operation and what it asks for."""
    asked: list[tuple[str, Mapping[str, Any]]] = []

    def note(stubber: Any, event_name: str, request: Any, **given: Any) -> Any:
        if stubber.enabled and ".dynamodb." in event_name:
            asked.append((event_name.rpartition(".")[2], json.loads(request.body)))
        return answered(stubber, event_name, request, **given)

    answered: Any = BotocoreStubber.__call__
    with patch.object(BotocoreStubber, "__call__", note):
        yield asked


def _response(url: str, status: int, body: Mapping[str, Any]) -> AWSResponse:
    return AWSResponse(url, status, cast("Any", {}), cast("Any", MockRawResponse(json.dumps(body).encode())))
