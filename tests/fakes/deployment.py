"""The whole deployment of ``template.yaml`` on AWS in memory: resources, functions, queues, streams and executions.

Everything comes out of the template: which functions there are, what they are told, what starts them and what they may
do. A function is loaded with a composition root of its own, as in a process of its own, and told only its own settings.
What a function asks of AWS passes one place (``AwsCall``), before and after, where a test may look, or stop it.

Providers answer by address (``Providers``). Time stands still until nothing is left to do at once.
"""

import base64
import contextlib
import gzip
import importlib.util
import io
import json
import logging
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self, cast
from unittest.mock import patch
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import uuid4

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends
from moto.stepfunctions.models import stepfunctions_backends
from samtranslator.yaml_helper import yaml_parse
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response as TwilioResponse
from twilio.request_validator import RequestValidator

import rebound
import rebound.platform.http.app
import rebound.platform.http.once
from local.twin.outcomes import BounceKind, EmailEventType
from local.twin.service_model import violations
from local.twin.ses_events import EmailEvent, SentEmail
from local.twin.sns import DeliveryLog
from rebound.inbound.adapters import inbound_url
from rebound.kernel.api_scopes import ALL_SCOPES, OPERATOR_SCOPES, Realm
from rebound.platform import telemetry
from rebound.platform.adapters.dynamo import write_instant
from rebound.platform.adapters.random_ids import RandomIds
from rebound.platform.adapters.system import SystemClock
from rebound.platform.wiring import AwsPorts
from rebound.timers.domain import AHEAD
from rebound.webhooks.adapters.pinned_http import PinnedHttpPoster
from rebound.webhooks.domain.webhooks import Posted
from tests.contract.contacts.fakes import MemorySuppressionList
from tests.contract.platform.fakes import FakeClock, MachineClock, SeededIds
from tests.fakes.aws import ACCOUNT, ENVIRONMENT, REGION, REPOSITORY, make
from tests.fakes.light_aws import light_aws

if TYPE_CHECKING:
    from types import ModuleType

STACK: Final = "rebound"
API_ID: Final = "a1b2c3d4e5"
TWILIO_ACCOUNT: Final = "AC" + "0" * 32
TWILIO_TOKEN: Final = "fake-auth-token-for-tests"  # noqa: S105 - opens nothing
LINK_KEY: Final = "fake-key-of-links-for-tests"
MOST_TICKS: Final = 5000
LONGEST_IDLE: Final = timedelta(hours=12)
MOST_ATTEMPTS: Final = 7
_PSEUDO: Final = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}


class FunctionDiedError(BaseException):
    """The function's process is gone. No code under test can catch it."""


class TaskFailedError(Exception):
    """A task of the state machine failed technically."""


# --- the template -----------------------------------------------------------------------------------------------------


JSON_SERVICES: Final = {
    "dynamodb": "dynamodb",
    "eventbridge": "events",
    "secrets-manager": "secretsmanager",
    "sesv2": "sesv2",
    "sfn": "stepfunctions",
    "sqs": "sqs",
}
"""Services whose requests are JSON bodies, by botocore's id, with the name of their model."""


class RecursiveInvocationError(AssertionError):
    """Lambda would have stopped a loop, and sent its message to the dead letters."""


LONGEST_CHAIN: Final = 16
"""How often a function may come up in one chain through SQS (Lambda, "recursive loop detection")."""


def _secret(name: str) -> str:
    """The ARN of a secret, which is not its name; moto finds it by what stands last."""
    return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf"


