"""The deployed functions over AWS in memory: real handlers, real adapters, the template's tables."""

import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch
from uuid import uuid4

import pytest
from moto.sqs.models import sqs_backends

import rebound.platform.http.app
import rebound.platform.http.once
from rebound.contacts.wiring import ContactsUseCases
from rebound.kernel.api_scopes import ALL_SCOPES, OPERATOR_SCOPES, Realm
from rebound.kernel.problem_codes import PROBLEMS, type_of
from rebound.platform import telemetry
from rebound.platform.wiring import AwsPorts
from tests.contract.contacts.fakes import MemorySuppressionList, client_of
from tests.contract.operations.fakes import MemoryEmailIdentities
from tests.contract.rates.fakes import ScriptedQuota
from tests.contract.sending.fakes import ScriptedMailer, ScriptedTexter
from tests.fakes import house
from tests.fakes.aws import ACCOUNT, REGION, REPOSITORY, create_tables, empty_tables, fake_aws, make, rows
from tests.fakes.making import BUSINESS_ID, business
from tests.fakes.written_times import odd_times
from tests.policies.watching import Watched

if TYPE_CHECKING:
    from types import ModuleType

API_ID: Final = "a1b2c3d4e5"
EVENTS: Final = REPOSITORY / "events"
QUEUES: Final = (
    "EMAIL_QUEUE_URL",
    "PROMPT_EMAIL_QUEUE_URL",
    "TEXT_QUEUE_URL",
    "PROMPT_TEXT_QUEUE_URL",
    "HELD_QUEUE_URL",
    "RECEIPTS_QUEUE_URL",
    "UPKEEP_QUEUE_URL",
    "WEBHOOK_QUEUE_URL",
    "ACTIVITY_QUEUE_URL",
    "STEPS_QUEUE_URL",
)
ROLE: Final = "arn:aws:iam::123456789012:role/rebound"
MACHINE: Final = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
TWILIO_TOKEN: Final = "fake-auth-token-for-tests"  # noqa: S105 - opens nothing


def recorded(path: str) -> dict[str, Any]:
    """An event as AWS sends it."""
    event: dict[str, Any] = json.loads((EVENTS / path).read_text(encoding="utf-8"))
    return event


