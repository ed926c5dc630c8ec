"""What goes with a customer who was deleted, in all capabilities that keep something of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.customers.domain import Customer

if TYPE_CHECKING:
    from rebound.customers.ports import Eraser, ForgetQueue, UnforgottenCustomers


class EraseCustomer(Struct, frozen=True, kw_only=True):
    """Calls every eraser for a customer who was deleted, as the change stream of customers tells.

    Erasers are called again whenever the work did not come to its end, so each may find that it has done its part. A
    customer may be there again by then, under the same id and with a higher ``version``: who has one with an
    ``external_id`` to erase looks.
    """

    erasers: Sequence[Eraser]
    unforgotten: UnforgottenCustomers
    forget_queue: ForgetQueue

    def __call__(self, customer: Customer) -> None:
        """Erase what is kept of the customer.

        When an eraser fails, the others do their part all the same. The profile is then kept until it works, and the
        ids are put on a queue, so that nobody behind this customer in the stream waits.
        """
        if self._failed(customer):
            self.unforgotten.keep(customer)
            self.forget_queue.put(customer.business_id, customer.customer_id)

    def again(self, business_id: str, customer_id: str) -> None:
        """Try once more with a customer who was put on the queue. Raises the error of the first eraser that fails."""
        customer = self.unforgotten.find(business_id, customer_id)
        if customer is None:
            return
        for error in self._failed(customer):
            raise error
        self.unforgotten.remove(customer)

    def _failed(self, customer: Customer) -> Sequence[Exception]:
        failed: list[Exception] = []
        for erase in self.erasers:
            try:
                erase(customer)
            except Exception as error:  # noqa: BLE001 - the others do not wait for it; it is tried again
                failed.append(error)
        return failed
