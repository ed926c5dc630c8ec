"""What a test needs beside the API: the provider twin, the operator's command, the queues, and when all is at rest."""

import base64
import contextlib
import hashlib
import hmac
import io
import json
import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import boto3
from botocore.config import Config

from local.twin.settings import TwinSettings
from rebound.operations import cli
from tests.e2e.rebound_api import Answer, Json, ReboundApi, exchange
from tests.e2e.waiting import until

STACK_NAME: Final = "rebound"
RUN: Final = uuid.uuid4().hex[:8]
"""Part of addresses that the twin remembers, so that a stack can be tested again."""
TWILIO_TOKEN: Final = TwinSettings().twilio_auth_token


@dataclass(frozen=True, slots=True)
class Send:
    """One message that a provider accepted, as the twin logged it."""

    provider: str
    to: str
    tags: Mapping[str, str]
    content: Json
    id: str
    at: datetime

    @property
    def business_id(self) -> str | None:
        """Whose it was: SES keeps it as a tag, Twilio in the query of the callback's address, SNS not at all."""
        return self.tags.get("business_id") or self.tags.get("b")

    @property
    def customer_id(self) -> str | None:
        """Whom it was for, kept in the same way."""
        return self.tags.get("customer_id") or self.tags.get("c")

    @property
    def message_id(self) -> str | None:
        """Which message it was, kept in the same way."""
        return self.tags.get("message_id") or self.tags.get("m")


@dataclass(frozen=True, slots=True)
class Twin:
    """The provider twin's own addresses."""

    url: str

    def sends(self) -> list[Send]:
        """Every send that was accepted, in order."""
        lines = exchange("GET", f"{self.url}/log").expecting(200).body.splitlines()
        return [
            Send(
                line["provider"],
                line["to"],
                line["tags"],
                line["content"],
                line["id"],
                datetime.fromisoformat(line["at"]),
            )
            for line in map(json.loads, lines)
        ]

    def sends_of(self, api: ReboundApi, to: str | None = None) -> list[Send]:
        """Those of one business, to one address or to all; a stack that is used again has seen that address before."""
        return [send for send in self.sends() if send.business_id == api.business_id and to in {None, send.to}]

    def text(self, number: str, to: str, body: str, **more: str) -> str | None:
        """Text a number of ours from a phone; what the phone gets back."""
        asked = json.dumps({"from": number, "to": to, "body": body, **more}).encode()
        told: Json = exchange("POST", f"{self.url}/inbound", asked).expecting(200).json()
        assert told["status"] == 200, told
        answer: str | None = told["answer"]
        return answer

    def pending(self) -> Mapping[str, int]:
        """Callbacks that are still to come (``callbacks``) and those that nobody took (``failed``)."""
        found: Mapping[str, int] = exchange("GET", f"{self.url}/pending").expecting(200).json()
        return found

    @contextlib.contextmanager
    def with_faults(self, *faults: Mapping[str, Any]) -> Iterator[None]:
        """These faults, and none afterwards."""
        try:
            for fault in faults:
                exchange("POST", f"{self.url}/faults", json.dumps(fault).encode()).expecting(200)
            yield
        finally:
            exchange("DELETE", f"{self.url}/faults").expecting(200)

    def allow(self, **figures: float) -> None:
        """Have SES allow the account this from now on: ``MaxSendRate``, ``Max24HourSend``, ``SentLast24Hours``."""
        exchange("PUT", f"{self.url}/quota", json.dumps(figures).encode()).expecting(200)

    def allow_everything(self) -> None:
        """As in the beginning."""
        exchange("DELETE", f"{self.url}/quota").expecting(200)


@dataclass(frozen=True, slots=True)
class Queue:
    """What is on one queue: waiting, being worked on, or held back."""

    name: str
    messages: int


