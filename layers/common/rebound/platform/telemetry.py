"""Logger and metrics of the functions. Ids and counts only: personal data stays in the tables (truth 12).

powertools is imported when there is something to say: many functions have nothing, and nobody waits for those who do.
"""

# ruff: noqa: PLC0415 - see above
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics


@cache
def logger() -> "Logger":
    """The structured logger; its service and level come from powertools' own environment variables."""
    from aws_lambda_powertools import Logger

    return Logger()


@cache
def metrics() -> "Metrics":
    """Metrics in CloudWatch's embedded format. Their one dimension is the service, because each value of one costs."""
    from aws_lambda_powertools import Metrics

    return Metrics()


@cache
def _counts() -> Counter[str]:
    return Counter()


def count(name: str, by: int = 1) -> None:
    """Let a metric go up, as soon as ``flush_counts`` is called."""
    _counts()[name] += by


def flush_counts() -> None:
    """One log line with everything counted since the last; a door calls it once for each invocation.

    CloudWatch makes metrics of the line by itself: at 50 emails an invocation, a million of them are 8 MB of log, less
    than a cent.
    """
    counted = {name: by for name, by in _counts().items() if by}
    _counts().clear()
    if not counted:
        return
    from aws_lambda_powertools.metrics import MetricUnit

    for name, by in counted.items():
        metrics().add_metric(name, MetricUnit.Count, by)
    metrics().flush_metrics()


def count_missed_removal(cause: str) -> None:
    """A BOUNCE entry may still be on the provider's suppression list although its address was cleared."""
    logger().warning("suppression entry not removed", cause=cause)
    count("SuppressionEntriesNotRemoved")
    flush_counts()


def place_of(error: BaseException) -> str:
    """Where an error was raised: what may be logged of one whose text may hold personal data, beside its type."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return "unknown"
    return f"{traceback.tb_frame.f_code.co_qualname}:{traceback.tb_lineno}"


Count = Callable[[str], None]
"""Takes the name of a metric that goes up by one. Names only: whom it is about is nobody's business here."""
