"""A whole day of the deployment in memory: what the functions ask of AWS, and what they write for others to read."""

import hmac
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.contract.events.test_domain_events import problems
from tests.fakes.aws import rows
from tests.fakes.deployed_day import BODY, FIRST_NAME, LAST_NAME, OWNER, SUBJECT, TAG, DeployedDay, email_of, phone_of
from tests.fakes.deployment import AwsCall, Deployment, FunctionDiedError
from tests.policies.engines import ALLOWED, Asked, Need, Policies, Statement
from tests.policies.granted import policies_of
from tests.policies.needs import needed

PROVIDERS_OWN: Final = {"ReceiveCallbackFunction", "RelayTextLogsFunction"}
"""What they put on the receipts queue are providers' payloads, which carry addresses (truth 12)."""
ASKED_IN_PART: Final = {
    "ServeApiFunction": "the day asks for some of its routes only; what each needs is test_serve_api's",
    "ServeConsoleFunction": "the day is one of programs; what pages need is tests/integration/console's",
    "ServeOperationsFunction": "the day is one of programs; what pages need is tests/integration/console's",
    "OperateStackFunction": "the day makes businesses, and neither keys nor redrives",
    "RunJobFunction": "the day starts no jobs",
    "AuthorizeRequestFunction": "the day's requests come with their business",
}
"""Functions of which the day does not see everything they do."""
UNUSED: Final[Mapping[tuple[str, str], str]] = {
    ("ForgetCustomersFunction", "dynamodb:DeleteItem"): "somebody who could not be forgotten at once: no eraser fails",
    (
        "ForgetCustomersFunction",
        "dynamodb:BatchWriteItem",
    ): "a row that finds them, left by a death: nobody dies that day",
    ("ApplyActivityFunction", "dynamodb:GetItem"): "who matches a segment that starts a sequence: none does that day",
    ("ServePreferencesFunction", "dynamodb:DeleteItem"): "a contact that loses its last customer meanwhile",
    **{
        ("ServePreferencesFunction", f"ses:{name}"): "an address that failed, and is found right in a form"
        for name in (
            "DeleteSuppressedDestination",
            "GetAccount",
            "GetSuppressedDestination",
            "ListSuppressedDestinations",
        )
    },
    ("ForgetCustomersFunction", "dynamodb:PutItem"): "activity of somebody who may come again",
    ("SweepTimersFunction", "dynamodb:PutItem"): "the same, of whom more was said later",
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
    ("ImportCustomersFunction", "dynamodb:Query"): "no businesses share customers that day",
    ("ImportCustomersFunction", "dynamodb:BatchGetItem"): "the same, of what customers did",
    ("ExportCustomersFunction", "s3:GetObject"): "goes on with a file whose writer ran out of time or died",
    ("RollBackFlagsFunction", "dynamodb:ConditionCheckItem"): "a contact that nobody uses any more",
    ("RollBackFlagsFunction", "dynamodb:DeleteItem"): "as ConditionCheckItem",
    (
        "PlanCampaignFunction",
        "dynamodb:BatchGetItem",
    ): "what customers did, for a filter: those of that day have ranges",
    ("ExpandCampaignFunction", "dynamodb:BatchGetItem"): "a list that the plan, which did it that day, has no time for",
    ("ExpandCampaignFunction", "dynamodb:UpdateItem"): "as BatchGetItem, of those in it who wait for their hour",
    ("ReceiveTextFunction", "dynamodb:DeleteItem"): "a contact that loses its last customer meanwhile",
    (
        "SendTextFunction",
        "dynamodb:ConditionCheckItem",
    ): "a number that an earlier version kept under a former spelling",
    ("SendTextFunction", "dynamodb:DeleteItem"): "as ConditionCheckItem",
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
    ("DeliverWebhooksFunction", "ses:SendEmail"): "writes to the owner of a webhook that has failed for a week",
    ("SendEmailFunction", "ses:SendEmail"): "SES checks it as well for a bulk call with content of its own",
}
"""What a function may do and does not do by its own calls, and why it may."""
UNUSED_OF: Final[Mapping[tuple[str, str], str]] = {
    (
        "AdvanceSequencesFunction",
        table,
    ): "gives back what a sender had reserved who died with a message that is taken from them: nobody dies that day"
    for table in ("FrequenciesTable", "TextPlansTable")
} | {("ReceiveTextFunction", "StepsQueue"): "tells sequences of a text: none waits for one that day"}
"""The same of all that it may do with a table or a queue."""
UNUSED_ON: Final[Mapping[tuple[str, str, str], str]] = {
    (
        "ForgetCustomersFunction",
        "sqs:SendMessage",
        "UpkeepQueue",
    ): "somebody who could not be forgotten at once: no eraser fails",
    (
        "AdvanceSequencesFunction",
        "dynamodb:BatchWriteItem",
        "TimersTable",
    ): "a message taken back that was to wait for days",
    (
        "CountStepsFunction",
        "dynamodb:DeleteItem",
        "SequencesTable",
    ): "folds the counts of shards that were last read three days ago",
    (
        "RunUpkeepFunction",
        "sqs:SendMessage",
        "UpkeepQueue",
    ): "the rest of a copying that takes longer than a function may run",
    **{
        (
            "RunUpkeepFunction",
            action,
            resource,
        ): "erases what forget_customers could not, by the same policy: little is left that day"
        for action, resource in (
            ("dynamodb:BatchGetItem", "ChunksTable"),
            ("dynamodb:BatchGetItem", "SequencesTable"),
            ("dynamodb:BatchWriteItem", "DirectoryTable"),
            ("dynamodb:BatchWriteItem", "SequencesTable"),
            ("dynamodb:DeleteItem", "DirectoryTable"),
            ("dynamodb:GetItem", "CampaignsTable"),
            ("dynamodb:PutItem", "DirectoryTable"),
            ("dynamodb:PutItem", "TimersTable"),
            ("dynamodb:Query", "SequencesTable"),
            ("dynamodb:UpdateItem", "ChunksTable"),
            ("secretsmanager:GetSecretValue", "LinkSecret-AbCdEf"),
        )
    },
}
"""The same of what it may do with one of them, and does with others."""