@dataclass(frozen=True, slots=True)
class EmbeddedAws:
    """The embedded AWS, to look at what the API does not show."""

    endpoint_url: str
    region: str

    @property
    def environment(self) -> Mapping[str, str]:
        """What an AWS client in another process needs to find it, and nothing of a developer's own account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }

    def queues(self) -> list[Queue]:
        """All queues, dead-letter queues too."""
        found = []
        with self.client("sqs") as sqs:
            for url in sqs.list_queues().get("QueueUrls", []):
                counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
                messages = sum(int(value) for name, value in counts.items() if name.startswith("ApproximateNumberOf"))
                found.append(Queue(url.rpartition("/")[2], messages))
        return found

    @contextlib.contextmanager
    def client(self, service: str) -> Iterator[Any]:
        """A client of one service, closed afterwards."""
        make: Any = boto3.client
        made = make(
            service,
            endpoint_url=self.endpoint_url,
            region_name=self.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the embedded AWS takes any
            config=Config(proxies={}),
        )
        try:
            yield made
        finally:
            made.close()

    def output(self, name: str) -> str:
        """One of the deployed stack's outputs."""
        with self.client("cloudformation") as cloudformation:
            outputs = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]["Outputs"]
        return next(str(output["OutputValue"]) for output in outputs if output["OutputKey"] == name)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Another system that has a rule on the bus and a queue of its own behind it."""

    aws: EmbeddedAws
    queue_url: str
    heard: list[Json]

    @classmethod
    @contextlib.contextmanager
    def to(cls, aws: EmbeddedAws, business_id: str) -> Iterator["Subscriber"]:
        """A subscriber to everything about one business, gone afterwards."""
        name, bus = f"subscriber-{uuid.uuid4().hex}", aws.output("EventBus")
        pattern = {"source": ["rebound"], "detail": {"business_id": [business_id]}}
        with aws.client("sqs") as sqs, aws.client("events") as events:
            queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
            attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
            events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
            events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": attributes["QueueArn"]}])
            try:
                yield cls(aws, queue_url, [])
            finally:
                events.remove_targets(Rule=name, EventBusName=bus, Ids=["queue"])
                events.delete_rule(Name=name, EventBusName=bus)
                sqs.delete_queue(QueueUrl=queue_url)

    def listen(self) -> list[Json]:
        """Every event heard so far, in the order of arrival."""
        with self.aws.client("sqs") as sqs:
            while messages := sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
                for message in messages:
                    self.heard.append(json.loads(message["Body"]))
                    sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return self.heard

    def wait_for(self, detail_type: str) -> Json:
        """The first event of a kind, as soon as it is heard."""
        heard = until(
            f"{detail_type} is heard",
            self.listen,
            lambda heard: any(event["detail-type"] == detail_type for event in heard),
            120,
        )
        return next(event for event in heard if event["detail-type"] == detail_type)


def forget_the_pace(aws: EmbeddedAws) -> None:
    """Forget what SES has said, as if a minute had gone by; a worker may know it for two seconds more."""
    with aws.client("dynamodb") as dynamodb:
        (table,) = [name for name in dynamodb.list_tables()["TableNames"] if "Paces" in name]
        dynamodb.delete_item(TableName=table, Key={"account": {"S": "ses"}, "flow": {"S": "-"}})
    time.sleep(3)


def is_dead_letter_queue(queue: Queue) -> bool:
    """By the name that the template gives it."""
    return "DeadLetter" in queue.name


COPY_RESTS_SECONDS: Final = 720.0
"""How long a copy of a chunk rests at most that came while the chunk was being handed over."""


@dataclass(frozen=True, slots=True)
class Calm:
    """When everything that was set going in the stack has come to its end."""

    twin: Twin
    aws: EmbeddedAws

    def wait(self, seconds: float = 60.0) -> None:
        """Until the providers have nothing more to say and every queue is empty.

        Whoever resumes or cancels puts chunks on a queue that may be there already. A copy that comes while a sender
        hands its chunk over is left alone, for the case that this sender dies, and rests for its queue's visibility
        timeout: 12 minutes for texts, the longest. That is rare, and it is no fault.
        """
        until("nothing is under way", self._under_way, lambda found: not found, 2 * seconds + COPY_RESTS_SECONDS)

    def _under_way(self) -> Sequence[Queue | str]:
        """What is at the providers or on a queue.

        A message goes from a queue to its provider and from there onto another queue, so one look at each may miss it:
        when nothing is found, everything is looked at once more.
        """
        for _ in range(2):
            callbacks = self.twin.pending()["callbacks"]
            found = [f"{callbacks} callbacks"] if callbacks else self._filled()
            if found:
                return found
        return ()

    def _filled(self) -> list[Queue]:
        queues = [queue for queue in self.aws.queues() if queue.name.startswith(f"{STACK_NAME}-")]
        assert queues
        return [queue for queue in queues if queue.messages and not is_dead_letter_queue(queue)]

    def settled(self, api: ReboundApi, campaign_id: str, seconds: float = 90.0) -> "Settled":
        """The campaign once nothing changes any more; its counts are then those of its messages, which is checked."""

        def ended(campaign: Json) -> bool:
            assert campaign["status"] not in {"failed", "cancelled"}, campaign
            return bool(campaign["status"] == "completed")

        until("the campaign is completed", lambda: api.campaign(campaign_id), ended, seconds)
        self.wait(seconds)
        # Counters and copies of flags come over a stream, which nobody outside can see the end of.
        return until(
            "the campaign's counts are those of its messages",
            lambda: Settled.read(api, campaign_id),
            lambda seen: seen.adds_up,
            seconds,
        )


@dataclass(frozen=True, slots=True)
class Settled:
    """A campaign at rest with its messages by customer."""

    campaign: Json
    messages: Mapping[str, Json]

    @classmethod
    def read(cls, api: ReboundApi, campaign_id: str) -> "Settled":
        """As it is now."""
        listed = api.listing(f"/v1/campaigns/{campaign_id}/messages")
        messages = {message["customer_id"]: message for message in listed}
        assert len(messages) == len(listed), "a customer has two messages of one campaign"
        return cls(api.campaign(campaign_id), messages)

    @property
    def results(self) -> dict[str, int]:
        """The campaign's results without the zeros."""
        return {status: count for status, count in self.campaign["results"].items() if count}

    @property
    def audience(self) -> Json:
        """Who was meant and who was left out."""
        found: Json = self.campaign["audience"]
        return found

    @property
    def by_status(self) -> dict[str, int]:
        """The messages counted; those left out right before the send are no part of the results."""
        return dict(Counter(m["status"] for m in self.messages.values() if m["status"] != "excluded"))

    @property
    def adds_up(self) -> bool:
        """Whether every number of the campaign is borne out by its messages, with nobody left to be sent to."""
        left_out = sum(self.audience["excluded"].values())
        return (
            self.results == self.by_status
            and sum(self.results.values()) == self.audience["targeted"]
            and self.audience["targeted"] + left_out == self.audience["matched"]
            and "queued" not in self.results
        )


