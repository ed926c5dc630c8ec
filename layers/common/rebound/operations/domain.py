"""What operators see of the stack: messages that were given up, alarms, what it costs, senders."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class DeadLetter(Struct, frozen=True):
    """A queue message that was given up.

    ``about`` holds, by name, the ids of what the message is about, and nothing else of its body: the body of a receipt
    is a provider's and carries addresses. ``note`` is the queue's own word on why the message was given up.
    """

    message_id: str
    sent_at: datetime
    about: Sequence[Mapping[str, str]] = ()
    note: str | None = None


class Redriven(Struct, frozen=True):
    """How many messages went back to their queue, and whether the dead letters are empty now."""

    count: int
    done: bool


class AlarmState(StrEnum):
    """How an alarm stands, as CloudWatch calls it."""

    ALARM = "ALARM"
    UNKNOWN = "INSUFFICIENT_DATA"
    """Nothing was measured yet."""
    OK = "OK"


class Alarm(Struct, frozen=True):
    """An alarm of the stack, since when it is in its state, and what it is about (the runbook says what to do)."""

    name: str
    about: str
    state: AlarmState
    since: datetime


class CostPart(StrEnum):
    """What AWS takes money for."""

    DYNAMODB_WRITES = "dynamodb_writes"
    DYNAMODB_READS = "dynamodb_reads"
    LAMBDA_TIME = "lambda_time"
    LAMBDA_REQUESTS = "lambda_requests"
    SQS = "sqs"
    API_GATEWAY = "api_gateway"
    STEP_FUNCTIONS = "step_functions"
    SES = "ses"


class Usage(Struct, frozen=True):
    """What the stack has used within a time: ``costs`` in USD by part, and messages that were handed over.

    ``is_measured`` is false where nothing was measured at all: then nobody knows.
    """

    costs: Mapping[CostPart, float]
    emails: int
    texts: int
    is_measured: bool


class EmailAccount(Struct, frozen=True):
    """What SES allows the account: ``sent`` of ``limit`` (-1: any number) within 24 hours, so many a second."""

    may_send: bool
    in_sandbox: bool
    sent: int
    limit: int
    a_second: float
