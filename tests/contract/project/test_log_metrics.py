"""Metrics that are counted from logs, so that one alarm watches what several groups say."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from rebound.platform import telemetry
from tests.fakes.aws import ENVIRONMENT
from tests.fakes.deployment import Template

TEMPLATE: Final = Template(SenderIdentity="example.com", TwilioSecretArn="twilio")
ALARMS: Final = TEMPLATE.of_type("AWS::CloudWatch::Alarm").values()
FILTERS: Final = TEMPLATE.of_type("AWS::Logs::MetricFilter")
FAILED: Final = {"ExecutionFailed", "ExecutionTimedOut"}
"""Types of lines that Step Functions logs at the level ERROR when an execution does not end well."""


def alarm_on(metric: str) -> Mapping[str, Any]:
    [alarm] = [each for each in ALARMS if each["MetricName"] == metric]
    return alarm


def filters_of(metric: str) -> Iterator[Mapping[str, Any]]:
    for each in FILTERS.values():
        [counted] = each["MetricTransformations"]
        if counted["MetricName"] == metric:
            yield each


@pytest.mark.parametrize("logical", FILTERS)
def test_what_is_counted_is_what_an_alarm_watches_and_costs_nothing_while_there_is_none(logical: str) -> None:
    [counted] = FILTERS[logical]["MetricTransformations"]
    alarm = alarm_on(counted["MetricName"])

    assert counted["MetricNamespace"] == alarm["Namespace"]
    assert (alarm["Statistic"], alarm["Threshold"], alarm["ComparisonOperator"]) == ("Sum", 0, "GreaterThanThreshold")
    assert "Dimensions" not in alarm
    # No default: a metric is paid for by the hour in which it has a value.
    assert counted.keys() == {"MetricNamespace", "MetricName", "MetricValue"}


def test_one_alarm_goes_off_when_an_execution_of_any_state_machine_fails() -> None:
    logged = {
        TEMPLATE.value(destination["CloudWatchLogsLogGroup"]["LogGroupArn"]).rpartition("log-group:")[2]
        for machine in TEMPLATE.of_type("AWS::Serverless::StateMachine").values()
        if machine["Logging"]["Level"] in {"ALL", "ERROR", "FATAL"}
        for destination in machine["Logging"]["Destinations"]
    }
    filters = list(filters_of("ExecutionsFailed"))

    assert len(logged) == len(TEMPLATE.of_type("AWS::Serverless::StateMachine"))
    assert sorted(TEMPLATE.value(each["LogGroupName"]) for each in filters) == sorted(logged)
    for each in filters:
        assert set(re.findall(r'\(\$\.type = "(\w+)"\)', each["FilterPattern"])) == FAILED
        assert each["FilterPattern"].count("||") == len(FAILED) - 1


def test_one_alarm_goes_off_when_a_sender_is_denied_in_the_words_of_the_lines_that_functions_write(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {TEMPLATE.value(each["LogGroupName"]): each["FilterPattern"] for each in filters_of("SendsDenied")}
    for name, value in {**ENVIRONMENT, "POWERTOOLS_METRICS_NAMESPACE": "X", "POWERTOOLS_SERVICE_NAME": "x"}.items():
        monkeypatch.setenv(name, value)
    telemetry.metrics.cache_clear()

    for group, metric in (("SendEmailLogGroup", "EmailsDenied"), ("SendTextLogGroup", "TextsDenied")):
        telemetry.count(metric, 3)
        telemetry.flush_counts()
        line = json.loads(capsys.readouterr().out)
        assert found.pop(group) == f"{{ $.{metric}[0] > 0 }}"
        assert line[metric][0] == 3
    assert not found
    telemetry.metrics.cache_clear()