class Template:
    """``template.yaml`` with its parameters filled in."""

    def __init__(self, **parameters: str) -> None:
        whole = yaml_parse((REPOSITORY / "template.yaml").read_text(encoding="utf-8"))
        self._parameters = {
            name: value.split(",") if given["Type"] == "CommaDelimitedList" else value
            for name, given in whole["Parameters"].items()
            for value in [str(parameters.get(name, given.get("Default", "")))]
        }
        self._conditions = whole["Conditions"]
        self._globals = whole["Globals"]["Function"]
        self.resources: Mapping[str, Mapping[str, Any]] = {
            logical: resource
            for logical, resource in whole["Resources"].items()
            if "Condition" not in resource or self._holds(resource["Condition"])
        }
        self._by_type: defaultdict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
        for logical, resource in self.resources.items():
            self._by_type[resource["Type"]][logical] = resource.get("Properties", {})

    def of_type(self, kind: str) -> Mapping[str, Mapping[str, Any]]:
        """The properties of every resource of a type."""
        return self._by_type[kind]

    def environment(self, function: str) -> dict[str, str]:
        """What a function is told."""
        own = self.resources[function]["Properties"].get("Environment", {}).get("Variables", {})
        told = {**self._globals["Environment"]["Variables"], **own}
        return {name: str(self.value(given)) for name, given in told.items()}

    def value(self, node: Any) -> Any:
        """A value of the template once CloudFormation has worked it out."""
        if isinstance(node, list):
            found = [self.value(each) for each in node]
            return [each for each in found if each is not None]
        if not isinstance(node, Mapping):
            return node
        if len(node) == 1:
            ((function, argument),) = node.items()
            match function:
                case "Ref":
                    return self._ref(argument)
                case "Fn::GetAtt":
                    logical, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
                    return self._attribute(logical, attribute)
                case "Fn::Sub":
                    return self._substituted(argument)
                case "Fn::Join":
                    return argument[0].join(self.value(argument[1]))
                case "Fn::Split":
                    return self.value(argument[1]).split(argument[0])
                case "Fn::If":
                    condition, yes, no = argument
                    return self.value(yes if self._holds(condition) else no)
        return {name: found for name, each in node.items() if (found := self.value(each)) is not None}

    def _holds(self, condition: Any) -> bool:
        if isinstance(condition, str):
            return self._holds(self._conditions[condition])
        ((function, argument),) = condition.items()
        match function:
            case "Fn::Not":
                return not self._holds(argument[0])
            case "Fn::And":
                return all(self._holds(each) for each in argument)
            case "Fn::Or":
                return any(self._holds(each) for each in argument)
            case "Fn::Equals":
                left, right = map(self.value, argument)
                return bool(left == right)
            case "Condition":
                return self._holds(argument)
        raise ValueError(function)

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return None
        if name in _PSEUDO or name in self._parameters:
            return {**_PSEUDO, **self._parameters}[name]
        match self.resources[name]["Type"]:
            case "AWS::SQS::Queue":
                return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
            case "AWS::SNS::Topic" | "AWS::Serverless::StateMachine":
                return self._attribute(name, "Arn")
            case "AWS::S3::Bucket":
                return name.lower()
            case "AWS::Events::EventBus" | "AWS::Scheduler::ScheduleGroup":
                return STACK
            case "AWS::Serverless::Api":
                return API_ID
            case "AWS::SecretsManager::Secret":
                return _secret(name)
            case _:
                return name

    def _attribute(self, logical: str, attribute: str) -> str:
        if not attribute.endswith("Arn"):
            return f"{logical}.{attribute}"
        properties = self.resources[logical].get("Properties", {})
        kind = self.resources[logical]["Type"]
        service, resource = {
            "AWS::DynamoDB::Table": ("dynamodb", f"table/{logical}"),
            "AWS::SQS::Queue": ("sqs", logical),
            "AWS::SNS::Topic": ("sns", logical),
            "AWS::Events::EventBus": ("events", f"event-bus/{STACK}"),
            "AWS::Scheduler::ScheduleGroup": ("scheduler", f"schedule-group/{STACK}"),
            "AWS::Serverless::Function": ("lambda", f"function:{logical}"),
            "AWS::IAM::Role": ("iam", f"role/{logical}"),
            "AWS::Logs::LogGroup": ("logs", f"log-group:{logical}"),
            "AWS::S3::Bucket": ("s3", logical.lower()),
            "AWS::Serverless::StateMachine": ("states", f"stateMachine:{self.value(properties.get('Name', logical))}"),
        }[kind]
        if service == "s3":
            return f"arn:aws:s3:::{resource}"
        region = "" if service == "iam" else REGION
        return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"

    def _substituted(self, text: str) -> str:
        names = {part.partition("}")[0] for part in text.split("${")[1:]}
        for name in names:
            logical, _, attribute = name.partition(".")
            found = self._attribute(logical, attribute) if attribute else self._ref(name)
            text = text.replace(f"${{{name}}}", str(found))
        return text


# --- what is asked of AWS ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AwsCall:
    """One request of a function on its way to AWS."""

    function: str
    service: str
    operation: str
    request: Any

    @property
    def body(self) -> Any:
        """What is asked, for services that speak JSON."""
        return json.loads(self.request.body or b"{}")

    @property
    def violations(self) -> list[str]:
        """What AWS's own model finds wrong, beside the lower bounds that botocore checks itself."""
        # Of what SES is asked otherwise, a part stands in the path.
        if self.service not in JSON_SERVICES or "Suppressed" in self.operation:
            return []
        return violations(JSON_SERVICES[self.service], self.operation, self.body)

    def __str__(self) -> str:
        table = ""
        if self.service == "dynamodb":
            body = self.body
            table = f" {body.get('TableName') or '+'.join(sorted(body.get('RequestItems', ())))}".rstrip()
        return f"{self.service}.{self.operation}{table}"


Watch = Callable[[AwsCall, str], None]
"""Called before and after each request that a function makes."""


# --- the providers ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sent:
    """One message that a provider was asked to take: whose, to what address, and whether it did."""

    key: tuple[str, str]
    """Customer and message; for SNS, which is told neither, its own id."""
    to: str
    answer: str
    took: bool


