"""One suite for the ports to queues, schedules, buses, files, the machine and providers, against fakes and adapters."""

import json
import random
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import ANY, Stubber
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, ReadTimeout
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError

from rebound.businesses.adapters.sqs_recopy_queue import SqsRecopyQueue, decode_recopying
from rebound.businesses.domain.recopying import Recopying
from rebound.businesses.ports import RecopyQueue
from rebound.campaigns.adapters.campaign_runner import StepFunctionsCampaignRunner
from rebound.campaigns.domain.chunks import ChunkKey
from rebound.campaigns.ports import CampaignRunner
from rebound.contacts.adapters.addresses import LibraryAddressReader
from rebound.contacts.adapters.number_zones import zones_of_number
from rebound.contacts.domain.reachability import STANDARD_POLICY, STRICT_POLICY, policy_of
from rebound.contacts.ports import AddressReader
from rebound.imports_exports.adapters.export_store import S3ExportStore
from rebound.imports_exports.adapters.file_runner import StepFunctionsFileRunner
from rebound.imports_exports.adapters.import_store import S3ImportStore, import_of_key, imports_of_notice
from rebound.imports_exports.ports import ExportStore, ImportStore
from rebound.kernel.channels import Channel
from rebound.kernel.errors import NotFoundError
from rebound.kernel.events import ContactInvalidated, ContactRestored, DomainEvent
from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import Outcome
from rebound.messages.adapters.link_secret import SecretLinkKeyring
from rebound.messages.domain.links import LinkKeys
from rebound.messages.domain.rendering import RenderedEmail
from rebound.messages.ports import LinkKeyring
from rebound.operations.adapters import DeadLettersOf, SqsDeadLetterQueues, about_of_queues
from rebound.operations.domain import DeadLetter, Redriven
from rebound.operations.ports import DeadLetterQueues
from rebound.platform.adapters.domain_events import EventBridgeDomainEvents, NotPublishedError
from rebound.platform.adapters.random_ids import RandomIds
from rebound.platform.adapters.sqs import NotEnqueuedError
from rebound.platform.adapters.system import JitteredPatience, SystemClock
from rebound.platform.ports import Clock, DomainEvents, Ids
from rebound.rates.domain import Lane, Throttled
from rebound.receipts.adapters.receipts_queue import decode
from rebound.sending.adapters.queues import SqsChunkQueue, SqsHeldQueue, decode_held, decode_ticket, encode_ticket
from rebound.sending.adapters.ses_mailer import SesMailer
from rebound.sending.adapters.sns_texter import SnsTexter
from rebound.sending.adapters.sqs_receipt_queue import SqsReceiptQueue
from rebound.sending.adapters.twilio_texter import TwilioTexter
from rebound.sending.domain.handovers import Accepted, OutgoingEmail, Refused, SendResult, Unknown
from rebound.sending.domain.pacing import HeldTicket, Ticket
from rebound.sending.ports import ChunkQueue, Mailer, ReceiptQueue, Texter
from tests.contract.businesses.fakes import MemoryRecopyQueue
from tests.contract.campaigns.fakes import RecordingRunner
from tests.contract.contacts.fakes import PLACES, PlainAddressReader, known_whereabouts
from tests.contract.imports_exports.fakes import MemoryExportStore, MemoryImportStore
from tests.contract.messages.fakes import MemoryLinkKeyring
from tests.contract.operations.fakes import MemoryDeadLetterQueues
from tests.contract.platform.fakes import FakeClock, RecordingDomainEvents, SeededIds
from tests.contract.sending.fakes import (
    MemoryChunkQueue,
    MemoryHeldQueue,
    MemoryReceiptQueue,
    ScriptedMailer,
    ScriptedTexter,
)
from tests.fakes.aws import fake_aws, make
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, NOON, at, id_of, message_key, receipt

EVENTS: Final = Path(__file__).parents[2] / "events"
ABOUT: Final = about_of_queues(decode, imports_of_notice)
AT_ONCE: Final = timedelta()
IMPLEMENTATIONS = ("memory", "aws")


@pytest.fixture(params=IMPLEMENTATIONS)
def on_aws(request: pytest.FixtureRequest) -> Iterator[bool]:
    if request.param == "memory":
        yield False
        return
    with fake_aws():
        yield True


# --- queues -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chunks:
    """A chunk queue, and what can be read from it."""

    queue: ChunkQueue
    visible: Callable[[Channel, Lane], list[Ticket]]


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

    def visible(channel: Channel, lane: Lane) -> list[Ticket]:
        found: list[Ticket] = []
        while bodies := sqs.receive_message(QueueUrl=urls[channel, lane], MaxNumberOfMessages=10).get("Messages"):
            found.extend(decode_ticket(message["Body"]) for message in bodies)
        return found

    return Chunks(SqsChunkQueue(sqs, urls), visible)


def tickets(count: int, lane: Lane = Lane.BULK) -> list[Ticket]:
    return [
        Ticket(ChunkKey(BUSINESS_ID, CAMPAIGN_ID, f"chunk#000#{n:07d}"), n + 1, lane, at(n) if n % 2 else None)
        for n in range(count)
    ]


def by_size(found: Iterable[Ticket]) -> list[Ticket]:
    return sorted(found, key=lambda ticket: ticket.size)


