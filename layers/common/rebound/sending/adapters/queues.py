"""SQS: chunks on their way to the senders."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import batched
from math import ceil
from typing import Any

from rebound.campaigns.domain.chunks import ChunkKey
from rebound.kernel.channels import Channel
from rebound.platform.adapters.aws import MAX_BATCH, send_batch
from rebound.rates.domain import Lane
from rebound.sending.domain.chunk_tasks import ChunkTask, DeferredChunkTask


class SqsChunkQueue:
    """Implements ``ChunkQueue``; a queue message names its chunk by ids only."""

    def __init__(self, client: Any, queue_urls: Mapping[tuple[Channel, Lane], str]) -> None:
        self._client = client
        self._queue_urls = queue_urls

    def put(self, channel: Channel, tasks: Sequence[ChunkTask], delay: timedelta = timedelta()) -> None:
        for lane in Lane:
            own = [task for task in tasks if task.lane is lane]
            for batch in batched(own, MAX_BATCH, strict=False):
                entries = [
                    {"Id": str(number), "MessageBody": encode_task(task), "DelaySeconds": int(delay.total_seconds())}
                    for number, task in enumerate(batch)
                ]
                send_batch(self._client, self._queue_urls[channel, lane], entries)

    def waiting(self, channel: Channel, lane: Lane) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
        answer = self._client.get_queue_attributes(QueueUrl=self._queue_urls[channel, lane], AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)


class SqsDeferredChunkQueue:
    """Implements ``DeferredChunkQueue``."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, held: Sequence[DeferredChunkTask], now: datetime) -> None:
        for batch in batched(held, MAX_BATCH, strict=False):
            entries = [
                # Rounded up: a message that comes a moment too early would go round once more for nothing.
                {
                    "Id": str(number),
                    "MessageBody": encode_held(each),
                    "DelaySeconds": ceil(each.round_from(now).total_seconds()),
                }
                for number, each in enumerate(batch)
            ]
            send_batch(self._client, self._queue_url, entries)


def encode_held(held: DeferredChunkTask) -> str:
    """The queue message of a deferred task."""
    own = {
        "channel": held.channel,
        "not_before": held.not_before.isoformat(),
        "since": held.since.isoformat(),
        "version": held.version,
    }
    return json.dumps(json.loads(encode_task(held.task)) | own)


def decode_held(body: str) -> DeferredChunkTask:
    """The deferred task of a queue message."""
    given = json.loads(body)
    return DeferredChunkTask(
        Channel(given["channel"]),
        decode_task(body),
        datetime.fromisoformat(given["not_before"]),
        datetime.fromisoformat(given["since"]),
        int(given["version"]),
    )


def encode_task(task: ChunkTask) -> str:
    """The queue message of a task; it names the lane, so its reader need not know from which queue it came."""
    key = task.key
    body: dict[str, Any] = {
        "business_id": key.business_id,
        "campaign_id": key.campaign_id,
        "chunk": key.chunk,
        "size": task.size,
        "lane": task.lane,
    }
    if task.turn_at is not None:
        body["turn_at"] = task.turn_at.isoformat()
    return json.dumps(body)


def decode_task(body: str) -> ChunkTask:
    """The task of a queue message."""
    given = json.loads(body)
    turn_at = given.get("turn_at")
    return ChunkTask(
        ChunkKey(given["business_id"], given["campaign_id"], given["chunk"]),
        int(given["size"]),
        Lane(given["lane"]),
        None if turn_at is None else datetime.fromisoformat(turn_at),
    )
