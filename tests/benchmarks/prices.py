"""What AWS charges in us-east-1, in US dollars; free tiers, taxes and the providers' own fees apart."""

from dataclasses import dataclass
from typing import Final

MILLION: Final = 1_000_000

DYNAMODB_WRITE_UNIT: Final = 0.625 / MILLION
DYNAMODB_READ_UNIT: Final = 0.125 / MILLION
SQS_REQUEST: Final = 0.40 / MILLION
"""Standard queues; each 64 KB of a request count as one."""
LAMBDA_REQUEST: Final = 0.20 / MILLION
LAMBDA_GB_SECOND: Final = 0.0000133334
"""arm64."""
API_GATEWAY_REQUEST: Final = 3.50 / MILLION
"""REST."""
STATE_TRANSITION: Final = 25 / MILLION
"""Step Functions, standard workflows."""
EVENTBRIDGE_EVENT: Final = 1.00 / MILLION
SNS_PUBLISH: Final = 0.50 / MILLION
"""Delivery to SQS and to Lambda is free."""
CLOUDWATCH_LOGS_GB: Final = 0.50
"""Ingestion, standard class."""
ALARM_METRIC_MONTH: Final = 0.10
"""Each metric of an alarm, at a resolution of a minute or more; a month begun is paid by the hour."""
DASHBOARD_MONTH: Final = 3.00
SECRET_MONTH: Final = 0.40
CUSTOM_METRIC_MONTH: Final = 0.30
"""By the hour in which it has a value."""
ALWAYS_FREE_ALARM_METRICS: Final = 10
"""What each account has free of charge every month, for good, all its software together."""
ALWAYS_FREE_DASHBOARDS: Final = 3
ALWAYS_FREE_SQS_REQUESTS: Final = MILLION
ALWAYS_FREE_CUSTOM_METRICS: Final = 10
ALWAYS_FREE_LAMBDA_REQUESTS: Final = MILLION
"""Besides 400,000 GB-seconds."""
ALWAYS_FREE_TRANSITIONS: Final = 4_000
HOURS_OF_A_MONTH: Final = 730

FULL_CPU_MEGABYTES: Final = 1769
"""The memory size at which a function has one whole CPU; below it has a part in proportion.

Source: Lambda developer guide, "Configure Lambda function memory".
"""
GIGABYTE: Final = 1024


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a function waits for one answer, in seconds. Assumed: nothing here can measure AWS."""

    dynamodb: float = 0.005
    sqs: float = 0.010
    sns: float = 0.030
    sesv2: float = 0.500
    """A SendBulkEmail with 50 entries."""
    twilio: float = 0.150
    other: float = 0.020

    def of(self, service: str) -> float:
        """For a service by botocore's name, or ``twilio``."""
        latency: float = getattr(self, service, self.other)
        return latency


LATENCY: Final = Latency()


def gigabyte_seconds(cpu_seconds: float, waiting_seconds: float, megabytes: int) -> float:
    """What a function is charged for: CPU stretched to its part of one, and waiting, at its memory size."""
    share = min(1.0, megabytes / FULL_CPU_MEGABYTES)
    return (cpu_seconds / share + waiting_seconds) * megabytes / GIGABYTE