@pytest.mark.parametrize("count", [0, 1, 10, 23])
def test_every_chunk_is_on_the_queue_of_its_channel_and_lane(on_aws: bool, count: int) -> None:
    chunks = chunk_queue(on_aws)
    prompt = [replace(ticket, lane=Lane.PROMPT) for ticket in tickets(count)[:2]]
    chunks.queue.put(Channel.SMS, [*tickets(count), *prompt])

    assert chunks.queue.waiting(Channel.SMS, Lane.BULK) == count
    assert by_size(chunks.visible(Channel.SMS, Lane.BULK)) == tickets(count)
    assert by_size(chunks.visible(Channel.SMS, Lane.PROMPT)) == prompt
    assert chunks.visible(Channel.EMAIL, Lane.BULK) == chunks.visible(Channel.EMAIL, Lane.PROMPT) == []


def test_a_chunk_that_is_to_wait_is_not_seen_yet(on_aws: bool) -> None:
    chunks = chunk_queue(on_aws)
    chunks.queue.put(Channel.EMAIL, tickets(1), timedelta(minutes=15))

    assert chunks.visible(Channel.EMAIL, Lane.BULK) == []
    assert chunks.queue.waiting(Channel.EMAIL, Lane.BULK) == 1


def test_a_chunk_that_is_held_comes_as_it_was_put_at_its_time_or_for_another_round(on_aws: bool) -> None:
    clock = FakeClock()
    soon, hours, eternity = timedelta(seconds=0.3), timedelta(hours=11), timedelta(days=1)
    times = [(-soon, eternity), (timedelta(), eternity), (soon, timedelta()), (timedelta(minutes=1), eternity)]
    times += [(hours, timedelta()), (hours, timedelta(seconds=40)), (hours, eternity)]
    held = [
        HeldTicket(Channel.SMS, ticket, clock.now() + wait, clock.now() - waited, version=3)
        for ticket, (wait, waited) in zip(tickets(len(times)), times, strict=True)
    ]
    if on_aws:
        sent: list[Mapping[str, Any]] = []
        sqs = make("sqs")
        url = sqs.create_queue(QueueName="held")["QueueUrl"]
        sqs.meta.events.register("before-parameter-build.sqs.SendMessageBatch", lambda params, **_: sent.append(params))
        SqsHeldQueue(sqs, url).put(held, clock.now())
        entries = [entry for request in sent for entry in request["Entries"]]
        found = {decode_held(entry["MessageBody"]): entry["DelaySeconds"] for entry in entries}
        delays = [found[each] for each in held]
        first = {decode_held(m["Body"]) for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]}
    else:
        fake = MemoryHeldQueue(clock)
        fake.put(held, clock.now())
        found = {w.body: ceil((w.visible_at - clock.now()).total_seconds()) for w in fake.queue.messages.values()}
        delays = [found[each] for each in held]
        first = {w.body for w in fake.queue.receive(random.Random(0), 10)}  # noqa: S311 - the same in every run

    assert delays == [0, 0, 1, 60, 15, 40, 900]
    assert first == set(held[:2])


@pytest.mark.parametrize(
    "number", [f"{prefix}5550123" for prefix in PLACES if prefix.startswith("+1")] + ["+447911123456"]
)
def test_the_fake_knows_the_places_of_numbers_as_the_map_has_them(number: str) -> None:
    assert known_whereabouts(number) == zones_of_number(number)


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
    SqsChunkQueue(sqs, {(Channel.EMAIL, Lane.BULK): "url"}).put(Channel.EMAIL, tickets(10))

    assert by_size(map(decode_ticket, sqs.taken)) == tickets(10)


def test_entries_that_sqs_never_takes_are_an_error() -> None:
    with pytest.raises(NotEnqueuedError):
        SqsChunkQueue(FlakySqs(takes=0), {(Channel.EMAIL, Lane.BULK): "url"}).put(Channel.EMAIL, tickets(1))


# --- dead letters -----------------------------------------------------------------------------------------------------


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
    return encode_ticket(tickets(number + 1)[number])


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


@pytest.mark.parametrize(
    "work",
    [
        Recopying(BUSINESS_ID),
        Recopying(BUSINESS_ID, "YWJj", STANDARD_POLICY),
        Recopying(BUSINESS_ID, "YWJj", policy_of("custom", {"unreachable": 2})),
        Recopying(BUSINESS_ID, None, STRICT_POLICY),
    ],
    ids=["new", "rest", "rest-custom", "strict"],
)
def test_a_copying_of_flags_comes_from_the_queue_as_it_was_put(on_aws: bool, work: Recopying) -> None:
    if on_aws:
        sqs = make("sqs")
        url = sqs.create_queue(QueueName="recopy")["QueueUrl"]
        queue: RecopyQueue = SqsRecopyQueue(sqs, url)
        queue.put(work)
        found = decode_recopying(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"])
    else:
        fake = MemoryRecopyQueue(FakeClock())
        queue = fake
        queue.put(work)
        found = next(iter(fake.queue.messages.values())).body

    assert found == work


def test_a_copying_can_be_asked_for_by_the_business_alone() -> None:
    assert decode_recopying(json.dumps({"business_id": BUSINESS_ID})) == Recopying(BUSINESS_ID)


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


# --- campaigns, events, files -----------------------------------------------------------------------------------------

ROLE = "arn:aws:iam::123456789012:role/rebound"
MACHINE = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}


@dataclass(frozen=True)
class Running:
    """A runner, and what it has started and scheduled."""

    runner: CampaignRunner
    started: Callable[[], list[Any]]
    scheduled: Callable[[], list[tuple[str, datetime]]]


