"""Points of customers: booked by staff, with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.customers.domain import PointsBooked
from rebound.kernel.errors import ConflictError, FieldError, InvalidInputError
from rebound.kernel.retrying import retried
from rebound.kernel.written_text import is_one_line, tidied

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerBook, PointsLedger
    from rebound.platform.ports import Clock, Ids, RequestIds

MOST_POINTS: Final = 1_000_000_000
"""Of one booking, and on one balance."""
MAX_REASON: Final = 200


class BookPoints(Struct, frozen=True, kw_only=True):
    """Adds points to a customer's balance, or takes some off; what is booked for a request is booked once."""

    customers: CustomerBook
    businesses: BusinessDirectory
    points_ledger: PointsLedger
    request_ids: RequestIds
    ids: Ids
    clock: Clock

    def __call__(
        self, business_id: str, customer_id: str, delta: int, reason: str, who: str, request: str | None = None
    ) -> int:
        """The balance after the booking; that of then, when the request was made before.

        Raises ``InvalidInputError``, ``NotFoundError``, and ``ConflictError`` when there are too few points.
        """
        _check(delta, reason, who)
        business = self.businesses.get(business_id)
        now = self.clock.now()
        proposed = self.ids.ulid(now)
        booking_id = proposed if request is None else self.request_ids.id_for(business_id, request, proposed)

        def write() -> int:
            customer = self.customers.get(business_id, customer_id)
            known = None if request is None else self.points_ledger.find(business_id, customer_id, booking_id)
            if known is not None:
                return known.balance
            balance = customer.points_balance + delta
            if balance < 0 and delta < 0 and not business.negative_points:
                raise ConflictError(
                    "not_enough_points",
                    f"The customer has {customer.points_balance} points.",
                    points_balance=customer.points_balance,
                )
            if abs(balance) > MOST_POINTS:
                raise InvalidInputError(FieldError("delta", f"Must leave at most {MOST_POINTS} points."))
            booked = PointsBooked(booking_id, now, delta, tidied(reason), tidied(who), balance)
            self.points_ledger.book(customer, booked)
            return balance

        return retried(write)

    def forget(self, customer: Customer) -> None:
        """Erase the bookings of a customer who was deleted."""
        self.points_ledger.forget(customer.business_id, customer.customer_id)


def _check(delta: int, reason: str, who: str) -> None:
    errors = [
        FieldError(name, f"Must be text of 1 to {MAX_REASON} characters on one line.")
        for name, text in (("reason", reason), ("who", who))
        if not tidied(text) or len(text) > MAX_REASON or not is_one_line(text)
    ]
    if not delta or abs(delta) > MOST_POINTS:
        errors.append(FieldError("delta", f"Must be a whole number other than 0, up to {MOST_POINTS} either way."))
    if errors:
        raise InvalidInputError(*errors)
