"""The template's own laws: what must hold for every queue, table, function and permission, also for those to come."""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final, get_args

import pytest
import yaml
from cfnlint.api import lint_all
from samcli.yamlhelper import yaml_dump
from samtranslator.yaml_helper import yaml_parse

from rebound.api.areas import AREAS
from rebound.console.http.operations.watching import alarm_of
from rebound.console.http.routes import ROUTES
from rebound.customers.adapters.forgetting import UNFORGOTTEN
from rebound.customers.adapters.profile_history import HISTORIES
from rebound.imports_exports.adapters.import_store import imports_of_notice
from rebound.kernel.api_scopes import Realm
from rebound.kernel.events import DomainEvent
from rebound.kernel.problem_codes import PROBLEMS
from rebound.kernel.receipts import Outcome
from rebound.operations.adapters.dead_letters import about_of_queues
from rebound.platform.adapters.directory_books import FAILURES
from rebound.platform.http.problem_details import write_problem
from rebound.platform.settings import KNOWN
from rebound.platform.wiring import UseCase, required
from rebound.receipts.adapters.receipts_queue import decode
from rebound.relations.adapters import RELATIONS
from rebound.sending.adapters.counted import DENIED, WHAT_BECAME
from tests.fakes.house import EveryUseCase

type Resource = Mapping[str, Any]
type Resources = Mapping[str, Resource]

REPOSITORY: Final = Path(__file__).parents[3]
PAGES: Final = "preferences/http/links.py"
"""Served by a function of their own."""
PACKAGE: Final = REPOSITORY / "layers" / "common" / "rebound"
WRITTEN: Final = (REPOSITORY / "template.yaml").read_text(encoding="utf-8")
TEMPLATE: Final = yaml_parse(WRITTEN)
RESOURCES: Final[Resources] = TEMPLATE["Resources"]
STATE_MACHINES: Final = sorted((REPOSITORY / "statemachines").glob("*.asl.json"))
TWO_WEEKS_SECONDS: Final = 1_209_600
VISIBILITY_FACTOR: Final = 6
HALF_AN_HOUR: Final = 1800
OF_THE_ACCOUNT: Final = {
    "cloudwatch:GetMetricData",
    "ses:DeleteSuppressedDestination",
    "ses:GetAccount",
    "ses:GetSuppressedDestination",
    "ses:ListEmailIdentities",
    "ses:ListSuppressedDestinations",
}
"""Actions that know no narrower resource (service authorization reference), like the log delivery of state machines."""
NOBODY_WAITS_FOR: Final = {"errand.asl.json", "reconcile_suppressions.asl.json"}
"""State machines whose failure is nothing to write down: the execution fails, which an alarm watches."""
TECHNICAL_ERRORS: Final = {"States.TaskFailed", "States.Timeout"}
"""A step answers what is final (``failure``); whatever it raises is technical (``rebound.platform.invocations``)."""


SWEEP: Final = "SweepTimersFunction"
"""Scheduled by the minute: what one sweep leaves undone, the next one finds, so that nothing is tried again or kept."""
RUNS_EACH_MINUTE: Final = {"TimersLateAlarm"}
"""Alarms for which silence is what they watch for."""


def of_type(name: str) -> Resources:
    return {logical: resource for logical, resource in RESOURCES.items() if resource["Type"] == name}


