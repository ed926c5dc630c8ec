"""Dead letters: one suite against the fake and SQS."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from unittest.mock import patch

import pytest

from rebound.imports_exports.adapters.import_store import imports_of_notice
from rebound.operations.adapters.dead_letters import DeadLettersOf, SqsDeadLetterQueues, about_of_queues
from rebound.operations.domain import DeadLetter, Redriven
from rebound.operations.ports import DeadLetterQueues
from rebound.platform.adapters.aws import NotEnqueuedError
from rebound.receipts.adapters.receipts_queue import decode
from rebound.sending.adapters.queues import encode_task
from tests.contract.operations.fakes import MemoryDeadLetterQueues
from tests.contract.sending.test_providers import EVENTS
from tests.contract.sending.test_queues import tasks
from tests.fakes.aws import fake_aws, make
from tests.fakes.making import NOON

ABOUT: Final = about_of_queues(decode, imports_of_notice)


AT_ONCE: Final = timedelta()


@dataclass(frozen=True)
class Given:
    """Dead-letter queues to put letters on, and how many messages went back to a queue."""

    queues: DeadLetterQueues
    give_up: Callable[[str, str], str]
    """Puts a body in the dead letters of a queue; the message's id."""
    returned: Callable[[str], int]


def dead_letter_queues(on_aws: bool) -> Given:
    if not on_aws:
        fake = MemoryDeadLetterQueues("email", "receipts")

        def give_up(name: str, body: str) -> str:
            ids = ("business_id", "campaign_id", "chunk")
            about = ({name: json.loads(body)[name] for name in ids},) if name == "email" else ()
            fake.letters[name].append(DeadLetter(f"m{len(fake.letters[name])}", NOON, about))
            return fake.letters[name][-1].message_id

        return Given(fake, give_up, lambda name: len(fake.redriven[name]))
    sqs = make("sqs")
    urls = {
        name: DeadLettersOf(*(sqs.create_queue(QueueName=f"{name}-{kind}")["QueueUrl"] for kind in ("work", "dead")))
        for name in ("email", "receipts")
    }

    def send(name: str, body: str) -> str:
        return str(sqs.send_message(QueueUrl=urls[name].dead_letters_url, MessageBody=body)["MessageId"])

    def returned(name: str) -> int:
        names = ["ApproximateNumberOfMessages"]
        counts = sqs.get_queue_attributes(QueueUrl=urls[name].queue_url, AttributeNames=names)["Attributes"]
        return int(counts["ApproximateNumberOfMessages"])

    return Given(SqsDeadLetterQueues(sqs, urls, ABOUT, AT_ONCE), send, returned)


def chunk_body(number: int) -> str:
    return encode_task(tasks(number + 1)[number])


def test_dead_letters_are_read_with_what_they_are_about_and_stay_where_they_are(on_aws: bool) -> None:
    given = dead_letter_queues(on_aws)
    ids = {given.give_up("email", chunk_body(number)) for number in range(13)}

    assert list(given.queues.names) == ["email", "receipts"]
    for _ in range(2):
        letters = given.queues.read("email", 100)
        assert {letter.message_id for letter in letters} == ids
        assert letters[0].about[0].keys() == {"business_id", "campaign_id", "chunk"}
    assert len(given.queues.read("email", 3)) == 3
    assert (given.queues.waiting("email"), given.queues.waiting("receipts")) == (13, 0)
    assert given.queues.read("receipts", 1) == []


def test_a_redrive_puts_all_dead_letters_of_one_queue_back(on_aws: bool) -> None:
    given = dead_letter_queues(on_aws)
    given.give_up("receipts", "{}")
    for number in range(13):
        given.give_up("email", chunk_body(number))

    assert given.queues.redrive("email", lambda: True) == Redriven(13, done=True)
    assert (given.returned("email"), given.returned("receipts")) == (13, 0)
    assert (given.queues.waiting("email"), given.queues.waiting("receipts")) == (0, 1)


def test_a_redrive_that_is_out_of_time_says_so_and_goes_on_the_next_time(on_aws: bool) -> None:
    given = dead_letter_queues(on_aws)
    for number in range(13):
        given.give_up("email", chunk_body(number))
    asked = iter([True, False])

    first = given.queues.redrive("email", lambda: next(asked))
    second = given.queues.redrive("email", lambda: True)

    assert (first.done, second.done) == (False, True)
    assert first.count > 0
    assert first.count + second.count == given.returned("email") == 13


def test_only_ids_of_a_dead_letter_are_told() -> None:
    with fake_aws():
        given = dead_letter_queues(on_aws=True)
        given.give_up("receipts", (EVENTS / "ses" / "bounce_three_recipients.json").read_text(encoding="utf-8"))
        given.give_up("receipts", '{"eventType": "Bounce", "mail": "ana@example.com"}')
        given.give_up("receipts", "ana@example.com")
        given.give_up("email", json.dumps({"business_id": "ana@example.com", "campaign_id": ["x y"], "chunk": "c#1"}))
        given.give_up("email", "no JSON, ana@example.com")
        told = [letter for name in given.queues.names for letter in given.queues.read(name, 10)]

    assert "@" not in str(told)
    assert sorted(len(letter.about) for letter in told) == [0, 0, 0, 1, 3]
    assert {"chunk": "c#1"} in [subject for letter in told for subject in letter.about]
    receipts = [subject for letter in told for subject in letter.about if len(letter.about) == 3]
    assert receipts[0]["message_id"] == "01M7W6C3805FEE6AD6R1F2WA02"


def test_what_sns_could_not_hand_over_says_so() -> None:
    with fake_aws():
        sqs = make("sqs")
        url = sqs.create_queue(QueueName="dead")["QueueUrl"]
        error = {"ErrorCode": {"DataType": "String", "StringValue": "KMS.AccessDenied"}}
        sqs.send_message(QueueUrl=url, MessageBody="{}", MessageAttributes=error)
        [letter] = SqsDeadLetterQueues(sqs, {"receipts": DeadLettersOf("none", url)}, ABOUT, AT_ONCE).read(
            "receipts", 1
        )

    assert letter.note == "SNS could not hand it over (error KMS.AccessDenied)."


def test_a_dead_letter_that_the_queue_does_not_take_stays() -> None:
    with fake_aws():
        sqs = make("sqs")
        url = sqs.create_queue(QueueName="dead")["QueueUrl"]
        for number in range(3):
            sqs.send_message(QueueUrl=url, MessageBody=chunk_body(number))
        queues = SqsDeadLetterQueues(sqs, {"email": DeadLettersOf("work", url)}, ABOUT, AT_ONCE)
        taken = {"Successful": [{"Id": "1"}], "Failed": [{"Id": "0"}, {"Id": "2"}]}
        with (
            patch.object(sqs, "send_message_batch", lambda **_: taken),
            pytest.raises(NotEnqueuedError),
        ):
            queues.redrive("email", lambda: True)

        assert queues.waiting("email") == 2