def running(on_aws: bool) -> Running:
    if not on_aws:
        fake = RecordingRunner()
        return Running(
            fake,
            lambda: [
                *({"business_id": b, "campaign_id": c} for b, c in fake.started),
                *({"business_id": b, "campaign_id": c, "requeue": {"cursor": None}} for b, c in fake.errands),
                *(
                    {"business_id": b, "campaign_id": c, "roll_back": {"rollback_id": r, "cursor": None, "bounces": 0}}
                    for b, c, r in fake.rollbacks
                ),
            ],
            lambda: [(campaign_id, moment) for (_, campaign_id), moment in fake.scheduled.items()],
        )
    steps, scheduler = make("stepfunctions"), make("scheduler")
    campaigns, errands = (
        steps.create_state_machine(name=name, definition=json.dumps(MACHINE), roleArn=ROLE)["stateMachineArn"]
        for name in ("campaigns", "errands")
    )
    scheduler.create_schedule_group(Name="campaigns")

    def started() -> list[Any]:
        found = [e for arn in (campaigns, errands) for e in steps.list_executions(stateMachineArn=arn)["executions"]]
        return [json.loads(steps.describe_execution(executionArn=e["executionArn"])["input"]) for e in found]

    def scheduled() -> list[tuple[str, datetime]]:
        found = scheduler.list_schedules(GroupName="campaigns")["Schedules"]
        expressions = {s["Name"]: scheduler.get_schedule(GroupName="campaigns", Name=s["Name"]) for s in found}
        return [
            (name, datetime.strptime(s["ScheduleExpression"], "at(%Y-%m-%dT%H:%M:%S)").replace(tzinfo=UTC))
            for name, s in expressions.items()
        ]

    runner = StepFunctionsCampaignRunner(steps, scheduler, campaigns, errands, "campaigns", ROLE)
    return Running(runner, started, scheduled)


def test_a_campaign_that_is_started_twice_runs_once(on_aws: bool) -> None:
    run = running(on_aws)
    run.runner.start(BUSINESS_ID, CAMPAIGN_ID)
    run.runner.start(BUSINESS_ID, CAMPAIGN_ID)

    assert run.started() == [{"business_id": BUSINESS_ID, "campaign_id": CAMPAIGN_ID}]


def test_an_errand_for_a_campaign_runs_beside_it(on_aws: bool) -> None:
    run = running(on_aws)
    run.runner.requeue(BUSINESS_ID, CAMPAIGN_ID, "errand-1")

    assert run.started() == [{"business_id": BUSINESS_ID, "campaign_id": CAMPAIGN_ID, "requeue": {"cursor": None}}]


def test_a_rollback_that_is_started_twice_runs_once(on_aws: bool) -> None:
    run = running(on_aws)
    run.runner.roll_back(BUSINESS_ID, CAMPAIGN_ID, "rollback-1")
    run.runner.roll_back(BUSINESS_ID, CAMPAIGN_ID, "rollback-1")

    rollback = {"rollback_id": "rollback-1", "cursor": None, "bounces": 0}
    assert run.started() == [{"business_id": BUSINESS_ID, "campaign_id": CAMPAIGN_ID, "roll_back": rollback}]


def test_a_campaign_that_is_scheduled_twice_is_scheduled_once_at_its_time_in_utc(on_aws: bool) -> None:
    run = running(on_aws)
    moment = datetime.fromisoformat("2027-03-28T02:30:00+02:00")
    run.runner.schedule(BUSINESS_ID, CAMPAIGN_ID, moment)
    run.runner.schedule(BUSINESS_ID, CAMPAIGN_ID, moment)

    assert run.scheduled() == [(CAMPAIGN_ID, datetime(2027, 3, 28, 0, 30, tzinfo=UTC))]
    assert run.started() == []


INVALIDATED = ContactInvalidated(BUSINESS_ID, Channel.EMAIL, (id_of(1),), "bounce:mailbox_full", at(0), 3, "change-3")
RESTORED = ContactRestored(BUSINESS_ID, Channel.SMS, (id_of(1), id_of(2)), 4, "change-4")


def test_events_are_put_on_the_bus_under_their_own_names() -> None:
    with fake_aws():
        client = make("events")
        with Stubber(client) as stub:
            answer = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}
            stub.add_response("put_events", answer, {"Entries": ANY})
            sent: list[Any] = []
            client.meta.events.register(
                "before-parameter-build.events.PutEvents", lambda params, **_: sent.append(params)
            )
            events: DomainEvents = EventBridgeDomainEvents(client, "bus")
            events.publish([INVALIDATED, RESTORED])
        (call,) = sent

    assert [entry["DetailType"] for entry in call["Entries"]] == ["ContactInvalidated", "ContactRestored"]
    assert {(entry["Source"], entry["EventBusName"]) for entry in call["Entries"]} == {("rebound", "bus")}
    assert json.loads(call["Entries"][0]["Detail"]) == {
        "business_id": BUSINESS_ID,
        "channel": "email",
        "customer_ids": [id_of(1)],
        "reason": "bounce:mailbox_full",
        "since": "2026-11-20T12:00:00Z",
        "version": 3,
        "change_id": "change-3",
    }


