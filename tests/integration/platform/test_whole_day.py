"""A whole day of the deployment in memory: what the functions ask of AWS, and what they write for others to read."""

import fnmatch
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from tests.fakes.aws import ACCOUNT, REGION, rows
from tests.fakes.deployed_day import BODY, FIRST_NAME, LAST_NAME, SUBJECT, DeployedDay, email_of, phone_of
from tests.fakes.deployment import AwsCall, Deployment, FunctionDiedError

PROVIDERS_OWN: Final = {"ReceiveCallbackFunction", "RelayTextLogsFunction"}
"""What they put on the receipts queue are providers' payloads, which carry addresses (truth 12)."""
ASKED_IN_PART: Final = {
    "ServeApiFunction": "the day asks for some of its routes only; what each needs is test_serve_api's",
    "OperateStackFunction": "the day makes businesses, and neither keys nor redrives",
    "RunJobFunction": "the day starts no jobs",
    "AuthorizeRequestFunction": "the day's requests come with their business",
}
"""Functions of which the day does not see everything they do."""
IDENTITIES: Final = ("example.com", "hello@example.com", "mail.example.com", "hello@mail.example.com")
"""SES asks for the most specific identity that is verified, which may be any of these where the stack has the first."""
UPLOADING: Final = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
"""All of them are s3:PutObject to IAM."""
UNUSED: Final[Mapping[tuple[str, str], str]] = {
    (
        "CountResultsFunction",
        "dynamodb:PutItem",
    ): "pauses a campaign through the breaker: nothing goes so wrong that day",
    (
        "ApplyReceiptsFunction",
        "dynamodb:DeleteItem",
    ): "a contact that loses its last customer while its receipt is applied",
    ("ApplyReceiptsFunction", "sqs:SendMessage"): "receipts for which there was no time to ask the suppression list",
    ("ApplyReceiptsFunction", "ses:ListSuppressedDestinations"): "for more than three addresses at a time",
    ("SendEmailFunction", "ses:ListSuppressedDestinations"): "as in ApplyReceiptsFunction",
    (
        "ReconcileSuppressionsFunction",
        "dynamodb:ConditionCheckItem",
    ): "a contact that loses its last customer meanwhile",
    ("ReconcileSuppressionsFunction", "dynamodb:DeleteItem"): "as ConditionCheckItem",
    ("ImportCustomersFunction", "dynamodb:GetItem"): "copies flags again when the policy changes while rows are saved",
    ("ImportCustomersFunction", "dynamodb:UpdateItem"): "as GetItem",
    ("ExportCustomersFunction", "s3:GetObject"): "goes on with a file whose writer ran out of time or died",
    ("RollBackFlagsFunction", "dynamodb:ConditionCheckItem"): "a contact that nobody uses any more",
    ("RollBackFlagsFunction", "dynamodb:DeleteItem"): "as ConditionCheckItem",
    ("ExpandCampaignFunction", "dynamodb:BatchGetItem"): "a list that the plan, which did it that day, has no time for",
    ("ExpandCampaignFunction", "dynamodb:UpdateItem"): "as BatchGetItem, of those in it who wait for their hour",
    ("ReceiveTextFunction", "dynamodb:DeleteItem"): "a contact that loses its last customer meanwhile",
    **{
        (function, "sqs:SendMessage"): "the day's chunks go, and go back, to some of the queues only"
        for function in (
            "PlanCampaignFunction",
            "ExpandCampaignFunction",
            "RequeueCampaignFunction",
            "SendEmailFunction",
            "SendTextFunction",
        )
    },
    ("SendEmailFunction", "sqs:GetQueueAttributes"): "looks at how much waits when the provider's rate is reached",
    ("SendTextFunction", "sqs:GetQueueAttributes"): "as in SendEmailFunction",
    ("SplitImportFunction", "s3:DeleteObject"): "removes what was made of a file that was replaced while it was read",
    ("RecopyFlagsFunction", "sqs:SendMessage"): "the rest of a copying that takes longer than a function may run",
    ("SendEmailFunction", "ses:SendEmail"): "SES checks it as well for a bulk call with content of its own",
}
"""What a function may do and does not do by its own calls, and why it may."""


@dataclass(frozen=True)
class Done:
    """What the day left behind."""

    faults: Sequence[str]
    deployment: Deployment
    asked: Mapping[str, set[tuple[str, str]]]
    reconciled: Mapping[str, Any]
    opened: Sequence[Any]
    answered: Sequence[Any]
    consent: Mapping[str, Any]