@dataclass
class Providers:
    """SES, Twilio and SNS; what an address does is what ``answers`` and ``outcomes`` say."""

    clock: FakeClock
    answers: dict[str, list[str]] = field(default_factory=dict)
    """What the next attempts at an address get: a status or error code, or ``lost`` or ``took`` without an answer."""
    outcomes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What is told of a message afterwards; ``delivered`` when nothing is said."""
    parts: dict[str, int] = field(default_factory=dict)
    """How many parts a text over SNS to a number has; one when nothing is said."""
    log: list[Sent] = field(default_factory=list)
    told: list[tuple[str, Any]] = field(default_factory=list)
    """Callbacks on their way: the way, and what is told."""
    headers: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    """The headers of emails, with the address that each went to."""
    texts: list[tuple[str, str]] = field(default_factory=list)
    """The bodies of texts over Twilio, with the number that each went to."""

    to_owners: list[tuple[str, str]] = field(default_factory=list)
    """Emails to the owners of businesses: the address and the subject."""

    def ses(self, entries: Sequence[Mapping[str, Any]], sender: str) -> Mapping[str, Any] | None:
        """SendBulkEmail; ``None`` when no answer comes."""
        results: list[Mapping[str, str]] = []
        answered = True
        for entry in entries:
            (to,) = entry["Destination"]["ToAddresses"]
            tags = {tag["Name"]: tag["Value"] for tag in entry["ReplacementTags"]}
            own = {header["Name"]: header["Value"] for header in entry.get("ReplacementHeaders", ())}
            self.headers.append((to, own))
            answer = self._next(to, "SUCCESS")
            message_id = f"ses-{len(self.log)}"
            took = answer in ("SUCCESS", "took")
            self.log.append(Sent((tags["customer_id"], tags["message_id"]), to, answer, took))
            if took:
                self._tell_ses(
                    SentEmail(
                        message_id,
                        self.clock.now().timestamp(),
                        sender,
                        (to,),
                        "subject",
                        (),
                        {name: (value,) for name, value in tags.items()},
                        "events",
                        REGION,
                        ACCOUNT,
                    ),
                    to,
                )
            answered &= answer not in ("lost", "took")
            results.append({"Status": "SUCCESS", "MessageId": message_id} if took else {"Status": answer})
        return {"BulkEmailEntryResults": results} if answered else None

    def _tell_ses(self, email: SentEmail, to: str) -> None:
        kinds = {
            "delivered": (EmailEventType.DELIVERY, None),
            "complained": (EmailEventType.COMPLAINT, None),
            "bounced": (EmailEventType.BOUNCE, BounceKind.NO_EMAIL),
            "unreachable": (EmailEventType.BOUNCE, BounceKind.TRANSIENT),
            "full": (EmailEventType.BOUNCE, BounceKind.MAILBOX_FULL),
        }
        for number, outcome in enumerate(self.outcomes.get(to, ("delivered",)), start=1):
            kind, bounce = kinds[outcome]
            event = EmailEvent(kind, email, to, email.at + number, f"feedback-{email.message_id}-{number}", bounce)
            self.told.append(("ses", json.dumps(event.document())))

    def twilio(self, form: Mapping[str, str]) -> TwilioResponse:
        """Messages.create."""
        to, callback = form["To"], form["StatusCallback"]
        self.texts.append((to, form["Body"]))
        query = dict(parse_qsl(urlsplit(callback).query))
        answer = self._next(to, "SUCCESS")
        sid = f"SM{len(self.log):032x}"
        took = answer in ("SUCCESS", "took")
        self.log.append(Sent((query["c"], query["m"]), to, answer, took))
        if took:
            for outcome in self.outcomes.get(to, ("sent", "delivered")):
                status, _, code = outcome.partition(":")
                fields = {"MessageSid": sid, "SmsSid": sid, "MessageStatus": status, "To": to}
                self.told.append(("twilio", (callback, fields | ({"ErrorCode": code} if code else {}))))
        match answer:
            case "SUCCESS":
                return TwilioResponse(201, json.dumps({"sid": sid, "status": "queued"}))
            case "lost" | "took":
                return TwilioResponse(500, json.dumps({"code": 20500, "message": "x", "status": 500}))
            case "20429":
                return TwilioResponse(429, json.dumps({"code": 20429, "message": "Too Many Requests", "status": 429}))
            case code:
                return TwilioResponse(400, json.dumps({"code": int(code), "message": f"No: {to}", "status": 400}))

    def sns(self, to: str) -> str:
        """Publish; the id."""
        message_id = str(uuid4())
        self.log.append(Sent((message_id, ""), to, "SUCCESS", took=True))
        said = self.outcomes.get(to, ("Message has been accepted by phone carrier",))[0]
        at = self.clock.now().timestamp()
        parts = self.parts.get(to, 1)
        self.told.append(("sns", DeliveryLog(message_id, at, at + 1, to, parts, "Transactional", said).line().message))
        return message_id

    def _next(self, to: str, usual: str) -> str:
        waiting = self.answers.get(to)
        return waiting.pop(0) if waiting else usual


class _TwilioLine(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's SDK on a short line to the providers."""

    def __init__(self, deployment: "Deployment") -> None:
        super().__init__()
        self._deployment = deployment

    def request(self, method: str, url: str, *args: Any, data: Any = None, **kwargs: Any) -> TwilioResponse:
        return self._deployment.twilio_asked(data)


# --- the deployment ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Context:
    """What Lambda hands to a function beside the event."""

    function_name: str
    aws_request_id: str
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:any"
    milliseconds: int = 900_000

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@dataclass
class Execution:
    """One execution of the state machine."""

    steps: Generator[timedelta]
    wakes_at: Any = None


