"""What the twin needs from the embedded AWS: where SES events go, topics to publish to, log groups to write to."""

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


@dataclass(frozen=True, slots=True)
class EventDestination:
    """An SNS topic that wants some of a configuration set's events (``BOUNCE``, ``RENDERING_FAILURE``, …)."""

    topic_arn: str
    event_types: frozenset[str]


@dataclass(frozen=True, slots=True)
class ConfigurationSet:
    """What the twin respects of a configuration set.

    ``suppressed_reasons`` is None where the set leaves suppression to the account.
    """

    destinations: tuple[EventDestination, ...] = ()
    suppressed_reasons: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line for CloudWatch Logs, stamped in epoch milliseconds."""

    timestamp_ms: int
    message: str


# What calls of ``Aws`` raise when the embedded AWS is away or refuses.
AWS_FAILURES = (BotoCoreError, ClientError)


class Aws(Protocol):
    """The AWS side of the twin's callbacks; every call may raise AWS_FAILURES."""

    def configuration_set(self, name: str) -> ConfigurationSet | None:
        """Where the events of a configuration set go; ``None`` when there is no such set."""

    def publish(self, topic_arn: str, subject: str, messages: Sequence[str]) -> list[bool]:
        """Publish; for each message whether it was taken."""

    def put_log_lines(self, group: str, lines: Sequence[LogLine]) -> None:
        """Write log lines to a group, which is made if it is not there."""


class EmbeddedAws:
    """The embedded AWS at one endpoint.

    The endpoint is given explicitly, because AWS_ENDPOINT_URL_SESV2 and _SNS may point at the twin itself.
    """

    def __init__(self, endpoint_url: str, region: str, access_key: str, secret_key: str) -> None:
        config = Config(connect_timeout=2, read_timeout=20, retries={"total_max_attempts": 1}, max_pool_connections=8)

        def client(service: Any) -> Any:
            return boto3.client(
                service,
                endpoint_url=endpoint_url,
                region_name=region,
                aws_access_key_id=access_key,
                aws_secret_access_key=secret_key,
                config=config,
            )

        self._ses: Any = client("sesv2")
        self._sns: Any = client("sns")
        self._logs: Any = client("logs")
        # One stream for each run of the twin; the real names are random too.
        self._stream = str(uuid.uuid4())
        self._streams: set[str] = set()

    def configuration_set(self, name: str) -> ConfigurationSet | None:
        """The configuration set as the stack made it, or None where there is none."""
        try:
            definition = self._ses.get_configuration_set(ConfigurationSetName=name)
            listed = self._ses.get_configuration_set_event_destinations(ConfigurationSetName=name)
        except self._ses.exceptions.NotFoundException:
            return None
        suppression = definition.get("SuppressionOptions")
        return ConfigurationSet(
            tuple(
                EventDestination(
                    destination["SnsDestination"]["TopicArn"], frozenset(destination["MatchingEventTypes"])
                )
                for destination in listed.get("EventDestinations", [])
                if destination.get("Enabled") and destination.get("SnsDestination", {}).get("TopicArn")
            ),
            None if suppression is None else frozenset(suppression.get("SuppressedReasons", [])),
        )

    def publish(self, topic_arn: str, subject: str, messages: Sequence[str]) -> list[bool]:
        """Publish up to ten messages; says for each whether the topic took it."""
        answer = self._sns.publish_batch(
            TopicArn=topic_arn,
            PublishBatchRequestEntries=[
                {"Id": str(number), "Message": message, "Subject": subject} for number, message in enumerate(messages)
            ],
        )
        taken = {entry["Id"] for entry in answer.get("Successful", [])}
        return [str(number) in taken for number in range(len(messages))]

    def put_log_lines(self, group: str, lines: Sequence[LogLine]) -> None:
        """Write lines in the order of their time; makes the group and the stream where they are missing."""
        if group not in self._streams:
            self._make_stream(group)
        events = [
            {"timestamp": line.timestamp_ms, "message": line.message}
            for line in sorted(lines, key=lambda line: line.timestamp_ms)
        ]
        try:
            self._logs.put_log_events(logGroupName=group, logStreamName=self._stream, logEvents=events)
        except self._logs.exceptions.ResourceNotFoundException:
            # The stack was deployed anew since; the retry makes the stream again.
            self._streams.discard(group)
            raise

    def _make_stream(self, group: str) -> None:
        self._make(self._logs.create_log_group, logGroupName=group)
        self._make(self._logs.create_log_stream, logGroupName=group, logStreamName=self._stream)
        self._streams.add(group)

    @staticmethod
    def _make(create: Callable[..., Any], **names: str) -> None:
        try:
            create(**names)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise


class ConfigurationSets:
    """Configuration sets, remembered for a while.

    ``fallback_topic_arn`` takes every event but Send where the embedded AWS knows no such set.
    """

    # Shorter than the retries of a publish, which then finds the topic of a stack that was deployed anew.
    _REMEMBERED_SECONDS = 5.0
    # A stack that is being deployed while the first message goes out should not lose its events for long.
    _ABSENT_SECONDS = 1.0
    _FALLBACK_TYPES = frozenset({"DELIVERY", "BOUNCE", "COMPLAINT", "RENDERING_FAILURE"})

    def __init__(
        self, aws: Aws, fallback_topic_arn: str | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._aws = aws
        self._now = now
        self._fallback = ConfigurationSet(
            (EventDestination(fallback_topic_arn, self._FALLBACK_TYPES),) if fallback_topic_arn else ()
        )
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, ConfigurationSet]] = {}

    def get(self, name: str | None) -> ConfigurationSet:
        """The set of that name; without a name, or where it is unknown, the fallback."""
        if not name:
            return self._fallback
        with self._lock:
            until, known = self._known.get(name, (-1.0, self._fallback))
            if self._now() < until:
                return known
            found = self._aws.configuration_set(name)
            until = self._now() + (self._ABSENT_SECONDS if found is None else self._REMEMBERED_SECONDS)
            self._known[name] = until, found or self._fallback
            return found or self._fallback