@pytest.fixture(scope="module")
def done() -> Iterator[Done]:
    asked: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    died: list[str] = []

    def watch(call: AwsCall, side: str) -> None:
        if side == "before" and call.service != "twilio":
            asked[call.function] |= set(needed(call))
        if call.service == "twilio" and side == "after" and not died:
            # One dies while it sends, so that another has to settle what it left.
            died.append(call.function)
            raise FunctionDiedError

    with Deployment(watch) as deployment:
        day = DeployedDay(deployment)
        day.prepare()
        day.play()
        ended = day.faults(*died)
        day.say_what_they_want()
        day.wait_for_the_morning()
        day.try_again()
        day.go_and_come_back()
        day.ask_and_be_answered()
        day.text_back()
        day.keep_in_step_with_the_suppression_list()
        day.meet_what_cannot_be()
        yield Done(ended, deployment, asked, day.reconciled, day.opened, day.answered, day.consent)


def needed(call: AwsCall) -> Iterator[tuple[str, str]]:
    """The actions and resources that IAM asks for when this request is made."""

    def arn(service: str, resource: str) -> str:
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"

    match call.service, call.operation:
        case "dynamodb", "TransactWriteItems":
            for item in call.body["TransactItems"]:
                ((kind, what),) = item.items()
                action = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}.get(kind, f"{kind}Item")
                yield f"dynamodb:{action}", arn("dynamodb", f"table/{what['TableName']}")
        case "dynamodb", operation:
            given = call.body
            index = f"/index/{given['IndexName']}" if "IndexName" in given else ""
            for table in given.get("RequestItems") or [given["TableName"]]:
                yield f"dynamodb:{operation}", arn("dynamodb", f"table/{table}{index}")
        case "sqs", operation:
            queue = call.body["QueueUrl"].rpartition("/")[2]
            yield f"sqs:{operation.removesuffix('Batch')}", arn("sqs", queue)
        case "sesv2", operation if operation == "GetAccount" or "Suppressed" in operation:
            yield f"ses:{operation}", "*"
        case "sesv2", operation:
            for identity in IDENTITIES:
                yield f"ses:{operation}", arn("ses", f"identity/{identity}")
            yield f"ses:{operation}", arn("ses", f"configuration-set/{call.body['ConfigurationSetName']}")
            yield f"ses:{operation}", arn("ses", "template/any")
        case "sns", operation:
            yield f"sns:{operation}", "+1"
        case "secrets-manager", operation:
            yield f"secretsmanager:{operation}", call.body["SecretId"]
        case "sfn", operation:
            yield f"states:{operation}", call.body["stateMachineArn"]
        case "eventbridge", operation:
            for entry in call.body["Entries"]:
                yield f"events:{operation}", arn("events", f"event-bus/{entry['EventBusName']}")
        case "s3", "DeleteObjects":
            bucket = urlsplit(call.request.url).netloc.split(".")[0]
            for found in re.findall(r"<Key>([^<]*)</Key>", call.request.body.decode()):
                yield "s3:DeleteObject", f"arn:aws:s3:::{bucket}/{found}"
        case "s3", operation:
            operation = {"HeadObject": "GetObject", **dict.fromkeys(UPLOADING, "PutObject")}.get(operation, operation)
            parts = urlsplit(call.request.url)
            bucket = parts.netloc.split(".")[0]
            path = parts.path if bucket != "s3" else "/" + parts.path.split("/", 2)[2]
            bucket = bucket if bucket != "s3" else parts.path.split("/")[1]
            yield f"s3:{operation}", f"arn:aws:s3:::{bucket}{path}"
        case service, operation:
            raise AssertionError(f"{call.function} asks {service} for {operation}: say here what IAM wants for that")


def granted(deployment: Deployment, function: str) -> Iterator[tuple[str, str, bool]]:
    """What the template lets a function do: action, resource pattern, and whether the pattern is what it excepts."""
    policies = deployment.template.resources[function]["Properties"].get("Policies", [])
    for policy in deployment.template.value(policies):
        for statement in policy["Statement"]:
            assert statement["Effect"] == "Allow"
            excepts = "NotResource" in statement
            resources = statement["NotResource"] if excepts else statement["Resource"]
            for action in _listed(statement["Action"]):
                for resource in _listed(resources):
                    yield action, resource, excepts


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def covers(grant: tuple[str, str, bool], need: tuple[str, str]) -> bool:
    """Whether a grant allows what is needed."""
    action, pattern, excepts = grant
    return action == need[0] and fnmatch.fnmatchcase(need[1], pattern) is not excepts


def test_the_day_ends_as_it_should(done: Done) -> None:
    assert done.faults == []