def properties(logical: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = RESOURCES[logical].get("Properties", {})
    return found


def named(value: Any) -> str:
    """The logical id that a Ref or GetAtt points at, or a Sub that begins with one."""
    if "Ref" in value:
        return str(value["Ref"])
    if "Fn::Sub" in value:
        return str(value["Fn::Sub"]).removeprefix("${").split(".")[0]
    attribute = value["Fn::GetAtt"]
    return str(attribute[0] if isinstance(attribute, list) else attribute.split(".")[0])


def listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def branches(value: Any) -> Iterator[Any]:
    """A value, or both sides of an Fn::If, without AWS::NoValue."""
    if isinstance(value, Mapping) and "Fn::If" in value:
        for side in value["Fn::If"][1:]:
            yield from branches(side)
    elif value != {"Ref": "AWS::NoValue"}:
        yield value


FUNCTIONS: Final = of_type("AWS::Serverless::Function")
ALARMS: Final = of_type("AWS::CloudWatch::Alarm")
TABLES: Final = of_type("AWS::DynamoDB::Table")
QUEUES: Final = of_type("AWS::SQS::Queue")
DEAD_LETTER_QUEUES: Final = {
    named(queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"])
    for queue in QUEUES.values()
    if "RedrivePolicy" in queue["Properties"]
}


def timeout_seconds(function: Resource) -> int:
    return int(function["Properties"].get("Timeout", TEMPLATE["Globals"]["Function"]["Timeout"]))


def environment(function: Resource) -> Mapping[str, Any]:
    shared: Mapping[str, Any] = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    return {**shared, **function["Properties"].get("Environment", {}).get("Variables", {})}


def folder(function: Resource) -> Path:
    return REPOSITORY / str(function["Properties"]["CodeUri"])


def events(kind: str) -> Iterator[tuple[str, Resource]]:
    for logical, function in FUNCTIONS.items():
        for event in function["Properties"].get("Events", {}).values():
            if event["Type"] == kind:
                yield logical, event["Properties"]


def module_of(path: Path) -> str:
    """The name of a module of the package by its file."""
    return ".".join(("rebound", *path.relative_to(PACKAGE).with_suffix("").parts))


def statements(value: Any) -> Iterator[Resource]:
    """Every policy statement below ``value``, wherever it stands."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == "Statement":
                yield from (found for statement in listed(inner) for found in branches(statement))
            else:
                yield from statements(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from statements(inner)


def states(definition: Mapping[str, Any]) -> Iterator[tuple[str, Resource]]:
    """Every state of a state machine, also those inside a Map."""
    for name, state in definition["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from states(state["ItemProcessor"])


@cache
def wired() -> Mapping[str, Sequence[ast.FunctionDef]]:
    """What every module of wiring makes in a way of its own, by name; several capabilities may add to one thing."""
    found: defaultdict[str, list[ast.FunctionDef]] = defaultdict(list)
    for path in sorted(PACKAGE.rglob("wiring.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                found[node.name].append(node)
    return found


@cache
def made_by_name() -> Mapping[str, AbstractSet[str]]:
    """Every other use case, and the names of what it is made of."""
    return {
        name: {made.called.get(field, field) for field in required(made.kind) | made.called.keys()}
        for kind in EveryUseCase.__mro__
        for name, made in vars(kind).items()
        if isinstance(made, UseCase)
    }


def asked_of_wiring(source: str) -> set[str]:
    """The names in ``wiring.use_cases().<name>`` and ``wiring.ports().<name>``."""
    return {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value) in ("wiring.use_cases()", "wiring.ports()")
    }


def settings_asked_for(factories: set[str]) -> set[str]:
    """What use cases and ports by these names, and what they are made of, take from the settings without choice."""
    bodies, by_name = wired(), made_by_name()
    asked: set[str] = set()
    followed: set[str] = set()
    while waiting := (factories & (bodies.keys() | by_name.keys())) - followed:
        factory = waiting.pop()
        followed.add(factory)
        factories = factories | by_name.get(factory, set())
        for node in (node for body in bodies.get(factory, ()) for node in ast.walk(body)):
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "self.settings.public_url":
                asked.add("PUBLIC_URL")
            elif isinstance(node, ast.Attribute) and node.attr in bodies.keys() | by_name.keys():
                factories = factories | {node.attr}
            elif isinstance(node, ast.ImportFrom) and ".application" in str(node.module):
                kinds = [getattr(import_module(str(node.module)), alias.name) for alias in node.names]
                factories = factories.union(*(required(kind) for kind in kinds if isinstance(kind, type)))
            elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value in KNOWN:
                asked.add(str(node.slice.value))
    return asked


def mappings(node: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    """Every mapping of the template as it is written, with its marks."""
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from mappings(value)


def test_what_is_shared_stands_among_a_resources_own_keys_and_never_instead_of_one() -> None:
    sharing = [
        mapping for mapping in mappings(yaml.compose(WRITTEN)) if "<<" in [key.value for key, _ in mapping.value]
    ]

    assert sharing
    for mapping in sharing:
        shared = [key.value for name, value in mapping.value if name.value == "<<" for key, _ in value.value]
        own = [key.value for key, _ in mapping.value]
        assert not set(shared) & set(own), mapping.start_mark


def test_what_sam_sends_to_cloudformation_has_no_marks() -> None:
    sent = yaml_dump(TEMPLATE)

    assert yaml_parse(sent) == TEMPLATE
    assert not [token for token in yaml.scan(sent) if isinstance(token, yaml.AnchorToken | yaml.AliasToken)]
    assert "<<:" not in sent


@pytest.mark.parametrize("logical", QUEUES)
def test_a_queue_is_encrypted_and_has_a_dead_letter_queue_or_is_one(logical: str) -> None:
    queue = properties(logical)

    assert queue["SqsManagedSseEnabled"] is True
    if logical in DEAD_LETTER_QUEUES:
        assert "RedrivePolicy" not in queue
        assert queue["MessageRetentionPeriod"] == TWO_WEEKS_SECONDS
    else:
        assert queue["RedrivePolicy"]["maxReceiveCount"] >= 3


def queue_alarms(metric: str) -> Mapping[str, Resource]:
    """The alarms on one of SQS's metrics, by the queue that they watch."""
    return {
        named(dimension["Value"]): alarm["Properties"]
        for alarm in ALARMS.values()
        for dimension in alarm["Properties"].get("Dimensions", [])
        if dimension["Name"] == "QueueName" and alarm["Properties"]["MetricName"] == metric
    }


@pytest.mark.parametrize("logical", sorted(DEAD_LETTER_QUEUES))
def test_an_alarm_goes_off_at_the_first_dead_letter_of_every_queue(logical: str) -> None:
    alarm = queue_alarms("ApproximateNumberOfMessagesVisible")[logical]

    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")


@pytest.mark.parametrize("logical", sorted(set(QUEUES) - DEAD_LETTER_QUEUES))
def test_an_alarm_goes_off_when_a_queues_oldest_message_is_older_than_all_its_tries_take(logical: str) -> None:
    alarm, queue = queue_alarms("ApproximateAgeOfOldestMessage")[logical], properties(logical)

    assert alarm["Threshold"] > queue["VisibilityTimeout"] * queue["RedrivePolicy"]["maxReceiveCount"]
    assert alarm["Threshold"] < queue["MessageRetentionPeriod"]


@pytest.mark.parametrize("logical", sorted(ALARMS))
def test_an_alarm_tells_the_operator_if_there_is_a_topic_and_says_where_to_read_on(logical: str) -> None:
    alarm = properties(logical)

    assert alarm["AlarmActions"] == {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    assert alarm["AlarmDescription"].endswith("; see docs/runbook.md.")
    assert alarm["TreatMissingData"] in ({"breaching"} if logical in RUNS_EACH_MINUTE else {"notBreaching", "ignore"})


@pytest.mark.parametrize("logical", sorted(ALARMS))
def test_the_runbook_says_of_every_alarm_what_it_means_and_what_to_do_and_not_to_do(logical: str) -> None:
    sections = re.split(r"^###? ", (REPOSITORY / "docs" / "runbook.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    [section] = [
        section for section in sections if re.search(rf"^(`\w+` )*`{logical}`( `\w+`)*$", section, re.MULTILINE)
    ]

    assert re.findall(r"^\*\*(\w[\w ]*?)\.?\*\*", section, re.MULTILINE) == ["Means", "Look", "Do", "Do not"]


def test_the_runbook_names_no_alarm_that_is_not_there() -> None:
    named_there = re.findall(r"`(\w+Alarm)`", (REPOSITORY / "docs" / "runbook.md").read_text(encoding="utf-8"))

    assert set(named_there) == set(ALARMS)


OURS: Final = "Rebound/${AWS::StackName}"
"""The namespace of our metrics: two stacks of one account and region would add theirs up otherwise."""


def test_the_metrics_of_each_stack_are_its_own() -> None:
    mentioned = re.findall(r"Rebound/\$\{AWS::StackName\}|Namespace: *Rebound|NAMESPACE: *Rebound|\"Rebound\"", WRITTEN)

    assert set(mentioned) == {OURS}
    assert environment(FUNCTIONS["SendEmailFunction"])["POWERTOOLS_METRICS_NAMESPACE"] == {"Fn::Sub": OURS}


def metrics_of_ours() -> set[str]:
    """What the code counts under its own namespace."""
    events = {event.__name__ for event in get_args(DomainEvent)}
    sends = {f"{kind}{became}" for kind in ("Emails", "Texts") for became in WHAT_BECAME.values()}
    receipts = {f"Receipts{outcome.capitalize()}" for outcome in Outcome}
    code = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "functions").glob("*/handler.py"))
    code += "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    sends |= {f"{kind}{DENIED}" for kind in ("Emails", "Texts")}
    return events | sends | receipts | set(re.findall(r'\bcount\("(\w+)"', code))


def test_the_dashboard_shows_every_queue_and_only_what_is_there() -> None:
    [dashboard] = of_type("AWS::CloudWatch::Dashboard").values()
    body = dashboard["Properties"]["DashboardBody"]["Fn::Sub"]
    shown = [
        metric
        for widget in json.loads(body)["widgets"]
        for metric in widget["properties"]["metrics"]
        if isinstance(metric[0], str)
    ]
    services = {environment(function)["POWERTOOLS_SERVICE_NAME"] for function in FUNCTIONS.values()}

    for name in re.findall(r"\$\{([\w:]+)", body):
        assert name in RESOURCES or name.startswith("AWS::"), name
    for queue in QUEUES:
        assert f"${{{queue}.QueueName}}" in body, queue
    assert {namespace for namespace, *_ in shown} >= {OURS, "AWS/SQS", "AWS/SES", "AWS/States"}
    for namespace, metric, *dimensions in shown:
        if namespace == OURS:
            assert dimensions[0] == "service"
            assert dimensions[1] in services
            assert metric in metrics_of_ours(), metric
    # The estimate takes every function for one of 512 MB, and adds the rest for those that have more.
    assert {logical for logical in FUNCTIONS if f'"Duration", "FunctionName", "${{{logical}}}"' in body} == {
        logical for logical, function in FUNCTIONS.items() if function["Properties"].get("MemorySize", 512) == 1024
    }
    assert {function["Properties"].get("MemorySize", 512) for function in FUNCTIONS.values()} == {512, 1024}


def test_the_alarm_of_each_queues_dead_letters_is_called_as_its_page_expects() -> None:
    queues = json.loads(environment(FUNCTIONS["ServeOperationsFunction"])["DEAD_LETTER_QUEUES"]["Fn::Sub"])
    assert {f"{alarm_of(queue)}Alarm" for queue in queues} == {
        name for name in of_type("AWS::CloudWatch::Alarm") if name.endswith("DeadLettersAlarm")
    }


def test_the_operator_can_look_into_every_dead_letter_queue_and_put_its_letters_back() -> None:
    operator = FUNCTIONS["OperateStackFunction"]
    given = json.loads(environment(operator)["DEAD_LETTER_QUEUES"]["Fn::Sub"])
    pairs = {name: tuple(url.strip("${}") for url in urls) for name, urls in given.items()}
    allowed: dict[str, set[str]] = {}
    for statement in statements(operator["Properties"]["Policies"]):
        for action in (each for each in listed(statement["Action"]) if each.startswith("sqs:")):
            allowed.setdefault(action, set()).update(named(resource) for resource in listed(statement["Resource"]))

    assert sorted(pairs.values()) == sorted(
        (logical, named(queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]))
        for logical, queue in QUEUES.items()
        if logical not in DEAD_LETTER_QUEUES
    )
    assert pairs.keys() == about_of_queues(decode, imports_of_notice).keys()
    assert allowed["sqs:SendMessage"] == set(QUEUES) - DEAD_LETTER_QUEUES
    for action in ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"):
        assert allowed[f"sqs:{action}"] == DEAD_LETTER_QUEUES


@pytest.mark.parametrize(("logical", "event"), list(events("SQS")))
def test_who_reads_a_queue_can_say_why_a_message_failed_and_write_no_other_row_for_it(
    logical: str, event: Resource
) -> None:
    writes = [
        statement
        for statement in statements(FUNCTIONS[logical]["Properties"]["Policies"])
        if "dynamodb:PutItem" in listed(statement["Action"])
        and "DirectoryTable" in map(named, listed(statement["Resource"]))
    ]

    assert writes, event
    # Imports keep their progress in the same table, and webhooks and whose index is filled are kept there.
    if logical not in ("ImportCustomersFunction", "DeliverWebhooksFunction", "RunUpkeepFunction"):
        assert [statement["Condition"] for statement in writes] == [
            {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [FAILURES]}}
        ]


