"""The SQS queue of what waits to be applied, by ids only; and stamps from the machine's clock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from rebound.activity.domain.words import ActivityTask, stamp_of
from rebound.platform.adapters.aws import batches_by_size, send_batch

if TYPE_CHECKING:
    from rebound.platform.ports import Clock, Ids

_TIE: Final = 6


class SqsActivityQueue:
    """Implements ``ActivityQueue``."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, tasks: Sequence[ActivityTask]) -> None:
        bodies = [json.dumps({name: getattr(task, name) for name in task.__struct_fields__}) for task in tasks]
        for batch in batches_by_size(bodies):
            entries = [{"Id": str(place), "MessageBody": bodies[place]} for place in batch]
            send_batch(self._client, self._queue_url, entries)


def decode_activity(body: str) -> ActivityTask:
    """The task of a queue message."""
    given = json.loads(body)
    return ActivityTask(given["business_id"], given["batch_id"], int(given["part"]))


class ClockStamps:
    """Implements ``Stamps``: microseconds, with a random end that tells processes apart."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._last: datetime | None = None

    def next(self, count: int) -> Sequence[str]:
        tie = self._ids.customer_id()[:_TIE]
        first = self._clock.now()
        if self._last is not None and first <= self._last:
            first = self._last + timedelta.resolution
        self._last = first + count * timedelta.resolution
        return [stamp_of(first + number * timedelta.resolution, tie) for number in range(count)]