def test_many_events_are_all_published_and_a_failed_entry_is_an_error(on_aws: bool) -> None:
    many: list[DomainEvent] = [replace(RESTORED, version=n) for n in range(25)]
    fake = RecordingDomainEvents()
    if not on_aws:
        fake.publish(many)
        assert fake.published == many
        return
    client = make("events")
    with Stubber(client) as stub:
        for size in (10, 10, 5):
            stub.add_response(
                "put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}] * size}, {"Entries": ANY}
            )
        EventBridgeDomainEvents(client, "bus").publish(many)
        stub.assert_no_pending_responses()
        stub.add_response(
            "put_events", {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "Internal"}]}, {"Entries": ANY}
        )
        with pytest.raises(NotPublishedError):
            EventBridgeDomainEvents(client, "bus").publish(many[:1])


def test_the_file_of_an_import_is_read_as_it_was_put_and_an_absent_one_is_not_found(on_aws: bool) -> None:
    store: ImportStore = MemoryImportStore()
    if on_aws:
        make("s3").create_bucket(Bucket="imports")
        store = S3ImportStore(make("s3"), "imports")
    store.put(BUSINESS_ID, "i1", "first_name\nÍris\n")

    whole, rest, none, beyond = (store.open(BUSINESS_ID, "i1", offset) for offset in (0, 11, 17, 18))
    assert whole.content.read().decode() == "first_name\nÍris\n"
    assert rest.content.read().decode() == "Íris\n"
    assert none.content.read() == b""
    assert beyond.content.read().decode() == "first_name\nÍris\n"
    assert {file.size for file in (whole, rest, none, beyond)} == {17}
    assert len({file.version for file in (whole, rest, none, beyond)}) == 1
    store.put(BUSINESS_ID, "i1", "first_name\nIris!\n")
    assert store.open(BUSINESS_ID, "i1").version != whole.version
    assert store.upload_url(BUSINESS_ID, "i2").startswith("https://")
    with pytest.raises(NotFoundError):
        store.open(BUSINESS_ID, "i2")
    with pytest.raises(NotFoundError):
        store.open("other", "i1")


def test_the_pieces_of_an_import_are_read_as_they_were_put_until_they_are_removed(on_aws: bool) -> None:
    store: ImportStore = MemoryImportStore()
    if on_aws:
        make("s3").create_bucket(Bucket="imports")
        store = S3ImportStore(make("s3"), "imports")
    for part in range(3):
        for piece in range(2):
            store.put_piece(BUSINESS_ID, "i1", part, piece, f"{part} {piece}".encode())
    store.put_piece(BUSINESS_ID, "i1", 0, 0, b"again")
    store.put_piece(BUSINESS_ID, "i2", 0, 0, b"other")

    assert store.open_piece(BUSINESS_ID, "i1", 0, 0).read() == b"again"
    assert store.open_piece(BUSINESS_ID, "i1", 2, 1).read() == b"2 1"
    for _ in range(2):
        store.remove_pieces(BUSINESS_ID, "i1", 3, 2)
        with pytest.raises(NotFoundError):
            store.open_piece(BUSINESS_ID, "i1", 0, 0)
        with pytest.raises(NotFoundError):
            store.open_piece(BUSINESS_ID, "i1", 2, 1)
    assert store.open_piece(BUSINESS_ID, "i2", 0, 0).read() == b"other"


def test_a_file_of_several_parts_is_whole_once_it_is_completed(on_aws: bool) -> None:
    memory = MemoryExportStore()
    store: ExportStore = memory
    if on_aws:
        make("s3").create_bucket(Bucket="imports")
        store = S3ExportStore(make("s3"), "imports")
    first, last = b"x" * 5 * 1024 * 1024, b"the rest"
    upload_id = store.begin(BUSINESS_ID, "e1", "csv")
    store.put_part(BUSINESS_ID, "e1", upload_id, 1, b"y" * 5 * 1024 * 1024)
    tags = [store.put_part(BUSINESS_ID, "e1", upload_id, number, part) for number, part in ((1, first), (2, last))]
    for _ in range(2):
        store.complete(BUSINESS_ID, "e1", upload_id, tags)
    if on_aws:
        found = make("s3").get_object(Bucket="imports", Key=f"exports/{BUSINESS_ID}/e1")["Body"].read()
    else:
        found = memory.files[BUSINESS_ID, "e1"]

    assert found == first + last
    assert store.download_url(BUSINESS_ID, "e1").startswith("https://")


def test_an_empty_file_is_a_file(on_aws: bool) -> None:
    store: ExportStore = MemoryExportStore()
    if on_aws:
        make("s3").create_bucket(Bucket="imports")
        store = S3ExportStore(make("s3"), "imports")
    upload_id = store.begin(BUSINESS_ID, "e1", "jsonl")
    store.complete(BUSINESS_ID, "e1", upload_id, [store.put_part(BUSINESS_ID, "e1", upload_id, 1, b"")])


def test_what_is_set_aside_is_read_as_it_was_put(on_aws: bool) -> None:
    store: ExportStore = MemoryExportStore()
    if on_aws:
        make("s3").create_bucket(Bucket="imports")
        store = S3ExportStore(make("s3"), "imports")
    store.put_rest(BUSINESS_ID, "e1", 7, b"a few rows")

    assert store.read_rest(BUSINESS_ID, "e1", 7) == b"a few rows"
    with pytest.raises(NotFoundError):
        store.read_rest(BUSINESS_ID, "e1", 8)


