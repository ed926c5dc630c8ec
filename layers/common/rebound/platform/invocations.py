"""What handlers are made of: what they do at their start, steps of the state machine, and an end before Lambda's."""

import gc
import os
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

from rebound.platform.telemetry import logger, place_of
from rebound.platform.wiring import roomy

IN_LAMBDA: Final = "AWS_LAMBDA_FUNCTION_NAME"
"""Set by Lambda, and by what plays it, in every function."""
COLLECTED_AFTER: Final = 10_000
"""Objects that are made before the garbage collector looks: less often than Python's own 2,000, and soon enough for the
garbage of a long-lived sender not to pile up."""


def at_start(make: Callable[[], object]) -> None:
    """Make now what every invocation of this function uses, and the clients of its tables; nobody else asks for it yet.

    ``make`` asks the same lazy factories that an invocation asks, and calls nothing outside. Of what a start makes
    nearly all stays, and for the garbage collector to look through it again and again took a tenth of it: so it waits,
    and sets it aside for good. Whatever imports a handler elsewhere, such as a test, does nothing of all this.
    """
    if IN_LAMBDA not in os.environ:
        return
    gc.disable()
    roomy(make)()
    # Only where something has tables: to import this for its own sake would take longer than it saves.
    tables = sys.modules.get("rebound.platform.adapters.dynamo")
    if tables is not None:
        tables.connect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER)
    gc.enable()


Step = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]


class TechnicalError(Exception):
    """Something outside failed, or somebody else wrote at the same time. Its text is the type of the cause, no more."""


def step(function: Step) -> Step:
    """A step whose errors carry nothing into the execution's history that could be personal data.

    What cannot go on for a reason that its client should know is an answer of the step, not an error.
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
    """A question to ask between pieces of work: whether the invocation of this Lambda context has more time left.

    ``milliseconds`` is what one more piece takes at its slowest, with what ends the invocation.
    """

    def may_go_on() -> bool:
        remaining: int = context.get_remaining_time_in_millis()
        return remaining > milliseconds

    return may_go_on
