"""Goes on with those who are due in a sequence, and lets sequences hear what happened."""

from collections.abc import Mapping
from typing import Any

from rebound.platform.batches import process_queue
from rebound.platform.invocations import at_start
from rebound.sequences import wiring

at_start(lambda: wiring.use_cases().go_on)


def lambda_handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Do each task; one that fails comes again."""

    def go_on(body: str, _: str) -> None:
        wiring.use_cases().go_on(wiring.ports().decode_steps(body))

    return process_queue(event, go_on)
