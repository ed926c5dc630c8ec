"""SQS: putting many messages on a queue."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rebound.kernel.errors import ReboundError

MAX_BATCH: Final = 10


ATTEMPTS: Final = 5


class NotEnqueuedError(ReboundError):
    """SQS did not take some messages of a batch; the caller does the whole step again, which is harmless."""


def send_batch(client: Any, queue_url: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """Put up to ten entries on a queue, trying again those that SQS did not take. Raises ``NotEnqueuedError``."""
    for _ in range(ATTEMPTS):
        answer = client.send_message_batch(QueueUrl=queue_url, Entries=list(entries))
        failed = {failure["Id"] for failure in answer.get("Failed", ())}
        entries = [entry for entry in entries if entry["Id"] in failed]
        if not entries:
            return
    raise NotEnqueuedError
