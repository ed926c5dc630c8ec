"""Each minute: wakes what is due, such as messages for a day far off."""

from collections.abc import Mapping
from typing import Any, Final

from rebound.platform.invocations import TechnicalError, at_start, more_than
from rebound.platform.telemetry import count, flush_counts, logger, place_of
from rebound.sequences import wiring

RESERVE_MILLISECONDS: Final = 10_000
"""More than it takes to wake and to remove one batch."""


at_start(lambda: wiring.use_cases().sweep_timers)


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Wake what is due within two minutes, or has been, while there is time; the next sweep goes on.

    Raises ``TechnicalError`` when some could not be woken, so that it shows; the others are awake.
    """
    sweep = wiring.use_cases().sweep_timers(more_than(RESERVE_MILLISECONDS, context))
    for error in sweep.failures:
        logger().error("timer not woken", error=type(error).__name__, at=place_of(error))
    # Also zero: an alarm watches for silence as well.
    count("TimersLate", sweep.late, even_none=True)
    flush_counts()
    if sweep.failures:
        raise TechnicalError(type(sweep.failures[0]).__name__)
    return {"woken": sweep.woken, "late": sweep.late}