class Deployment:
    """One stack in memory; use it as a context. ``watch`` sees each request that a function makes."""

    def __init__(self, watch: Watch = lambda *_: None) -> None:
        self.template = Template(
            SenderIdentity="example.com",
            TwilioSecretArn=_secret("twilio"),
            TextLogGroups="create",
            ExpansionRanges="2",
        )
        self.watch = watch
        self.clock = MachineClock()
        self.providers = Providers(self.clock)
        self.suppressions = MemorySuppressionList()
        self.function = ""
        """Which is at work; empty while none is."""
        self.logs: list[tuple[str, str]] = []
        """What each function wrote, as its log group would hold it."""
        self.history: list[str] = []
        """What the executions' histories would hold."""
        self.invocations = 0
        self.payloads: list[tuple[str, str]] = []
        """What each function put on queues, on the bus, and into executions and schedules."""
        self.posted: list[tuple[bytes, Mapping[str, str]]] = []
        """What the receiver behind the businesses' webhooks got: bodies, with their headers."""
        self._processes: dict[str, ModuleType] = {}
        self._made: dict[str, dict[str, Any]] = {}
        self._read: dict[str, int] = {}
        self._swept_at: datetime | None = None
        self._lineage: Counter[str] = Counter()
        """How often each function has been at work in the chain of messages that led to what is at work now."""
        self._lineages: dict[str, Counter[str]] = {}
        """The same of each message, by its body; on AWS it travels in the trace header, which botocore sends along."""
        self._executions: list[Execution] = []
        self._known_executions: dict[str, int] = {}
        self._stack = contextlib.ExitStack()
        self._ids = SeededIds()
        self._machines = {
            self.template.value({"Ref": logical}): self._definition(machine)
            for logical, machine in self.template.of_type("AWS::Serverless::StateMachine").items()
        }

    # --- making it ----------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        enter = self._stack.enter_context
        enter(patch.dict("os.environ", ENVIRONMENT))
        enter(mock_aws())
        enter(light_aws())
        enter(self.clock)
        enter(patch.object(SystemClock, "wait", lambda _, duration: self.clock.wait(duration)))
        for name in ("ulid", "customer_id", "secret"):
            made: Any = getattr(self._ids, name)
            enter(patch.object(RandomIds, name, lambda _, *given, made=made: made(*given)))
        enter(patch("twilio.http.http_client.TwilioHttpClient", lambda **_: _TwilioLine(self)))
        enter(patch.object(PinnedHttpPoster, "post", lambda _, url, body, headers: self._posted(body, headers)))
        self._create()
        answer: Any = BotocoreStubber.__call__
        enter(patch.object(BotocoreStubber, "__call__", self._stubber(answer)))
        enter(patch("boto3.client", self._client(boto3.client)))
        return self

    def __exit__(self, *_: object) -> None:
        self._forget("ServeApiFunction")
        self._stack.close()

    @staticmethod
    def _client(real: Any) -> Any:
        """Clients outlive a function's process here: they hold nothing, and take long to make."""
        kept: dict[str, Any] = {}

        def client(service: str, config: Config | None = None, **given: Any) -> Any:
            asked = f"{service} {sorted(vars(config).items(), key=str) if config else ''} {given}"
            if asked not in kept:
                kept[asked] = real(service, config=config, **given)
            return kept[asked]

        return client

    def _create(self) -> None:
        template = self.template
        dynamodb, sqs = make("dynamodb"), make("sqs")
        for logical, properties in template.of_type("AWS::DynamoDB::Table").items():
            stream = properties.get("StreamSpecification")
            more = {"StreamSpecification": {"StreamEnabled": True, **stream}} if stream else {}
            wanted = {"BillingMode", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes"} & properties.keys()
            dynamodb.create_table(TableName=logical, **{name: properties[name] for name in wanted}, **more)
        queues = template.of_type("AWS::SQS::Queue")
        # Dead-letter queues first: the others name them.
        for logical in sorted(queues, key=lambda name: "RedrivePolicy" in queues[name]):
            attributes = {"VisibilityTimeout": str(queues[logical].get("VisibilityTimeout", 30))}
            if "RedrivePolicy" in queues[logical]:
                attributes["RedrivePolicy"] = json.dumps(template.value(queues[logical]["RedrivePolicy"]))
            made = sqs.create_queue(QueueName=logical, Attributes=attributes)["QueueUrl"]
            assert made == template.value({"Ref": logical}), made
        for logical, properties in template.of_type("AWS::Serverless::StateMachine").items():
            make("stepfunctions").create_state_machine(
                name=template.value(properties.get("Name", logical)),
                definition=json.dumps({"StartAt": "E", "States": {"E": {"Type": "Succeed"}}}),
                roleArn=f"arn:aws:iam::{ACCOUNT}:role/rebound",
            )
        make("scheduler").create_schedule_group(Name=STACK)
        make("events").create_event_bus(Name=STACK)
        for logical, properties in template.of_type("AWS::S3::Bucket").items():
            bucket = template.value({"Ref": logical})
            make("s3").create_bucket(Bucket=bucket)
            make("s3").put_bucket_notification_configuration(
                Bucket=bucket,
                NotificationConfiguration={
                    "QueueConfigurations": [
                        {
                            "QueueArn": told["Queue"],
                            "Events": [told["Event"]],
                            "Filter": {"Key": {"FilterRules": told["Filter"]["S3Key"]["Rules"]}},
                        }
                        for told in template.value(properties["NotificationConfiguration"])["QueueConfigurations"]
                    ]
                },
            )
        secret = {"account_sid": TWILIO_ACCOUNT, "auth_token": TWILIO_TOKEN}
        make("secretsmanager").create_secret(Name=_secret("twilio").rpartition(":")[2], SecretString=json.dumps(secret))
        for logical, properties in template.of_type("AWS::SecretsManager::Secret").items():
            generated = properties["GenerateSecretString"]
            content = {**json.loads(generated["SecretStringTemplate"]), generated["GenerateStringKey"]: LINK_KEY}
            make("secretsmanager").create_secret(
                Name=_secret(logical).rpartition(":")[2], SecretString=json.dumps(content)
            )

    def _posted(self, body: bytes, headers: Mapping[str, str]) -> Posted:
        """What a client's receiver answers: the first time that it is down."""
        self.posted.append((body, headers))
        return Posted(503 if len(self.posted) == 1 else 200)

    # --- functions ----------------------------------------------------------------------------------------------------

    def invoke(self, function: str, event: Any) -> Any:
        """Invoke as Lambda does. A death and an error go on to whoever invoked."""
        self.invocations += 1
        context = Context(function, f"request-{self.invocations}")
        written = io.StringIO()
        outer, self.function = self.function, function
        try:
            with (
                patch.dict("os.environ", self.template.environment(function)),
                contextlib.redirect_stdout(written),
                contextlib.redirect_stderr(written),
            ):
                self._speak_as(function, written)
                handler = self._process(function).lambda_handler
                with patch.object(AwsPorts, "made", self._made.setdefault(function, {})):
                    answer = handler(json.loads(json.dumps(event)), context)
            return json.loads(json.dumps(answer, ensure_ascii=False).encode().decode())
        except FunctionDiedError:
            self._forget(function)
            raise
        except Exception as error:
            # As the runtime logs it.
            written.write("".join(traceback.format_exception(error)))
            raise
        finally:
            self.function = outer
            self.logs.extend((function, line) for line in written.getvalue().splitlines())

    def _speak_as(self, function: str, written: io.StringIO) -> None:
        """Powertools keeps its service, and a logger for each with the stream it began with, for a process's life."""
        telemetry.logger.cache_clear()
        telemetry.metrics.cache_clear()
        service = self.template.environment(function)["POWERTOOLS_SERVICE_NAME"]
        for handler in logging.getLogger(service).handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(written)

    def _process(self, function: str) -> Any:
        if function not in self._processes:
            self._forget(function)
            folder = REPOSITORY / str(self.template.resources[function]["Properties"]["CodeUri"])
            self._processes[function] = self._module(f"handler_of_{function}", str(folder / "handler.py"))
        return self._processes[function]

    @staticmethod
    def _module(name: str, path: str) -> "ModuleType":
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def _forget(self, function: str) -> None:
        """The process is gone, and with it everything that it kept."""
        self._processes.pop(function, None)
        self._made.pop(function, None)
        # The API's modules are imported once for all; what they keep is their own. All speak through the same one.
        of_the_api = (rebound.platform.http.app, rebound.platform.http.once) if function == "ServeApiFunction" else ()
        for module in (telemetry, *of_the_api):
            for kept in vars(module).values():
                if hasattr(kept, "cache_clear"):
                    kept.cache_clear()

    # --- AWS ----------------------------------------------------------------------------------------------------------

    def _stubber(self, answer: Any) -> Any:
        deployment = self

        def asked(stubber: Any, event_name: str, request: Any, **given: Any) -> Any:
            if not deployment.function or not stubber.enabled:
                return answer(stubber, event_name, request, **given)
            _, service, operation = event_name.split(".")
            call = AwsCall(deployment.function, service, operation, request)
            assert not (wrong := call.violations), f"AWS would refuse {call}: {wrong}"
            deployment._keep_payload(call)
            deployment.watch(call, "before")
            response = deployment._provider(call) or answer(stubber, event_name, request, **given)
            deployment.watch(call, "after")
            return response

        return asked

    def _keep_payload(self, call: AwsCall) -> None:
        if call.service == "sqs" and call.operation.startswith("SendMessage"):
            for message in call.body.get("Entries", [call.body]):
                self._lineages[message["MessageBody"]] = self._lineage
        if call.service in ("sqs", "eventbridge", "sfn", "scheduler"):
            content = call.request.body
            self.payloads.append((call.function, content.decode() if isinstance(content, bytes) else str(content)))

    def _provider(self, call: AwsCall) -> AWSResponse | None:
        """What SES and SNS answer; moto's own sends nothing and tells nothing."""
        match call.service, call.operation:
            case "sesv2", "SendBulkEmail":
                given = call.body
                answer = self.providers.ses(given["BulkEmailEntries"], given["FromEmailAddress"])
                status, content = (200, answer) if answer is not None else (500, {"message": "x"})
                return _response(call, status, json.dumps(content))
            case "sesv2", "SendEmail":
                given = call.body
                subject = given["Content"]["Simple"]["Subject"]["Data"]
                self.providers.to_owners.append((given["Destination"]["ToAddresses"][0], subject))
                return _response(call, 200, json.dumps({"MessageId": "0100"}))
            case "sesv2", "GetAccount":
                quota = {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 0.0}
                account = {"SendQuota": quota, "SendingEnabled": True, "EnforcementStatus": "HEALTHY"}
                account |= {"ProductionAccessEnabled": self.suppressions.production_access}
                return _response(call, 200, json.dumps(account))
            case "sesv2", operation if "Suppressed" in operation:
                return self._suppressions(call)
            case "sns", "Publish":
                body = call.request.body
                form = (
                    dict(parse_qsl(body.decode() if isinstance(body, bytes) else body))
                    if isinstance(body, str | bytes)
                    else dict(body)
                )
                message_id = self.providers.sns(form["PhoneNumber"])
                return _response(
                    call,
                    200,
                    '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
                    f"<MessageId>{message_id}</MessageId></PublishResult></PublishResponse>",
                )
        return None

    def _suppressions(self, call: AwsCall) -> AWSResponse:
        """SES's suppression list of the account."""
        if not self.suppressions.production_access:
            return _response(call, 400, json.dumps({"code": "BadRequestException", "message": "x"}))
        address = unquote(urlsplit(call.request.url).path.rpartition("/")[2])
        entries = {
            entry.address: {
                "EmailAddress": entry.address,
                "Reason": entry.reason,
                "LastUpdateTime": entry.at.timestamp(),
            }
            for entry in self.suppressions.entries.values()
        }
        if call.operation == "ListSuppressedDestinations":
            return _response(call, 200, json.dumps({"SuppressedDestinationSummaries": list(entries.values())}))
        if address not in entries:
            return _response(call, 404, json.dumps({"code": "NotFoundException", "message": "x"}))
        if call.operation == "DeleteSuppressedDestination":
            self.suppressions.remove(address)
            return _response(call, 200, "{}")
        return _response(call, 200, json.dumps({"SuppressedDestination": entries[address]}))

    def twilio_asked(self, form: Mapping[str, str]) -> TwilioResponse:
        """A call that leaves AWS is a call like any other."""
        call = AwsCall(self.function, "twilio", "CreateMessage", None)
        self.watch(call, "before")
        answer = self.providers.twilio(form)
        self.watch(call, "after")
        return answer

    # --- what happens by itself ---------------------------------------------------------------------------------------

    def api(self, method: str, path: str, body: object = None, *, business_id: str = "", key: str | None = None) -> Any:
        """One request of a client, or the operator's, sent again with the same Idempotency-Key when no answer came."""
        event = json.loads((REPOSITORY / "events/api_gateway/post_campaign.json").read_text(encoding="utf-8"))
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        path, _, query = path.partition("?")
        parameters = dict(parse_qsl(query))
        event.update(
            path=path,
            httpMethod=method,
            headers=headers,
            multiValueHeaders={name: [value] for name, value in headers.items()},
            queryStringParameters=parameters or None,
            multiValueQueryStringParameters={name: [value] for name, value in parameters.items()} or None,
            body=None if body is None else json.dumps(body),
            isBase64Encoded=False,
        )
        of_operator = path.startswith("/v1/operator/")
        known = {"realm": Realm.OPERATOR} if of_operator else {"realm": Realm.BUSINESS, "business_id": business_id}
        scopes = " ".join(OPERATOR_SCOPES if of_operator else ALL_SCOPES)
        event["requestContext"]["authorizer"] = {**known, "key_id": "key-1", "scopes": scopes}
        for _ in range(MOST_ATTEMPTS):
            try:
                answer = self.invoke("ServeOperatorFunction" if of_operator else "ServeApiFunction", event)
            except FunctionDiedError:
                continue
            if answer["statusCode"] < 500 and answer["statusCode"] != 409:
                return json.loads(answer["body"]) if answer["body"] else None
            # Another attempt at the same request was under way when it died.
            self.clock.move(timedelta(minutes=6))
        raise AssertionError(f"{method} {path}: {answer}")

    def open_link(self, path: str, form: str | None = None) -> Any:
        """One request of a browser or, with a form, of a mail program, to a link in an email; the whole answer."""
        event = json.loads((REPOSITORY / "events/api_gateway/one_click.json").read_text(encoding="utf-8"))
        return self.invoke(
            "ServePreferencesFunction", {**event, "path": path, "httpMethod": "POST" if form else "GET", "body": form}
        )

    def rest(self) -> None:
        """Let everything happen until nothing is left to happen."""
        idle = timedelta()
        for _ in range(MOST_TICKS):
            if self.tick():
                idle = timedelta()
            elif not self._waiting() and idle >= timedelta(minutes=20):
                return
            else:
                assert idle < LONGEST_IDLE, "nothing comes to rest"
                self.clock.move(timedelta(minutes=1))
                idle += timedelta(minutes=1)
        raise AssertionError("nothing comes to rest")

    def tick(self) -> bool:
        """Everything that can happen now, once; whether anything did."""
        happened = [self._read_queues(), self._read_streams(), self._hear_providers(), self._run_executions()]
        return any([*happened, self._keep_time()])

    def _keep_time(self) -> bool:
        """What is scheduled by the minute, when there is something for it to do."""
        now, tables = self.clock.now(), dynamodb_backends[ACCOUNT][REGION].tables
        due = write_instant(now + AHEAD)
        rows = tables["TimersTable"].all_items()
        if all(row.attrs["timer"].value > due for row in rows) or self._swept_at == now:
            return False
        self._swept_at = now
        with contextlib.suppress(FunctionDiedError, Exception):
            self.invoke("SweepTimersFunction", {})
        return True

    def _waiting(self) -> bool:
        return bool(self._executions or self.providers.told or any(self.queued().values()))

    def queued(self, *, dead: bool = False) -> dict[str, int]:
        """Messages on each queue, or on each dead-letter queue."""
        backend: Any = sqs_backends[ACCOUNT][REGION]
        return {
            name: len(queue._messages)
            for name, queue in backend.queues.items()
            if ("RedrivePolicy" not in self.template.of_type("AWS::SQS::Queue")[name]) == dead
        }

    def _sources(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for function, properties in self.template.of_type("AWS::Serverless::Function").items():
            for event in properties.get("Events", {}).values():
                if event["Type"] == kind:
                    yield function, event["Properties"]

    def _read_queues(self) -> bool:
        sqs, happened = boto3.client("sqs", region_name=REGION), False
        for function, source in self._sources("SQS"):
            arn = self.template.value(source["Queue"])
            url = self.template.value({"Ref": arn.rpartition(":")[2]})
            if not self.queued()[arn.rpartition(":")[2]]:
                continue
            batch = sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=min(source["BatchSize"], 10), MessageSystemAttributeNames=["All"]
            ).get("Messages", [])
            if not batch:
                continue
            happened = True
            self._follow(function, [message["Body"] for message in batch])
            records = [
                {
                    "messageId": message["MessageId"],
                    "receiptHandle": message["ReceiptHandle"],
                    "body": message["Body"],
                    "attributes": message["Attributes"],
                    "messageAttributes": {},
                    "md5OfBody": message["MD5OfBody"],
                    "eventSource": "aws:sqs",
                    "eventSourceARN": arn,
                    "awsRegion": REGION,
                }
                for message in batch
            ]
            try:
                answer = self.invoke(function, {"Records": records})
            except (FunctionDiedError, Exception):  # noqa: BLE001, S112 - the messages come again
                continue
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            for message in batch:
                if message["MessageId"] not in failed:
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return happened

    def _follow(self, function: str, bodies: Sequence[str]) -> None:
        """Lambda ends a chain of invocations in which a function comes up too often, and no handler ever sees why."""
        chain = max((self._lineages.get(body, Counter()) for body in bodies), key=lambda each: each[function])
        self._lineage = chain + Counter([function])
        allowed = self.template.resources[function]["Properties"].get("RecursiveLoop") == "Allow"
        if self._lineage[function] > LONGEST_CHAIN and not allowed:
            raise RecursiveInvocationError(f"{function} is the {LONGEST_CHAIN + 1}th time in one chain of messages")

    def _read_streams(self) -> bool:
        happened = False
        tables: Any = dynamodb_backends[ACCOUNT][REGION].tables
        for function, source in self._sources("DynamoDB"):
            table = self.template.value(source["Stream"]).partition("table/")[2].partition("/")[0]
            shard = tables[table].stream_shard
            start = self._read.get(function, 0)
            records = [
                json.loads(json.dumps(item.to_json(), default=_seconds)) for item in shard.items[start : start + 100]
            ]
            if not records:
                continue
            happened = True
            patterns = [json.loads(each["Pattern"]) for each in source.get("FilterCriteria", {}).get("Filters", [])]
            wanted = [record for record in records if not patterns or any(_matches(p, record) for p in patterns)]
            try:
                answer = self.invoke(function, {"Records": wanted, "shardId": shard.id}) if wanted else {}
            except (FunctionDiedError, Exception):  # noqa: BLE001, S112 - the batch comes again
                continue
            if failures := (answer or {}).get("batchItemFailures"):
                failed = [record["dynamodb"]["SequenceNumber"] for record in records].index(
                    failures[0]["itemIdentifier"]
                )
                self._read[function] = start + failed
                continue
            self._read[function] = start + len(records)
        return happened

    def _hear_providers(self) -> bool:
        told, self.providers.told = self.providers.told, []
        for way, what in told:
            match way:
                case "ses":
                    self.put_on("ReceiptsQueue", what)
                case "twilio":
                    self._call_back(*what)
                case "sns":
                    self._deliver_log(what)
        return bool(told)

    def put_on(self, queue: str, body: str) -> None:
        """Put something on a queue, as who is none of our functions does."""
        boto3.client("sqs", region_name=REGION).send_message(
            QueueUrl=self.template.value({"Ref": queue}), MessageBody=body
        )

    def _call_back(self, url: str, fields: Mapping[str, str]) -> None:
        self._from_twilio("ReceiveCallbackFunction", url.partition("#")[0], fields)

    def text(self, sid: str, number: str, to: str, body: str) -> None:
        """Somebody sends a text, which Twilio hands on."""
        public_url = self.template.environment("ReceiveTextFunction")["PUBLIC_URL"].replace("{api_id}", API_ID)
        fields = {"MessageSid": sid, "From": number, "To": to, "Body": body}
        self._from_twilio("ReceiveTextFunction", inbound_url(public_url), fields)

    def _from_twilio(self, function: str, url: str, fields: Mapping[str, str]) -> None:
        """Twilio tries twice more, as the address's fragment asks."""
        event = json.loads((REPOSITORY / "events/api_gateway/twilio_status.json").read_text(encoding="utf-8"))
        event.update(
            queryStringParameters=dict(parse_qsl(urlsplit(url).query)),
            headers={"X-Twilio-Signature": RequestValidator(TWILIO_TOKEN).compute_signature(url, fields)},
            body="&".join(f"{name}={value.replace('+', '%2B')}" for name, value in fields.items()),
            isBase64Encoded=False,
        )
        event["requestContext"]["apiId"] = API_ID
        for _ in range(3):
            try:
                answer = self.invoke(function, event)
            except (FunctionDiedError, Exception):  # noqa: BLE001, S112 - a 502 to Twilio
                continue
            assert answer["statusCode"] in (200, 204), answer
            return
        raise AssertionError("Twilio gave up")

    def _deliver_log(self, line: str) -> None:
        """CloudWatch Logs invokes, and Lambda tries twice more."""
        data = {"messageType": "DATA_MESSAGE", "logGroup": "sns", "logStream": "s", "owner": ACCOUNT}
        data |= {"subscriptionFilters": ["f"], "logEvents": [{"id": "1", "timestamp": 1, "message": line}]}  # type: ignore[dict-item]
        packed = base64.b64encode(gzip.compress(json.dumps(data).encode())).decode()
        for _ in range(3):
            with contextlib.suppress(FunctionDiedError, Exception):
                self.invoke("RelayTextLogsFunction", {"awslogs": {"data": packed}})
                return
        raise AssertionError("Lambda gave up")

    # --- executions ---------------------------------------------------------------------------------------------------

    def _definition(self, machine: Mapping[str, Any]) -> Mapping[str, Any]:
        text = (REPOSITORY / machine["DefinitionUri"]).read_text(encoding="utf-8")
        for name, value in machine["DefinitionSubstitutions"].items():
            text = text.replace(f"${{{name}}}", self.template.value(value))
        definition: Mapping[str, Any] = json.loads(text)
        return definition

    def _run_executions(self) -> bool:
        happened = False
        for machine in stepfunctions_backends[ACCOUNT][REGION].state_machines:
            started = machine.executions[self._known_executions.get(machine.arn, 0) :]
            for new in started:
                self.history.append(new.execution_input)
                states = self._states(self._machines[machine.arn], json.loads(new.execution_input), {})
                self._executions.append(Execution(states))
                happened = True
            self._known_executions[machine.arn] = len(machine.executions)
        for execution in list(self._executions):
            if execution.wakes_at is not None and self.clock.now() < execution.wakes_at:
                continue
            try:
                execution.wakes_at = self.clock.now() + next(execution.steps)
            except StopIteration:
                self._executions.remove(execution)
            happened = True
        return happened

    def _states(
        self, definition: Mapping[str, Any], given: Any, context: Mapping[str, Any]
    ) -> Generator[timedelta, None, Any]:
        """Run the states; yields how long to wait before going on."""
        name = definition["StartAt"]
        while True:
            state = definition["States"][name]
            self.history.append(json.dumps({"state": name, "input": given}))
            yield timedelta()
            try:
                match state["Type"]:
                    case "Task":
                        result = yield from self._task(state, _arguments(state.get("Parameters"), given, context))
                        given = _put(given, state.get("ResultPath", "$"), result)
                    case "Map":
                        for item in _path(state["ItemsPath"], given, context):
                            inner = _arguments(state["ItemSelector"], given, {"Map": {"Item": {"Value": item}}})
                            yield from self._states(state["ItemProcessor"], inner, context)
                        given = _put(given, state.get("ResultPath", "$"), state.get("ResultSelector", []))
                    case "Pass":
                        result = state.get("Result", _arguments(state.get("Parameters"), given, context))
                        given = _put(given, state.get("ResultPath", "$"), result)
                    case "Wait":
                        yield timedelta(seconds=_path(state["SecondsPath"], given, context))
                    case "Choice":
                        name = next(
                            (c["Next"] for c in state["Choices"] if _chosen(c, given, context)), state["Default"]
                        )
                        continue
                    case "Succeed" | "Fail":
                        return given
            except TaskFailedError as error:
                caught = {"Error": "TechnicalError", "Cause": str(error)}
                given, name = _put(given, state["Catch"][0]["ResultPath"], caught), state["Catch"][0]["Next"]
                continue
            if state.get("End"):
                return given
            name = state["Next"]

    def _task(self, state: Mapping[str, Any], given: Any) -> Generator[timedelta, None, Any]:
        function = str(state["Resource"]).rpartition(":")[2]
        if function not in self.template.resources:
            raise ValueError(f"Tasks are functions of the template here; {state['Resource']} is none.")
        pause = timedelta(seconds=2)
        cause = ""
        for _ in range(state["Retry"][-1]["MaxAttempts"] + 1):
            try:
                result = self.invoke(function, given)
            except (FunctionDiedError, Exception) as error:  # noqa: BLE001 - tried again
                cause = "" if isinstance(error, FunctionDiedError) else str(error)
                self.history.append(json.dumps({"error": type(error).__name__, "cause": cause}))
                yield pause
                pause *= 2
                continue
            self.history.append(json.dumps({"output": result}))
            return result
        raise TaskFailedError(cause)


def _response(call: AwsCall, status: int, body: str) -> AWSResponse:
    return AWSResponse(call.request.url, status, cast("Any", {}), cast("Any", MockRawResponse(body)))


def _seconds(at: datetime) -> float:
    """A time of a change stream as Lambda has it; moto's has no zone and is UTC."""
    return at.replace(tzinfo=UTC).timestamp()


_PASSES: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "exists": lambda _, __: True,
    "anything-but": lambda found, value: found not in value,
    "prefix": lambda found, value: found.startswith(value),
}
"""The tests of such filters, each of what was found and of what the filter says."""


