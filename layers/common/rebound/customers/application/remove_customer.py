"""Taking a customer out of everything that lists them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.contacts.domain.contacts import MOST_ROWS_OF_ONE, Contact, most_rows
from rebound.customers.domain import Customer
from rebound.kernel.channels import ContactKey

if TYPE_CHECKING:
    from rebound.contacts.ports import ContactBook
    from rebound.customers.ports import CustomerBook, Departures
    from rebound.platform.ports import Clock

MOST_ROWS: Final = 80
"""Rows of contacts in one transaction, which holds 100, with the customer and what others write with it."""


class RemoveCustomer(Struct, frozen=True, kw_only=True):
    """Deletes a customer, and every address that no other customer uses or used."""

    customers: CustomerBook
    contacts: ContactBook
    departures: Departures
    clock: Clock

    def __call__(self, customer: Customer) -> None:
        """Raises ``ConcurrentChangeError`` when the customer or a contact changes meanwhile."""
        at = self.note([customer])
        customer = self.lightened(customer)
        known = self.contacts.get_many(customer.all_contact_keys)
        self.customers.delete([customer], unlinked(known, {customer.customer_id}, at))

    def note(self, customers: Collection[Customer]) -> datetime:
        """Note who is about to be deleted, and when, so that nobody is sent again what they were sent at an address.

        Does nothing wrong where the deletion fails in the end: that they had the address is true.
        """
        at = self.clock.now()
        self.departures.note(customers, at)
        return at

    def lightened(self, customer: Customer) -> Customer:
        """Take off former contacts until one transaction can hold the others; the customer as stored then.

        This is no edit: ``updated_at`` stays. Raises ``ConcurrentChangeError`` and ``NotFoundError``.
        """
        while most_rows(customer.all_contact_keys) > MOST_ROWS:
            left = sorted(customer.former_contacts, key=str)[: MOST_ROWS // MOST_ROWS_OF_ONE]
            without = replace(customer, former_contacts=customer.former_contacts.difference(left))
            # Noted as well: who is deleted afterwards is no longer known to have had these.
            at = self.note([customer])
            self.customers.save([without], unlinked(self.contacts.get_many(left), {customer.customer_id}, at))
            customer = self.customers.get(customer.business_id, customer.customer_id)
        return customer


def unlinked(contacts: Mapping[ContactKey, Contact], customer_ids: Collection[str], at: datetime) -> list[Contact]:
    """The contacts that list any of the customers, with these customers taken out."""
    return [
        contact.without(customer_ids, at)
        for contact in contacts.values()
        if not contact.customer_ids.isdisjoint(customer_ids)
    ]
