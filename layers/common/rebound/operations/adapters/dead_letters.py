"""The dead letters of the SQS queues."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from rebound.kernel.errors import ReboundError
from rebound.kernel.receipts import Receipt
from rebound.operations.domain import DeadLetter, Redriven
from rebound.platform.adapters.aws import MAX_BATCH, NotEnqueuedError

HIDDEN: Final = timedelta(minutes=2)
"""How long received messages stay invisible: longer than one reading of a queue, or the move of one batch, takes."""
LONG_POLL: Final = timedelta(seconds=1)
"""A short poll asks only some of SQS's servers, and may find nothing although there are messages."""
_ID: Final = re.compile(r"[A-Za-z0-9_#.-]{1,128}")

type About = Callable[[str], Sequence[Mapping[str, object]]]
"""Reads from a body what it is about, by name; values that are no ids are left out afterwards."""


class DeadLettersOf(Struct, frozen=True):
    """A queue and its dead letters, by their URLs."""

    queue_url: str
    dead_letters_url: str


class SqsDeadLetterQueues(Struct, frozen=True):
    """Implements ``DeadLetterQueues``.

    Messages are moved by receiving, sending and deleting them, in this order: a crash doubles a message, which is
    harmless, and never loses one. SQS's own move tasks would do as well, but cannot be tried on the embedded AWS.
    ``about`` has, for each queue, the function that reads what its bodies are about.
    """

    client: Any
    queues: Mapping[str, DeadLettersOf]
    about: Mapping[str, About]
    wait: timedelta = LONG_POLL

    @property
    def names(self) -> Sequence[str]:
        return sorted(self.queues)

    def waiting(self, name: str) -> int:
        counts = self.client.get_queue_attributes(
            QueueUrl=self.queues[name].dead_letters_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return sum(map(int, counts.values()))

    def read(self, name: str, limit: int, most_requests: int | None = None) -> Sequence[DeadLetter]:
        url = self.queues[name].dead_letters_url
        found: dict[str, DeadLetter] = {}
        handles: list[str] = []
        asked = 0
        while len(found) < limit and asked != most_requests:
            asked += 1
            messages = self._receive(url, min(MAX_BATCH, limit - len(found)))
            if not messages:
                break
            for message in messages:
                found[message["MessageId"]] = _letter(self.about[name], message)
                handles.append(message["ReceiptHandle"])
        for batch in batched(handles, MAX_BATCH, strict=False):
            self.client.change_message_visibility_batch(
                QueueUrl=url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                    for number, handle in enumerate(batch)
                ],
            )
        return list(found.values())

    def redrive(self, name: str, may_go_on: Callable[[], bool]) -> Redriven:
        queue = self.queues[name]
        count = 0
        while may_go_on():
            messages = self._receive(queue.dead_letters_url, MAX_BATCH)
            if not messages:
                return Redriven(count, done=True)
            self._move(queue, messages)
            count += len(messages)
        return Redriven(count, done=False)

    def _receive(self, url: str, most: int) -> Sequence[Mapping[str, Any]]:
        answer = self.client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=most,
            VisibilityTimeout=int(HIDDEN.total_seconds()),
            WaitTimeSeconds=int(self.wait.total_seconds()),
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        )
        found: Sequence[Mapping[str, Any]] = answer.get("Messages", [])
        return found

    def _move(self, queue: DeadLettersOf, messages: Sequence[Mapping[str, Any]]) -> None:
        """Send messages, then delete those sent. Raises ``NotEnqueuedError`` when the queue does not take them all."""
        entries = [
            {
                "Id": str(number),
                "MessageBody": message["Body"],
                "MessageAttributes": message.get("MessageAttributes", {}),
            }
            for number, message in enumerate(messages)
        ]
        answer = self.client.send_message_batch(QueueUrl=queue.queue_url, Entries=entries)
        sent = [
            {"Id": entry["Id"], "ReceiptHandle": messages[int(entry["Id"])]["ReceiptHandle"]}
            for entry in answer.get("Successful", ())
        ]
        if sent:
            self.client.delete_message_batch(QueueUrl=queue.dead_letters_url, Entries=sent)
        if answer.get("Failed"):
            raise NotEnqueuedError


def _letter(about: About, message: Mapping[str, Any]) -> DeadLetter:
    milliseconds = int(message["Attributes"]["SentTimestamp"])
    # SNS stores with a message that it could not deliver the error code that it got.
    answer = message.get("MessageAttributes", {}).get("ErrorCode", {}).get("StringValue")
    return DeadLetter(
        message["MessageId"],
        datetime.fromtimestamp(milliseconds / 1000, UTC),
        tuple(_ids(about, message["Body"])),
        f"SNS could not hand it over (error {answer})." if answer and _ID.fullmatch(answer) else None,
    )


def _ids(about: About, body: str) -> Iterator[Mapping[str, str]]:
    """The ids in a body, and nothing else: any other value may be personal data, also under the name of an id."""
    try:
        subjects = about(body)
    except (ReboundError, ValueError, LookupError, TypeError, AttributeError):
        return
    for subject in subjects:
        ids = {key: str(value) for key, value in subject.items() if value is not None and _ID.fullmatch(str(value))}
        if ids:
            yield ids


def _of_json(*names: str) -> About:
    def about(body: str) -> Sequence[Mapping[str, object]]:
        given = json.loads(body)
        return [{name: given[name] for name in names if name in given}]

    return about


def about_of_queues(
    decode_receipts: Callable[[str], Sequence[Receipt]], imports_of_notice: Callable[[str], Sequence[tuple[str, str]]]
) -> Mapping[str, About]:
    """For every queue, by the name that operators use, the function that reads what its bodies are about."""

    def of_receipts(body: str) -> Sequence[Mapping[str, object]]:
        return [_of_receipt(receipt) for receipt in decode_receipts(body)]

    def of_import(body: str) -> Sequence[Mapping[str, object]]:
        return [
            {"business_id": business_id, "import_id": import_id} for business_id, import_id in imports_of_notice(body)
        ]

    of_chunk = _of_json("business_id", "campaign_id", "chunk")
    return {
        "activity": _of_json("business_id", "batch_id", "part"),
        "email": of_chunk,
        "held": of_chunk,
        "import": of_import,
        "prompt-email": of_chunk,
        "prompt-text": of_chunk,
        "receipts": of_receipts,
        "steps": _of_json("business_id", "sequence_id", "customer_ids"),
        "upkeep": _of_json("business_id", "customer_id"),
        "text": of_chunk,
        "webhook": _of_json("business_id", "webhook_id", "delivery_id"),
    }


def _of_receipt(receipt: Receipt) -> Mapping[str, object]:
    about: Mapping[str, object] = {
        "provider": receipt.provider,
        "outcome": receipt.outcome,
        "provider_id": receipt.provider_id,
    }
    return about if receipt.key is None else {**about, **asdict(receipt.key)}