def _matches(pattern: Mapping[str, Any], record: Mapping[str, Any] | None) -> bool:
    """A filter of an event source, as far as the template uses them."""
    for name, wanted in pattern.items():
        found = (record or {}).get(name)
        if isinstance(wanted, Mapping):
            if not _matches(wanted, found):
                return False
        elif isinstance(wanted[0], Mapping):
            ((test, value),) = wanted[0].items()
            if found is None or not _PASSES[test](found, value):
                return False
        elif found not in wanted:
            return False
    return True


def _path(path: str, given: Any, context: Mapping[str, Any]) -> Any:
    found: Any = context if path.startswith("$$") else given
    for name in path.lstrip("$").split(".")[1:]:
        found = found[name]
    return found


def _arguments(parameters: Mapping[str, Any] | None, given: Any, context: Mapping[str, Any]) -> Any:
    if parameters is None:
        return given
    found: dict[str, Any] = {}
    for name, value in parameters.items():
        if name.endswith(".$"):
            found[name.removesuffix(".$")] = _path(value, given, context)
        else:
            found[name] = _arguments(value, given, context) if isinstance(value, Mapping) else value
    return found


def _put(given: Any, path: str | None, result: Any) -> Any:
    if path is None:
        return given
    if path == "$":
        return result
    return {**given, path.removeprefix("$."): result}


def _chosen(choice: Mapping[str, Any], given: Any, context: Mapping[str, Any]) -> bool:
    try:
        found = _path(choice["Variable"], given, context)
    except (KeyError, TypeError):
        found = None
        if "IsPresent" in choice:
            return not choice["IsPresent"]
    if "IsPresent" in choice:
        return bool(choice["IsPresent"])
    return bool(found == choice["BooleanEquals"])