def test_an_import_is_started_once_under_its_own_name_with_ids_only() -> None:
    with fake_aws():
        steps = make("stepfunctions")
        machine = steps.create_state_machine(
            name="imports",
            definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
            roleArn="arn:aws:iam::123456789012:role/rebound",
        )["stateMachineArn"]
        for _ in range(2):
            StepFunctionsFileRunner(steps, machine, "import_id").start(BUSINESS_ID, "i1")
        (execution,) = steps.list_executions(stateMachineArn=machine)["executions"]
        described = steps.describe_execution(executionArn=execution["executionArn"])

    assert execution["name"] == "i1"
    assert json.loads(described["input"]) == {"business_id": BUSINESS_ID, "import_id": "i1"}


def test_patience_grows_with_every_attempt_up_to_two_seconds_and_is_never_the_same() -> None:
    waits: list[float] = []
    patience = JitteredPatience(waits.append)
    for attempt in range(1, 40):
        patience.wait(attempt)

    assert all(0 <= wait <= min(2.0, 0.05 * 2**number) for number, wait in enumerate(waits))
    assert max(waits) > 0.5
    assert len(set(waits)) == len(waits)


def test_the_key_of_an_upload_leads_back_to_its_import() -> None:
    with fake_aws():
        s3 = make("s3")
        s3.create_bucket(Bucket="imports")
        S3ImportStore(s3, "imports").put(BUSINESS_ID, "i1", "x")
        (stored,) = s3.list_objects_v2(Bucket="imports")["Contents"]

    assert import_of_key(stored["Key"]) == (BUSINESS_ID, "i1")


# --- the machine ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clock", [SystemClock(), FakeClock()], ids=["system", "fake"])
def test_the_time_is_aware_and_in_utc(clock: Clock) -> None:
    assert clock.now().utcoffset() == timedelta()


@pytest.mark.parametrize("ids", [RandomIds(), SeededIds()], ids=["random", "seeded"])
def test_ids_have_their_forms_and_sort_by_time(ids: Ids) -> None:
    ulids = [ids.ulid(at(second)) for second in range(5)]

    assert ulids == sorted(ulids)
    assert len({ids.ulid(NOON) for _ in range(100)}) == 100
    assert all(re.fullmatch("[0-9A-HJKMNP-TV-Z]{26}", ulid) for ulid in ulids)
    assert re.fullmatch("[0-9a-f]{32}", ids.customer_id())
    assert ids.customer_id() != ids.customer_id()
    assert len(ids.secret()) >= 43
    assert re.fullmatch("[A-Za-z0-9_-]+", ids.secret())


READERS = pytest.mark.parametrize("reader", [LibraryAddressReader(), PlainAddressReader()], ids=["library", "plain"])


@READERS
@pytest.mark.parametrize(
    ("written", "read"),
    [("ana@example.com", "ana@example.com"), (" Ana.B+c@EXAMPLE.com ", "Ana.B+c@example.com")],
)
def test_an_email_address_is_read(reader: AddressReader, written: str, read: str) -> None:
    assert reader.email(written) == read


@READERS
@pytest.mark.parametrize(
    "written", ["", "ana", "ana@", "@example.com", "a b@example.com", "a@b@c.com", "a@b..com", "a\n@b.com"]
)
def test_what_is_no_email_address_is_refused_with_a_sentence(reader: AddressReader, written: str) -> None:
    with pytest.raises(ValueError, match="Must be an email address"):
        reader.email(written)


