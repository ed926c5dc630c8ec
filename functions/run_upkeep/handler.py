"""Copies flags to customers again after a change of policy, and erases what is left of customers who were deleted."""

from collections.abc import Mapping
from typing import Any, Final

from rebound.customers import wiring
from rebound.platform.batches import process_queue
from rebound.platform.invocations import at_start, more_than

RESERVE_MILLISECONDS: Final = 60_000
"""More than a page of customers takes when every flag is to be written and the table is slow."""


at_start(lambda: wiring.use_cases().recopy_flags)


def lambda_handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Do what is left while there is time; a message that fails comes again."""

    def go_on(body: str, _: str) -> None:
        forgotten = wiring.ports().decode_forgetting(body)
        if forgotten is not None:
            _forget(*forgotten)
            return
        wiring.use_cases().recopy_flags(wiring.ports().decode_recopying(body), more_than(RESERVE_MILLISECONDS, context))

    return process_queue(event, go_on)


def _forget(business_id: str, customer_id: str) -> None:
    # What all capabilities keep of somebody is hardly ever needed, and much to load.
    from rebound.timeline import wiring as of_all  # noqa: PLC0415

    of_all.use_cases().erase_customer.again(business_id, customer_id)
