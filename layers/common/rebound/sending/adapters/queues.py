"""SQS: chunks on their way to the senders."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import batched
from math import ceil
from typing import Any

from rebound.campaigns.domain.chunks import ChunkKey
from rebound.kernel.channels import Channel
from rebound.platform.adapters.sqs import MAX_BATCH, send_batch
from rebound.rates.domain import Lane
from rebound.sending.domain.pacing import HeldTicket, Ticket


class SqsChunkQueue:
    """Implements ``ChunkQueue``: what is put on the queue are ids."""

    def __init__(self, client: Any, queue_urls: Mapping[tuple[Channel, Lane], str]) -> None:
        self._client = client
        self._queue_urls = queue_urls

    def put(self, channel: Channel, tickets: Sequence[Ticket], delay: timedelta = timedelta()) -> None:
        for lane in Lane:
            own = [ticket for ticket in tickets if ticket.lane is lane]
            for batch in batched(own, MAX_BATCH, strict=False):
                entries = [
                    {
                        "Id": str(number),
                        "MessageBody": encode_ticket(ticket),
                        "DelaySeconds": int(delay.total_seconds()),
                    }
                    for number, ticket in enumerate(batch)
                ]
                send_batch(self._client, self._queue_urls[channel, lane], entries)

    def waiting(self, channel: Channel, lane: Lane) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
        answer = self._client.get_queue_attributes(QueueUrl=self._queue_urls[channel, lane], AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)


class SqsHeldQueue:
    """Implements ``HeldQueue``."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, held: Sequence[HeldTicket], now: datetime) -> None:
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


def encode_held(held: HeldTicket) -> str:
    """The queue message of a chunk that waits."""
    own = {
        "channel": held.channel,
        "not_before": held.not_before.isoformat(),
        "since": held.since.isoformat(),
        "version": held.version,
    }
    return json.dumps(json.loads(encode_ticket(held.ticket)) | own)


def decode_held(body: str) -> HeldTicket:
    """The waiting chunk of a queue message."""
    given = json.loads(body)
    return HeldTicket(
        Channel(given["channel"]),
        decode_ticket(body),
        datetime.fromisoformat(given["not_before"]),
        datetime.fromisoformat(given["since"]),
        int(given["version"]),
    )


def encode_ticket(ticket: Ticket) -> str:
    """The queue message of a chunk, which names its lane so that who reads it need not know the queue."""
    key = ticket.key
    body: dict[str, Any] = {
        "business_id": key.business_id,
        "campaign_id": key.campaign_id,
        "chunk": key.chunk,
        "size": ticket.size,
        "lane": ticket.lane,
    }
    if ticket.turn_at is not None:
        body["turn_at"] = ticket.turn_at.isoformat()
    return json.dumps(body)


def decode_ticket(body: str) -> Ticket:
    """The chunk of a queue message."""
    given = json.loads(body)
    turn_at = given.get("turn_at")
    return Ticket(
        ChunkKey(given["business_id"], given["campaign_id"], given["chunk"]),
        int(given["size"]),
        Lane(given["lane"]),
        None if turn_at is None else datetime.fromisoformat(turn_at),
    )
