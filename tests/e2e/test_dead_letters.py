"""What was given up is listed with its reason, by ids only, and goes through once its cause is gone."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.rebound_api import Json, ReboundApi
from tests.e2e.surroundings import Calm, EmbeddedAws, Operator, Twin
from tests.e2e.waiting import until

BOUNCE: Final = Path(__file__).parents[2] / "events" / "ses" / "bounce_permanent_no_email.json"
LOST_CHUNK: Final = "lost-chunk@example.com"
LOST_MESSAGE: Final = "lost-message@example.com"
HASTE: Final = {"PromptEmail": 5, "Receipts": 8}
"""Seconds for which a queue hides a message that was received, so that three tries do not take an hour."""
PATIENCE_SECONDS: Final = 180


@contextmanager
def _in_haste(aws: EmbeddedAws) -> Iterator[None]:
    """The queues give a message up after three quick tries, and are as they were afterwards."""
    with aws.client("sqs") as sqs, ExitStack() as restore:
        for name, seconds in HASTE.items():
            url = aws.output(f"{name}QueueUrl")
            names = ["VisibilityTimeout", "RedrivePolicy"]
            before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            restore.callback(sqs.set_queue_attributes, QueueUrl=url, Attributes=before)
            policy = json.loads(before["RedrivePolicy"]) | {"maxReceiveCount": 3}
            attributes = {"VisibilityTimeout": str(seconds), "RedrivePolicy": json.dumps(policy)}
            sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
        yield


@contextmanager
def _unread(aws: EmbeddedAws, queue_url: str) -> Iterator[None]:
    """Nobody reads a queue."""
    queue = queue_url.rpartition("/")[2]
    with aws.client("lambda") as functions:
        mappings = functions.list_event_source_mappings()["EventSourceMappings"]
        [mapping] = [m["UUID"] for m in mappings if m["EventSourceArn"].endswith(f":{queue}")]
        functions.update_event_source_mapping(UUID=mapping, Enabled=False)
        try:
            yield
        finally:
            functions.update_event_source_mapping(UUID=mapping, Enabled=True)


@dataclass(frozen=True, slots=True)
class Lost:
    """A row that is missing, and the way to bring it back."""

    aws: EmbeddedAws
    table: str
    row: Mapping[str, Any]

    @classmethod
    def lose(cls, aws: EmbeddedAws, output: str, keys: tuple[str, str], where: Mapping[str, Any]) -> "Lost":
        """Take the one row out of a table that has these values."""
        table = aws.output(output)
        with aws.client("dynamodb") as dynamodb:
            found = dynamodb.get_paginator("scan").paginate(TableName=table).build_full_result()["Items"]
            [row] = [row for row in found if all(row.get(name) == value for name, value in where.items())]
            dynamodb.delete_item(TableName=table, Key={name: row[name] for name in keys})
        return cls(aws, table, row)

    def bring_back(self) -> None:
        """As it was."""
        with self.aws.client("dynamodb") as dynamodb:
            dynamodb.put_item(TableName=self.table, Item=dict(self.row))


@dataclass(frozen=True, slots=True)
class Story:
    """Whom it is about, what was listed, and what became of it after the rows were there again."""

    chunk_customer: str
    chunk_message: str
    receipt_customer: str
    receipt_message: str
    campaign_id: str
    listed: Json
    printed: str
    redriven: Json


def _bounce(api: ReboundApi, customer_id: str, message_id: str) -> str:
    """What SES would say about a message, just now."""
    event: Json = json.loads(BOUNCE.read_text(encoding="utf-8"))
    ids = {"business_id": api.business_id, "customer_id": customer_id, "message_id": message_id}
    event["mail"]["tags"] |= {name: [value] for name, value in ids.items()}
    event["mail"]["destination"] = [LOST_MESSAGE]
    event["bounce"]["bouncedRecipients"][0]["emailAddress"] = LOST_MESSAGE
    event["bounce"]["timestamp"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps(event)


def _dead_letters(operator: Operator) -> Json:
    found: Json = operator.run("dead-letters")["queues"]
    return found


def _counts(listed: Json) -> Mapping[str, int]:
    return {name: len(queue["dead_letters"]) for name, queue in listed.items()}


@pytest.fixture(scope="module")
def story(api: ReboundApi, aws: EmbeddedAws, calm: Calm, operator: Operator) -> Iterator[Story]:
    receipt_customer = api.new_customer("Rita", "Silva", email=LOST_MESSAGE)
    receipt_message = api.new_message(receipt_customer, "email")
    calm.wait(PATIENCE_SECONDS)
    chunk_customer = api.new_customer("Chen", "Wu", email=LOST_CHUNK)
    with _in_haste(aws), aws.client("sqs") as sqs:
        with _unread(aws, aws.output("PromptEmailQueueUrl")):
            chunk_message = api.new_message(chunk_customer, "email")
            one = {"B": bytes.fromhex(chunk_customer)}
            chunk = Lost.lose(aws, "ChunksTable", ("campaign_id", "chunk"), {"ids": one})
            of_chunk = {name: chunk.row[name] for name in ("business_id", "campaign_id")}
            campaign = Lost.lose(aws, "CampaignsTable", ("business_id", "campaign_id"), of_chunk)
        of_message = {"message_id": {"S": receipt_message}}
        message = Lost.lose(aws, "MessagesTable", ("recipient_id", "message_id"), of_message)
        poison = json.dumps({"eventType": "Bounce", "mail": {"destination": [LOST_MESSAGE]}})
        for body in (_bounce(api, receipt_customer, receipt_message), poison):
            sqs.send_message(QueueUrl=aws.output("ReceiptsQueueUrl"), MessageBody=body)
        listed = until(
            "all three are given up",
            lambda: _dead_letters(operator),
            lambda listed: (_counts(listed)["prompt-email"], _counts(listed)["receipts"]) == (1, 2),
            PATIENCE_SECONDS,
        )
        printed = operator.run_apart(["dead-letters", "--limit", "5"])
        assert printed.returncode == 0, printed.stderr
        for lost in (campaign, chunk, message):
            lost.bring_back()
        redriven = operator.run("redrive", "--queue", "all")
        until(
            "what nobody can read is given up again",
            lambda: _dead_letters(operator),
            lambda listed: _counts(listed)["receipts"] == 1,
            PATIENCE_SECONDS,
        )
    calm.wait(PATIENCE_SECONDS)
    yield Story(
        chunk_customer,
        chunk_message,
        receipt_customer,
        receipt_message,
        campaign.row["campaign_id"]["S"],
        listed,
        printed.stdout,
        redriven,
    )
    with aws.client("sqs") as sqs:
        sqs.purge_queue(QueueUrl=aws.output("ReceiptsDeadLetterQueueUrl"))


def test_a_chunk_of_an_unknown_campaign_is_listed_with_what_it_is_about_and_why(api: ReboundApi, story: Story) -> None:
    [letter] = story.listed["prompt-email"]["dead_letters"]

    assert letter["about"] == [
        {"business_id": api.business_id, "campaign_id": story.campaign_id, "chunk": letter["about"][0]["chunk"]}
    ]
    assert "No such chunk" in letter["reason"]
    assert letter["receives"] == 3
    assert letter["sent_at"] <= letter["first_tried_at"] < letter["failed_at"]


def test_receipts_are_listed_with_why_and_without_what_the_provider_wrote(api: ReboundApi, story: Story) -> None:
    early, poisoned = sorted(story.listed["receipts"]["dead_letters"], key=lambda letter: letter["reason"])

    assert early["reason"].startswith("early: ")
    [about] = early["about"]
    assert (about["business_id"], about["customer_id"]) == (api.business_id, story.receipt_customer)
    assert (about["message_id"], about["outcome"]) == (story.receipt_message, "failed")
    assert poisoned["reason"].startswith("malformed: ")
    assert poisoned["about"] == []
    assert "@" not in json.dumps(story.listed)


def test_the_operators_command_prints_them(story: Story) -> None:
    assert story.campaign_id in story.printed
    assert "malformed: " in story.printed
    assert "@" not in story.printed


def test_after_the_cause_is_gone_a_redriven_chunk_is_sent_once(api: ReboundApi, twin: Twin, story: Story) -> None:
    assert story.redriven == {
        "redriven": {
            "activity": 0,
            "email": 0,
            "held": 0,
            "import": 0,
            "prompt-email": 1,
            "prompt-text": 0,
            "receipts": 2,
            "steps": 0,
            "text": 0,
            "upkeep": 0,
            "webhook": 0,
        },
        "done": True,
    }
    until(
        "the message is delivered",
        lambda: api.message(story.chunk_customer, story.chunk_message),
        lambda message: message["status"] == "delivered",
        PATIENCE_SECONDS,
    )
    assert len(twin.sends_of(api, LOST_CHUNK)) == 1


def test_after_the_cause_is_gone_a_redriven_receipt_is_applied(api: ReboundApi, story: Story) -> None:
    until(
        "the address is flagged",
        lambda: api.contact(story.receipt_customer, "email"),
        lambda contact: contact["invalid"] and contact["reason"] == "bounce:mailbox_does_not_exist",
        PATIENCE_SECONDS,
    )