@dataclass(frozen=True, slots=True)
class Operator:
    """The operator's command ``rebound`` on this stack."""

    aws: EmbeddedAws
    api_url: str

    def run(self, *arguments: str) -> Json:
        """One command that must succeed, in this process, because a test run needs many."""
        said = io.StringIO()
        before = {name: os.environ.get(name) for name in self.aws.environment}
        os.environ.update(self.aws.environment)
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()) as complaints:
                status = cli.main(["--stack", STACK_NAME, *arguments])
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
        assert status == 0, complaints.getvalue()
        answer: Json = json.loads(said.getvalue())
        return answer

    def run_apart(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """One command the way an operator gives it, whatever comes of it."""
        return subprocess.run(
            [sys.executable, "-m", "rebound.operations.cli", "--stack", STACK_NAME, *arguments],
            env={**os.environ, **self.aws.environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def over_http(self, *settings: str) -> ReboundApi:
        """The operator's part of the API, with a key made just now."""
        return ReboundApi(self.api_url, self.run("create-operator-key", *settings)["operator_key"], "")

    def new_business(self, name: str, *settings: str, country: str = "US") -> ReboundApi:
        """A business that can send emails, and texts over Twilio, at any hour, with a key that may do everything."""
        usual = ("--email-from", "hello@salon.example.com", "--text-from", "+15005550006", "--text-rate", "1000")
        business_id = self.run(
            "create-business",
            "--name",
            name,
            "--country",
            country,
            "--time-zone",
            "America/New_York",
            "--quiet-hours",
            "off",
            # The account of all these businesses has few senders.
            "--share-sender",
            *(() if settings else usual),
            *settings,
        )["business_id"]
        key = self.run("create-key", "--business-id", business_id)["api_key"]
        return ReboundApi(self.api_url, key, business_id)


@dataclass(frozen=True, slots=True)
class _FromTwilio:
    """A request of Twilio's; ``url`` is what is signed, and ``token`` what it is signed with."""

    url: str
    fields: Mapping[str, str]
    token: str = TWILIO_TOKEN

    @property
    def signature(self) -> str:
        """Twilio's: base64(HMAC-SHA1(auth token, URL + sorted names and values)). Worked out without the SDK's help."""
        signed = self.url + "".join(name + value for name, value in sorted(self.fields.items()))
        # SHA-1 is what Twilio uses.
        return base64.b64encode(hmac.new(self.token.encode(), signed.encode(), hashlib.sha1).digest()).decode()

    def deliver(
        self,
        *,
        url: str | None = None,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Post it as it is, or with something else in place of what was signed."""
        return exchange(
            "POST",
            url or self.url,
            urlencode(self.fields if fields is None else fields).encode(),
            {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
            | ({"X-Twilio-Signature": self.signature} if headers is None else dict(headers)),
        )


class TwilioText(_FromTwilio):
    """A text from a phone, as Twilio hands it on."""

    @classmethod
    def to(cls, api: ReboundApi, number: str, to: str, body: str) -> "TwilioText":
        """One that was never sent before."""
        fields = {
            "AccountSid": TwinSettings().twilio_account_sid,
            "Body": body,
            "From": number,
            "FromZip": "",
            "MessageSid": f"SM{uuid.uuid4().hex}",
            "To": to,
        }
        return cls(f"{api.url}/v1/webhooks/twilio/inbound", fields)


class TwilioCallback(_FromTwilio):
    """One status callback."""

    @classmethod
    def about(cls, api: ReboundApi, send: Send, status: str, error_code: int | None = None) -> "TwilioCallback":
        """The callback that Twilio would send about a text it accepted (provider-facts: callback form)."""
        fields = {
            "AccountSid": TwinSettings().twilio_account_sid,
            "ApiVersion": "2010-04-01",
            "From": "+15005550006",
            "To": send.to,
            "MessageSid": send.id,
            "SmsSid": send.id,
            "MessageStatus": status,
            "SmsStatus": status,
        }
        if error_code is not None:
            fields["ErrorCode"] = str(error_code)
        return cls(f"{api.url}/v1/webhooks/twilio/status?{urlencode(send.tags)}", fields)