def is_unused(function: str, grant: Statement) -> bool:
    """Whether it is known that a function does not use a grant that day."""
    resource = re.split("[/:]", str(grant.get("Resource", "")))[-1]
    action = grant["Action"]
    known = (function, action) in UNUSED or (function, resource) in UNUSED_OF
    return known or (function, action, resource) in UNUSED_ON


@dataclass(frozen=True)
class Done:
    """What the day left behind."""

    faults: Sequence[str]
    deployment: Deployment
    asked: Mapping[str, set[Need]]
    reconciled: Mapping[str, Any]
    in_sandbox: Mapping[str, Any]
    opened: Sequence[Any]
    answered: Sequence[Any]
    consent: Mapping[str, Any]
    shared: Sequence[Any]
    left_out: Sequence[Any]
    tried: Sequence[Any]
    planned: Mapping[str, str]
    taken_back: Mapping[str, str]
    confirmed: Sequence[Any]
    fell_back: Sequence[str]
    celebrated: Sequence[Any]
    went_through: Mapping[str, Any]
    asked_to_sign: Sequence[Any]


@pytest.fixture(scope="module")
def done() -> Iterator[Done]:
    asked: defaultdict[str, set[Need]] = defaultdict(set)
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
        day.mind_their_own()
        day.say_what_they_want()
        day.wait_for_the_morning()
        day.celebrate()
        day.plan_ahead()
        day.tell_of_activity()
        day.reward()
        day.plan_and_take_back()
        day.try_again()
        day.go_and_come_back()
        day.ask_and_be_answered()
        day.try_campaigns_out()
        day.text_back()
        day.run_out_of_texts()
        day.keep_in_step_with_the_suppression_list()
        day.share_an_address()
        day.stop_texts_by_a_link()
        day.go_through_a_sequence()
        day.sign_a_waiver()
        day.write_to_few()
        day.work_in_the_sandbox()
        day.meet_what_cannot_be()
        day.forget_who_did_not_come()
        told = (
            day.reconciled,
            day.in_sandbox,
            day.opened,
            day.answered,
            day.consent,
            day.shared,
            day.left_out,
            day.tried,
            day.planned,
            day.taken_back,
            day.confirmed,
            day.fell_back,
            day.celebrated,
            day.went_through,
            day.asked_to_sign,
        )
        yield Done(ended, deployment, asked, *told)


