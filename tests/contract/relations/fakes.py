"""Relations in memory, with the optimistic versions of the table."""

from collections.abc import Mapping, Sequence
from copy import replace
from functools import cached_property

from rebound.customers.domain import ProfileEvent
from rebound.kernel.errors import ConcurrentChangeError
from rebound.relations.domain import AskedAt, Invitation, Relations
from tests.contract.customers.fakes import MemoryCustomerBook, MemoryCustomersPorts, MemoryProfileHistory


class MemoryRelationBook:
    """Implements ``RelationBook``."""

    def __init__(self, customers: MemoryCustomerBook, history: MemoryProfileHistory) -> None:
        self._customers = customers
        self._history = history
        self.rows: dict[tuple[str, str], Relations] = {}
        self.invitations: dict[tuple[str, str], Invitation] = {}
        self.addresses: dict[tuple[str, str], AskedAt] = {}
        self._writes = 0

    def get(self, business_id: str, customer_id: str) -> Relations:
        empty = Relations(business_id=business_id, customer_id=customer_id)
        return self.rows.get((business_id, customer_id), empty)

    def save(
        self,
        relations: Sequence[Relations],
        events: Mapping[str, Sequence[ProfileEvent]],
        invitation: Invitation | None = None,
        asked_at: AskedAt | None = None,
        *,
        of_existing: bool = True,
    ) -> None:
        business_id = relations[0].business_id
        for each in relations:
            self._check(each)
            if of_existing and (business_id, each.customer_id) not in self._customers.rows:
                raise ConcurrentChangeError
        if asked_at is not None:
            if self.asked_at(business_id, asked_at.digest).version != asked_at.version:
                raise ConcurrentChangeError
            self.addresses[business_id, asked_at.digest] = replace(asked_at, version=asked_at.version + 1)
        for each in relations:
            self._writes += 1
            self.rows[business_id, each.customer_id] = replace(each, version=self._writes)
        self._history.note(business_id, events)
        if invitation is not None:
            self.invitations[business_id, invitation.message_id] = invitation

    def invitation(self, business_id: str, message_id: str) -> Invitation | None:
        return self.invitations.get((business_id, message_id))

    def asked_at(self, business_id: str, digest: str) -> AskedAt:
        return self.addresses.get((business_id, digest), AskedAt(business_id=business_id, digest=digest))

    def forget(self, relations: Relations) -> None:
        self._check(relations)
        self.rows.pop((relations.business_id, relations.customer_id), None)

    def _check(self, relations: Relations) -> None:
        if self.get(relations.business_id, relations.customer_id).version != relations.version:
            raise ConcurrentChangeError


class MemoryRelationsPorts(MemoryCustomersPorts):
    """Implements ``RelationsPorts``."""

    @cached_property
    def relations(self) -> MemoryRelationBook:
        return MemoryRelationBook(self.customers, self.profile_history)
