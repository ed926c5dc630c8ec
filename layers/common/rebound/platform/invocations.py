"""What handlers are made of: the work at their start, steps of state machines, and stopping before Lambda's timeout."""

import gc
import os
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

from rebound.platform.telemetry import logger, place_of
from rebound.platform.wiring import roomy

IN_LAMBDA: Final = "AWS_LAMBDA_FUNCTION_NAME"
"""Set in every function by Lambda, and by what stands in for Lambda."""
COLLECTED_AFTER: Final = 10_000
"""New objects after which the garbage collector runs: less often than with Python's own 2,000, but often enough that
the garbage of a long-lived sender does not pile up."""


def at_start(make: Callable[[], object]) -> None:
    """While the function is initialised, make what every invocation of it uses, and the clients of its tables.

    ``make`` uses the same lazy factories as an invocation, and calls nothing outside. Nearly all objects made here
    stay, and the garbage collector took a tenth of the start to look through them again and again: so it is off during
    the start, and then sets them aside for good. Outside of Lambda (a test imports a handler, say), nothing is done.
    """
    if IN_LAMBDA not in os.environ:
        return
    gc.disable()
    roomy(make)()
    # Only if the module is loaded, that is, if there are tables: to import it just for this costs more than it saves.
    tables = sys.modules.get("rebound.platform.adapters.dynamo")
    if tables is not None:
        tables.connect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER)
    gc.enable()


Step = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]


class TechnicalError(Exception):
    """An external service failed, or somebody else wrote at the same time. The text is only the type of the cause."""


def step(function: Step) -> Step:
    """Wrap a step of a state machine, so that its errors carry no personal data into the execution's history.

    When a step cannot go on for a reason that the client should know, it returns that reason instead of raising.
    """

    @wraps(function)
    def named(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        try:
            return function(event, context)
        except Exception as error:  # noqa: BLE001 - raised again, without its text
            cause = type(error).__name__
            logger().error("step failed", step=function.__module__, error=cause, at=place_of(error))
            raise TechnicalError(cause) from None

    return named


def more_than(milliseconds: int, context: Any) -> Callable[[], bool]:
    """A check to make between pieces of work: whether the invocation of this Lambda context has more time left.

    ``milliseconds`` is the longest time that one more piece of work can take, plus the end of the invocation.
    """

    def may_go_on() -> bool:
        remaining: int = context.get_remaining_time_in_millis()
        return remaining > milliseconds

    return may_go_on
