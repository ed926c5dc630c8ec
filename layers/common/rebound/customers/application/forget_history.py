"""What happened with the profile of a customer goes with the customer."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.customers.domain import Customer
from rebound.kernel.errors import NotFoundError

if TYPE_CHECKING:
    from rebound.customers.ports import CustomerBook, ProfileHistory


class ForgetHistory(Struct, frozen=True, kw_only=True):
    """Erases the history of a customer who was deleted, up to the time at which they may have come back."""

    customers: CustomerBook
    profile_history: ProfileHistory

    def __call__(self, customer: Customer) -> None:
        """Again changes nothing."""
        back = self._back_since(customer)
        self.profile_history.forget(customer.business_id, customer.customer_id, before=back)

    def _back_since(self, customer: Customer) -> datetime | None:
        if customer.external_id is None:
            return None
        try:
            return self.customers.get(customer.business_id, customer.customer_id).created_at
        except NotFoundError:
            return None
