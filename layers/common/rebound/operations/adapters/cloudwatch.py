"""Alarms and measurements of CloudWatch.

The estimate is that of the stack's dashboard: a test compares the two.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from rebound.operations.domain import Alarm, AlarmState, CostPart, Usage

DAY: Final = 86_400
STACK, PERIOD = "{stack}", "{period}"
"""What an expression is filled with."""
_REQUESTS: Final = (
    "(NumberOfMessagesSent OR NumberOfMessagesReceived OR NumberOfMessagesDeleted OR NumberOfEmptyReceives)"
)


def _all(kind: str, dimension: str, metric: str) -> str:
    """The sum over everything of the stack."""
    search = f"{{{kind}}} {dimension}={STACK} MetricName={metric}"
    return f"SUM(SEARCH('{search}','Sum',{PERIOD}))"


ESTIMATED: Final[Mapping[str, tuple[CostPart, str]]] = {
    "writes": (
        CostPart.DYNAMODB_WRITES,
        f"{_all('AWS/DynamoDB,TableName', 'TableName', 'ConsumedWriteCapacityUnits')}*0.625/1000000",
    ),
    "reads": (
        CostPart.DYNAMODB_READS,
        f"{_all('AWS/DynamoDB,TableName', 'TableName', 'ConsumedReadCapacityUnits')}*0.125/1000000",
    ),
    "duration": (
        CostPart.LAMBDA_TIME,
        f"{_all('AWS/Lambda,FunctionName', 'FunctionName', 'Duration')}/1000*0.5*0.0000133334",
    ),
    "rest": (CostPart.LAMBDA_TIME, 'SUM(METRICS("large"))/1000*0.5*0.0000133334'),
    "invocations": (
        CostPart.LAMBDA_REQUESTS,
        f"{_all('AWS/Lambda,FunctionName', 'FunctionName', 'Invocations')}*0.2/1000000",
    ),
    "queues": (CostPart.SQS, f"{_all('AWS/SQS,QueueName', 'QueueName', _REQUESTS)}*0.4/1000000"),
    "gateway": (CostPart.API_GATEWAY, "requests*3.5/1000000"),
    "transitions": (CostPart.STEP_FUNCTIONS, "executions*40*25/1000000"),
}
"""By the name that CloudWatch is given, which part of the costs it is of, and how it is counted, in USD."""
_HANDED_OVER: Final = {"emails": ("EmailsHandedOver", "send_email"), "texts": ("TextsHandedOver", "send_text")}


class CloudWatchAlarms(Struct, frozen=True):
    """Implements ``Alarms``: those of one stack, by the names that CloudFormation makes."""

    client: Any
    stack: str

    def list(self) -> Sequence[Alarm]:
        own = re.compile(rf"{re.escape(self.stack)}-([A-Za-z0-9]+?)(?:Alarm)?-[A-Za-z0-9]+")
        asked: dict[str, Any] = {"AlarmNamePrefix": f"{self.stack}-", "AlarmTypes": ["MetricAlarm"], "MaxRecords": 100}
        found: list[Alarm] = []
        while True:
            answer = self.client.describe_alarms(**asked)
            for each in answer.get("MetricAlarms", ()):
                # Another stack's name may begin with this one's.
                named = own.fullmatch(each["AlarmName"])
                if named is not None:
                    found.append(_alarm(named[1], each))
            if not answer.get("NextToken"):
                return found
            asked["NextToken"] = answer["NextToken"]


class CloudWatchUsage(Struct, frozen=True):
    """Implements ``Usages``. ``large`` are the functions of 1,024 MB, ``state_machine`` is the one of campaigns."""

    client: Any
    stack: str
    large: Sequence[str]
    state_machine: str

    def between(self, start: datetime, end: datetime) -> Usage:
        asked = [
            *(_measured(f"large{n}", "AWS/Lambda", "Duration", "FunctionName", f) for n, f in enumerate(self.large)),
            _measured("requests", "AWS/ApiGateway", "Count", "ApiName", self.stack),
            _measured("executions", "AWS/States", "ExecutionsStarted", "StateMachineArn", self.state_machine),
            *(
                _measured(name, f"Rebound/{self.stack}", metric, "service", service, is_shown=True)
                for name, (metric, service) in _HANDED_OVER.items()
            ),
            *({"Id": name, "Expression": self._filled(text)} for name, (_, text) in ESTIMATED.items()),
        ]
        answer = self.client.get_metric_data(MetricDataQueries=asked, StartTime=start, EndTime=end)
        values = {each["Id"]: each["Values"] for each in answer["MetricDataResults"]}
        costs: defaultdict[CostPart, float] = defaultdict(float)
        for name, (part, _) in ESTIMATED.items():
            costs[part] += sum(values.get(name, ()))
        return Usage(
            dict(costs),
            emails=round(sum(values.get("emails", ()))),
            texts=round(sum(values.get("texts", ()))),
            is_measured=any(values.values()),
        )

    def _filled(self, text: str) -> str:
        return text.replace(STACK, self.stack).replace(PERIOD, str(DAY))


def _measured(id_: str, namespace: str, metric: str, name: str, value: str, *, is_shown: bool = False) -> Any:
    return {
        "Id": id_,
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": metric,
                "Dimensions": [{"Name": name, "Value": value}],
            },
            "Period": DAY,
            "Stat": "Sum",
        },
        "ReturnData": is_shown,
    }


def _alarm(name: str, given: Mapping[str, Any]) -> Alarm:
    return Alarm(
        name,
        given.get("AlarmDescription", ""),
        AlarmState(given["StateValue"]),
        given["StateUpdatedTimestamp"],
    )