@dataclass(frozen=True)
class Context:
    """What Lambda hands to a function beside the event."""

    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    function_name: str = "under-test"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:under-test"
    milliseconds: int = 300_000

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@dataclass(frozen=True)
class Answer:
    """What a client sees of the API."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def fields(self) -> list[str]:
        """The fields that a problem names."""
        return sorted(error["field"] for error in self.body.get("errors", []))


def check_listed(problem: Answer) -> None:
    """Check that a refusal is what the list of problems says of its code, whatever the test is about."""
    body = problem.body
    kind = PROBLEMS[body["code"]]
    always = {name for name in kind.members if name != "did_you_mean"}
    assert problem.headers["Content-Type"] == "application/problem+json"
    assert body.keys() - {"did_you_mean"} == {"type", "title", "status", "detail", "code", "retryable"} | always
    assert (body["type"], body["title"]) == (type_of(body["code"]), kind.status.phrase)
    assert (problem.status, body["status"], body["retryable"]) == (kind.status, kind.status, kind.retryable)
    assert ("Retry-After" in problem.headers) == (kind.wait_seconds is not None or body["code"] == "too_soon")
    for error in body.get("errors", []):
        assert error.keys() == {"field", "message"}
        assert all(error.values())
    assert body.get("did_you_mean", {}).keys() <= {error["field"] for error in body.get("errors", [])}


class Stack:
    """The functions of one deployment."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.settings = settings
        self.sqs = make("sqs")
        self.mailer = ScriptedMailer()
        self.texter = ScriptedTexter()
        self.suppressions = MemorySuppressionList()
        self.watched = Watched(settings)
        self._handlers: dict[str, ModuleType] = {}

    def handler(self, function: str) -> Callable[[Any, Any], Any]:
        """A function's handler, loaded from its own file."""
        if function not in self._handlers:
            path = REPOSITORY / "functions" / function / "handler.py"
            spec = importlib.util.spec_from_file_location(f"handler_of_{function}", path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            self._handlers[function] = module
        handler: Callable[[Any, Any], Any] = self._handlers[function].lambda_handler
        return handler

    def invoke(self, function: str, event: Any, context: Context | None = None) -> Any:
        """Invoke as Lambda does: what goes in and what comes out is JSON in UTF-8."""
        handler = self.handler(function)
        with self.watched.function(function):
            answer = handler(json.loads(json.dumps(event)), context or Context())
        return json.loads(json.dumps(answer, ensure_ascii=False).encode().decode())

    def api(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str | Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        business_id: str = BUSINESS_ID,
        scopes: str | None = None,
        realm: Realm | None = None,
        raw: str | None = None,
        base64: bool = False,
    ) -> Answer:
        """One request with the key of a business, or below ``/v1/operator`` with the operator's, which has all scopes.

        ``realm`` is whose key it is where it is not the right one: paths lead to their function whoever asks.
        """
        of_operator = path.startswith("/v1/operator/")
        realm = realm or (Realm.OPERATOR if of_operator else Realm.BUSINESS)
        known: dict[str, str] = {} if realm is Realm.OPERATOR else {"business_id": business_id}
        every = OPERATOR_SCOPES if realm is Realm.OPERATOR else ALL_SCOPES
        known |= {"realm": realm, "key_id": "key-1", "scopes": " ".join(every) if scopes is None else scopes}
        event = recorded("api_gateway/post_campaign.json")
        sent = raw if raw is not None else None if body is None else json.dumps(body)
        given = {"Content-Type": "application/json", **(headers or {})}
        several = {name: [each] if isinstance(each, str) else list(each) for name, each in (query or {}).items()}
        event.update(
            path=path,
            httpMethod=method,
            headers=given,
            multiValueHeaders={name: [value] for name, value in given.items()},
            queryStringParameters={name: each[-1] for name, each in several.items()} or None,
            multiValueQueryStringParameters=several or None,
            body=sent,
            isBase64Encoded=base64,
        )
        event["requestContext"]["authorizer"] = known
        answer = self.invoke("serve_operator" if of_operator else "serve_api", event)
        first = {name: values[0] for name, values in (answer.get("multiValueHeaders") or {}).items()}
        seen = Answer(answer["statusCode"], {**(answer.get("headers") or {}), **first}, answer.get("body") or "")
        if seen.status >= HTTPStatus.BAD_REQUEST and method != "HEAD":
            check_listed(seen)
        elif seen.status < HTTPStatus.BAD_REQUEST:
            assert list(odd_times(seen.text)) == [], seen.text
        return seen

    def received(self, queue: str) -> list[dict[str, Any]]:
        """Everything visible on a queue, as Lambda's event records."""
        found: list[dict[str, Any]] = []
        while messages := self.sqs.receive_message(
            QueueUrl=self.settings[queue], MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        ).get("Messages"):
            found.extend(
                {
                    "messageId": message["MessageId"],
                    "receiptHandle": message["ReceiptHandle"],
                    "body": message["Body"],
                    "attributes": message["Attributes"],
                    "messageAttributes": {},
                    "md5OfBody": message["MD5OfBody"],
                    "eventSource": "aws:sqs",
                    "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue",
                    "awsRegion": "us-east-1",
                }
                for message in messages
            )
        return found

    def table(self, setting: str) -> list[dict[str, Any]]:
        """All rows of a table."""
        return rows()[self.settings[setting]]


def forget() -> None:
    """Make everything that a process keeps for its life be made anew."""
    AwsPorts.made.clear()
    for module in (telemetry, rebound.platform.http.app, rebound.platform.http.once):
        for kept in vars(module).values():
            if hasattr(kept, "cache_clear"):
                kept.cache_clear()


@pytest.fixture(scope="module")
def deployed() -> Iterator[Stack]:
    with fake_aws():
        sqs, steps = make("sqs"), make("stepfunctions")
        urls = {
            name: sqs.create_queue(QueueName=name.lower(), Attributes={"VisibilityTimeout": "3600"})["QueueUrl"]
            for name in QUEUES
        }
        dead_letters = {
            name: sqs.create_queue(QueueName=f"{name}-dead-letters")["QueueUrl"]
            for name in ("email", "text", "receipts", "upkeep")
        }
        machine = steps.create_state_machine(name="campaigns", definition=json.dumps(MACHINE), roleArn=ROLE)
        follow_ups = steps.create_state_machine(name="follow_ups", definition=json.dumps(MACHINE), roleArn=ROLE)
        imports = steps.create_state_machine(name="imports", definition=json.dumps(MACHINE), roleArn=ROLE)
        jobs = steps.create_state_machine(name="jobs", definition=json.dumps(MACHINE), roleArn=ROLE)
        exports = steps.create_state_machine(name="exports", definition=json.dumps(MACHINE), roleArn=ROLE)
        make("scheduler").create_schedule_group(Name="campaigns")
        make("events").create_event_bus(Name="rebound")
        make("s3").create_bucket(Bucket="imports")
        secret = {"account_sid": "AC" + "0" * 32, "auth_token": TWILIO_TOKEN}
        stored = make("secretsmanager").create_secret(Name="twilio", SecretString=json.dumps(secret))
        links = make("secretsmanager").create_secret(Name="links", SecretString='{"current": "1", "1": "in tests"}')
        settings = {
            **create_tables(),
            **urls,
            "DEAD_LETTER_QUEUES": json.dumps(
                {name: [urls[f"{name.upper()}_QUEUE_URL"], url] for name, url in dead_letters.items()}
            ),
            "IMPORTS_BUCKET": "imports",
            "STACK_NAME": "rebound",
            "LARGE_FUNCTIONS": "rebound-ServeApi,rebound-RunJob",
            "CAMPAIGN_STATE_MACHINE_ARN": machine["stateMachineArn"],
            "ERRAND_STATE_MACHINE_ARN": follow_ups["stateMachineArn"],
            "IMPORT_STATE_MACHINE_ARN": imports["stateMachineArn"],
            "IMPORT_CONCURRENCY": "4",
            "JOB_STATE_MACHINE_ARN": jobs["stateMachineArn"],
            "EXPORT_STATE_MACHINE_ARN": exports["stateMachineArn"],
            "SCHEDULE_GROUP": "campaigns",
            "SCHEDULER_ROLE_ARN": ROLE,
            "EVENT_BUS": "rebound",
            "LOOPBACK_WEBHOOKS": "true",
            "SES_CONFIGURATION_SET": "events",
            "TWILIO_SECRET_ARN": stored["ARN"],
            "LINK_SECRET_ARN": links["ARN"],
            "PUBLIC_URL": "https://{api_id}.execute-api.us-east-1.amazonaws.com/live",
            "API_ID": API_ID,
            "EXPANSION_RANGES": "2",
            "DEFAULT_TEXT_PROVIDER": "twilio",
            "SENDER_IDENTITIES": "salon.example.com,example.com",
            "POWERTOOLS_SERVICE_NAME": "under-test",
            "POWERTOOLS_METRICS_NAMESPACE": "Rebound",
            "POWERTOOLS_LOG_LEVEL": "CRITICAL",
        }
        with patch.dict("os.environ", settings):
            forget()
            stack = Stack(settings)
            yield stack
            forget()
        assert stack.watched.refused() == [], "IAM would have refused what a function asked for in these tests"


@pytest.fixture
def stack(deployed: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """The deployment with one business and nothing else; providers follow a script."""
    empty_tables()
    # It knows which locations it has kept.
    vars(house.ports()).pop("activity", None)
    # Also of what a test before has put there for later.
    backend = sqs_backends[ACCOUNT][REGION]
    for name, queue in backend.queues.items():
        # AWS allows it once a minute.
        queue.last_purged_at = None
        backend.purge_queue(name)
    deployed.mailer, deployed.texter = ScriptedMailer(), ScriptedTexter()
    deployed.suppressions = MemorySuppressionList()
    house.stand_in(
        monkeypatch,
        mailer=deployed.mailer,
        quotas=ScriptedQuota(),
        # Moto knows no account of SES.
        email_identities=MemoryEmailIdentities(**{"salon.example.com": True}),
        twilio_texter=deployed.texter,
    )
    # Waiting for the next call would be real waiting.
    monkeypatch.setattr(ContactsUseCases, "suppression_list_client", client_of(deployed.suppressions))
    house.ports().businesses.add(business())
    yield deployed
    house.forget_use_cases()