@READERS
@pytest.mark.parametrize(
    ("written", "country", "read"),
    [
        ("+14155550123", "PT", "+14155550123"),
        ("(415) 555-0123", "US", "+14155550123"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("912 345 678", "PT", "+351912345678"),
    ],
)
def test_a_number_is_read_in_the_businesss_country(
    reader: AddressReader, written: str, country: str, read: str
) -> None:
    assert reader.phone(written, country) == read


@READERS
@pytest.mark.parametrize("written", ["", "12", "not a number", "+", "+1" * 40, "415\n5550123\x00"])
def test_what_is_no_possible_number_is_refused_with_a_sentence(reader: AddressReader, written: str) -> None:
    with pytest.raises(ValueError, match="Must be a"):
        reader.phone(written, "US")


@pytest.mark.parametrize(
    "written", ["José@example.com", "ana@exämple.com", "x" * 65 + "@example.com", "a" * 250 + "@b.com"]
)
def test_the_library_reads_or_refuses_what_plain_rules_do_not_know(written: str) -> None:
    refusal = ""
    read = ""
    try:
        read = LibraryAddressReader().email(written)
    except ValueError as error:
        refusal = str(error)

    assert read.isascii()
    assert bool(read) != bool(refusal)
    assert written not in refusal


_ATOMS = st.sampled_from(["a", "Z9", "ana", "INFO", "info", "o'b", "_", "-", "", "x" * 60, "é", '"', "{|}~"])
_LABELS = st.sampled_from(
    ["example", "EX", "a-b", "-a", "a-", "xn--a", "ab--c", "", "1", "x" * 63, "x" * 64, "ä", "a_b"]
)
_TOPS = st.sampled_from(
    ["com", "COM", "c", "x1", "1", "local", "localhost", "onion", "arpa", "invalid", "test", "", "xn--p1ai"]
)


@given(st.lists(_ATOMS, min_size=1, max_size=3), st.lists(_LABELS, max_size=4), _TOPS)
def test_what_is_read_without_the_library_is_what_the_library_would_read(
    atoms: list[str], labels: list[str], top: str
) -> None:
    written = f"{'.'.join(atoms)}@{'.'.join([*labels, top])}"
    try:
        found = validate_email(
            written, check_deliverability=False, test_environment=True, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError:
        with pytest.raises(ValueError, match="Must be an email address"):
            LibraryAddressReader().email(written)
    else:
        assert LibraryAddressReader().email(written) == found.ascii_email


def test_no_name_of_special_use_is_plain() -> None:
    for name in SPECIAL_USE_DOMAIN_NAMES:
        if name != "test":
            with pytest.raises(ValueError, match="special-use"):
                LibraryAddressReader().email(f"ana@example.{name}")


def test_a_plain_address_needs_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "email_validator", None)

    assert LibraryAddressReader().email(" ana.silva+news@mail.example.co.uk ") == "ana.silva+news@mail.example.co.uk"


# --- mailers ----------------------------------------------------------------------------------------------------------


def email(number: int = 1, **headers: str) -> OutgoingEmail:
    return OutgoingEmail(
        message_key(number), f"ana{number}@example.com", RenderedEmail("Hi é", "<p>{{x}}</p>", "t"), headers
    )


class Ses:
    """An SES v2 client that answers once by script, and what it was called with."""

    def __init__(
        self, *statuses: str, error: tuple[str, int, str] | None = None, broken: Exception | None = None
    ) -> None:
        self.client = make("sesv2")
        self.calls: list[Mapping[str, Any]] = []
        self._stub = Stubber(self.client)
        register = self.client.meta.events.register
        register("provide-client-params.sesv2.SendBulkEmail", lambda params, **_: self.calls.append(params))
        if broken is not None:

            def fail(**_: Any) -> None:
                raise broken

            register("before-call.sesv2.SendBulkEmail", fail)
            return
        if error is not None:
            code, status, message = error
            self._stub.add_client_error("send_bulk_email", code, message, http_status_code=status)
        else:
            results = [
                {"Status": s, **({"MessageId": f"id-{n}"} if s == "SUCCESS" else {})} for n, s in enumerate(statuses)
            ]
            self._stub.add_response("send_bulk_email", {"BulkEmailEntryResults": results})
        self._stub.activate()

    def send(self, *emails: OutgoingEmail) -> Sequence[SendResult]:
        mailer: Mailer = SesMailer(self.client, "events")
        return mailer.send("hello@juniper.example.com", emails)


def test_each_email_has_a_result_of_its_own_in_order() -> None:
    statuses = (
        "SUCCESS",
        "ACCOUNT_THROTTLED",
        "MESSAGE_REJECTED",
        "ACCOUNT_DAILY_QUOTA_EXCEEDED",
        "TRANSIENT_FAILURE",
        "FAILED",
    )
    with fake_aws():
        results = Ses(*statuses).send(*(email(n) for n in range(6)))

    assert results[0] == Accepted("id-0")
    assert [type(result) for result in results[1:]] == [Throttled, Refused, Throttled, Throttled, Refused]
    assert [result.daily for result in results if isinstance(result, Throttled)] == [False, True, False]
    assert isinstance(results[2], Refused)
    assert results[2].code == "MESSAGE_REJECTED"


def test_an_email_carries_its_key_as_tags_and_its_content_as_data_that_ses_only_puts_in_place() -> None:
    with fake_aws():
        ses = Ses("SUCCESS")
        ses.send(email(1, **{"List-Unsubscribe": "<https://x>"}))
    (call,) = ses.calls
    (entry,) = call["BulkEmailEntries"]
    template = entry["ReplacementEmailContent"]["ReplacementTemplate"]

    assert {tag["Name"]: tag["Value"] for tag in entry["ReplacementTags"]} == {
        "business_id": BUSINESS_ID,
        "customer_id": id_of(1),
        "message_id": message_key(1).message_id,
    }
    assert all(re.fullmatch("[A-Za-z0-9_-]{1,256}", tag["Value"]) for tag in entry["ReplacementTags"])
    assert json.loads(template["ReplacementTemplateData"]) == {"subject": "Hi é", "html": "<p>{{x}}</p>", "text": "t"}
    assert call["DefaultContent"]["Template"]["TemplateContent"]["Html"] == "{{{html}}}"
    assert entry["Destination"] == {"ToAddresses": ["ana1@example.com"]}
    assert entry["ReplacementHeaders"] == [{"Name": "List-Unsubscribe", "Value": "<https://x>"}]
    assert (call["FromEmailAddress"], call["ConfigurationSetName"]) == ("hello@juniper.example.com", "events")


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (("TooManyRequestsException", 429, "Maximum sending rate exceeded."), Throttled("ACCOUNT_THROTTLED")),
        (
            ("TooManyRequestsException", 429, "Daily message quota exceeded."),
            Throttled("ACCOUNT_DAILY_QUOTA_EXCEEDED", daily=True),
        ),
        (("SendingPausedException", 400, "paused"), Refused("ACCOUNT_SENDING_PAUSED", "paused")),
        (("AccountSuspendedException", 400, "x"), Refused("ACCOUNT_SUSPENDED", "x")),
        (("NotFoundException", 404, "x"), Refused("CONFIGURATION_SET_NOT_FOUND", "x")),
        (("BadRequestException", 400, "x"), Refused("INVALID_PARAMETER", "x")),
        (("InternalServiceErrorException", 500, "x"), Unknown("InternalServiceErrorException")),
        (("ServiceUnavailable", 503, "x"), Unknown("ServiceUnavailable")),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_an_error_of_the_call_is_the_result_of_every_email(error: tuple[str, int, str], result: SendResult) -> None:
    with fake_aws():
        assert list(Ses(error=error).send(email(1), email(2))) == [result, result]


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (ReadTimeoutError(endpoint_url="x"), Unknown),
        (EndpointConnectionError(endpoint_url="x"), Throttled),
        (ConnectTimeoutError(endpoint_url="x"), Throttled),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_a_connection_that_was_never_made_is_tried_again(broken: Exception, kind: type[SendResult]) -> None:
    with fake_aws():
        assert {type(result) for result in Ses(broken=broken).send(email(1), email(2))} == {kind}


@pytest.mark.parametrize("mailer", ["ses", "scripted"])
def test_a_call_takes_fifty_emails(mailer: str) -> None:
    fifty_one = [email(n) for n in range(51)]
    with fake_aws(), pytest.raises(ValueError, match="50"):
        (Ses().send(*fifty_one) if mailer == "ses" else ScriptedMailer().send("x", fifty_one))


# --- texters ----------------------------------------------------------------------------------------------------------


class TwilioHttp(HttpClient):  # type: ignore[misc]  # twilio has no types
    """Answers every request with one response, or breaks."""

    def __init__(self, status: int = 201, body: object = None, broken: Exception | None = None) -> None:
        self._answer = (status, body)
        self._broken = broken
        self.calls: list[Mapping[str, Any]] = []
        self.urls: list[str] = []

    def request(
        self,
        method: str,
        url: str,
        params: object = None,
        data: object = None,
        headers: object = None,
        auth: object = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        assert isinstance(data, dict)
        self.calls.append(data)
        self.urls.append(url)
        if self._broken is not None:
            raise self._broken
        status, body = self._answer
        return Response(status, body if isinstance(body, str) else json.dumps(body))


def twilio(http: TwilioHttp) -> TwilioTexter:
    return TwilioTexter(Client("AC" + "0" * 32, "token", http_client=http), "https://api.example.com/live")


def recorded(name: str) -> tuple[int, object]:
    """A recorded answer of Twilio to a create."""
    answer = json.loads((EVENTS / "twilio" / f"create_{name}.json").read_text(encoding="utf-8"))
    return answer["status"], answer["body"]


def text(texter: Texter, sender: str | None = "+14155550100") -> SendResult:
    return texter.send(sender, message_key(), "+14155550123", "Hi é")


def test_a_text_that_twilio_takes_has_twilios_id_and_asks_for_callbacks_with_its_key() -> None:
    http = TwilioHttp(*recorded("accepted"))
    result = text(twilio(http))
    (form,) = http.calls

    assert result == Accepted("SM1342fe1b2c904d1ab04f0fc7a58abca9")
    assert (form["To"], form["From"], form["Body"]) == ("+14155550123", "+14155550100", "Hi é")
    assert "MessagingServiceSid" not in form
    assert form["StatusCallback"].endswith("#rc=2&rp=ct,rt,5xx")
    assert f"b={BUSINESS_ID}&c={id_of(1)}&m={message_key().message_id}" in form["StatusCallback"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, None), (0.2, 1), (1.9, 1), (3600, 3600), (35_999.5, 35_999), (36_000, None), (10**6, None)],
)
def test_twilio_is_told_how_long_a_text_is_of_use_within_what_it_can_be_told(
    seconds: float | None, told: int | None
) -> None:
    http = TwilioHttp(*recorded("accepted"))
    valid_for = None if seconds is None else timedelta(seconds=seconds)
    twilio(http).send("+14155550100", message_key(), "+14155550123", "Hi é", valid_for)

    assert http.calls[0].get("ValidityPeriod") == told


