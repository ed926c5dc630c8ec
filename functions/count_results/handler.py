"""Exact campaign counts, from the change stream of the message log."""

from collections.abc import Mapping
from typing import Any

from rebound.campaigns import wiring
from rebound.platform.invocations import at_start

at_start(lambda: wiring.use_cases().count_results)


def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Count one batch of one shard.

    The event source mapping has a tumbling window only because Lambda does not name the shard to functions without one;
    the window's state stays empty.
    """
    records = event.get("Records", ())
    changes = [change for record in records if (change := wiring.ports().status_change_of(record)) is not None]
    wiring.use_cases().count_results(event.get("shardId", "only"), changes)
    return {"state": {}}