def test_links_do_what_they_say_for_whoever_has_them(done: Done) -> None:
    heads = [re.findall("<h1>(.*)</h1>", answer["body"]) for answer in done.opened]
    said = {
        row["contact_id"]["S"].rpartition("#")[2]: {
            scope for scope, words in consent.items() if (words["out"] or {}).get("source") == "one_click"
        }
        for row in rows()["ContactsTable"]
        if "consent" in row and (consent := json.loads(row["consent"]["S"]))
    }
    opted_out = {address: scopes for address, scopes in said.items() if scopes}

    assert {answer["statusCode"] for answer in done.opened} == {200}
    assert heads == [
        *[["Unsubscribe from our offers and news?"], ["You are unsubscribed"]] * 2,
        *[["What you get from us"]] * 2,
    ]
    assert list(opted_out.values()).count({"marketing"}) == 2
    assert opted_out[email_of(14)] == {"marketing"}
    assert opted_out[email_of(16)] == {"loyalty"}


def test_the_question_is_answered_by_the_button_and_stands_beside_what_staff_wrote_down(done: Done) -> None:
    heads = [re.findall("<h1>(.*)</h1>", answer["body"]) for answer in done.answered]
    said = [(item["scope"], item["opted_out"], item["source"]) for item in done.consent["history"]["items"]]

    assert [answer["statusCode"] for answer in done.answered] == [200, 200]
    assert heads == [["Would you like our offers and news?"], ["Thank you, that is confirmed"]]
    assert said == [("marketing", False, "double_opt_in"), ("loyalty", True, "staff")]
    assert done.consent["channels"]["email"]["confirmed"] is True


def test_no_link_is_in_a_log(done: Done) -> None:
    tokens = {own["List-Unsubscribe"][-40:-1] for _, own in done.deployment.providers.headers if own}

    assert len(tokens) >= 30
    assert [line for _, line in done.deployment.logs if any(token in line for token in tokens)] == []


def test_at_night_the_suppression_list_and_the_contacts_are_brought_together(done: Done) -> None:
    assert done.reconciled == {"done": True, "entries": 2, "drift": {"stale_entry": 1, "unknown_bounce": 1}}
    assert set(done.deployment.suppressions.entries) == {email_of(13)}


def test_a_function_asks_only_for_what_its_policy_allows(done: Done) -> None:
    refused = [
        f"{function}: {action} on {resource}"
        for function, needs in sorted(done.asked.items())
        for action, resource in sorted(needs)
        if not any(covers(grant, (action, resource)) for grant in granted(done.deployment, function))
    ]

    assert refused == []


def test_a_function_may_do_only_what_it_does(done: Done) -> None:
    functions = done.deployment.template.of_type("AWS::Serverless::Function").keys() - ASKED_IN_PART.keys()
    unused = [
        f"{function}: {grant[0]} on {grant[1]}"
        for function in sorted(functions)
        for grant in granted(done.deployment, function)
        if (function, grant[0]) not in UNUSED and not any(covers(grant, need) for need in done.asked.get(function, ()))
    ]

    assert unused == []


def personal(done: Done) -> set[str]:
    """Everything about the customers, and everything that they are told, that is nobody else's business."""
    people = [*range(30), *range(50, 53)]
    addresses = {part for number in people for part in (email_of(number), phone_of(number), phone_of(number)[1:])}
    assert {sent.to for sent in done.deployment.providers.log} <= addresses
    return {FIRST_NAME, LAST_NAME, SUBJECT, BODY, *addresses}


def leaks(done: Done, texts: Mapping[str, list[str]]) -> list[str]:
    """Where something personal stands."""
    assert all(texts.values())
    return [
        f"{where}: {secret}"
        for secret in sorted(personal(done))
        for where, lines in texts.items()
        if any(secret.lower() in line.lower() for line in lines)
    ]


def test_nothing_personal_is_in_logs_histories_or_queues(done: Done) -> None:
    deployment = done.deployment
    payloads = [body for function, body in deployment.payloads if function not in PROVIDERS_OWN]
    texts = {
        "log": [line for _, line in deployment.logs],
        "execution history": deployment.history,
        "payload": payloads,
    }

    assert leaks(done, texts) == []


def test_what_the_functions_log_is_looked_at(done: Done) -> None:
    """Errors were logged, and the providers' own payloads do carry addresses: the test before has something to find."""
    logged = {function for function, line in done.deployment.logs if line.startswith("{")}
    own = [body for function, body in done.deployment.payloads if function in PROVIDERS_OWN]

    assert "ApplyReceiptsFunction" in logged
    assert leaks(done, {"providers": own})
    assert json.loads(next(line for _, line in done.deployment.logs if line.startswith("{")))


def test_each_function_counts_under_its_own_name(done: Done) -> None:
    counted = [(function, json.loads(line)) for function, line in done.deployment.logs if '"CloudWatchMetrics"' in line]
    environment = done.deployment.template.environment

    assert len({function for function, _ in counted}) > 1
    assert [(f, line["service"]) for f, line in counted] == [
        (f, environment(f)["POWERTOOLS_SERVICE_NAME"]) for f, _ in counted
    ]
