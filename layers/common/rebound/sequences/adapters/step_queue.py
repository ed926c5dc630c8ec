"""SQS: who is due in a sequence, and what sequences are to hear, by ids alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from msgspec import convert, to_builtins

from rebound.platform.adapters.aws import batches_by_size, send_batch
from rebound.platform.adapters.dynamo import read_instant, write_instant
from rebound.sequences.domain.tasks import HearTask, NewcomersTask, StepTask

if TYPE_CHECKING:
    from rebound.sequences.domain.tasks import QueuedTask

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
"""For when a task is whose message, of an earlier version, does not say it.

It goes on with whom it has begun. All others who are due come again at once, with a task that says it: so nobody waits,
and nobody is taken who has begun again since.
"""


class SqsStepQueue:
    """Implements ``StepQueue``."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, tasks: Sequence[StepTask], delay: timedelta = timedelta()) -> None:
        self._send(tasks, ceil(max(delay, timedelta()).total_seconds()))

    def tell(self, tasks: Sequence[HearTask | NewcomersTask]) -> None:
        self._send(tasks, 0)

    def _send(self, tasks: Sequence[QueuedTask], seconds: int) -> None:
        bodies = [encode_steps(task) for task in tasks]
        for batch in batches_by_size(bodies):
            entries = [{"Id": str(place), "MessageBody": bodies[place], "DelaySeconds": seconds} for place in batch]
            send_batch(self._client, self._queue_url, entries)


def encode_steps(task: QueuedTask) -> str:
    """The queue message of a task."""
    if isinstance(task, HearTask | NewcomersTask):
        return json.dumps(to_builtins(task, enc_hook=dict))
    own = {"business_id": task.business_id, "sequence_id": task.sequence_id, "batch": task.batch}
    return json.dumps({**own, "customer_ids": task.customer_ids, "at": write_instant(task.at)})


def decode_steps(body: str) -> QueuedTask:
    """The task of a queue message."""
    given = json.loads(body)
    if "told" in given:
        return convert(given, HearTask)
    if "came" in given:
        return convert(given, NewcomersTask)
    customer_ids, at = tuple(given["customer_ids"]), given.get("at")
    at = _LONG_AGO if at is None else read_instant(at)
    return StepTask(given["business_id"], given["sequence_id"], customer_ids, given["batch"], at)
