"""What a stack costs in a month in which nothing is sent, in US dollars, worked out from the template.

By the price list, and as an account pays it that has nothing else: what every account has free (``ALWAYS_FREE_…``) is
for all its software together. Rows that are there cost storage besides (0.25 a gigabyte of a table, as much again for
restoring it to any second), logs and files too.
"""

import sys
from collections.abc import Mapping
from typing import Any, Final

from rebound.timers.domain import SHARDS
from tests.benchmarks import prices
from tests.benchmarks.__main__ import main
from tests.fakes.deployment import Template

BAR: Final = 7
POLLERS: Final = 5
"""Receives at a queue that run side by side while it is empty: with a maximum concurrency never fewer.

Source: Lambda developer guide, "Configuring scaling behavior for SQS event source mappings".
"""
LONG_POLL_SECONDS: Final = 20
"""How long a receive waits at most (SQS developer guide, "long polling")."""
RECEIVES_OF_A_QUEUE: Final = POLLERS * prices.HOURS_OF_A_MONTH * 3600 // LONG_POLL_SECONDS
NIGHTS: Final = 30
METRICS_OF_A_NIGHT: Final = 1
"""``SuppressionEntries``: what differs is counted only where something does."""
TRANSITIONS_OF_A_NIGHT: Final = 3
SWEEPS: Final = prices.HOURS_OF_A_MONTH * 60
SWEEP_CPU_SECONDS: Final = 0.004
"""Of a sweep that finds nothing, measured with canned answers; it waits for one answer of each shard."""
SWEEP_MEGABYTES: Final = 512
READ_UNITS_OF_A_QUERY: Final = 0.5
"""An empty one, eventually consistent."""
CHARGED_BY_THE_MONTH: Final = frozenset(
    {
        "AWS::EC2::NatGateway",
        "AWS::KMS::Key",
        "AWS::Kinesis::Stream",
        "AWS::WAFv2::WebACL",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::EC2::VPCEndpoint",
        "AWS::Lambda::Alias",
    }
)
"""Resources that this sum does not know; the template may have none of them."""


SWEEP_USD: Final = prices.LAMBDA_REQUEST + prices.LAMBDA_GB_SECOND * prices.gigabyte_seconds(
    SWEEP_CPU_SECONDS, SHARDS * prices.LATENCY.dynamodb, SWEEP_MEGABYTES
)
"""A function that sweeps once. Its gigabyte-seconds are fewer than what is always free, as its requests are."""


def _row(unit: str, count: float, price: float, free: float) -> Mapping[str, Any]:
    return {
        "count": count,
        "unit": unit,
        "list": round(count * price, 2),
        "free": free,
        "paid": round(max(0.0, count - free) * price, 2),
    }


def rows_of(template: Template) -> Mapping[str, Mapping[str, Any]]:
    """What is charged by the month whether anything happens or not: how many, by the list, and what is paid."""
    assert not CHARGED_BY_THE_MONTH & {resource["Type"] for resource in template.resources.values()}
    alarms = template.of_type("AWS::CloudWatch::Alarm").values()
    functions = template.of_type("AWS::Serverless::Function").values()
    queues = sum(event["Type"] == "SQS" for each in functions for event in each.get("Events", {}).values())
    secrets = len(template.of_type("AWS::SecretsManager::Secret")) + bool(template.value({"Ref": "TwilioSecretArn"}))
    night = NIGHTS * METRICS_OF_A_NIGHT / prices.HOURS_OF_A_MONTH
    return {
        "alarms": _row(
            "metric of an alarm",
            sum(len(each.get("Metrics", ["one"])) for each in alarms),
            prices.ALARM_METRIC_MONTH,
            prices.ALWAYS_FREE_ALARM_METRICS,
        ),
        "empty receives of the queues": _row(
            "request", queues * RECEIVES_OF_A_QUEUE, prices.SQS_REQUEST, prices.ALWAYS_FREE_SQS_REQUESTS
        ),
        "secrets": _row("secret", secrets, prices.SECRET_MONTH, 0),
        "dashboard": _row(
            "dashboard",
            len(template.of_type("AWS::CloudWatch::Dashboard")),
            prices.DASHBOARD_MONTH,
            prices.ALWAYS_FREE_DASHBOARDS,
        ),
        "the night's metric": _row(
            "metric", round(night, 3), prices.CUSTOM_METRIC_MONTH, prices.ALWAYS_FREE_CUSTOM_METRICS
        ),
        "the sweeps' reads": _row("read unit", SWEEPS * SHARDS * READ_UNITS_OF_A_QUERY, prices.DYNAMODB_READ_UNIT, 0),
        "the sweeps' functions": _row("request", SWEEPS, SWEEP_USD, prices.ALWAYS_FREE_LAMBDA_REQUESTS),
        "the sweeps' metric": _row("metric", 1, prices.CUSTOM_METRIC_MONTH, prices.ALWAYS_FREE_CUSTOM_METRICS),
        "the night's execution": _row(
            "transition", NIGHTS * TRANSITIONS_OF_A_NIGHT, prices.STATE_TRANSITION, prices.ALWAYS_FREE_TRANSITIONS
        ),
    }


def total(rows: Mapping[str, Mapping[str, Any]], what: str) -> float:
    """The sum by the ``list``, or of what is ``paid``."""
    return round(sum(float(row[what]) for row in rows.values()), 2)


def run() -> dict[str, Any]:
    """The month with and without Twilio, and what one more of each thing would add."""
    with_twilio = rows_of(Template(SenderIdentity="example.com", TwilioSecretArn="twilio", TextLogGroups="create"))
    without = rows_of(Template(SenderIdentity="example.com"))
    polled = RECEIVES_OF_A_QUEUE * prices.SQS_REQUEST
    more = {
        "a queue, with its dead letters and two alarms": round(polled + 2 * prices.ALARM_METRIC_MONTH, 2),
        "a function that a queue starts": round(polled, 2),
        "a function that nothing polls for, or a stream starts": 0.0,
        "an alarm": prices.ALARM_METRIC_MONTH,
        "a secret": prices.SECRET_MONTH,
        # Its dashboard is the second of three; the rest of what is free has the first stack.
        "a second stack in the account": round(total(with_twilio, "list") - with_twilio["dashboard"]["list"], 2),
    }
    paid = total(with_twilio, "paid")
    return {
        "rows": with_twilio,
        "paid": paid,
        "list": total(with_twilio, "list"),
        "paid_without_twilio": total(without, "paid"),
        "one_more": more,
        "short": {
            "USD a month, idle, first stack of an account": paid,
            "the same without Twilio": total(without, "paid"),
            "USD a month by the list, without what is always free": total(with_twilio, "list"),
            **{f"one more: {what}": usd for what, usd in more.items()},
        },
        "bars": {f"under {BAR:.2f} USD a month": paid < BAR},
    }


if __name__ == "__main__":
    sys.exit(main("idle_month"))
