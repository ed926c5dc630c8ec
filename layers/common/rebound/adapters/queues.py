"""SQS: chunks on their way to the senders."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from rebound.domain.chunks import ChunkKey
from rebound.domain.errors import ReboundError
from rebound.domain.pacing import Lane, Ticket

if TYPE_CHECKING:
    from rebound.domain.channels import Channel

MAX_BATCH: Final = 10
ATTEMPTS: Final = 5


class NotEnqueuedError(ReboundError):
    """SQS did not take some messages of a batch; the caller does the whole step again, which is harmless."""


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
                self._send(self._queue_urls[channel, lane], entries)

    def waiting(self, channel: Channel, lane: Lane) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
        answer = self._client.get_queue_attributes(QueueUrl=self._queue_urls[channel, lane], AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def _send(self, queue_url: str, entries: Sequence[Mapping[str, Any]]) -> None:
        for _ in range(ATTEMPTS):
            answer = self._client.send_message_batch(QueueUrl=queue_url, Entries=list(entries))
            failed = {failure["Id"] for failure in answer.get("Failed", ())}
            entries = [entry for entry in entries if entry["Id"] in failed]
            if not entries:
                return
        raise NotEnqueuedError


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
