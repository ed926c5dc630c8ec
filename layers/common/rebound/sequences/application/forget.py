"""Forgetting where somebody who is deleted stood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.sequences.domain.enrolments import EnrolmentKey
from rebound.sequences.domain.members import MemberKey

if TYPE_CHECKING:
    from rebound.customers.domain import Customer
    from rebound.sequences.ports import EnrolmentBook, MemberBook, SequenceBook


class ForgetEnrolments(Struct, frozen=True, kw_only=True):
    """Takes a customer who was deleted out of all sequences, and forgets what has begun them."""

    sequences: SequenceBook
    enrolments: EnrolmentBook
    members: MemberBook

    def __call__(self, customer: Customer) -> None:
        """May be done again at any time."""
        business_id = customer.business_id
        saved = self.sequences.all(business_id)
        keys = [EnrolmentKey(business_id, customer.customer_id, each.sequence_id) for each in saved]
        for each in saved:
            if each.definition.is_entered:
                self.members.forget(MemberKey(business_id, each.uid, customer.customer_id))
        for found in self.enrolments.get_many(keys).values():
            self.enrolments.forget(found)
