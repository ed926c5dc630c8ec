"""The deployed functions in this process, and whole campaigns run through them on a clock of their own.

What is run is the product: each function's own handler, the template's environment, queues and batch sizes, and the
state machine's definition. What is not there is AWS, whose answers come from ``cloud``, and time, which goes forward
by a second at a time.
"""

import base64
import gzip
import importlib.util
import io
import json
import math
import zlib
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import batched
from pathlib import Path
from time import process_time
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

from samtranslator.yaml_helper import yaml_parse

from rebound.businesses.domain.frequency import FrequencyCap
from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer
from rebound.kernel.api_scopes import ALL_SCOPES
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import Provider
from rebound.platform.wiring import AwsPorts
from tests.benchmarks.cloud import TWILIO_TOKEN, Cloud, Queued, Sent, cloud
from tests.benchmarks.machine import Execution, Spent
from tests.benchmarks.prices import LATENCY
from tests.benchmarks.tables import StreamRecord
from tests.fakes import house
from tests.fakes.aws import REPOSITORY
from tests.fakes.making import id_of

START: Final = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
API_ID: Final = "a1b2c3d4e5"
WEEKLY: Final = FrequencyCap("Weekly", (Category.MARKETING,), at_most=2, within_days=7)
"""What a business that caps allows itself."""
BOUNCES_ONE_IN: Final = 33
"""About 3 %: what a list of a business that mails now and then looks like."""
SHARDS: Final = 4
"""Of a table's stream: a table on demand begins with about so many partitions."""
PLATFORM_LOG_BYTES: Final = 500
"""Lambda's own START, END and REPORT lines of one invocation, with the 26 bytes that CloudWatch adds to each."""
RECEIVED_AT_ONCE: Final = 10
"""The most messages of a ReceiveMessage or DeleteMessageBatch; Lambda's pollers get as many when there are as many."""
BLOCK: Final = 64 * 1024
COLUMN: Final = 76
HTML: Final = (
    "<!doctype html><html><body><h1>Hello ##{{first_name}}</h1>"
    + "<p>Autumn is here, and with it our favourite colours.</p>" * 80
    + "<p>See you soon, ##{{business_name}}</p></body></html>"
)
"""About 5 KB."""
EMAIL: Final = {"subject": "Hello ##{{first_name}}", "html": HTML, "text": "Hello ##{{first_name}}, autumn is here."}
LAYOUT: Final = {
    "subject": "Hello ##{{first_name}}",
    "blocks": [
        {"kind": "image", "source": "https://studio.example.com/autumn.jpg", "alt": "Leaves", "width": 600},
        {"kind": "heading", "text": "Hello ##{{first_name}}"},
        {"kind": "text", "text": "Autumn is here.\n\nTwo classes are new."},
        {
            "kind": "columns",
            "columns": [
                {
                    "blocks": [
                        {"kind": "heading", "level": 2, "text": "Yoga"},
                        {"kind": "text", "text": "Mondays at six"},
                    ]
                },
                {"blocks": [{"kind": "heading", "level": 2, "text": "Boxing"}, {"kind": "text", "text": "Fridays"}]},
            ],
        },
        {"kind": "button", "text": "Book a class", "link": "https://studio.example.com/book"},
    ],
}
"""An email as clients write them with blocks."""
TEMPLATE: Final = {
    "name": "Autumn",
    "channel": "email",
    "category": "marketing",
    "variables": {"price": {"type": "money", "required": True}},
    "contents": {"en": {"layout": LAYOUT}, "es": {**EMAIL, "text": "Hola ##{{first_name}}, ##{{price}}."}},
}
"""A template in two languages, with a variable that is written for each recipient."""
VARIANTS: Final = [{"name": name, "share": 50, "content": {**EMAIL, "subject": name}} for name in ("Autumn", "Leaves")]
"""The email with two subjects."""
TEXT: Final = {"body": "Hello ##{{first_name}}, autumn is here. Book until Sunday. Reply STOP to end."}


@cache
def resources() -> Mapping[str, Mapping[str, Any]]:
    """The template's resources."""
    found: Mapping[str, Mapping[str, Any]] = _template()["Resources"]
    return found