def test_a_messaging_service_is_named_as_one() -> None:
    http = TwilioHttp(*recorded("accepted"))
    service = "MG" + "a" * 32
    text(twilio(http), service)

    assert http.calls[0]["MessagingServiceSid"] == service
    assert "From" not in http.calls[0]


CREATE_ERRORS: Final = (20003, 20429, 20500, 21211, 21408, 21610, 21612, 21614)


@pytest.mark.parametrize("code", CREATE_ERRORS)
def test_twilios_errors_say_whether_a_text_can_have_gone_out(code: int) -> None:
    result = text(twilio(TwilioHttp(*recorded(f"error_{code}"))))
    kinds: dict[int, type[SendResult]] = {20429: Throttled, 20500: Unknown}

    assert type(result) is kinds.get(code, Refused)
    if isinstance(result, Refused | Throttled):
        assert result.code == str(code)


@pytest.mark.parametrize(("code", "kind"), [(21611, Throttled), (30001, Throttled), (99999, Refused), (None, Refused)])
def test_a_refusal_is_final_unless_the_table_says_that_it_passes(code: int | None, kind: type[SendResult]) -> None:
    body = {"code": code, "message": "words", "more_info": "https://x", "status": 400}

    assert type(text(twilio(TwilioHttp(400, body)))) is kind


def test_an_error_that_is_not_json_is_unknown_from_a_server_that_failed() -> None:
    assert isinstance(text(twilio(TwilioHttp(502, "<html>Bad gateway</html>"))), Unknown)


