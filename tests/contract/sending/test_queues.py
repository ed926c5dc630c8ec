"""The queues of a run: one suite against the fakes and SQS."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any

import pytest

from rebound.campaigns.domain.chunks import ChunkKey
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import Outcome
from rebound.platform.adapters.aws import NotEnqueuedError
from rebound.rates.domain import Lane
from rebound.receipts.adapters.receipts_queue import decode
from rebound.sending.adapters.queues import SqsChunkQueue, SqsDeferredChunkQueue, decode_held, decode_task
from rebound.sending.adapters.sqs_receipt_queue import SqsReceiptQueue
from rebound.sending.domain.chunk_tasks import ChunkTask, DeferredChunkTask
from rebound.sending.ports import ChunkQueue, ReceiptQueue
from tests.contract.platform.fakes import FakeClock
from tests.contract.sending.fakes import (
    MemoryChunkQueue,
    MemoryDeferredChunkQueue,
    MemoryReceiptQueue,
)
from tests.fakes.aws import fake_aws, make
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, at, receipt


@dataclass(frozen=True)
class Chunks:
    """A chunk queue, and what can be read from it."""

    queue: ChunkQueue
    visible: Callable[[Channel, Lane], list[ChunkTask]]


def chunk_queue(on_aws: bool) -> Chunks:
    if not on_aws:
        fake, chance = MemoryChunkQueue(FakeClock()), random.Random(0)  # noqa: S311 - the same in every run
        return Chunks(fake, lambda channel, lane: [w.body for w in fake.queues[channel, lane].receive(chance, 100)])
    sqs = make("sqs")
    urls = {
        (channel, lane): sqs.create_queue(QueueName=f"{lane}-{channel}-chunks")["QueueUrl"]
        for channel in Channel
        for lane in Lane
    }

    def visible(channel: Channel, lane: Lane) -> list[ChunkTask]:
        found: list[ChunkTask] = []
        while bodies := sqs.receive_message(QueueUrl=urls[channel, lane], MaxNumberOfMessages=10).get("Messages"):
            found.extend(decode_task(message["Body"]) for message in bodies)
        return found

    return Chunks(SqsChunkQueue(sqs, urls), visible)


def tasks(count: int, lane: Lane = Lane.BULK) -> list[ChunkTask]:
    return [
        ChunkTask(ChunkKey(BUSINESS_ID, CAMPAIGN_ID, f"chunk#000#{n:07d}"), n + 1, lane, at(n) if n % 2 else None)
        for n in range(count)
    ]


def by_size(found: Iterable[ChunkTask]) -> list[ChunkTask]:
    return sorted(found, key=lambda task: task.size)


@pytest.mark.parametrize("count", [0, 1, 10, 23])
def test_every_chunk_is_on_the_queue_of_its_channel_and_lane(on_aws: bool, count: int) -> None:
    chunks = chunk_queue(on_aws)
    prompt = [replace(task, lane=Lane.PROMPT) for task in tasks(count)[:2]]
    chunks.queue.put(Channel.SMS, [*tasks(count), *prompt])

    assert chunks.queue.waiting(Channel.SMS, Lane.BULK) == count
    assert by_size(chunks.visible(Channel.SMS, Lane.BULK)) == tasks(count)
    assert by_size(chunks.visible(Channel.SMS, Lane.PROMPT)) == prompt
    assert chunks.visible(Channel.EMAIL, Lane.BULK) == chunks.visible(Channel.EMAIL, Lane.PROMPT) == []


def test_a_chunk_that_is_to_wait_is_not_seen_yet(on_aws: bool) -> None:
    chunks = chunk_queue(on_aws)
    chunks.queue.put(Channel.EMAIL, tasks(1), timedelta(minutes=15))

    assert chunks.visible(Channel.EMAIL, Lane.BULK) == []
    assert chunks.queue.waiting(Channel.EMAIL, Lane.BULK) == 1


def test_a_chunk_that_is_held_comes_as_it_was_put_at_its_time_or_for_another_round(on_aws: bool) -> None:
    clock = FakeClock()
    soon, hours, eternity = timedelta(seconds=0.3), timedelta(hours=11), timedelta(days=1)
    times = [(-soon, eternity), (timedelta(), eternity), (soon, timedelta()), (timedelta(minutes=1), eternity)]
    times += [(hours, timedelta()), (hours, timedelta(seconds=40)), (hours, eternity)]
    held = [
        DeferredChunkTask(Channel.SMS, task, clock.now() + wait, clock.now() - waited, version=3)
        for task, (wait, waited) in zip(tasks(len(times)), times, strict=True)
    ]
    if on_aws:
        sent: list[Mapping[str, Any]] = []
        sqs = make("sqs")
        url = sqs.create_queue(QueueName="held")["QueueUrl"]
        sqs.meta.events.register("before-parameter-build.sqs.SendMessageBatch", lambda params, **_: sent.append(params))
        SqsDeferredChunkQueue(sqs, url).put(held, clock.now())
        entries = [entry for request in sent for entry in request["Entries"]]
        found = {decode_held(entry["MessageBody"]): entry["DelaySeconds"] for entry in entries}
        delays = [found[each] for each in held]
        first = {decode_held(m["Body"]) for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]}
    else:
        fake = MemoryDeferredChunkQueue(clock)
        fake.put(held, clock.now())
        found = {w.body: ceil((w.visible_at - clock.now()).total_seconds()) for w in fake.queue.messages.values()}
        delays = [found[each] for each in held]
        first = {w.body for w in fake.queue.receive(random.Random(0), 10)}  # noqa: S311 - the same in every run

    assert delays == [0, 0, 1, 60, 15, 40, 900]
    assert first == set(held[:2])


class FlakySqs:
    """Takes only the first entry of each batch."""

    def __init__(self, takes: int) -> None:
        self.takes = takes
        self.taken: list[str] = []

    def send_message_batch(self, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:  # noqa: N803
        self.taken.extend(entry["MessageBody"] for entry in Entries[: self.takes])
        return {"Failed": [{"Id": entry["Id"]} for entry in Entries[self.takes :]]}


def test_entries_that_sqs_did_not_take_are_given_again_and_none_twice() -> None:
    sqs = FlakySqs(takes=3)
    SqsChunkQueue(sqs, {(Channel.EMAIL, Lane.BULK): "url"}).put(Channel.EMAIL, tasks(10))

    assert by_size(map(decode_task, sqs.taken)) == tasks(10)


def test_entries_that_sqs_never_takes_are_an_error() -> None:
    with pytest.raises(NotEnqueuedError):
        SqsChunkQueue(FlakySqs(takes=0), {(Channel.EMAIL, Lane.BULK): "url"}).put(Channel.EMAIL, tasks(1))


def test_a_receipt_of_our_own_leaves_personal_data_behind(on_aws: bool) -> None:
    given = receipt(Outcome.FAILED, 1.5, provider=Provider.TWILIO, code="21211", address="+14155550123", detail="a b")
    if on_aws:
        sqs = make("sqs")
        url = sqs.create_queue(QueueName="receipts")["QueueUrl"]
        queue: ReceiptQueue = SqsReceiptQueue(sqs, url)
        queue.put(given)
        body = sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"]
        assert "+1415" not in body
        found = decode(body)
    else:
        fake = MemoryReceiptQueue(FakeClock())
        queue = fake
        queue.put(given)
        found = next(iter(fake.queue.messages.values())).body

    assert found == (replace(given, address=None, detail=None),)
    with pytest.raises(ValueError, match="key"):
        queue.put(replace(given, key=None))


def test_a_received_message_can_be_made_to_come_again_sooner() -> None:
    with fake_aws():
        sqs = make("sqs")
        url = sqs.create_queue(QueueName="receipts", Attributes={"VisibilityTimeout": "360"})["QueueUrl"]
        queue = SqsReceiptQueue(sqs, url)
        queue.put_bodies(["one"])
        handle = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
        queue.retry_in(handle, timedelta())

        assert [m["Body"] for m in sqs.receive_message(QueueUrl=url)["Messages"]] == ["one"]


def test_any_number_of_received_bodies_is_queued_at_once() -> None:
    with fake_aws():
        sqs = make("sqs")
        url = sqs.create_queue(QueueName="receipts")["QueueUrl"]
        SqsReceiptQueue(sqs, url).put_bodies([str(number) for number in range(23)])
        received: list[str] = []
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            received.extend(message["Body"] for message in found)

        assert sorted(received, key=int) == [str(number) for number in range(23)]
