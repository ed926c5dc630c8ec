"""SQS: who is due in a sequence, by ids alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from itertools import batched
from math import ceil
from typing import Any

from rebound.platform.adapters.aws import MAX_BATCH, send_batch
from rebound.sequences.domain.tasks import StepTask


class SqsStepQueue:
    """Implements ``StepQueue``."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, tasks: Sequence[StepTask], delay: timedelta = timedelta()) -> None:
        seconds = ceil(max(delay, timedelta()).total_seconds())
        for batch in batched(tasks, MAX_BATCH, strict=False):
            entries = [
                {"Id": str(number), "MessageBody": encode_steps(task), "DelaySeconds": seconds}
                for number, task in enumerate(batch)
            ]
            send_batch(self._client, self._queue_url, entries)


def encode_steps(task: StepTask) -> str:
    """The queue message of a task."""
    own = {"business_id": task.business_id, "sequence_id": task.sequence_id, "batch": task.batch}
    return json.dumps({**own, "customer_ids": task.customer_ids})


def decode_steps(body: str) -> StepTask:
    """The task of a queue message."""
    given = json.loads(body)
    return StepTask(given["business_id"], given["sequence_id"], tuple(given["customer_ids"]), given["batch"])