def test_who_forgets_the_deleted_writes_nothing_else_of_the_directory() -> None:
    [forgets] = [f for logical, f in FUNCTIONS.items() if logical == "ForgetCustomersFunction"]
    writes = [
        statement["Condition"]
        for statement in statements(forgets["Properties"]["Policies"])
        if "dynamodb:PutItem" in listed(statement["Action"])
        and "DirectoryTable" in map(named, listed(statement["Resource"]))
    ]

    # Who is unlinked from somebody who is deleted keeps the rest of the row, and the log says so.
    assert writes == [
        {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{HISTORIES}*", f"{RELATIONS}*"]}},
        {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [UNFORGOTTEN]}},
    ]


@pytest.mark.parametrize(("logical", "event"), list(events("SQS")))
def test_who_reads_a_queue_reports_partial_failures_and_has_a_sixth_of_its_visibility(
    logical: str, event: Resource
) -> None:
    queue = properties(named(event["Queue"]))

    assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert queue["VisibilityTimeout"] >= VISIBILITY_FACTOR * timeout_seconds(FUNCTIONS[logical])


@pytest.mark.parametrize(("logical", "event"), list(events("DynamoDB")))
def test_who_reads_a_stream_starts_at_its_beginning_and_never_gives_up(logical: str, event: Resource) -> None:
    assert event["StartingPosition"] == "TRIM_HORIZON", logical
    assert "MaximumRetryAttempts" not in event, logical
    assert "MaximumRecordAgeInSeconds" not in event, logical
    assert properties(named(event["Stream"]))["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"


@pytest.mark.parametrize("logical", TABLES)
def test_a_table_is_billed_on_demand_encrypted_and_can_be_restored(logical: str) -> None:
    table = properties(logical)

    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    # Encrypted all the same, by DynamoDB's own key; SSEEnabled means one in KMS, which is billed by the call.
    assert "SSESpecification" not in table
    assert "ProvisionedThroughput" not in table


@pytest.mark.parametrize("logical", FUNCTIONS)
def test_a_function_logs_into_a_group_of_its_own(logical: str) -> None:
    group = named(properties(logical)["LoggingConfig"]["LogGroup"])

    assert group == logical.removesuffix("Function") + "LogGroup"
    assert RESOURCES[group]["Type"] == "AWS::Logs::LogGroup"


@pytest.mark.parametrize("logical", of_type("AWS::Logs::LogGroup"))
def test_logs_are_kept_for_a_set_time(logical: str) -> None:
    assert properties(logical)["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("logical", FUNCTIONS)
def test_a_function_has_a_door_that_is_named_like_it(logical: str) -> None:
    function = FUNCTIONS[logical]
    handler = folder(function) / "handler.py"

    assert TEMPLATE["Globals"]["Function"]["Handler"] == "handler.lambda_handler"
    assert "lambda_handler" in {
        node.name for node in ast.parse(handler.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)
    }
    assert handler.parent.name.replace("_", "") + "function" == logical.lower()
    assert environment(function)["POWERTOOLS_SERVICE_NAME"] == handler.parent.name


def test_who_is_called_without_waiting_keeps_what_fails_where_receipts_are_redriven_from() -> None:
    permitted = of_type("AWS::Lambda::Permission").values()
    not_waited_for = {
        named(permission["Properties"]["FunctionName"])
        for permission in permitted
        if permission["Properties"]["Principal"] in {"logs.amazonaws.com", "events.amazonaws.com", "s3.amazonaws.com"}
    }
    not_waited_for |= {
        logical for kind in ("Schedule", "ScheduleV2", "EventBridgeRule", "SNS") for logical, _ in events(kind)
    }

    assert not_waited_for
    for logical in not_waited_for - {SWEEP}:
        assert named(properties(logical)["DeadLetterQueue"]["TargetArn"]) in DEAD_LETTER_QUEUES


def test_each_method_that_needs_no_key_has_a_limit_of_its_own() -> None:
    """``*`` for the methods of one path may do nothing; a path is written with ``~1`` for each of its slashes."""
    open_methods = {
        (f"/{event['Properties']['Path'].replace('/', '~1')}", event["Properties"]["Method"])
        for function in FUNCTIONS
        for event in properties(function).get("Events", {}).values()
        if event["Type"] == "Api" and event["Properties"].get("Auth") == {"Authorizer": "NONE"}
    }
    limited = {
        (setting["ResourcePath"], setting["HttpMethod"]): setting for setting in properties("Api")["MethodSettings"]
    }

    assert limited.keys() == open_methods
    assert all(0 < each["ThrottlingRateLimit"] <= each["ThrottlingBurstLimit"] for each in limited.values())


def test_no_queue_takes_all_of_an_accounts_functions() -> None:
    sources = [
        event["Properties"]
        for function in FUNCTIONS
        for event in properties(function).get("Events", {}).values()
        if event["Type"] == "SQS"
    ]

    assert sources
    assert all(each["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "QueueConcurrency"}} for each in sources)


def leads_to(function: str) -> AbstractSet[str]:
    """The functions that get a message from a queue on which this one may put something."""
    fed = {
        named(resource)
        for statement in statements(properties(function).get("Policies", []))
        if "sqs:SendMessage" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }
    return {
        other
        for other in FUNCTIONS
        for event in properties(other).get("Events", {}).values()
        if event["Type"] == "SQS" and named(event["Properties"]["Queue"]) in fed
    }


def test_exactly_the_functions_whose_messages_come_back_to_them_may_loop() -> None:
    """Lambda ends a chain of messages in which a function comes up more than 16 times, unless it allows that."""
    reached = {function: set(leads_to(function)) for function in FUNCTIONS}
    for _ in FUNCTIONS:
        for ways in reached.values():
            ways |= {further for function in ways for further in reached[function]}
    looping = {function for function, ways in reached.items() if function in ways}
    allowed = {function for function in FUNCTIONS if properties(function).get("RecursiveLoop") == "Allow"}

    assert allowed == looping
    assert len(looping) > 3


def test_every_door_is_deployed() -> None:
    deployed = {folder(function).resolve() for function in FUNCTIONS.values()}

    assert deployed == {path.parent for path in (REPOSITORY / "functions").glob("*/handler.py")}


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "functions").glob("*/handler.py")), ids=lambda path: path.parent.name
)
def test_a_door_makes_no_client_and_reads_no_environment(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}

    assert not {name.split(".")[0] for name in imported} & {"boto3", "botocore", "pynamodb", "twilio", "os"}


@pytest.mark.parametrize("logical", FUNCTIONS)
def test_a_function_is_given_only_settings_that_the_code_knows(logical: str) -> None:
    given = {name for name in environment(FUNCTIONS[logical]) if not name.startswith("POWERTOOLS_")}

    assert given <= KNOWN


def said_in_console(*, of_operators: bool) -> str:
    """What the pages of one of the console's two functions call, and what all pages do."""
    assert {route.handler.startswith("operations.") is route.is_for_operators for route in ROUTES} == {True}
    shared = {"frame", "visits"}
    said = "".join(
        path.read_text(encoding="utf-8")
        for path in (PACKAGE / "console" / "http").rglob("*.py")
        if path.stem in shared or (path.parent.name == "operations") is of_operators
    )
    return said.replace("visit.behind.", "wiring.use_cases().")


@pytest.mark.parametrize("logical", FUNCTIONS)
def test_a_function_is_given_every_setting_that_its_wiring_asks_for(logical: str) -> None:
    door = (folder(FUNCTIONS[logical]) / "handler.py").read_text(encoding="utf-8")
    if "rebound.platform.batches" in door:
        door += (PACKAGE / "platform" / "batches.py").read_text(encoding="utf-8")
    if "respond_to_link(" in door:
        door += "wiring.use_cases().follow_links"
    elif "respond_in_console(" in door:
        door += said_in_console(of_operators=False)
    elif "respond_in_operations(" in door:
        door += said_in_console(of_operators=True)
    elif "rebound.api" in door:
        realm = Realm.OPERATOR if "respond_to_operator(" in door else Realm.BUSINESS
        areas = {module for area in AREAS if area.realm is realm for module in area.modules}
        others = {module for area in AREAS if area.realm is not realm for module in area.modules}
        http = {module_of(path): path for path in [*PACKAGE.glob("*/http/*.py"), *PACKAGE.glob("*/http.py")]}
        # Of a business's own part, also what its areas import; the operator's borrows shapes only.
        wanted = areas if realm is Realm.OPERATOR else http.keys() - others - {module_of(PACKAGE / PAGES)}
        door += "".join(http[module].read_text(encoding="utf-8") for module in sorted(wanted))
    asked = settings_asked_for(asked_of_wiring(door))

    assert asked
    assert asked <= environment(FUNCTIONS[logical]).keys()


@pytest.mark.parametrize("logical", FUNCTIONS)
def test_a_function_may_touch_only_the_tables_that_it_is_told_of(logical: str) -> None:
    function = FUNCTIONS[logical]
    told = {named(value) for name, value in environment(function).items() if name.endswith("_TABLE")}
    allowed = {
        named(resource)
        for statement in statements(function["Properties"].get("Policies", []))
        if any(action.startswith("dynamodb:") for action in listed(statement["Action"]))
        for resource in listed(statement["Resource"])
    }

    # Told of more than it touches: one that only reads customers makes their book, which could write contacts as well.
    assert allowed <= told


WRITE_STORED_CONTACTS: Final = {"SendEmailFunction", "SendTextFunction"}
"""They write the try of a contact that has failed: it is stored, and somebody uses it."""


NOT_ASKED: Final = {"ServePreferencesFunction": {"dynamodb:DeleteItem"}}
"""It brings nobody to an address and takes nobody away, so what is remembered stays where it is."""


@pytest.mark.parametrize("logical", sorted(FUNCTIONS.keys() - WRITE_STORED_CONTACTS))
def test_who_writes_contacts_may_make_sure_that_nothing_is_remembered_of_the_address(logical: str) -> None:
    allowed = {
        action
        for statement in statements(FUNCTIONS[logical]["Properties"].get("Policies", []))
        for action in listed(statement["Action"])
        if "ContactsTable"
        in [named(resource) for resource in listed(statement.get("Resource", [])) if "Fn::GetAtt" in resource]
    }

    sure = {"dynamodb:ConditionCheckItem", "dynamodb:DeleteItem"} - NOT_ASKED.get(logical, set())

    assert "dynamodb:PutItem" not in allowed or sure <= allowed


@pytest.mark.parametrize("logical", RESOURCES)
def test_nothing_is_allowed_every_action_or_everything(logical: str) -> None:
    for statement in statements(RESOURCES[logical]):
        if statement["Effect"] == "Deny":
            continue
        actions = listed(statement["Action"])

        assert not [action for action in actions if "*" in action]
        assert "*" not in listed(statement.get("Resource")) or all(
            action.startswith("logs:") or action in OF_THE_ACCOUNT for action in actions
        )


def test_the_configuration_set_suppresses_complaints_only_and_tells_every_outcome() -> None:
    [configuration_set] = of_type("AWS::SES::ConfigurationSet").values()
    [destination] = of_type("AWS::SES::ConfigurationSetEventDestination").values()

    assert configuration_set["Properties"]["SuppressionOptions"] == {"SuppressedReasons": ["COMPLAINT"]}
    assert set(destination["Properties"]["EventDestination"]["MatchingEventTypes"]) == {
        "BOUNCE",
        "COMPLAINT",
        "DELIVERY",
        "DELIVERY_DELAY",
        "REJECT",
        "RENDERING_FAILURE",
    }


def test_only_the_contract_the_console_and_signed_callbacks_are_open() -> None:
    opened = {event["Path"] for _, event in events("Api") if event.get("Auth", {}).get("Authorizer") == "NONE"}

    assert opened == {
        # Whoever is signed in has a cookie.
        "/console",
        "/console/operations",
        "/console/operations/{proxy+}",
        "/console/{proxy+}",
        "/v1/openapi.json",
        "/v1/preferences/{token}",
        "/v1/unsubscribe/{token}",
        "/v1/webhooks/twilio/inbound",
        "/v1/webhooks/twilio/status",
        "/v1/confirm/{token}",
        "/v1/appointment/{token}",
        "/v1/profile/{token}",
        "/v1/relation/{token}",
        "/v1/stop/{code}",
    }
    assert properties("Api")["Auth"]["DefaultAuthorizer"] == "ApiKeyAuthorizer"


@pytest.mark.parametrize("response_type", properties("Api")["GatewayResponses"])
def test_what_the_gateway_answers_by_itself_is_a_problem_of_ours(response_type: str) -> None:
    response = properties("Api")["GatewayResponses"][response_type]
    problem = json.loads(response["ResponseTemplates"]["application/json"])
    kind = PROBLEMS[problem["code"]]
    headers = response["ResponseParameters"]["Headers"]
    waits = kind.wait_seconds is not None and response_type != "QUOTA_EXCEEDED"

    assert problem == json.loads(write_problem(problem["code"], problem["detail"]))
    assert response["StatusCode"] == str(int(kind.status))
    assert headers["Content-Type"] == "'application/problem+json'"
    assert headers.get("Retry-After") == (f"'{kind.wait_seconds}'" if waits else None)


def test_every_method_that_a_gateway_knows_reaches_the_api() -> None:
    """What a path has not got is 405 only where somebody is asked who knows what it has."""
    methods = {event["Method"] for _, event in events("Api") if event["Path"] == "/v1/{proxy+}"}

    assert methods == {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}


def test_imports_are_private_and_soon_gone() -> None:
    bucket = properties("ImportsBucket")

    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == 7


@pytest.mark.parametrize("logical", of_type("AWS::Serverless::StateMachine"))
def test_executions_leave_no_data_in_the_logs(logical: str) -> None:
    assert properties(logical)["Logging"]["IncludeExecutionData"] is False


def test_every_state_machine_is_deployed() -> None:
    deployed = {machine["Properties"]["DefinitionUri"] for machine in of_type("AWS::Serverless::StateMachine").values()}

    assert deployed == {f"statemachines/{path.name}" for path in STATE_MACHINES}


@pytest.mark.parametrize("path", STATE_MACHINES, ids=lambda path: path.name)
def test_a_state_machine_is_well_formed(path: Path) -> None:
    definition = path.read_text(encoding="utf-8")
    [machine] = [
        machine["Properties"]
        for machine in of_type("AWS::Serverless::StateMachine").values()
        if machine["Properties"]["DefinitionUri"] == f"statemachines/{path.name}"
    ]
    substituted = machine["DefinitionSubstitutions"]
    allowed = [
        named(resource)
        for statement in statements(machine["Policies"])
        if "lambda:InvokeFunction" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]
    assert sorted(allowed) == sorted(named(function) for function in substituted.values())
    for name in substituted:
        assert f"${{{name}}}" in definition
        definition = definition.replace(f"${{{name}}}", f"arn:aws:lambda:us-east-1:000000000000:function:{name}")
    template = {
        "Resources": {
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "RoleArn": "arn:aws:iam::000000000000:role/any",
                    "Definition": json.loads(definition),
                },
            }
        }
    }

    assert "${" not in definition
    assert lint_all(json.dumps(template)) == []


