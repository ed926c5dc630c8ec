"""Who goes first where customers share an address and a mailing goes to each address once.

It is the one with the smallest id of those who have the address now, are meant, and pass every other rule, apart from
the lot of who is held out: where that falls on the first, nobody gets a message at the address. A contact
also lists customers who had its address before, so these are looked up; an address that is only one customer's costs
nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.businesses.domain.quiet_hours import Whereabouts
from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer
from rebound.eligibility.application.frequency_reservations import known_frequencies
from rebound.eligibility.domain.eligibility import Hold, Send, decide
from rebound.kernel.channels import ContactKey
from rebound.messages.domain.mailing import Mailing
from rebound.segments.application.matching import among
from rebound.segments.domain.selections import meant_by
from rebound.templates.domain.sendable import is_sendable

if TYPE_CHECKING:
    from rebound.activity.ports import SummaryBook
    from rebound.contacts.ports import ContactBook
    from rebound.customers.ports import CustomerBook
    from rebound.eligibility.ports import FrequencyBook


class Sharers(Struct, frozen=True):
    """The customers who use, or used, one address; ``first`` goes first among them, ``None`` where nobody may."""

    key: ContactKey
    customers: Mapping[str, Customer]
    first: str | None

    def is_behind(self, customer_id: str) -> bool:
        """Whether somebody else goes before a customer who may get the message as well."""
        return self.first is not None and self.first < customer_id

    def have_others_since(self, customer_id: str, since: datetime | None) -> bool:
        """Whether anybody else has the address now, or may have had it since a time."""
        return any(
            each.contact_key(self.key.channel) == self.key or (since is not None and each.updated_at > since)
            for each in self.customers.values()
            if each.customer_id != customer_id
        )


def is_shared(contact: Contact | None) -> bool:
    """Whether more than one customer uses, or used, an address."""
    return contact is not None and len(contact.customer_ids) > 1


def sharing_now(customers: CustomerBook, business_id: str, contacts: Mapping[str, Contact]) -> Sequence[str]:
    """Those of the customers, given with their contacts, whose address another customer has now as well."""
    shared = {contact.key: contact for contact in contacts.values() if is_shared(contact)}
    if not shared:
        return ()
    ids = sorted({customer_id for contact in shared.values() for customer_id in contact.customer_ids})
    found = customers.get_many(business_id, ids).values()
    having = Counter(key for each in found for key in each.contact_keys if key in shared)
    return [customer_id for customer_id, contact in contacts.items() if having[contact.key] > 1]


class FindSharers:
    """Looks up who shares addresses, for one mailing."""

    def __init__(
        self,
        customers: CustomerBook,
        contacts: ContactBook,
        summaries: SummaryBook,
        frequencies: FrequencyBook,
        business: Business,
        mailing: Mailing,
        whereabouts: Whereabouts,
    ) -> None:
        self._customers = customers
        self._contacts = contacts
        self._summaries = summaries
        self._frequencies = frequencies
        self._business = business
        self._mailing = mailing.before_holdout
        self._whereabouts = whereabouts

    def __call__(self, contacts: Mapping[str, Contact], now: datetime) -> Mapping[str, Sharers]:
        """The sharers of each customer's contact, by customer; only of contacts that are shared."""
        mailing = self._mailing
        shared = {contact.key: contact for contact in contacts.values() if is_shared(contact)}
        if not mailing.once_per_address or not shared:
            return {}
        ids = sorted({customer_id for contact in shared.values() for customer_id in contact.customer_ids})
        found = self._customers.get_many(mailing.business_id, ids)
        sharing = [customer for customer in found.values() if customer.contact_key(mailing.channel) in shared]
        meant = [
            each.customer_id for each in among(sharing, meant_by(mailing.selection), self._contacts, self._summaries)
        ]
        frequencies = known_frequencies(self._frequencies, self._business, mailing, meant, consistent=False)
        first: dict[ContactKey, str] = {}
        for customer_id in sorted(meant):
            customer, key = found[customer_id], found[customer_id].contact_key(mailing.channel)
            if key is None or key in first:
                continue
            decision = decide(
                customer,
                shared[key],
                self._business,
                mailing,
                now,
                frequencies.get(customer_id),
                self._whereabouts,
            )
            if isinstance(decision, Send | Hold) and self.can_be_rendered_for(customer):
                first[key] = customer_id
        groups = {
            key: Sharers(key, {id_: found[id_] for id_ in contact.customer_ids if id_ in found}, first.get(key))
            for key, contact in shared.items()
        }
        return {id_: groups[contact.key] for id_, contact in contacts.items() if contact.key in groups}

    def can_be_rendered_for(self, customer: Customer) -> bool:
        """Whether there is something to send to a customer."""
        return can_be_rendered_for(self._mailing, customer, self._business)


def can_be_rendered_for(mailing: Mailing, customer: Customer, business: Business) -> bool:
    """Whether a mailing has something to send to a customer."""
    mailing = mailing.for_customer(customer.customer_id)
    content, more = mailing.content, mailing.more_values
    return content is None or is_sendable(content, mailing.category, customer, business, more)
