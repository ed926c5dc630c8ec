"""Logger and metrics of the functions. Ids and counts only: personal data stays in the tables (truth 12)."""

from functools import cache

from aws_lambda_powertools import Logger, Metrics


@cache
def logger() -> Logger:
    """The structured logger; its service and level come from powertools' own environment variables."""
    return Logger()


@cache
def metrics() -> Metrics:
    """Metrics in CloudWatch's embedded format."""
    return Metrics()


def place_of(error: BaseException) -> str:
    """Where an error was raised: what may be logged of one whose text may hold personal data, beside its type."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return "unknown"
    return f"{traceback.tb_frame.f_code.co_qualname}:{traceback.tb_lineno}"
