"""The nightly comparison of SES's suppression list with our contacts, a step of its own state machine."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from rebound.platform.invocations import at_start, step
from rebound.platform.telemetry import count, flush_counts, logger
from rebound.receipts import wiring

RESERVE: Final = timedelta(minutes=2)
"""More than it takes to compare one page of the list with the contacts of all businesses."""


at_start(lambda: wiring.use_cases().reconcile_suppressions)


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """Go on with a run while there is time; answers with counts only, because the list's cursor may hold an address.

    ``unavailable`` says that the account is in SES's sandbox, where there is no list to compare.
    """
    remaining = timedelta(milliseconds=context.get_remaining_time_in_millis())
    work = wiring.use_cases().reconcile_suppressions(event["run"], remaining - RESERVE)
    drift = {str(kind): found for kind, found in sorted(work.drift.items())}
    if work.unavailable:
        logger().info("suppression list unavailable: SES sandbox", run=work.run)
        return {"done": True, "entries": 0, "drift": {}, "unavailable": "sandbox"}
    if work.done:
        logger().info("suppressions reconciled", run=work.run, entries=work.entries, drift=drift)
        count("SuppressionEntries", work.entries)
        for kind, found in drift.items():
            count(f"SuppressionDrift{_camel(kind)}", found)
        flush_counts()
    return {"done": work.done, "entries": work.entries, "drift": drift}


def _camel(kind: str) -> str:
    return kind.title().replace("_", "")
