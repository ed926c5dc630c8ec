"""The SQS queue of flag copyings that are due."""

import json
from typing import Any

from rebound.businesses.adapters.stored_settings import read_policy, write_policy
from rebound.businesses.domain.business import Recopying


class SqsRecopyQueue:
    """Implements ``RecopyQueue``."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, work: Recopying) -> None:
        self._client.send_message(QueueUrl=self._queue_url, MessageBody=encode_recopying(work))


def encode_recopying(work: Recopying) -> str:
    """The queue message of a copying: the business and, when a copying continues, where it goes on."""
    body: dict[str, Any] = {"business_id": work.business_id}
    if work.cursor is not None:
        body["cursor"] = work.cursor
    if work.began_under is not None:
        body["began_under"] = write_policy(work.began_under)
    if work.fills:
        body["fills"] = True
    return json.dumps(body)


def decode_recopying(body: str) -> Recopying:
    """The copying in a queue message; a message with nothing but the business starts from the beginning."""
    given = json.loads(body)
    began_under = given.get("began_under")
    return Recopying(
        given["business_id"],
        given.get("cursor"),
        read_policy(began_under) if began_under is not None else None,
        given.get("fills", False),
    )