def granted(deployment: Deployment, function: str) -> Iterator[Statement]:
    """What the template lets a function do, one action on one resource at a time."""
    for statement in policies_of(deployment.template).roles[function]:
        assert statement["Effect"] == "Allow"
        [where] = {"Resource", "NotResource"} & statement.keys()
        for action in _listed(statement["Action"]):
            for resource in _listed(statement[where]):
                yield {**statement, "Action": action, where: resource}


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_the_day_ends_as_it_should(done: Done) -> None:
    assert done.faults == []


def test_the_next_at_an_address_gets_what_the_first_did_not(done: Done) -> None:
    audience = {"matched": 2, "excluded": {"not_found": 1}, "targeted": 1}

    assert [(view["status"], view["results"]["delivered"], view["audience"]) for view in done.shared] == [
        ("completed", 1, audience)
    ] * 2


def test_what_recurs_is_sent_to_whom_it_is_due(done: Done) -> None:
    birthdays, lost, monthly = done.celebrated

    assert birthdays == [("completed", 1)]
    assert lost == []
    assert [status for status, _ in monthly] == ["completed"]


def test_a_sequence_is_gone_through_by_whom_it_is_for(done: Done) -> None:
    ended, gone = ("left", "ended"), ("left", "exit")

    assert done.went_through["series"] == {"41": ended, "42": gone, "44": ended}
    assert done.went_through["tagged"] == {"41": ended, "42": ended, "44": ended}


def test_who_has_a_coming_booking_is_asked_to_sign(done: Done) -> None:
    [version] = done.asked_to_sign
    assert (version["asked"], version["signed"], version["open"]) == (3, 1, 2)


def test_a_copy_with_another_audience_is_sent_to_that_and_names_whom_it_left_out(done: Done) -> None:
    nobody = {"customer_id": "0123456789abcdef" * 2, "external_id": None, "name": None, "reason": "not_found"}

    assert done.left_out == [nobody]


def test_who_has_agreed_gets_tests(done: Done) -> None:
    assert [sent.took for sent in done.tried] == [True] * 4


def test_messages_for_days_far_off_come_to_what_was_asked_of_them_last(done: Done) -> None:
    assert len(done.planned) == 12
    assert done.taken_back == done.planned


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
        *[["Unsubscribe from our offers and news?"], ["You are unsubscribed"]],
    ]
    assert list(opted_out.values()).count({"marketing"}) == 3
    assert opted_out[email_of(14)] == {"marketing"}
    assert opted_out[email_of(16)] == {"loyalty"}


def test_the_question_is_answered_by_the_button_and_stands_beside_what_staff_wrote_down(done: Done) -> None:
    heads = [re.findall("<h1>(.*)</h1>", answer["body"]) for answer in done.answered]
    said = [(item["scope"], item["opted_out"], item["source"]) for item in done.consent["history"]["items"]]

    assert [answer["statusCode"] for answer in done.answered] == [200, 200]
    assert heads == [["Would you like our offers and news?"], ["Thank you, that is confirmed"]]
    assert said == [("marketing", False, "double_opt_in"), ("loyalty", True, "staff")]
    assert done.consent["channels"]["email"]["confirmed"] is True


def test_a_text_for_which_the_plan_has_no_room_goes_by_email_and_its_link_confirms(done: Done) -> None:
    heads = [re.findall("<h1>(.*)</h1>", answer["body"]) for answer in done.confirmed]

    assert done.fell_back == ["sms", "email"]
    assert heads == [["Will you come?"], ["Thank you, your appointment is confirmed"]]


def test_no_link_is_in_a_log(done: Done) -> None:
    tokens = {own["List-Unsubscribe"][-40:-1] for _, own in done.deployment.providers.headers if own}

    assert len(tokens) >= 30
    assert [line for _, line in done.deployment.logs if any(token in line for token in tokens)] == []


def test_at_night_the_suppression_list_and_the_contacts_are_brought_together(done: Done) -> None:
    assert done.reconciled == {"done": True, "entries": 2, "drift": {"stale_entry": 1, "unknown_bounce": 1}}
    assert set(done.deployment.suppressions.entries) == {email_of(13)}


def test_in_the_sandbox_there_is_no_list_to_bring_together_and_that_is_no_error(done: Done) -> None:
    assert done.in_sandbox == {"done": True, "entries": 0, "drift": {}, "unavailable": "sandbox"}


