"""The operator's commands; invoked by the ``rebound`` command only."""

from collections.abc import Mapping
from typing import Any, Final

from rebound.operations import wiring
from rebound.platform.invocations import at_start, more_than

RESERVE_MILLISECONDS: Final = 10_000
"""More than the move of one batch of messages takes."""


at_start(lambda: wiring.use_cases().run_command)


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Run one command; bad input is an answer with ``errors``, not an error."""
    return wiring.use_cases().run_command(event, more_than(RESERVE_MILLISECONDS, context))
