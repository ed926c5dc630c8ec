"""What the use cases of relations need from outside."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from rebound.customers.domain import ProfileEvent
from rebound.customers.ports import CustomersPorts
from rebound.relations.domain import AskedAt, Invitation, Relations


class RelationBook(Protocol):
    """The relations of all customers, and what they are asked about."""

    def get(self, business_id: str, customer_id: str) -> Relations:
        """Those of a customer, none if nothing is kept (strongly consistent)."""

    def save(
        self,
        relations: Sequence[Relations],
        events: Mapping[str, Sequence[ProfileEvent]],
        invitation: Invitation | None = None,
        asked_at: AskedAt | None = None,
        *,
        of_existing: bool = True,
    ) -> None:
        """Write both sides, what their logs say of it, and the invitation with its address: all or nothing.

        Raises ``ConcurrentChangeError`` unless each row is as it was read and, ``of_existing``, each customer is there.
        """

    def invitation(self, business_id: str, message_id: str) -> Invitation | None:
        """What a message asks about; kept for as long as messages are."""

    def asked_at(self, business_id: str, digest: str) -> AskedAt:
        """What was asked at an address, by its digest (strongly consistent); kept for as long as messages are."""

    def forget(self, relations: Relations) -> None:
        """Remove the row of a customer who is gone. Raises ``ConcurrentChangeError`` if it has changed since."""


class RelationsPorts(CustomersPorts, Protocol):
    """What the use cases of relations need from outside."""

    @property
    def relations(self) -> RelationBook: ...
