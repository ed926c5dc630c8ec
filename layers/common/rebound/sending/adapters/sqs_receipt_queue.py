"""SQS: our own receipts, and what the webhooks received, on their way to the one queue of outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any

from rebound.receipts.adapters.receipts_queue import encode_receipt
from rebound.sending.adapters.queues import MAX_BATCH, send_batch

if TYPE_CHECKING:
    from rebound.kernel.receipts import Receipt


class SqsReceiptQueue:
    """Implements ``ReceiptQueue``; the webhooks put what they received on the same queue."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, receipt: Receipt) -> None:
        self.put_body(encode_receipt(receipt))

    def put_body(self, body: str, delay: timedelta = timedelta()) -> None:
        """Enqueue a body in one of the forms of ``receipts_queue``. At most 15 minutes of delay."""
        self._client.send_message(QueueUrl=self._queue_url, MessageBody=body, DelaySeconds=int(delay.total_seconds()))

    def put_bodies(self, bodies: Sequence[str]) -> None:
        """Enqueue many; all are on the queue when this returns. Raises ``NotEnqueuedError``.

        A body is some kilobytes at most: ten are one request of 64 KB to pay for, and far below what SQS takes at once.
        """
        for batch in batched(bodies, MAX_BATCH, strict=False):
            entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(batch)]
            send_batch(self._client, self._queue_url, entries)

    def retry_in(self, receipt_handle: str, delay: timedelta) -> None:
        """Let a message that could not be handled come again sooner than the queue's visibility timeout says."""
        self._client.change_message_visibility(
            QueueUrl=self._queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=int(delay.total_seconds())
        )
