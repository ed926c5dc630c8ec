"""Choosing favourites, which is for the staff to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerBook


class Favourites(Struct, frozen=True, kw_only=True):
    """The favourites of one business at a time.

    Whether a customer is one stands in the customer's own row: whoever has read the customer knows it, and it goes with
    the customer.
    """

    customers: CustomerBook

    def add(self, business_id: str, customer_id: str) -> Customer:
        """Make a customer a favourite; doing it again writes nothing. Raises ``NotFoundError``."""
        customer = self.customers.get(business_id, customer_id)
        if not customer.favourite:
            self.customers.choose(business_id, customer_id, favourite=True)
        return customer

    def remove(self, business_id: str, customer_id: str) -> None:
        """Make a customer no favourite any more; doing it again writes nothing. Raises ``NotFoundError``."""
        if self.customers.get(business_id, customer_id).favourite:
            self.customers.choose(business_id, customer_id, favourite=False)
