"""Forgetting where somebody who is deleted stood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.sequences.domain.enrolments import EnrolmentKey
from rebound.sequences.domain.members import MemberKey

if TYPE_CHECKING:
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerBook
    from rebound.sequences.ports import EnrolmentBook, MemberBook, SequenceBook


class ForgetEnrolments(Struct, frozen=True, kw_only=True):
    """Takes a customer who was deleted out of all sequences, and forgets what has begun them.

    Whoever is there again under the same id is somebody new to sequences: they may begin whatever they have begun
    before, also what nobody goes through twice. What they have begun since stays.
    """

    sequences: SequenceBook
    enrolments: EnrolmentBook
    members: MemberBook
    customers: CustomerBook

    def __call__(self, customer: Customer) -> None:
        """May be done again at any time."""
        business_id, customer_id = customer.business_id, customer.customer_id
        saved = self.sequences.all(business_id)
        # Also of what listens for something else by now.
        for known in self.members.get_many([MemberKey(business_id, each.uid, customer_id) for each in saved]):
            self.members.forget(known)
        found = self.enrolments.get_many([EnrolmentKey(business_id, customer_id, each.sequence_id) for each in saved])
        if not found:
            return
        again = self.customers.get_many(business_id, [customer_id], as_of_now=True).get(customer_id)
        for each in found.values():
            if again is None or not each.is_of(again.created_at):
                self.enrolments.forget(each)
