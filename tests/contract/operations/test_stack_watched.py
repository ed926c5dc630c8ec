"""Alarms, measurements and identities: what is asked of CloudWatch and SES, and what is read of their answers."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import boto3
import pytest
from botocore.stub import Stubber

from local.twin.server import TwinServer
from local.twin.settings import TwinSettings
from local.twin.twin import Twin
from rebound.operations.adapters.cloudwatch import DAY, ESTIMATED, CloudWatchAlarms, CloudWatchUsage
from rebound.operations.adapters.ses_identities import SesIdentities
from rebound.operations.domain import AlarmState, CostPart, EmailAccount
from tests.fakes.aws import REGION, REPOSITORY, fake_aws, make
from tests.fakes.making import NOON

START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
METRIC: Final = {
    "Namespace": "AWS/SQS",
    "MetricName": "ApproximateNumberOfMessagesVisible",
    "Statistic": "Maximum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 0,
    "ComparisonOperator": "GreaterThanThreshold",
}


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with fake_aws():
        yield


def described(name: str, state: str = "OK") -> Mapping[str, Any]:
    return {"AlarmName": name, "AlarmDescription": f"About {name}", "StateValue": state, "StateUpdatedTimestamp": NOON}


def test_alarms_are_those_of_the_stack_and_of_none_whose_name_begins_with_its_own() -> None:
    client = make("cloudwatch")
    for name in (
        "rebound-EmailDeadLettersAlarm-1AB2CD3EF",
        "rebound-ApiErrorsAlarm-XYZ",
        "rebound-staging-ApiErrorsAlarm-XYZ",
        "reboundless-ApiErrorsAlarm-XYZ",
        "rebound-made by hand",
    ):
        client.put_metric_alarm(AlarmName=name, AlarmDescription="Look.", **METRIC)
    client.set_alarm_state(AlarmName="rebound-ApiErrorsAlarm-XYZ", StateValue="ALARM", StateReason="five")
    found = CloudWatchAlarms(client, "rebound").list()
    assert sorted((each.name, each.about, each.state) for each in found) == [
        ("ApiErrors", "Look.", AlarmState.ALARM),
        ("EmailDeadLetters", "Look.", AlarmState.OK),
    ]
    assert all(each.since.tzinfo is not None for each in found)


def test_alarms_of_all_pages_are_listed() -> None:
    client = make("cloudwatch")
    asked = {"AlarmNamePrefix": "rebound-", "AlarmTypes": ["MetricAlarm"], "MaxRecords": 100}
    with Stubber(client) as stubber:
        first = {"MetricAlarms": [described("rebound-AAlarm-1", "INSUFFICIENT_DATA")], "NextToken": "more"}
        stubber.add_response("describe_alarms", first, asked)
        second = {"MetricAlarms": [described("rebound-BAlarm-1")]}
        stubber.add_response("describe_alarms", second, {**asked, "NextToken": "more"})
        found = CloudWatchAlarms(client, "rebound").list()
    assert [(each.name, each.state, each.since) for each in found] == [
        ("A", AlarmState.UNKNOWN, NOON),
        ("B", AlarmState.OK, NOON),
    ]


def test_the_estimate_is_the_dashboards() -> None:
    template = (REPOSITORY / "template.yaml").read_text(encoding="utf-8")
    widget = template.partition("cost by the hour")[2].partition("]}\n")[0]
    shown = {
        found["id"]: json.loads(f'"{found["expression"]}"')
        for found in re.finditer(
            r'"expression": "(?P<expression>(?:[^"\\]|\\.)*)", "label": "[^"]*", "id": "(?P<id>\w+)"', widget
        )
    }
    own = {
        name: text.replace("{stack}", "${AWS::StackName}").replace("{period}", "3600")
        for name, (_, text) in ESTIMATED.items()
    }
    assert own == shown


def test_what_was_measured_is_summed_by_part() -> None:
    client = make("cloudwatch")
    values = {
        "writes": [1.0, 0.5],
        "duration": [2.0],
        "rest": [0.25],
        "gateway": [],
        "emails": [7.0, 5.0],
        "texts": [3.0],
    }
    results = [{"Id": name, "Values": each} for name, each in values.items()]
    asked: list[Any] = []
    client.meta.events.register(
        "before-parameter-build.cloudwatch.GetMetricData", lambda params, **_: asked.append(params)
    )
    with Stubber(client) as stubber:
        stubber.add_response("get_metric_data", {"MetricDataResults": results})
        usage = CloudWatchUsage(client, "rebound", ["api", "jobs"], "arn").between(START, END)
    assert {part: cost for part, cost in usage.costs.items() if cost} == {
        CostPart.DYNAMODB_WRITES: 1.5,
        CostPart.LAMBDA_TIME: 2.25,
    }
    assert (usage.emails, usage.texts, usage.is_measured) == (12, 3, True)
    [given] = asked
    assert (given["StartTime"], given["EndTime"]) == (START, END)
    queries = {query["Id"]: query for query in given["MetricDataQueries"]}
    large = [
        query["MetricStat"]["Metric"]["Dimensions"][0]["Value"] for name, query in queries.items() if "large" in name
    ]
    assert large == ["api", "jobs"]
    assert queries["emails"]["MetricStat"]["Metric"]["Namespace"] == "Rebound/rebound"
    assert "{" not in queries["gateway"]["Expression"]
    assert f",'Sum',{DAY}))" in queries["writes"]["Expression"]


def test_where_nothing_was_measured_nobody_knows() -> None:
    usage = CloudWatchUsage(make("cloudwatch"), "rebound", ["api"], "arn").between(START, END)
    assert (usage.is_measured, sum(usage.costs.values())) == (False, 0)


def test_the_twin_says_what_it_sends_from() -> None:
    twin = Twin(TwinSettings(port=0, ses_identities=("salon.example.com", "desk@example.com")))
    server = TwinServer(0, twin.handle)
    twin.start()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    make_client: Any = boto3.client
    client = make_client("sesv2", endpoint_url=server.url, region_name=REGION)
    try:
        assert SesIdentities(client).verified() == {"salon.example.com": True, "desk@example.com": True}
        assert not SesIdentities(client).account().in_sandbox
    finally:
        client.close()
        server.shutdown()
        server.server_close()
        thread.join()
        twin.stop()


def test_identities_say_whether_they_may_be_sent_from() -> None:
    client = make("sesv2")
    found = [
        {"IdentityName": "Example.com", "SendingEnabled": True, "VerificationStatus": "SUCCESS"},
        {"IdentityName": "new.example.com", "SendingEnabled": True, "VerificationStatus": "PENDING"},
        {"IdentityName": "off.example.com", "SendingEnabled": False, "VerificationStatus": "SUCCESS"},
    ]
    quota = {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 12.0}
    with Stubber(client) as stubber:
        stubber.add_response("list_email_identities", {"EmailIdentities": found}, {"PageSize": 1000})
        account = {"SendingEnabled": True, "ProductionAccessEnabled": False, "SendQuota": quota}
        stubber.add_response("get_account", account, {})
        identities = SesIdentities(client)
        verified, allowed = identities.verified(), identities.account()
    assert verified == {"example.com": True, "new.example.com": False, "off.example.com": False}
    assert allowed == EmailAccount(may_send=True, in_sandbox=True, sent=12, limit=200, a_second=1.0)
