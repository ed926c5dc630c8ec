"""AWS and Twilio in this process, at the place where botocore and requests would open a connection.

Everything above it is real: parameters, signatures, parsing. What it takes itself is measured, so that it can be taken
off; what it is asked is counted, and recorded when asked to.
"""

import json
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice
from time import process_time
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import boto3
import requests
from botocore import handlers
from botocore.awsrequest import AWSResponse

from rebound.operations.adapters.cloudwatch import ESTIMATED
from rebound.platform.adapters.aws import session
from tests.benchmarks.tables import MISSING, RefusedError, Table, Tables
from tests.fakes.aws import ENVIRONMENT, SETTING_OF, table_definitions

BLOCK: Final = 64 * 1024
"""SQS charges a request for each so many bytes."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a client, and what it was answered."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    status: int
    answer: bytes


@dataclass(slots=True)
class Queued:
    """A message on a queue, and when it may be received."""

    body: str
    visible_at: float
    number: int
    receives: int = 0


@dataclass(slots=True)
class Sent:
    """A message that a provider took."""

    provider_id: str
    to: str
    tags: Mapping[str, str]
    """What comes back with its receipts."""
    content: str = ""


@dataclass
class Cloud:
    """The services, what they hold, and what they have been asked."""

    tables: Tables = field(default_factory=Tables)
    queues: dict[str, deque[Queued]] = field(default_factory=dict)
    sent: deque[Sent] = field(default_factory=deque)
    objects: dict[str, bytes] = field(default_factory=dict)
    """Of S3, by path."""
    alarms: Sequence[Mapping[str, Any]] = ()
    """As CloudWatch describes them."""
    executions: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    """Those that wait to begin: the state machine by its name in the template, and the input."""
    calls: Counter[str] = field(default_factory=Counter)
    """By ``service:Operation``."""
    charged: Counter[str] = field(default_factory=Counter)
    """Requests or events that are charged by their size or number, by service."""
    missing: set[str] = field(default_factory=set)
    """What was asked for and is not known here: the product takes that for a failure of AWS's, and tries again."""
    own_cpu: float = 0.0
    """CPU seconds that were spent in here and not in what is measured."""
    now: float = 0.0
    """Seconds on the clock of the run."""
    sending_rate: float = 500.0
    recorded: list[Call] | None = None
    replayed: deque[Call] | None = None
    _parameters: Mapping[str, Any] = field(default_factory=dict)
    _number: int = 0

    # --- botocore -----------------------------------------------------------------------------------------------------

    def remember_parameters(self, params: Mapping[str, Any], **_: Any) -> None:
        """What a client was called with; told by botocore before it builds the request."""
        self._parameters = params

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        """The answer to a request that is ready to be sent."""
        start = process_time()
        if self.replayed is not None:
            call = self.replayed.popleft()
            status, body, latency_of = call.status, call.answer, call.service
        else:
            latency_of, operation, status, body = self._serve(request)
            if self.recorded is not None:
                self.recorded.append(Call(latency_of, operation, self._parameters, status, body))
        kind = "text/xml" if latency_of == "sns" else "application/x-amz-json-1.0"
        headers: Any = {"content-type": kind, "x-amzn-requestid": "0"}
        if latency_of == "s3":
            headers |= {"content-length": str(len(body)), "etag": '"1"'}
        response = AWSResponse(request.url, status, headers, _Raw(body))
        self.own_cpu += process_time() - start
        return response

    def _serve(self, request: Any) -> tuple[str, str, int, bytes]:
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body.read() if hasattr(body, "read") else bytes(body)
        target = request.headers.get("X-Amz-Target")
        if isinstance(target, bytes):
            target = target.decode()
        if target is not None:
            prefix, operation = target.split(".")
            service = _SERVICES[prefix.partition("_")[0]]
            question = json.loads(body)
        elif "s3" in urlsplit(request.url).netloc.split("."):
            service, operation = "s3", f"{request.method} object"
            question = {"path": urlsplit(request.url).path, "body": body}
        elif "/v2/email/" in request.url:
            service, operation = "sesv2", f"{request.method} {urlsplit(request.url).path}"
            question = json.loads(body) if body else {}
        else:
            question = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            service, operation = "sns", question.get("Action", "")
        operation = _SES_OPERATIONS.get(operation, operation)
        self.calls[f"{service}:{operation}"] += 1
        try:
            return service, operation, 200, self._of_service(service, operation, question, len(body))
        except RefusedError as error:
            if error.name == MISSING:
                self.missing.add(f"{service}:{operation}")
            refusal = {"__type": f"com.amazonaws#{error.name}", "message": str(error), **error.more}
            return service, operation, 400, json.dumps(refusal).encode()

    def _of_service(self, service: str, operation: str, question: Mapping[str, Any], size: int) -> bytes:
        match service, operation:
            case "dynamodb", _:
                return self.tables.operate(operation, question)
            case "sqs", _:
                self.charged["sqs"] += max(1, -(-size // BLOCK))
                return json.dumps(self._queue(operation, question)).encode()
            case "sesv2", "SendBulkEmail":
                return json.dumps({"BulkEmailEntryResults": [*map(self._take, question["BulkEmailEntries"])]}).encode()
            case "sesv2", "GetAccount":
                quota = {"Max24HourSend": -1.0, "MaxSendRate": self.sending_rate, "SentLast24Hours": 0.0}
                return json.dumps({"SendingEnabled": True, "SendQuota": quota, "EnforcementStatus": "HEALTHY"}).encode()
            case "sesv2", "ListEmailIdentities":
                verified = {"IdentityType": "DOMAIN", "SendingEnabled": True, "VerificationStatus": "SUCCESS"}
                return json.dumps({"EmailIdentities": [{"IdentityName": "example.com", **verified}]}).encode()
            case "cloudwatch", "DescribeAlarms":
                return json.dumps({"MetricAlarms": self.alarms}).encode()
            case "cloudwatch", "GetMetricData":
                return json.dumps(
                    {"MetricDataResults": [{"Id": name, "Values": [0.1] * 30} for name in _MEASURED]}
                ).encode()
            case "s3", "PUT object":
                self.objects[question["path"]] = question["body"]
                return b""
            case "s3", "GET object":
                return self.objects[question["path"]]
            case "sns", "Publish":
                provider_id = self._next_id()
                self.sent.append(Sent(provider_id, question["PhoneNumber"], {}, question["Message"]))
                return _PUBLISHED % provider_id.encode()
            case "stepfunctions", "StartExecution":
                self.executions.append((question["stateMachineArn"], json.loads(question["input"])))
                return json.dumps({"executionArn": "arn:of:execution", "startDate": 0}).encode()
            case "events", "PutEvents":
                self.charged["events"] += len(question["Entries"])
                entries = [{"EventId": "0"} for _ in question["Entries"]]
                return json.dumps({"FailedEntryCount": 0, "Entries": entries}).encode()
            case "secretsmanager", "GetSecretValue":
                secret = {"account_sid": "AC" + "0" * 32, "auth_token": TWILIO_TOKEN}
                if question["SecretId"] == "LinkSecret":
                    secret = {"current": "1", "1": "key-of-the-benchmark"}
                return json.dumps({"SecretString": json.dumps(secret)}).encode()
            case _:
                raise RefusedError(MISSING, f"{service} {operation} is not known here")

    def _queue(self, operation: str, question: Mapping[str, Any]) -> Mapping[str, Any]:
        match operation:
            case "SendMessage":
                return self.put(question["QueueUrl"], question["MessageBody"], question.get("DelaySeconds", 0))
            case "SendMessageBatch":
                url, entries = question["QueueUrl"], question["Entries"]
                taken = [
                    {**self.put(url, entry["MessageBody"], entry.get("DelaySeconds", 0)), "Id": entry["Id"]}
                    for entry in entries
                ]
                return {"Successful": taken, "Failed": []}
            case "ChangeMessageVisibility":
                return {}
            case "ReceiveMessage":
                there = islice(self.queues.get(question["QueueUrl"], ()), question.get("MaxNumberOfMessages", 1))
                return {"Messages": [_received(message) for message in there]}
            case "ChangeMessageVisibilityBatch":
                return {"Successful": [{"Id": entry["Id"]} for entry in question["Entries"]], "Failed": []}
            case "GetQueueAttributes":
                waiting = self.queues.get(question["QueueUrl"], ())
                delayed = sum(message.visible_at > self.now for message in waiting)
                counts = {"": len(waiting) - delayed, "Delayed": delayed}
                return {"Attributes": {f"ApproximateNumberOfMessages{kind}": str(n) for kind, n in counts.items()}}
            case _:
                raise RefusedError(MISSING, f"sqs {operation} is not known here")

    def put(self, url: str, body: str, delay: float = 0) -> Mapping[str, str]:
        """A message on a queue."""
        self._number += 1
        self.queues.setdefault(url, deque()).append(Queued(body, self.now + delay, self._number))
        return {"MessageId": f"message-{self._number}", "MD5OfMessageBody": "0"}

    def _take(self, entry: Mapping[str, Any]) -> Mapping[str, str]:
        provider_id = self._next_id()
        tags = {tag["Name"]: tag["Value"] for tag in entry["ReplacementTags"]}
        self.sent.append(Sent(provider_id, entry["Destination"]["ToAddresses"][0], tags))
        return {"Status": "SUCCESS", "MessageId": provider_id}

    def _next_id(self) -> str:
        self._number += 1
        return f"0100019ab3f5c138-7c191be4-5e9a-4edb-9a02-{self._number:012d}-000000"

    # --- Twilio -------------------------------------------------------------------------------------------------------

    def answer_twilio(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        """Twilio's answer to a text."""
        start = process_time()
        if self.replayed is not None:
            body = self.replayed.popleft().answer
        else:
            form = {name: values[0] for name, values in parse_qs(str(request.body)).items()}
            self._number += 1
            sid = f"SM{self._number:032x}"
            self.calls["twilio:CreateMessage"] += 1
            self.sent.append(Sent(sid, form["To"], {"callback": form["StatusCallback"]}))
            body = json.dumps(
                {**_TEXT, "sid": sid, "to": form["To"], "from": form["From"], "body": form["Body"]}
            ).encode()
            if self.recorded is not None:
                asked = {"url": request.url, "data": form}
                self.recorded.append(Call("twilio", "CreateMessage", asked, 201, body))
        response = requests.Response()
        response.status_code, response.url, response.request = 201, str(request.url), request
        response.raw = BytesIO(body)
        self.own_cpu += process_time() - start
        return response


def _received(message: Queued) -> Mapping[str, Any]:
    """A message as it is received, one that was tried before."""
    attributes = {"ApproximateReceiveCount": "4", "SentTimestamp": "1700000000000"}
    number = str(message.number)
    body = {"Body": message.body, "MD5OfBody": "0", "Attributes": attributes}
    return {"MessageId": f"message-{number}", "ReceiptHandle": number, **body}


class _Raw(BytesIO):
    """A body, as botocore reads one from a connection."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.getvalue()


TWILIO_TOKEN: Final = "fake-auth-token-for-benchmarks"  # noqa: S105 - opens nothing
_SERVICES: Final = {
    "DynamoDB": "dynamodb",
    "AmazonSQS": "sqs",
    "AWSStepFunctions": "stepfunctions",
    "AWSEvents": "events",
    "secretsmanager": "secretsmanager",
    "GraniteServiceVersion20100801": "cloudwatch",
}
_MEASURED: Final = (*ESTIMATED, "emails", "texts")
"""What a month's costs are estimated from."""
_SES_OPERATIONS: Final = {
    "POST /v2/email/list-identities": "ListEmailIdentities",
    "POST /v2/email/outbound-bulk-emails": "SendBulkEmail",
    "GET /v2/email/account": "GetAccount",
}
_PUBLISHED: Final = (
    b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>%b</MessageId>'
    b"</PublishResult><ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></PublishResponse>"
)
_TEXT: Final[Mapping[str, Any]] = {
    "account_sid": "AC" + "0" * 32,
    "api_version": "2010-04-01",
    "date_created": "Fri, 20 Nov 2026 10:00:00 +0000",
    "date_sent": None,
    "date_updated": "Fri, 20 Nov 2026 10:00:00 +0000",
    "direction": "outbound-api",
    "error_code": None,
    "error_message": None,
    "messaging_service_sid": None,
    "num_media": "0",
    "num_segments": "1",
    "price": None,
    "price_unit": None,
    "status": "queued",
    "subresource_uris": {},
    "uri": "/2010-04-01/Accounts/AC/Messages/SM.json",
}


@contextmanager
def cloud() -> Iterator[Cloud]:
    """A cloud with the template's tables, empty, behind every client that is made in here."""
    made = Cloud()
    for logical, properties in table_definitions().items():
        keys = [key["AttributeName"] for key in properties["KeySchema"]]
        made.tables.by_name[logical] = Table(logical, keys, streams="StreamSpecification" in properties)
        made.tables.indexes[logical] = {
            index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
            for index in properties.get("GlobalSecondaryIndexes", ())
        }
    hooks: list[Any] = [("provide-client-params", made.remember_parameters), ("before-send", made.answer)]
    # What is kept for the life of a process has the hooks of the cloud before this one.
    session.cache_clear()
    with (
        patch.dict("os.environ", ENVIRONMENT),
        patch.object(boto3, "DEFAULT_SESSION", None),
        patch.object(handlers, "BUILTIN_HANDLERS", [*handlers.BUILTIN_HANDLERS, *hooks]),
        patch.object(requests.adapters.HTTPAdapter, "send", made.answer_twilio),
    ):
        yield made
    session.cache_clear()


def table_settings() -> dict[str, str]:
    """The settings that name the tables."""
    return {setting: logical for logical, setting in SETTING_OF.items()}