@pytest.mark.parametrize("path", STATE_MACHINES, ids=lambda path: path.name)
def test_a_task_is_tried_again_with_back_off_and_what_is_left_is_written_down(path: Path) -> None:
    definition = json.loads(path.read_text(encoding="utf-8"))
    tasks = {
        name: state
        for name, state in states(definition)
        if state["Type"] == "Task" and state["Resource"].startswith("${")
    }
    last = {catch["Next"] for _, state in states(definition) for catch in state.get("Catch", ())}

    assert tasks
    assert last in (({"CloseAsFailed"}, {"Pause"}) if path.name not in NOBODY_WAITS_FOR else (set(),))
    for name, task in tasks.items():
        throttled, retry = task["Retry"]
        # Lambda has no room: nothing was tried, and a new account has room for ten.
        assert throttled["ErrorEquals"] == ["Lambda.TooManyRequestsException"], name
        assert throttled["MaxAttempts"] * throttled["MaxDelaySeconds"] >= HALF_AN_HOUR, name
        assert set(retry["ErrorEquals"]) == TECHNICAL_ERRORS, name
        assert retry["BackoffRate"] > 1, name
    for name, state in definition["States"].items() if last else ():
        if state["Type"] in {"Task", "Map"} and name not in last:
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
            assert state["Catch"][-1]["Next"] in last, name
