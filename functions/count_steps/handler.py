"""Exact counts of sequences by step, from the change stream of the enrolments."""

from collections.abc import Mapping
from typing import Any

from rebound.platform.invocations import at_start
from rebound.sequences import wiring

at_start(lambda: wiring.use_cases().count_steps)


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Count one batch of one shard; the window is there for its name alone, as that of ``count_results``."""
    records = event.get("Records", ())
    changes = [change for record in records if (change := wiring.ports().counted_change_of(record)) is not None]
    wiring.use_cases().count_steps(event.get("shardId", "only"), changes)
    return {"state": {}}
