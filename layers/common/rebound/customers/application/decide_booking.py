"""Whether a customer may book online, and what whoever may not is told."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rebound.customers.domain import OnlineBooking, language_for
from rebound.kernel.languages import read_words

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.customers.ports import CustomerBook


class Booking(Struct, frozen=True):
    """Whether a customer may book online; ``message`` is for those who are blocked."""

    decision: OnlineBooking
    message: str | None = None


class DecideBooking(Struct, frozen=True, kw_only=True):
    """Decides for whoever takes bookings, as the customer and the business are now."""

    customers: CustomerBook
    businesses: BusinessDirectory

    def __call__(self, business_id: str, customer_id: str) -> Booking:
        """The decision. Raises ``NotFoundError``."""
        customer = self.customers.get(business_id, customer_id)
        decision = OnlineBooking(customer.online_booking)
        if decision is not OnlineBooking.BLOCK:
            return Booking(decision)
        business = self.businesses.get(business_id)
        return Booking(decision, business.booking_block_message or booking_words(language_for(customer, business)))


@cache
def booking_words(language: str) -> str:
    """What whoever is blocked reads where the business has no message of its own."""
    words: Any = read_words("customers", language)
    said: str = words["booking_block_message"]
    return said
