"""The steps of the state machine as functions: what fails in them is technical, and tried again."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from rebound.platform.telemetry import logger, place_of

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
