"""Calls without botocore in between: the same requests, units and rows as with it, and the same rows as moto has."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import batched
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError
from msgspec.json import decode, encode

from rebound.activity.domain.words import ActivityTask, stamp_of
from rebound.platform.wiring import AwsPorts
from tests.benchmarks.activity import event
from tests.benchmarks.cloud import Cloud, cloud, table_settings
from tests.benchmarks.light_calls import light_calls
from tests.fakes import house
from tests.fakes.aws import fake_aws_with_tables, rows, table_definitions
from tests.fakes.making import BUSINESS_ID, NOON, business, contacts_of, customer

CUSTOMERS, EACH = 3, 4


class _Stamps:
    """The same in every run, as versions and stamps else say when they were made."""

    def __init__(self) -> None:
        self.count = 0

    def next(self, count: int) -> list[str]:
        self.count += count
        moments = (NOON + timedelta(microseconds=number) for number in range(self.count - count, self.count))
        return [stamp_of(moment, "000000") for moment in moments]


class _Queue:
    def __init__(self) -> None:
        self.tasks: list[ActivityTask] = []

    def put(self, tasks: list[ActivityTask]) -> None:
        self.tasks += tasks


class _Clock:
    def now(self) -> Any:
        return NOON


@contextmanager
def process(settings: Mapping[str, str]) -> Iterator[_Queue]:
    """A process whose activity goes into tables, the same in every run but for versions."""
    queue = _Queue()
    made = {"clock": _Clock(), "stamps": _Stamps(), "activity_queue": queue, "step_queue": queue}
    with patch.dict("os.environ", settings), patch.object(AwsPorts, "made", made):
        yield queue


def posted(queue: _Queue) -> None:
    """Some customers' events, a part of them twice, another way, and by somebody who is not there yet."""
    ports, use_cases = house.ports(), house.use_cases()
    ports.businesses.add(business())
    people = [customer(number + 1) for number in range(CUSTOMERS)]
    ports.customers.save(people, contacts_of(*people))
    events = [event(number, number % CUSTOMERS) for number in range(CUSTOMERS * EACH)]
    changed = [{**one, "class_id": "other", "amount": "99.00"} for one in events[:2]]
    stranger = {name: value for name, value in event(99, 0).items() if name != "customer_id"} | {"external_id": "c-1"}
    for some in (*batched(events, 5, strict=False), events[:3], changed, [stranger]):
        accepted = use_cases.accept_activity(BUSINESS_ID, some)
        assert not accepted.errors
    for task in (*queue.tasks, queue.tasks[0]):
        use_cases.apply_activity(task)


def kept(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Any]:
    """The rows of what customers did, without what says when it was written, or was drawn by lot."""
    drawn = {"version", "expires_at"}
    # moto answers with bytes, of which a request makes base64.
    rows = [{name: value for name, value in row.items() if name not in drawn} for row in found["ActivityTable"]]
    return sorted((decode(encode(row)) for row in rows if "#batch#" not in row["owner"]["S"]), key=str)


def of_cloud(made: Cloud) -> dict[str, list[dict[str, Any]]]:
    return {name: [row.item for row in table.everything()] for name, table in made.tables.by_name.items()}


def counted(*, light: bool) -> tuple[Any, ...]:
    with cloud() as made, process(table_settings()) as queue:
        if light:
            with light_calls(made):
                posted(queue)
        else:
            posted(queue)
        return dict(made.calls), dict(made.tables.writes), dict(made.tables.reads), kept(of_cloud(made))


def test_light_calls_count_the_same_and_end_the_same() -> None:
    light, by_botocore = counted(light=True), counted(light=False)

    assert light == by_botocore
    calls, writes, reads, found = light
    assert calls["dynamodb:Query"] >= CUSTOMERS * EACH
    assert writes["ActivityTable"] > 3 * CUSTOMERS * EACH
    assert reads["ActivityTable"] > 0
    # Each event and its pointer, each customer's summary and where they are, and the one location.
    assert len(found) == 2 * (CUSTOMERS * EACH + 1) + 2 * (CUSTOMERS + 1) + 1


def test_moto_ends_the_same() -> None:
    with fake_aws_with_tables() as settings, process(settings) as queue:
        posted(queue)
        by_moto = kept(rows())

    assert counted(light=True)[-1] == by_moto


def test_a_refusal_is_botocores_own_error() -> None:
    """With its name, its text, and what else the answer holds."""
    [key] = table_definitions()["IdempotencyTable"]["KeySchema"]
    name = key["AttributeName"]
    there = f"attribute_exists({name})"
    put = {"TableName": "IdempotencyTable", "Item": {name: {"S": "a"}}, "ConditionExpression": there}
    with cloud() as made:
        client: Any = boto3.client("dynamodb")
        with light_calls(made), pytest.raises(client.exceptions.TransactionCanceledException) as light:
            client.transact_write_items(TransactItems=[{"Put": put}])
        with pytest.raises(ClientError) as by_botocore:
            client.transact_write_items(TransactItems=[{"Put": put}])

    assert type(light.value) is type(by_botocore.value)
    for part in ("Error", "CancellationReasons"):
        assert light.value.response[part] == by_botocore.value.response[part]
    assert made.calls["dynamodb:TransactWriteItems"] == 2


def test_other_services_are_asked_as_always() -> None:
    with cloud() as made, light_calls(made):
        client: Any = boto3.client("sqs")
        client.send_message(QueueUrl="https://queue.example.com/a", MessageBody="hello")

    assert made.calls["sqs:SendMessage"] == 1
    assert made.charged["sqs"] == 1
