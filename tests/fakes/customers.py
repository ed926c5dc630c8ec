"""Customers and contacts in memory, with the optimistic versions and the change stream of the tables."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from copy import replace
from typing import Final

from rebound.contacts.domain.contacts import Contact
from rebound.customers.domain import Customer, Matcher
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.pages import Page
from tests.fakes.cursors import page_of, read_cursor
from tests.fakes.streams import ChangeStream

MAX_TRANSACTION: Final = 100


def rows_of(contact: Contact) -> int:
    """How many rows of a transaction a contact takes."""
    if contact.is_used:
        return 1 if contact.version else 2
    return bool(contact.version or contact.consent.scopes) + bool(contact.consent.scopes)


class MemoryContactBook:
    """Implements ``ContactBook``."""

    def __init__(self) -> None:
        self.rows: dict[ContactKey, Contact] = {}
        self.hashed: dict[ContactKey, Contact] = {}
        """What is kept of addresses that nobody uses, by their hashed keys."""
        self.stream: ChangeStream[Contact] = ChangeStream()
        self.writes = 0
        self._versions: Counter[ContactKey] = Counter()

    def get_many(self, keys: Iterable[ContactKey], *, consistent: bool = True) -> Mapping[ContactKey, Contact]:
        return {key: self._get(key) for key in keys}

    def save(self, contact: Contact) -> None:
        if rows_of(contact):
            self.check(contact)
            self.write(contact)

    def check(self, contact: Contact) -> None:
        """Raise if what is stored is not as it was read."""
        stored = self._get(contact.key)
        if (stored.version, stored.remembered) != (contact.version, contact.remembered):
            raise ConcurrentChangeError

    def write(self, contact: Contact) -> None:
        """Write without looking."""
        if not rows_of(contact):
            return
        before = self.rows.pop(contact.key, None)
        kept_before = self.hashed.pop(contact.key.hashed, None)
        if contact.is_used:
            after = replace(contact, version=self._next_version(contact.key), remembered=0)
            self.rows[contact.key] = after
            self.writes += 1
            self.stream.record(str(contact.key), before, after)
            return
        if before is not None:
            self.stream.record(str(contact.key), before, Contact(contact.key))
        if contact.consent.scopes:
            hashed = contact.key.hashed
            kept = Contact(hashed, consent=contact.consent, version=self._next_version(hashed))
            self.hashed[hashed] = kept
            self.stream.record(str(hashed), kept_before, kept)

    def _get(self, key: ContactKey) -> Contact:
        if key in self.rows:
            return self.rows[key]
        kept = self.hashed.get(key.hashed)
        return Contact(key) if kept is None else Contact(key, consent=kept.consent, remembered=kept.version)

    def _next_version(self, key: ContactKey) -> int:
        self._versions[key] += 1
        return self._versions[key]


class MemoryCustomerBook:
    """Implements ``CustomerBook``; shares its transactions with a contact book."""

    def __init__(self, contacts: MemoryContactBook) -> None:
        self._contacts = contacts
        self.rows: dict[tuple[str, str], Customer] = {}
        self._gone: Counter[tuple[str, str]] = Counter()

    def get(self, business_id: str, customer_id: str) -> Customer:
        try:
            return self.rows[business_id, customer_id]
        except KeyError:
            raise NotFoundError("customer") from None

    def get_many(
        self, business_id: str, customer_ids: Sequence[str], *, as_of_now: bool = False
    ) -> Mapping[str, Customer]:
        found = {id_: self.rows.get((business_id, id_)) for id_ in customer_ids}
        return {id_: customer for id_, customer in found.items() if customer is not None}

    def save(self, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        self._check_all(customers, contacts)
        for customer in customers:
            id_ = (customer.business_id, customer.customer_id)
            self.rows[id_] = replace(customer, version=(customer.version or self._gone[id_]) + 1)
        for contact in contacts:
            self._contacts.write(contact)

    def delete(self, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        self._check_all(customers, contacts)
        for customer in customers:
            id_ = (customer.business_id, customer.customer_id)
            self.rows.pop(id_, None)
            self._gone[id_] = customer.version
        for contact in contacts:
            self._contacts.write(contact)

    def page(
        self, business_id: str, *, limit: int, cursor: str | None = None, matching: Matcher | None = None
    ) -> Page[Customer]:
        after = read_cursor(cursor) or ""
        own = self._of(business_id)
        return page_of(
            [(c.customer_id, c) for c in own if c.customer_id > after and (not matching or matching(c))], limit
        )

    def read_range(self, business_id: str, first: str, last: str, after: str | None, limit: int) -> Sequence[Customer]:
        inside = [c for c in self._of(business_id) if first <= c.customer_id <= last and c.customer_id > (after or "")]
        return inside[:limit]

    def copy_flag(self, key: ContactKey, customer_id: str, invalid: bool) -> None:
        customer = self.rows.get((key.business_id, customer_id))
        if customer is None or customer.contact_key(key.channel) != key:
            return
        email = key.channel is Channel.EMAIL
        if (customer.failed_email if email else customer.failed_phone) == invalid:
            return
        flagged = replace(customer, failed_email=invalid) if email else replace(customer, failed_phone=invalid)
        self.rows[key.business_id, customer_id] = replace(flagged, version=customer.version + 1)

    def _of(self, business_id: str) -> list[Customer]:
        return [customer for (owner, _), customer in sorted(self.rows.items()) if owner == business_id]

    def _check_all(self, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        if len(customers) + sum(map(rows_of, contacts)) > MAX_TRANSACTION:
            raise ValueError(f"a transaction holds at most {MAX_TRANSACTION} rows")
        for customer in customers:
            self._check(customer)
        for contact in contacts:
            if rows_of(contact):
                self._contacts.check(contact)

    def _check(self, customer: Customer) -> None:
        stored = self.rows.get((customer.business_id, customer.customer_id))
        if (stored.version if stored else 0) != customer.version:
            raise ConcurrentChangeError