@cache
def _template() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml_parse((REPOSITORY / "template.yaml").read_text(encoding="utf-8"))
    return found


@cache
def functions() -> Mapping[str, Mapping[str, Any]]:
    """The properties of each function, by the name of its folder."""
    return {
        resource["Properties"]["CodeUri"].strip("/").rpartition("/")[2]: resource["Properties"]
        for resource in resources().values()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def megabytes(function: str) -> int:
    """The memory size of a function."""
    default = _template()["Globals"]["Function"]["MemorySize"]
    return int(functions()[function].get("MemorySize", default))


def machine_of(logical: str) -> str:
    """The name of a state machine's definition."""
    return Path(resources()[logical]["Properties"]["DefinitionUri"]).name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class QueueSource:
    """Which function takes a queue's messages, and how many at once."""

    function: str
    batch: int
    window: int


@cache
def queue_sources() -> Mapping[str, QueueSource]:
    """By the queue's URL."""
    found = {}
    for function, properties in functions().items():
        for event in properties.get("Events", {}).values():
            if event["Type"] == "SQS":
                source = event["Properties"]
                queue = source["Queue"]["Fn::GetAtt"]
                logical = queue[0] if isinstance(queue, list) else queue.partition(".")[0]
                window = source.get("MaximumBatchingWindowInSeconds", 0)
                found[queue_url(logical)] = QueueSource(function, source.get("BatchSize", 10), window)
    return found


def queue_url(logical: str) -> str:
    return f"https://sqs.us-east-1.amazonaws.com/123456789012/{logical}"


def environment() -> dict[str, str]:
    """What all functions together find in their environment, by the template."""
    found: dict[str, str] = {}
    for properties in functions().values():
        for name, value in properties.get("Environment", {}).get("Variables", {}).items():
            found[name] = _resolved(value)
    more = {
        name: _resolved(value) for name, value in _template()["Globals"]["Function"]["Environment"]["Variables"].items()
    }
    return {
        **found,
        **more,
        "TWILIO_SECRET_ARN": "secret",
        "PUBLIC_URL": "https://rebound.example.com",
        "API_ID": API_ID,
        "SENDER_IDENTITIES": "example.com",
    }


def _resolved(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    ((kind, what),) = value.items()
    if kind == "Fn::Sub":
        return str(what[0] if isinstance(what, list) else what)
    if kind != "Ref":
        return f"arn:aws:{kind}"
    if what in _template()["Parameters"]:
        return str(_template()["Parameters"][what].get("Default", ""))
    return queue_url(what) if resources().get(what, {}).get("Type") == "AWS::SQS::Queue" else str(what)


@dataclass(slots=True)
class Invocations:
    """What one function has taken."""

    number: int = 0
    cpu: float = 0.0
    """Seconds, without what the cloud in this process took."""
    waiting: float = 0.0
    """Seconds for AWS's answers, one after the other, at the assumed latencies."""
    log_bytes: int = 0


@dataclass(slots=True)
class Usage:
    """Everything that a run is charged for."""

    recipients: int
    writes: Mapping[str, int]
    reads: Mapping[str, float]
    calls: Mapping[str, int]
    sqs_requests: int
    invocations: Mapping[str, Invocations]
    transitions: int
    longest_history: int
    api_requests: int
    provider_events: int
    """Published by SES to SNS."""
    bus_events: int
    log_bytes: int
    seconds: float
    """How long the run took on its own clock."""
    results: Mapping[str, int]


class VirtualClock:
    """Implements ``Clock``: the time of the run."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def now(self) -> datetime:
        return START + timedelta(seconds=self._cloud.now)


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda hands to a function beside the event."""

    function_name: str
    aws_request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:under-test"

    def get_remaining_time_in_millis(self) -> int:
        return 600_000


@dataclass
class Deployment:
    """All functions over one cloud."""

    cloud: Cloud
    invoked: defaultdict[str, Invocations] = field(default_factory=lambda: defaultdict(Invocations))
    spent: Spent = field(default_factory=Spent)
    api_requests: int = 0
    provider_events: int = 0
    log_bytes: int = 0
    """Of what is no function's."""
    business_id: str = ""
    token: str = ""
    authorized: tuple[Counter[str], float] = field(default_factory=lambda: (Counter(), 0.0))
    """The calls and the read units until the last request was let through to the API."""
    bounces_one_in: int | None = BOUNCES_ONE_IN
    """``None`` where everything arrives."""
    watch: Callable[[str, Any], None] | None = None
    """Told of each invocation before it begins."""
    _handlers: dict[str, Callable[[Any, Any], Any]] = field(default_factory=dict)

    # --- functions ----------------------------------------------------------------------------------------------------

    def handler(self, function: str) -> Callable[[Any, Any], Any]:
        """A function's handler, loaded from its own file."""
        if function not in self._handlers:
            path = REPOSITORY / "functions" / function / "handler.py"
            spec = importlib.util.spec_from_file_location(f"handler_of_{function}", path)
            if spec is None or spec.loader is None:
                raise FileNotFoundError(path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            self._handlers[function] = module.lambda_handler
        return self._handlers[function]

    def invoke(self, function: str, event: Any) -> Any:
        """One invocation, measured."""
        handler, taken = self.handler(function), self.invoked[function]
        if self.watch is not None:
            self.watch(function, event)
        calls, logs = self.cloud.calls.copy(), io.StringIO()
        own, start = self.cloud.own_cpu, process_time()
        with redirect_stdout(logs):
            answer = handler(event, Context(function))
        taken.cpu += process_time() - start - (self.cloud.own_cpu - own)
        taken.number += 1
        taken.waiting += sum(
            number * LATENCY.of(name.partition(":")[0]) for name, number in (self.cloud.calls - calls).items()
        )
        taken.log_bytes += len(logs.getvalue()) + PLATFORM_LOG_BYTES
        return answer

    # --- the API ------------------------------------------------------------------------------------------------------

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """One request of a client: the authorizer first, then the API; ``path`` may have a query."""
        self.api_requests += 1
        event = json.loads((REPOSITORY / "events/api_gateway/authorize_request.json").read_text(encoding="utf-8"))
        event["headers"]["Authorization"] = f"Bearer {self.token}"
        known = self.invoke("authorize_request", event)
        self.authorized = self.cloud.calls.copy(), sum(self.cloud.tables.reads.values())
        event = json.loads((REPOSITORY / "events/api_gateway/post_campaign.json").read_text(encoding="utf-8"))
        address = urlsplit(path)
        query = dict(parse_qsl(address.query))
        event.update(path=address.path, httpMethod=method, body=None if body is None else json.dumps(body))
        event.update(
            queryStringParameters=query or None,
            multiValueQueryStringParameters={name: [value] for name, value in query.items()} or None,
        )
        # Two campaigns are two, although they are the same in every word.
        key = f"{self.api_requests} at {self.cloud.now}"
        event["headers"]["Idempotency-Key"] = key
        event["multiValueHeaders"]["Idempotency-Key"] = [key]
        event["requestContext"]["authorizer"] = known["context"]
        answer = self.invoke("serve_api", event)
        if answer["statusCode"] >= 400:
            raise RuntimeError(f"{method} {path}: {answer['statusCode']} {answer['body']}")
        document: Mapping[str, Any] = json.loads(answer["body"])
        return document

    def open_business(self, text_provider: str = "twilio", *, capped: bool = False) -> None:
        """A business with a key."""
        made = house.use_cases().tenant_service.create_business(
            {
                "name": "Salon Juniper",
                "country": "US",
                "time_zone": "America/New_York",
                "email_from": "hello@juniper.example.com",
                "text_from": "+14155550100",
                "text_provider": Provider(text_provider),
                "frequency_caps": (WEEKLY,) if capped else (),
                "quiet_hours": {"sms": None, "email": None},
            }
        )
        self.business_id = made.business_id
        self.token = house.use_cases().tenant_service.create_key(self.business_id, ALL_SCOPES, "").token

    def fill(self, customers: int, there: int = 0) -> None:
        """Customers with an email and a mobile number each, written as the product writes them; some may be there."""
        for numbers in batched(range(there, customers), 20, strict=False):
            made = [self._customer(number) for number in numbers]
            linked = [Contact(key, customer_ids=frozenset({c.customer_id})) for c in made for key in c.contact_keys]
            house.ports().customers.save(made, linked)
        self.cloud.tables.changes.clear()

    def _customer(self, number: int) -> Customer:
        return Customer(
            business_id=self.business_id,
            customer_id=id_of(number + 1),
            first_name=f"Alexandra{number % 97}",
            last_name="Silva-Costa",
            created_at=START,
            updated_at=START,
            external_id=f"customer-{number}",
            email=f"alexandra.silva.{number}@example.com",
            mobile_phone=f"+1415{number % 10_000_000:07d}",
            general_tags=("vip", "colour"),
        )

    # --- a campaign from its request to its last receipt --------------------------------------------------------------

    def forget_usage(self) -> None:
        """From here on everything counts anew."""
        self.cloud.tables.writes.clear()
        self.cloud.tables.reads.clear()
        self.cloud.calls.clear()
        self.cloud.charged.clear()
        self.invoked.clear()
        self.spent = Spent()
        self.api_requests = self.provider_events = self.log_bytes = 0

    def run(
        self,
        channel: Channel,
        recipients: int,
        said: Mapping[str, Any] | None = None,
        *,
        filter_: Mapping[str, Any] | None = None,
    ) -> Usage:
        """Post a campaign to everybody, or to whom a filter means, and let everything come to rest."""
        self.forget_usage()
        began = self.cloud.now
        said = said or {"content": EMAIL if channel is Channel.EMAIL else TEXT}
        audience = {"category": "marketing", "channel": channel, "filter": filter_ or {"all": []}}
        campaign = self.api("POST", "/v1/campaigns", {"name": "Autumn", **audience, **said})
        _Pump(self).to_rest()
        usage = self.usage(recipients, self.cloud.now - began)
        found = self.api("GET", f"/v1/campaigns/{campaign['campaign_id']}")
        usage.results = {status: count for status, count in found["results"].items() if count}
        audience = found["audience"]
        accounted = sum(usage.results.values()) == audience["targeted"] and audience["matched"] == recipients
        if found["status"] != "completed" or not accounted:
            raise RuntimeError(f"the campaign did not come to its end: {found['status']} {audience} {found['results']}")
        self.cloud.now += 1
        return usage

    def rest(self, things: int) -> Usage:
        """Let everything come to rest that follows from requests made since ``forget_usage``, about so many things."""
        began = self.cloud.now
        _Pump(self).to_rest()
        return self.usage(things, self.cloud.now - began)

    def carry_out(self, resource: str, given: Mapping[str, Any]) -> None:
        """Run one state machine to its end, with nothing beside it; its waits take no time."""
        for _ in Execution(machine_of(resource), dict(given), self.task, self.spent):
            pass

    def task(self, resource: str, given: Mapping[str, Any]) -> Any:
        """Run the function behind a resource of a state machine."""
        logical = resource.removeprefix("${").removesuffix("Arn}")
        return self.invoke(resources()[logical]["Properties"]["CodeUri"].strip("/").rpartition("/")[2], given)

    def usage(self, recipients: int, seconds: float = 0) -> Usage:
        """What was used since ``forget_usage``."""
        return Usage(
            recipients=recipients,
            writes=dict(self.cloud.tables.writes),
            reads=dict(self.cloud.tables.reads),
            calls=dict(self.cloud.calls),
            sqs_requests=self.cloud.charged["sqs"],
            invocations=dict(self.invoked),
            transitions=self.spent.transitions,
            longest_history=self.spent.longest_history,
            api_requests=self.api_requests,
            provider_events=self.provider_events,
            bus_events=self.cloud.charged["events"],
            log_bytes=self.log_bytes + sum(taken.log_bytes for taken in self.invoked.values()),
            seconds=seconds,
            results={},
        )


class _Pump:
    """Moves what is queued, streamed and waiting, second by second, until nothing is."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._cloud = deployment.cloud
        self._executions: list[tuple[float, Iterator[float]]] = []
        self._coming: deque[tuple[float, Sent]] = deque()
        self._allowed = 0.0
        self._sent = 0
        self._streams: defaultdict[tuple[str, str], deque[StreamRecord]] = defaultdict(deque)

    def to_rest(self) -> None:
        while self._tick():
            self._cloud.now += 1
            # What is taken for a failure of AWS's is tried again without an end.
            if self._cloud.missing:
                raise RuntimeError(f"not known to the benchmarks' cloud: {', '.join(sorted(self._cloud.missing))}")

    def _tick(self) -> bool:
        self._start_executions()
        self._allowed += self._cloud.sending_rate
        senders = [url for url, source in queue_sources().items() if source.function.startswith("send_")]
        for url in senders:
            self._send(url)
        # What could not be used up now is not saved for later.
        self._allowed = min(self._allowed, self._sent)
        self._tell()
        for url, source in queue_sources().items():
            if url not in senders:
                for batch in batched(self._visible(url), source.batch, strict=False):
                    self._deliver(url, source.function, batch)
        self._read_streams()
        self._go_on()
        return bool(
            self._executions
            or self._coming
            or self._cloud.executions
            or any(self._cloud.queues.values())
            or any(self._streams.values())
        )

    # --- Step Functions -----------------------------------------------------------------------------------------------

    def _start_executions(self) -> None:
        while self._cloud.executions:
            logical, given = self._cloud.executions.pop(0)
            execution = Execution(machine_of(logical), dict(given), self._deployment.task, self._deployment.spent)
            self._executions.append((self._cloud.now, iter(execution)))

    def _go_on(self) -> None:
        waiting = []
        for due, execution in self._executions:
            if due > self._cloud.now:
                waiting.append((due, execution))
            elif (seconds := next(execution, None)) is not None:
                waiting.append((self._cloud.now + seconds, execution))
        self._executions = waiting

    # --- queues -------------------------------------------------------------------------------------------------------

    def _visible(self, url: str) -> list[Queued]:
        queue = self._cloud.queues.get(url, deque())
        ready = [message for message in queue if message.visible_at <= self._cloud.now]
        self._cloud.queues[url] = deque(message for message in queue if message.visible_at > self._cloud.now)
        return ready

    def _send(self, url: str) -> None:
        """As many chunks as the provider's rate lets through in this second."""
        source, ready = queue_sources()[url], deque(self._visible(url))
        while ready and self._sent < self._allowed:
            self._deliver(url, source.function, [ready.popleft() for _ in range(min(source.batch, len(ready)))])
            while self._cloud.sent:
                self._coming.append((self._cloud.now + 1, self._cloud.sent.popleft()))
                self._sent += 1
        self._cloud.queues[url].extendleft(reversed(ready))

    def _deliver(self, url: str, function: str, batch: Iterable[Queued]) -> None:
        messages = {f"message-{message.number}": message for message in batch}
        for taken in batched(messages.values(), RECEIVED_AT_ONCE, strict=False):
            # The receive by its size, and the delete.
            size = sum(len(message.body.encode()) for message in taken)
            self._cloud.charged["sqs"] += max(1, math.ceil(size / BLOCK)) + 1
        records = [_record(name, message) for name, message in messages.items()]
        answer = self._deployment.invoke(function, {"Records": records})
        for failure in answer["batchItemFailures"]:
            message = messages[failure["itemIdentifier"]]
            message.visible_at, message.receives = self._cloud.now + 2, message.receives + 1
            self._cloud.queues[url].append(message)

    # --- what providers tell ------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        lines = []
        while self._coming and self._coming[0][0] <= self._cloud.now:
            _, sent = self._coming.popleft()
            one_in = self._deployment.bounces_one_in
            bounced = one_in is not None and zlib.crc32(sent.to.encode()) % one_in == 0
            if "business_id" in sent.tags:
                self._deployment.provider_events += 1
                self._cloud.put(queue_url("ReceiptsQueue"), ses_event(sent, bounced=bounced, at=self._at()))
            elif "callback" in sent.tags:
                for status in ("sent", "undelivered" if bounced else "delivered"):
                    self._deployment.api_requests += 1
                    answer = self._deployment.invoke("receive_callback", twilio_callback(sent, status))
                    if answer["statusCode"] >= 300:
                        raise RuntimeError(f"a callback was answered {answer['statusCode']}")
            else:
                lines.append(sns_log_line(sent, failed=bounced, at=self._at()))
        if lines:
            self._deployment.log_bytes += sum(len(line) + 26 for line in lines)
            self._deployment.invoke("relay_text_logs", awslogs(lines))

    def _at(self) -> datetime:
        return START + timedelta(seconds=self._cloud.now)

    # --- streams ------------------------------------------------------------------------------------------------------

    def _read_streams(self) -> None:
        for change in self._cloud.tables.changes:
            image = json.loads(change.after or change.before or b"{}")
            shard = f"shardId-{zlib.crc32(next(iter(image.values()))['S'].encode()) % SHARDS}"
            for function, table, wanted in _stream_sources():
                if table == change.table and wanted(_kind_of(change), image):
                    self._streams[function, shard].append(change)
        self._cloud.tables.changes.clear()
        for (function, shard), records in self._streams.items():
            most, window = _stream_batch(function)
            if window > 1 and int(self._cloud.now) % window:
                continue
            while records:
                taken = [records.popleft() for _ in range(min(most, len(records)))]
                keys = self._cloud.tables.by_name[taken[0].table].keys
                event = {"Records": [_change(change, keys) for change in taken], "shardId": shard}
                if (self._deployment.invoke(function, event) or {}).get("batchItemFailures"):
                    raise RuntimeError(f"{function} could not follow a change")


@cache
def _stream_sources() -> list[tuple[str, str, Callable[[str, Mapping[str, Any]], bool]]]:
    """Function, table and filter of each mapping of a stream.

    By what a change is, by attributes that exist, and by the beginnings of keys.
    """
    found = []
    for function, properties in functions().items():
        for event in properties.get("Events", {}).values():
            if event["Type"] == "DynamoDB":
                stream = event["Properties"]["Stream"]["Fn::GetAtt"]
                logical = stream[0] if isinstance(stream, list) else stream.partition(".")[0]
                filters = event["Properties"].get("FilterCriteria", {}).get("Filters", [])
                found.append((function, logical, _having([json.loads(each["Pattern"]) for each in filters])))
    return found


def _having(patterns: list[dict[str, Any]]) -> Callable[[str, Mapping[str, Any]], bool]:
    def wanted(kind: str, image: Mapping[str, Any]) -> bool:
        return not patterns or any(
            kind in pattern.get("eventName", (kind,))
            and set(pattern.get("dynamodb", {}).get("NewImage", {})) <= set(image)
            and all(
                image[name]["S"].startswith(wants["S"][0]["prefix"])
                for name, wants in pattern.get("dynamodb", {}).get("Keys", {}).items()
            )
            for pattern in patterns
        )

    return wanted


def _kind_of(change: StreamRecord) -> str:
    """What DynamoDB calls it."""
    return "REMOVE" if change.after is None else "INSERT" if change.before is None else "MODIFY"


@cache
def _stream_batch(function: str) -> tuple[int, int]:
    (source,) = (e["Properties"] for e in functions()[function]["Events"].values() if e["Type"] == "DynamoDB")
    return source.get("BatchSize", 100), source.get("MaximumBatchingWindowInSeconds", 0)


def _change(change: StreamRecord, keys: Iterable[str]) -> Mapping[str, Any]:
    images = {"OldImage": change.before, "NewImage": change.after}
    return {
        "eventID": str(change.number),
        "eventName": "INSERT" if change.before is None else "REMOVE" if change.after is None else "MODIFY",
        "dynamodb": {
            "Keys": {name: json.loads(change.after or change.before or b"{}")[name] for name in keys},
            **{name: json.loads(image) for name, image in images.items() if image is not None},
            "SequenceNumber": f"{change.number:021d}",
            "ApproximateCreationDateTime": float(change.number),
        },
    }


def _record(name: str, message: Queued) -> Mapping[str, Any]:
    return {
        "messageId": name,
        "receiptHandle": name,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.receives + 1),
            "SentTimestamp": "1795168805000",
            "SenderId": "AIDAEXAMPLESENDERID",
            "ApproximateFirstReceiveTimestamp": "1795168805040",
        },
        "messageAttributes": {},
        "md5OfBody": "0",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue",
        "awsRegion": "us-east-1",
    }


@cache
def _sample(path: str) -> str:
    return (REPOSITORY / "events" / path).read_text(encoding="utf-8")


def ses_event(sent: Sent, *, bounced: bool, at: datetime) -> str:
    """What SES publishes about an email, from its own samples."""
    event = json.loads(_sample("ses/bounce_permanent_no_email.json" if bounced else "ses/delivery.json"))
    written = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event["mail"].update(messageId=sent.provider_id, destination=[sent.to], timestamp=written)
    event["mail"]["tags"].update({name: [value] for name, value in sent.tags.items()})
    if bounced:
        event["bounce"]["timestamp"] = written
        event["bounce"]["bouncedRecipients"][0]["emailAddress"] = sent.to
    else:
        event["delivery"].update(timestamp=written, recipients=[sent.to])
    return json.dumps(event, separators=(",", ":"))


def twilio_callback(sent: Sent, status: str) -> Mapping[str, Any]:
    """What API Gateway hands on of a callback that Twilio has signed."""
    from twilio.request_validator import RequestValidator  # noqa: PLC0415 - emails do without

    event: dict[str, Any] = json.loads(_sample("api_gateway/twilio_status.json"))
    form = dict(parse_qsl(event["body"]))
    form.update(
        MessageSid=sent.provider_id, SmsSid=sent.provider_id, MessageStatus=status, SmsStatus=status, To=sent.to
    )
    if status == "undelivered":
        form["ErrorCode"] = "30005"
    address = sent.tags["callback"].partition("#")[0]
    signature = RequestValidator(TWILIO_TOKEN).compute_signature(address, form)
    event["headers"]["X-Twilio-Signature"] = signature
    event["queryStringParameters"] = dict(parse_qsl(urlsplit(address).query))
    event["body"] = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in form.items())
    return event


