"""SQS: our own receipts, and what the webhooks received, on their way to the one queue of outcomes."""

import json
from collections.abc import Sequence
from datetime import timedelta
from itertools import batched
from typing import Any

from rebound.kernel.receipts import Receipt
from rebound.platform.adapters.aws import MAX_BATCH, send_batch


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

        A body is a few kilobytes at most: ten are billed as one request of 64 KB, and stay far below SQS's limit.
        """
        for batch in batched(bodies, MAX_BATCH, strict=False):
            entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(batch)]
            send_batch(self._client, self._queue_url, entries)

    def retry_in(self, receipt_handle: str, delay: timedelta) -> None:
        """Let a message that could not be handled come again sooner than the queue's visibility timeout says."""
        self._client.change_message_visibility(
            QueueUrl=self._queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=int(delay.total_seconds())
        )


def encode_receipt(receipt: Receipt) -> str:
    """The body for a receipt of our own, without the address and the provider's words, which are personal data.

    :raises ValueError: when the receipt has no key; without one, its message could not be found.
    """
    if receipt.key is None:
        raise ValueError("a receipt of our own making needs the message's key")
    return json.dumps(
        {
            "kind": "receipt",
            "provider": receipt.provider,
            "outcome": receipt.outcome,
            "code": receipt.code,
            "key": {
                "business_id": receipt.key.business_id,
                "customer_id": receipt.key.customer_id,
                "message_id": receipt.key.message_id,
            },
            "occurred_at": receipt.occurred_at.isoformat(),
        },
        separators=(",", ":"),
    )
