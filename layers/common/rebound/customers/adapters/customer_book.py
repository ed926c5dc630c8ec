"""The table of customers, which is written in the same transactions as the table of contacts."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from rebound.contacts.domain.contacts import Contact
from rebound.customers.application.tagging import givers, new_among
from rebound.customers.domain import (
    LIST_FIELDS,
    PROFILE,
    REQUIRED_FIELDS,
    UNSET,
    Customer,
    Kind,
    PageMatcher,
    Question,
)
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.ids import CUSTOMER_IDS
from rebound.kernel.pages import Page, read_cursor, write_cursor
from rebound.kernel.retrying import retried
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    MAX_TRANSACTION,
    DateAttribute,
    DirectoryRow,
    InstantAttribute,
    Model,
    TextListAttribute,
    as_read,
    bind,
    expiry,
    follow,
    lost_races,
    next_version,
    read_instant,
    transaction,
    write_instant,
)

if TYPE_CHECKING:
    from pynamodb.attributes import Attribute
    from pynamodb.transactions import TransactWrite

    from rebound.contacts.ports import ContactTransactions, ContactWrites
    from rebound.customers.adapters.customer_index import DynamoCustomerIndex
    from rebound.customers.adapters.finding import Stored


_BY_KIND: Final[Mapping[Kind, type[Attribute[Any]]]] = {
    Kind.DATE: DateAttribute,
    Kind.SWITCH: BooleanAttribute,
    Kind.RECIPIENTS: TextListAttribute,
    Kind.TAGS: TextListAttribute,
}
"""The attribute type of a profile field by its kind; every other kind is kept as text."""


class CustomerRow(Model):
    """``business_id`` / ``customer_id``; each profile field is an attribute of the same name."""

    business_id = UnicodeAttribute(hash_key=True)
    customer_id = UnicodeAttribute(range_key=True)
    created_at = InstantAttribute()
    updated_at = InstantAttribute()
    failed_email = BooleanAttribute(default=False)
    failed_phone = BooleanAttribute(default=False)
    flags_at = InstantAttribute(null=True)
    favourite = BooleanAttribute(null=True)
    former_contacts = TextListAttribute(null=True)
    file_values = UnicodeAttribute(null=True)
    """JSON."""
    claimed_at = InstantAttribute(null=True)
    points_balance = NumberAttribute(null=True)
    stamps = UnicodeAttribute(null=True)
    """See ``Stamps`` of the index."""
    tagged_by = UnicodeAttribute(null=True)
    """Of a write that gave the customer a tag: the sequences that did (``application.tagging``), else ``NOBODYS``.

    For the readers of the change stream, who are woken for nothing else."""
    version = NumberAttribute()
    vars().update(
        (name, _BY_KIND.get(row.kind, UnicodeAttribute)(null=name not in REQUIRED_FIELDS))
        for name, row in PROFILE.items()
    )


PAGE: Final = 250
MOST_PAGES: Final = 20
"""Pages that one request looks through for customers that match: 5,000 customers, about a second."""
DEPARTURES: Final = "departures#"
"""How the partition keys of the notes about those who were deleted begin; senders may read these alone."""
DEPARTURE_KEPT: Final = timedelta(days=400)
"""As long as messages and campaigns are kept."""
_FIELDS: Final = Customer.__struct_fields__
_WRITTEN_OTHERWISE: Final = (*PROFILE, "favourite", "former_contacts", "file_values", "points_balance", "version")
_NOTHING_EDITED: Final = "{}"
NOBODYS: Final = "."


class DynamoCustomerBook:
    """Implements ``CustomerBook``."""

    def __init__(
        self, table_name: str, contacts: ContactTransactions, index: Callable[[], DynamoCustomerIndex]
    ) -> None:
        self._row = bind(CustomerRow, table_name)
        self._contacts = contacts
        self._make_index = index

    @cached_property
    def _index(self) -> DynamoCustomerIndex:
        """Only made by who writes customers or looks for them."""
        return self._make_index()

    def get(self, business_id: str, customer_id: str) -> Customer:
        try:
            return read_customer(self._row.get(business_id, customer_id, consistent_read=True))
        except self._row.DoesNotExist:
            raise NotFoundError("customer") from None

    def get_many(
        self, business_id: str, customer_ids: Sequence[str], *, as_of_now: bool = False
    ) -> Mapping[str, Customer]:
        keys = [(business_id, customer_id) for customer_id in dict.fromkeys(customer_ids)]
        return {row.customer_id: read_customer(row) for row in self._row.batch_get(keys, consistent_read=as_of_now)}

    def external_ids(
        self, business_id: str, customer_ids: Sequence[str], *, as_of_now: bool = False
    ) -> Mapping[str, str | None]:
        keys = [(business_id, customer_id) for customer_id in dict.fromkeys(customer_ids)]
        shown = ["customer_id", "external_id"]
        rows = self._row.batch_get(keys, consistent_read=as_of_now, attributes_to_get=shown)
        return {row.customer_id: row.attribute_values.get("external_id") for row in rows}

    def save(self, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        with transaction(self._row) as writes:
            self.save_within(writes, customers, contacts)

    def retag(self, before: Customer, after: Customer) -> Customer:
        version = next_version(before.version)
        written = {
            "general_tags": list(after.general_tags) or None,
            "file_values": _file_values_of(after),
            "tagged_by": _tagged_by(before, after),
        }
        attributes = CustomerRow.get_attributes()
        kept = [
            attributes[name].remove() if value is None else attributes[name].set(value)
            for name, value in written.items()
        ]
        edited = [CustomerRow.updated_at.set(after.updated_at), CustomerRow.version.set(version)]
        row = self._row(before.business_id, before.customer_id)
        with lost_races():
            row.update(actions=[*kept, *edited], condition=CustomerRow.version == before.version)
        return replace(after, version=version)

    def exists_within(self, writes: TransactWrite, business_id: str, customer_id: str) -> None:
        """A condition of a larger transaction."""
        writes.condition_check(self._row, business_id, customer_id, CustomerRow.customer_id.exists())

    def save_within(
        self,
        writes: TransactWrite,
        customers: Sequence[Customer],
        contacts: Sequence[Contact],
        others: int = 0,
    ) -> None:
        """``save`` as a part of a larger transaction, which has ``others`` rows besides."""
        rows = self._contacts.rows(contacts)
        _check_fits(len(customers) + rows.count + others, rows)
        known = self._as_read([each for each in customers if each.version])
        written = self._index.written(known, customers)
        follow(
            writes,
            lambda: self._index.remove(written.gone),
            lambda: self._index.take_back(written.put, self._read(customers).values()),
        )
        for customer, stamps in written.customers:
            row = row_of(self._row, customer, next_version(customer.version), stamps)
            row.tagged_by = _tagged_by(known.get(customer.customer_id, (None,))[0], customer)
            writes.save(row, condition=as_read(CustomerRow, customer.version))
        rows.write(writes)

    def delete(self, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        with transaction(self._row) as writes:
            self.delete_within(writes, customers, contacts)

    def delete_within(self, writes: TransactWrite, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        """``delete`` as a part of a larger transaction."""
        rows = self._contacts.rows(contacts)
        _check_fits(len(customers) + rows.count, rows)
        known = self._as_read(customers)
        follow(writes, lambda: self._index.remove_all(known.values()), lambda: None)
        for customer in customers:
            row = self._row(customer.business_id, customer.customer_id)
            writes.delete(row, condition=as_read(CustomerRow, customer.version))
        rows.write(writes)

    def page(
        self,
        business_id: str,
        *,
        limit: int,
        cursor: str | None = None,
        matching: PageMatcher | None = None,
        looks: Sequence[int] | None = None,
    ) -> Page[Customer]:
        after = read_cursor(cursor, CUSTOMER_IDS)
        # Many filters match most customers: the first look is for those alone who are asked for.
        sizes = looks or (limit + 1, *[PAGE] * (MOST_PAGES - 1))
        found: list[Customer] = []
        for size in sizes:
            customers = self._query(business_id, after, size)
            if len(found) == limit and customers:
                return Page(found, write_cursor(found[-1].customer_id))
            found.extend(customers if matching is None else matching(customers))
            if len(found) > limit or (len(found) == limit and customers and found[-1] is not customers[-1]):
                return Page(found[:limit], write_cursor(found[limit - 1].customer_id))
            if len(customers) < size:
                return Page(found)
            after = customers[-1].customer_id
        return Page(found, write_cursor(str(after)))

    def _query(self, business_id: str, after: str | None, limit: int) -> Sequence[Customer]:
        condition = CustomerRow.customer_id > after if after is not None else None
        rows = self._row.query(business_id, condition, limit=limit, page_size=limit, consistent_read=True)
        return [read_customer(row) for row in rows]

    def read_range(self, business_id: str, first: str, last: str, after: str | None, limit: int) -> Sequence[Customer]:
        start = {"business_id": {"S": business_id}, "customer_id": {"S": after}} if after is not None else None
        condition = CustomerRow.customer_id.between(first, last)
        rows = self._row.query(business_id, condition, limit=limit, page_size=limit, last_evaluated_key=start)
        return [read_customer(row) for row in rows]

    def copy_flag(self, key: ContactKey, customer_id: str, *, invalid: bool) -> Customer | None:
        return retried(lambda: self._copy_flag(key, customer_id, invalid=invalid))

    def _copy_flag(self, key: ContactKey, customer_id: str, *, invalid: bool) -> Customer | None:
        email = key.channel is Channel.EMAIL
        flag = CustomerRow.failed_email if email else CustomerRow.failed_phone
        try:
            customer = self.get(key.business_id, customer_id)
        except NotFoundError:
            return None
        if customer.contact_key(key.channel) != key:
            # The customer has moved to another address: this flag is not theirs any more.
            return customer
        if (customer.failed_email if email else customer.failed_phone) == invalid:
            return customer
        at = datetime.now(UTC)
        after = replace(
            customer,
            failed_email=invalid if email else customer.failed_email,
            failed_phone=customer.failed_phone if email else invalid,
            flags_at=at,
        )
        written = self._index.flagged(customer, after)
        row = self._row(key.business_id, customer_id)
        try:
            with lost_races():
                corrected = CustomerRow.flags_at.set(at)
                unchanged = CustomerRow.version == customer.version
                # What gave a tag before wakes nobody again.
                quiet = CustomerRow.tagged_by.remove()
                row.update(
                    actions=[flag.set(invalid), corrected, CustomerRow.version.add(1), quiet], condition=unchanged
                )
        except ConcurrentChangeError:
            self._index.take_back(written.put, self._read([customer]).values())
            raise
        self._index.remove(written.gone)
        return customer

    def choose(self, business_id: str, customer_id: str, *, favourite: bool) -> None:
        chosen = CustomerRow.favourite.set(True) if favourite else CustomerRow.favourite.remove()
        try:
            with lost_races():
                self._row(business_id, customer_id).update(
                    actions=[chosen, CustomerRow.version.add(1)], condition=CustomerRow.customer_id.exists()
                )
        except ConcurrentChangeError:
            raise NotFoundError("customer") from None

    def _as_read(self, customers: Sequence[Customer]) -> Mapping[str, Stored]:
        """The customers as they are stored. Raises ``ConcurrentChangeError`` unless they are as read."""
        known = self._read(customers)
        for customer in customers:
            if customer.customer_id not in known or known[customer.customer_id][0].version != customer.version:
                raise ConcurrentChangeError
        return known

    def _read(self, customers: Sequence[Customer]) -> Mapping[str, Stored]:
        return self._stored([(customer.business_id, customer.customer_id) for customer in customers])

    def _stored(self, keys: Collection[tuple[str, str]]) -> dict[str, Stored]:
        """Customers with their stamps, as of now."""
        rows = self._row.batch_get(list(keys), consistent_read=True) if keys else ()
        return {row.customer_id: (read_customer(row), row.stamps) for row in rows}

    def fill_index(self, customers: Sequence[Customer]) -> None:
        known = self._read(customers).values()
        self._index.fill(known)
        # Whoever was changed or deleted meanwhile has removed their rows before they were there.
        self._index.take_back_from(known, self._read(customers).values())

    def forget(self, customer: Customer) -> None:
        self._index.forget(customer, lambda: self._read([customer]).get(customer.customer_id))

    def find(
        self,
        business_id: str,
        question: Question,
        *,
        limit: int,
        cursor: str | None = None,
        matching: PageMatcher | None = None,
        requests: int | None = None,
    ) -> Page[Customer]:
        finding = self._index.finding(self._stored, business_id, question)
        return finding.page(limit, cursor, matching, requests)


class DynamoDepartures(Directory):
    """Implements ``Departures``. Each address has a partition, by its hash, with a row for each customer."""

    kind = "departure"

    def note(self, customers: Collection[Customer], at: datetime) -> None:
        document, expires_at = {"at": write_instant(at)}, expiry(at, DEPARTURE_KEPT)
        for customer in customers:
            for key in customer.all_contact_keys:
                self.put_document(_left(key), customer.customer_id, document, expires_at=expires_at)

    def since(self, key: ContactKey, at: datetime) -> Collection[str]:
        rows = self.row.query(_left(key), DirectoryRow.entry_id.startswith(self.entry("")), consistent_read=True)
        return [row.entry_id.removeprefix(self.entry("")) for row in rows if read_instant(row.document["at"]) >= at]


def _left(key: ContactKey) -> str:
    return f"{DEPARTURES}{key.digest}"


def row_of(row: type[CustomerRow], customer: Customer, version: int, stamps: str | None = None) -> CustomerRow:
    """The row that a customer is written as, with the stamps of the rows that find them."""
    return row(
        **{name: getattr(customer, name) for name in _FIELDS if name not in _WRITTEN_OTHERWISE},
        **_profile_of(customer),
        favourite=customer.favourite or None,
        former_contacts=sorted(map(str, customer.former_contacts)) or None,
        file_values=_file_values_of(customer),
        points_balance=customer.points_balance or None,
        stamps=stamps,
        version=version,
    )


def _file_values_of(customer: Customer) -> str | None:
    return None if customer.file_values is None else json.dumps(customer.file_values)


def _tagged_by(before: Customer | None, customer: Customer) -> str | None:
    """Who gives the customer tags by being written so; ``None`` where nobody does."""
    had = before.general_tags if before is not None else ()
    return (" ".join(givers()) or NOBODYS) if new_among(customer.general_tags, had) else None


def _check_fits(count: int, contacts: ContactWrites) -> None:
    if count <= MAX_TRANSACTION:
        return
    if contacts.join_first():
        # Read again, each of them takes fewer rows.
        raise ConcurrentChangeError
    raise ValueError(f"a transaction holds at most {MAX_TRANSACTION} rows")


def _profile_of(customer: Customer) -> dict[str, Any]:
    """The profile as its row keeps it: without what nobody has set."""
    values: dict[str, Any] = {name: getattr(customer, name) for name in PROFILE}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if name in REQUIRED_FIELDS or value != UNSET[name]
    }


def read_customer(row: CustomerRow) -> Customer:
    """The customer of a row."""
    # Copied whole and not attribute by attribute, because an expansion does nothing more often than this.
    values: dict[str, Any] = row.attribute_values.copy()
    for name in LIST_FIELDS:
        if name in values:
            values[name] = tuple(values[name] or ())
    former = values.get("former_contacts")
    values["former_contacts"] = frozenset()
    values["version"] = int(values["version"])
    values.pop("stamps", None)
    values.pop("tagged_by", None)
    kept = values.get("file_values")
    if kept is not None:
        values["file_values"] = {} if kept == _NOTHING_EDITED else json.loads(kept)
    customer = Customer(**values)
    if former is None:
        return customer
    # One that was written in a former spelling may be the number of today.
    return replace(customer, former_contacts=frozenset(map(ContactKey.parse, former)).difference(customer.contact_keys))