def unreachable() -> RequestsConnectionError:
    pool = HTTPConnectionPool("api.twilio.com")
    return RequestsConnectionError(MaxRetryError(pool, "/", NewConnectionError(pool, "refused")))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (ReadTimeout(), Unknown),
        (ConnectTimeout(), Throttled),
        (RequestsConnectionError("reset"), Unknown),
        (unreachable(), Throttled),
    ],
    ids=["read timeout", "connect timeout", "reset", "refused"],
)
def test_a_text_is_tried_again_only_when_no_connection_was_made(broken: Exception, kind: type[SendResult]) -> None:
    http = TwilioHttp(broken=broken)

    assert type(text(twilio(http))) is kind
    assert len(http.calls) == 1


class Sns:
    """An SNS client that answers once by script."""

    def __init__(self, error: tuple[str, int] | None = None) -> None:
        self.client = make("sns")
        self.calls: list[Mapping[str, Any]] = []
        stub = Stubber(self.client)
        self.client.meta.events.register(
            "provide-client-params.sns.Publish", lambda params, **_: self.calls.append(params)
        )
        if error is None:
            stub.add_response("publish", {"MessageId": "sns-1"})
        else:
            stub.add_client_error("publish", error[0], "words", http_status_code=error[1])
        stub.activate()


def test_a_text_that_sns_takes_has_the_id_of_sns() -> None:
    with fake_aws():
        sns = Sns()
        assert text(SnsTexter(sns.client)) == Accepted("sns-1")
        (call,) = sns.calls
        assert (call["PhoneNumber"], call["Message"]) == ("+14155550123", "Hi é")
        assert call["MessageAttributes"]["AWS.MM.SMS.OriginationNumber"]["StringValue"] == "+14155550100"
        without = Sns()
        text(SnsTexter(without.client), None)
        assert "AWS.MM.SMS.OriginationNumber" not in without.calls[0]["MessageAttributes"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (("InvalidParameter", 400), Refused),
        (("OptedOut", 400), Refused),
        (("AuthorizationError", 403), Throttled),
        (("Throttled", 429), Throttled),
        (("InternalError", 500), Unknown),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_sns_errors_say_whether_a_text_can_have_gone_out(error: tuple[str, int], kind: type[SendResult]) -> None:
    with fake_aws():
        assert type(text(SnsTexter(Sns(error).client))) is kind


@pytest.mark.parametrize("provider", [Provider.TWILIO, Provider.SNS])
def test_a_texter_says_who_carries_its_texts(provider: Provider) -> None:
    with fake_aws():
        real: Texter = twilio(TwilioHttp()) if provider is Provider.TWILIO else SnsTexter(make("sns"))

    assert real.provider is ScriptedTexter(provider).provider is provider


def test_the_scripted_providers_answer_by_address_and_count_what_went_out() -> None:
    mailer, texter = ScriptedMailer(), ScriptedTexter()
    mailer.answer("ana1@example.com", Unknown("x"), Throttled("y"), went_out=True)
    results = mailer.send("s", [email(1), email(2)])

    assert [type(result) for result in results] == [Unknown, Accepted]
    assert mailer.went_out == {message_key(1): 1, message_key(2): 1}
    assert isinstance(text(texter), Accepted)


# --- the keys of links ------------------------------------------------------------------------------------------------


@dataclass
class Keys:
    """A keyring, and a rotation of its keys."""

    keyring: LinkKeyring
    rotate: Callable[[int, bytes], None]
    seconds: float = 0.0
    """Since the keyring was made."""


@pytest.fixture
def keys(on_aws: bool) -> Keys:
    if not on_aws:
        fake = MemoryLinkKeyring(1, {1: b"one"})
        return Keys(fake, fake.rotate)
    secrets = make("secretsmanager")
    stored = {"current": "1", "1": "one"}
    arn = secrets.create_secret(Name="links", SecretString=json.dumps(stored))["ARN"]

    def rotate(current: int, key: bytes) -> None:
        stored.update({"current": str(current), str(current): key.decode()})
        secrets.put_secret_value(SecretId=arn, SecretString=json.dumps(stored))

    made = Keys(SecretLinkKeyring(secrets, arn, lambda: made.seconds), rotate)
    return made


def test_links_are_signed_with_the_current_key(keys: Keys) -> None:
    assert keys.keyring.keys() == LinkKeys(1, {1: b"one"})


def test_a_key_that_came_with_a_rotation_is_known_a_minute_later_at_most(keys: Keys) -> None:
    keys.keyring.keys()
    keys.rotate(2, b"two")
    keys.seconds = 61

    assert keys.keyring.keys(2) == LinkKeys(2, {1: b"one", 2: b"two"})


def test_the_secret_is_read_once_and_for_unknown_keys_once_a_minute() -> None:
    asked: list[str] = []
    counts: list[int] = []
    clock = FakeClock()

    class Secrets:
        def get_secret_value(self, SecretId: str) -> Mapping[str, str]:  # noqa: N803
            asked.append(SecretId)
            return {"SecretString": '{"current": "1", "1": "one"}'}

    keyring = SecretLinkKeyring(Secrets(), "links", lambda: clock.now().timestamp())
    for wait in (0, 59, 1, 1, 58, 1):
        clock.wait(timedelta(seconds=wait))
        for needed in (None, 1, 7, 8):
            keyring.keys(needed)
        counts.append(len(asked))

    assert counts == [1, 1, 2, 2, 2, 3]