def sns_log_line(sent: Sent, *, failed: bool, at: datetime) -> str:
    """What SNS logs about a text."""
    record = json.loads(_sample("sns/failure_invalid_phone_number.json" if failed else "sns/success.json"))
    record["notification"].update(messageId=sent.provider_id, timestamp=f"{at:%Y-%m-%d %H:%M:%S}.000")
    record["delivery"]["destination"] = sent.to
    return json.dumps(record, separators=(",", ":"))


def awslogs(lines: list[str]) -> Mapping[str, Any]:
    """What a subscription hands to a function."""
    events = [{"id": str(number), "timestamp": 0, "message": line} for number, line in enumerate(lines)]
    packed = gzip.compress(json.dumps({"messageType": "DATA_MESSAGE", "logEvents": events}).encode())
    return {"awslogs": {"data": base64.b64encode(packed).decode()}}


@contextmanager
def deployment(rate: float = 500.0) -> Iterator[Deployment]:
    """A deployment with nothing in it, whose providers take ``rate`` messages a second."""
    with cloud() as made, patch.dict("os.environ", environment()):
        made.sending_rate = rate
        forget()
        clock = VirtualClock(made)
        AwsPorts.made["clock"] = clock
        yield Deployment(made)
        forget()


def forget() -> None:
    """Make everything that a process keeps for its life be made anew."""
    import rebound.platform.http.app  # noqa: PLC0415 - most parts do without the API
    import rebound.platform.http.once  # noqa: PLC0415

    AwsPorts.made.clear()
    for module in (rebound.platform.http.app, rebound.platform.http.once):
        for kept in vars(module).values():
            if hasattr(kept, "cache_clear"):
                kept.cache_clear()
