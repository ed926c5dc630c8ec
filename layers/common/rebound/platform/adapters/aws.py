"""What adapters of AWS share: the session, batches for queues, starting executions, and what error codes mean."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from random import random
from time import sleep
from typing import TYPE_CHECKING, Any, Final, cast

from rebound.kernel.errors import ComeAgainError, ReboundError

if TYPE_CHECKING:
    from botocore.session import Session


@cache
def session() -> Session:
    """One session of botocore for all clients of this process.

    A session keeps the service models that it has read. Reading them is most of the cost of a client: 50 ms of CPU for
    the first client of a session, 3 ms for each further one of the same service. boto3 would import resources and
    transfers that nothing here uses.
    """
    from botocore.session import get_session  # noqa: PLC0415 - some functions ask AWS for nothing

    made = get_session()
    made.register("needs-retry.dynamodb", cast("Any", _patience))
    rest = _Rest()
    for operation in ("BatchGetItem", "BatchWriteItem"):
        made.register(f"after-call.dynamodb.{operation}", cast("Any", rest))
    return made


PATIENCE: Final = 8
"""How often a call of DynamoDB that met others is made again, after 50 ms at first and about 6 s in all."""
_TOO_MUCH: Final = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})


def _patience(response: Any, attempts: int, **_: Any) -> float | None:
    """Seconds to wait before a call is made again; ``None`` to leave the decision to botocore.

    botocore does not try again what DynamoDB refuses for the sake of a transaction that touches the same row at that
    moment (TransactionConflictException), nor transactions that were cancelled for being too many. Nothing was written
    then. A transaction whose condition failed, or that met another one, is the caller's to decide again.
    """
    if response is None or attempts > PATIENCE:
        return None
    parsed = response[1]
    code = parsed.get("Error", {}).get("Code")
    reasons = {reason.get("Code", "None") for reason in parsed.get("CancellationReasons", ())} - {"None"}
    if code == "TransactionConflictException" or (
        code == "TransactionCanceledException" and reasons and reasons <= _TOO_MUCH
    ):
        return _delay(attempts)
    return None


def _delay(attempts: int) -> float:
    delay: float = min(0.05 * 2 ** (attempts - 1), 2.0) * (0.5 + random() / 2)  # noqa: S311 - no secret
    return delay


class _Rest:
    """Waits before what DynamoDB left of a batch is asked for again, as long as ``_patience``; then gives up.

    pynamodb asks for the rest at once, and of reads without an end: a table that is busy would get more to do. Raises
    ``ComeAgainError`` when it was left ``PATIENCE`` times, one after the other.
    """

    def __init__(self) -> None:
        self._times = 0

    def __call__(self, parsed: Mapping[str, Any], **_: Any) -> None:
        """After each answer to a batch; a function makes one call after the other."""
        if not (parsed.get("UnprocessedKeys") or parsed.get("UnprocessedItems")):
            self._times = 0
            return
        self._times += 1
        if self._times > PATIENCE:
            self._times = 0
            raise ComeAgainError("DynamoDB leaves a part of each batch")
        sleep(_delay(self._times))


MAX_BATCH: Final = 10


ATTEMPTS: Final = 5


class NotEnqueuedError(ReboundError):
    """SQS did not take some messages of a batch; the caller does the whole step again, which is harmless."""


MAX_BATCH_BYTES: Final = 240_000
"""Of a call to SQS or EventBridge, which take 256 KB in all; some are left for names and ids."""


def batches_by_size(texts: Sequence[str]) -> Iterator[range]:
    """The places of texts, in batches that one call takes: at most ten, and not too many bytes unless it is one."""
    start, size = 0, 0
    for place, text in enumerate(texts):
        own = len(text.encode())
        if place > start and (place - start == MAX_BATCH or size + own > MAX_BATCH_BYTES):
            yield range(start, place)
            start, size = place, 0
        size += own
    if texts:
        yield range(start, len(texts))


def send_batch(client: Any, queue_url: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """Put up to ten entries on a queue, trying again those that SQS did not take. Raises ``NotEnqueuedError``."""
    for _ in range(ATTEMPTS):
        answer = client.send_message_batch(QueueUrl=queue_url, Entries=list(entries))
        failed = {failure["Id"] for failure in answer.get("Failed", ())}
        entries = [entry for entry in entries if entry["Id"] in failed]
        if not entries:
            return
    raise NotEnqueuedError


DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError"})
"""The function's role does not allow the call: nothing was sent, and nothing will be until somebody mends the role."""
NOT_LET_IN: Final = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "InvalidSignatureException"),
        *("SignatureDoesNotMatch", "UnrecognizedClientException"),
    }
)
"""AWS did not recognise the function: nothing was sent, and a retry works with new credentials or the right time."""

THROTTLES: Final = frozenset(
    {"LimitExceededException", "Throttling", "ThrottlingException", "TooManyRequestsException"}
)
"""The account called too often; the call had no effect."""
_BUSY: Final = THROTTLES | {
    *("ProvisionedThroughputExceeded", "ProvisionedThroughputExceededException", "RequestLimitExceeded"),
    *("ThrottlingError", "TransactionConflictException"),
}


def is_busy(error: Exception) -> bool:
    """Whether an error of botocore's or pynamodb's is that AWS had too much to do: nothing was done."""
    code = getattr(error, "cause_response_code", None) or getattr(error, "response", {}).get("Error", {}).get("Code")
    reasons = {reason.code for reason in getattr(error, "cancellation_reasons", None) or () if reason}
    return code in _BUSY or (bool(reasons) and reasons <= _BUSY)


def start_once(stepfunctions: Any, machine_arn: str, name: str, what: Mapping[str, Any]) -> None:
    """Start an execution with the input ``what``, unless one of this name was started within the last 90 days."""
    try:
        stepfunctions.start_execution(stateMachineArn=machine_arn, name=name, input=json.dumps(what))
    except stepfunctions.exceptions.ExecutionAlreadyExists:
        return
