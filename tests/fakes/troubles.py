"""A DynamoDB that is busy: each call meets somebody the first time, as calls do in a busy account."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast
from unittest.mock import patch

from botocore.awsrequest import AWSResponse
from moto.core.botocore_stubber import MockRawResponse

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
    """While this is open, every call is refused once before it is taken; counts what was refused, by operation."""
    refused: Counter[str] = Counter()
    met: set[tuple[str, bytes]] = set()

    def meet(request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        operation = event_name.rpartition(".")[2]
        place = operation, bytes(request.body)
        if place in met or operation not in {*_ERRORS, *_LEFT}:
            met.discard(place)
            return None
        met.add(place)
        refused[operation] += 1
        if operation in _LEFT:
            asked = json.loads(request.body)["RequestItems"]
            return _response(request.url, 200, {"Responses": {}, _LEFT[operation]: asked})
        code, more = _ERRORS[operation]
        body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code, **more}
        return _response(request.url, 400, body)

    session.cache_clear()
    session().get_component("event_emitter").register_first("before-send.dynamodb", meet)
    try:
        with patch("botocore.endpoint.time.sleep"):
            yield refused
    finally:
        session.cache_clear()


def _response(url: str, status: int, body: Mapping[str, Any]) -> AWSResponse:
    return AWSResponse(url, status, cast("Any", {}), cast("Any", MockRawResponse(json.dumps(body).encode())))