def test_a_function_asks_only_for_what_its_policy_allows(done: Done) -> None:
    asked = [Asked(function, need) for function, needs in sorted(done.asked.items()) for need in sorted(needs)]

    assert len(asked) > 100
    assert policies_of(done.deployment.template).refused(asked) == []


def test_a_function_may_do_only_what_it_does(done: Done) -> None:
    functions = done.deployment.template.of_type("AWS::Serverless::Function").keys() - ASKED_IN_PART.keys()
    grants = {
        f"{function}, {number}": (function, grant)
        for function in sorted(functions)
        for number, grant in enumerate(granted(done.deployment, function))
        if not is_unused(function, grant)
    }
    asked = [
        Asked(name, need)
        for name, (function, grant) in grants.items()
        for need in sorted(done.asked.get(function, ()))
        if need.action == grant["Action"]
    ]
    answers = Policies({name: [grant] for name, (_, grant) in grants.items()}).decide(asked)
    used = {each.principal for each, answer in zip(asked, answers, strict=True) if answer == ALLOWED}

    assert [grants[name] for name in sorted(grants.keys() - used)] == []


def test_a_policy_without_one_of_the_grants_that_the_day_needs_is_noticed(done: Done) -> None:
    """Each is needed: whoever takes one away, or narrows it, hears of it."""
    grants = {function: list(granted(done.deployment, function)) for function in done.asked}
    without = {
        f"{function} without {grant}": [other for other in own if other != grant]
        for function, own in grants.items()
        for grant in own
        if not is_unused(function, grant) and function not in ASKED_IN_PART
    }
    asked = [
        Asked(name, need)
        for name in without
        for need in sorted(done.asked[name.partition(" without ")[0]])
        if repr(need.action) in name
    ]
    answers = Policies(without).decide(asked)
    noticed = {each.principal for each, answer in zip(asked, answers, strict=True) if answer != ALLOWED}

    assert len(without) > 100
    assert sorted(without.keys() - noticed) == []


def personal(done: Done) -> set[str]:
    """Everything about the customers, and everything that they are told, that is nobody else's business."""
    people = [*range(30), *range(40, 45), *range(50, 56)]
    addresses = {part for number in people for part in (email_of(number), phone_of(number), phone_of(number)[1:])}
    assert {sent.to for sent in done.deployment.providers.log} <= addresses
    return {FIRST_NAME, LAST_NAME, SUBJECT, BODY, TAG, *addresses}


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


def test_the_webhook_heard_of_all_that_happened_signed_and_each_event_once(done: Done) -> None:
    bodies = [json.loads(body) for body, _ in done.deployment.posted]
    [key] = [row for row in rows()["DirectoryTable"] if row["entry_id"]["S"] == "webhook#crm"]
    secret = json.loads(key["document"]["S"])["secrets"][0]["value"]
    told = {
        "ContactInvalidated",
        "ContactRestored",
        "ContactOptedOut",
        "ConsentChanged",
        "CampaignPaused",
        "CampaignCompleted",
        "AppointmentConfirmed",
        "ReplyReceived",
        "MessageDelivered",
        "MessageFailed",
    }

    assert {body["type"] for body in bodies} >= told
    # The first was answered with 503.
    assert [count for count in Counter(body["id"] for body in bodies).values() if count > 1] == [2]
    assert bodies[0] in bodies[1:]
    for raw, headers in done.deployment.posted:
        at, signed = (part.partition("=")[2] for part in headers["Rebound-Signature"].split(","))
        assert signed == hmac.new(secret.encode(), f"{at}.".encode() + raw, "sha256").hexdigest()
    for body in bodies:
        assert problems(body["type"], body["data"]) == []


def test_each_function_counts_under_its_own_name(done: Done) -> None:
    counted = [(function, json.loads(line)) for function, line in done.deployment.logs if '"CloudWatchMetrics"' in line]
    environment = done.deployment.template.environment

    assert len({function for function, _ in counted}) > 1
    assert [(f, line["service"]) for f, line in counted] == [
        (f, environment(f)["POWERTOOLS_SERVICE_NAME"]) for f, _ in counted
    ]


def test_the_owner_of_each_business_with_a_plan_is_told_once_of_either(done: Done) -> None:
    told = Counter(done.deployment.providers.to_owners)

    assert sorted(told.values()) == [1, 1, 1, 1]
    assert {address for address, _ in told} == {OWNER}
