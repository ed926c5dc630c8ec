"""What is erased of activity: that of customers who were deleted, and that of people who never became customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.activity.domain.words import WAITS, stamp_of
from rebound.kernel.errors import NotFoundError

if TYPE_CHECKING:
    from rebound.activity.application.apply_activity import Refold
    from rebound.activity.ports import ActivityBook, Stamps
    from rebound.businesses.ports import BusinessDirectory
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerBook
    from rebound.timers.domain import Timer

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""The clocks of two machines differ by no more."""


class EraseActivity(Struct, frozen=True, kw_only=True):
    """Erases what was said of people before a moment, also what is still on its way to be applied."""

    refold: Refold
    activity: ActivityBook
    businesses: BusinessDirectory
    customers: CustomerBook
    stamps: Stamps

    def deleted(self, customer: Customer) -> None:
        """Erase all of a customer who was deleted; who is there again keeps what was said since.

        Done again it erases what it did before, and nothing that was said later of who may come again.
        """
        business_id, customer_id = customer.business_id, customer.customer_id
        kept = self.activity.read(business_id, customer_id)
        if not kept.version and not kept.cells:
            return
        if kept.erased > stamp_of(customer.created_at + CLOCKS_DIFFER):
            # Since they were there: no other deletion has been erased by then.
            self._until(business_id, customer_id, kept.erased)
            return
        again = self.customers.get_many(business_id, [customer_id], as_of_now=True).get(customer_id)
        self._until(business_id, customer_id, self.stamps.next(1)[0] if again is None else stamp_of(again.created_at))

    def unclaimed(self, timers: Sequence[Timer]) -> None:
        """Erase what has waited long enough for somebody who did not come. What was said later waits on."""
        for timer in timers:
            business_id, _, customer_id = timer.key.rpartition("#")
            if not self.customers.external_ids(business_id, [customer_id], as_of_now=True):
                self._until(business_id, customer_id, stamp_of(timer.due_at - WAITS, "~"))

    def _until(self, business_id: str, customer_id: str, stamp: str) -> None:
        try:
            zone = self.businesses.get(business_id).time_zone
        except NotFoundError:
            zone = "UTC"
        self.refold(business_id, zone, customer_id, stamp)
