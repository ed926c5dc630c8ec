"""The tasks of the job state machine: find what is left to do, work at one key range, pause after an error."""

from collections.abc import Mapping
from typing import Any, Final

from rebound.platform.invocations import at_start, more_than, step
from rebound.sequences import wiring

RESERVE_MILLISECONDS: Final = 30_000
"""More than a piece of work takes, so that the function ends by itself and goes on in a new invocation."""


at_start(lambda: wiring.use_cases().run_job)


@step
def lambda_handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """With ``range``, work at that range; with ``error``, pause the job; with neither, list ranges with work left."""
    job = (event["business_id"], event["job_id"])
    if "error" in event:
        wiring.use_cases().run_job.pause(*job)
        return {}
    if "range" in event:
        return {"done": wiring.use_cases().run_job.work(*job, event["range"], more_than(RESERVE_MILLISECONDS, context))}
    ranges = list(wiring.use_cases().run_job.advance(*job))
    return {"ranges": ranges, "done": not ranges}
