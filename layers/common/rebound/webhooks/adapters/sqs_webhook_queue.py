"""The SQS queue of deliveries to webhooks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from rebound.platform.adapters.aws import batches_by_size, send_batch
from rebound.webhooks.domain.webhooks import DeliveryTask

if TYPE_CHECKING:
    from rebound.platform.ports import Clock

LONGEST_DELAY: Final = 900
"""Seconds; the most that SQS takes."""


class SqsWebhookQueue:
    """Implements ``WebhookQueue``.

    Each webhook is a message group. On a standard queue that keeps no order, but SQS hands out first the messages of
    groups that have few under way, so that one slow webhook does not delay the others ("fair queues").
    """

    def __init__(self, client: Any, queue_url: str, clock: Clock) -> None:
        self._client = client
        self._queue_url = queue_url
        self._clock = clock

    def put(self, tasks: Sequence[DeliveryTask]) -> None:
        now = self._clock.now()
        bodies = [encode_delivery(task) for task in tasks]
        for batch in batches_by_size(bodies):
            entries = [
                {
                    "Id": str(place),
                    "MessageBody": bodies[place],
                    "MessageGroupId": _group(tasks[place]),
                    "DelaySeconds": _delay(tasks[place], now),
                }
                for place in batch
            ]
            send_batch(self._client, self._queue_url, entries)


def _group(task: DeliveryTask) -> str:
    """A name for the webhook of at most 128 characters."""
    return sha256(f"{task.business_id}#{task.webhook_id}".encode()).hexdigest()


def _delay(task: DeliveryTask, now: datetime) -> int:
    if task.not_before is None:
        return 0
    # Rounded up: a message that comes a moment too early would go round once more for nothing.
    return max(0, min(LONGEST_DELAY, ceil((task.not_before - now).total_seconds())))


def encode_delivery(task: DeliveryTask) -> str:
    """The queue message of a task."""
    body: dict[str, Any] = {
        "business_id": task.business_id,
        "webhook_id": task.webhook_id,
        "delivery_id": task.delivery_id,
        "run": task.run,
    }
    if task.not_before is not None:
        body["not_before"] = task.not_before.isoformat()
    if task.body is not None:
        body |= {"type": task.type, "body": task.body}
    return json.dumps(body)


def decode_delivery(body: str) -> DeliveryTask:
    """The task of a queue message."""
    given = json.loads(body)
    not_before = given.get("not_before")
    return DeliveryTask(
        given["business_id"],
        given["webhook_id"],
        given["delivery_id"],
        int(given["run"]),
        None if not_before is None else datetime.fromisoformat(not_before),
        given.get("type"),
        given.get("body"),
    )
