"""Logger and metrics of the functions. Ids and counts only: personal data stays in the tables (truth 12).

powertools is imported when something is logged or counted: many functions do neither, and no user waits for the rest.
"""

# ruff: noqa: PLC0415 - see above
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics


@cache
def logger() -> "Logger":
    """The structured logger; its service and level come from powertools' own environment variables."""
    from aws_lambda_powertools import Logger

    return Logger()


@cache
def metrics() -> "Metrics":
    """Metrics in CloudWatch's embedded format. Their only dimension is the service: each value of a dimension costs."""
    from aws_lambda_powertools import Metrics

    return Metrics()


@cache
def _counts() -> Counter[str]:
    return Counter()


ZERO_BESIDE: Final = {
    "EmailsThrottled": "EmailsHandedOver",
    "QuotaUsedUp": "EmailsHandedOver",
    "TextsThrottled": "TextsHandedOver",
}
"""Beside the first, a zero of the second is written: somebody wanted to send, and nothing was taken (for an alarm)."""


def count(name: str, by: int = 1, *, even_none: bool = False) -> None:
    """Add ``by`` to a metric; ``flush_counts`` writes it, a zero only with ``even_none``."""
    _counts()[name] += by
    if even_none:
        _even_none().add(name)


@cache
def _even_none() -> set[str]:
    return set()


def flush_counts() -> None:
    """Write one log line with everything counted since the last one; a handler calls this once per invocation.

    CloudWatch turns the line into metrics by itself: at 50 emails an invocation, a million emails make 8 MB of log,
    less than a cent.
    """
    counted = {name: by for name, by in _counts().items() if by or name in _even_none()}
    counted |= {zero: 0 for name, zero in ZERO_BESIDE.items() if name in counted and zero not in counted}
    _counts().clear()
    if not counted:
        return
    from aws_lambda_powertools.metrics import MetricUnit

    for name, by in counted.items():
        metrics().add_metric(name, MetricUnit.Count, by)
    metrics().flush_metrics()


def count_missed_removal(cause: str) -> None:
    """Report that a BOUNCE entry may still be on the provider's suppression list although its address was cleared."""
    logger().warning("suppression entry not removed", cause=cause)
    count("SuppressionEntriesNotRemoved")
    flush_counts()


def place_of(error: BaseException) -> str:
    """Where an error was raised: with its type, all that may be logged when its text may hold personal data."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return "unknown"
    return f"{traceback.tb_frame.f_code.co_qualname}:{traceback.tb_lineno}"


Count = Callable[[str], None]
"""Takes the name of a metric and adds one to it. Names only: no id or address of anybody is passed."""
