"""Customers and contacts: two tables that change together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from rebound.consent.domain.consent import Consent, ConsentEvidence, ConsentSource, Scope, ScopeState
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import Cleared, ClearedBy, Failure, Reachability, Tried
from rebound.customers.domain import Customer
from rebound.kernel.changes import Written
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.pages import Page
from rebound.kernel.provider_codes import Provider
from rebound.platform.adapters.dynamo import (
    CUSTOMER_KEYS,
    ContactRow,
    CustomerRow,
    bind,
    lost_races,
    next_version,
    read_cursor,
    read_instant,
    transaction,
    write_cursor,
    write_instant,
)

if TYPE_CHECKING:
    from pynamodb.transactions import TransactWrite

    from rebound.segments.domain import Matcher

PAGE: Final = 250
MOST_PAGES: Final = 20
"""Pages that one request looks through for customers that match: 5,000 customers, about a second."""
MAX_TRANSACTION: Final = 100
_FIELDS: Final = Customer.__struct_fields__
_WRITTEN_OTHERWISE: Final = ("general_tags", "former_contacts", "version")


class DynamoCustomerBook:
    """Implements ``CustomerBook``."""

    def __init__(self, customers_table: str, contacts_table: str) -> None:
        self._row = bind(CustomerRow, customers_table)
        self._contact_row = bind(ContactRow, contacts_table)

    def get(self, business_id: str, customer_id: str) -> Customer:
        try:
            return _customer(self._row.get(business_id, customer_id, consistent_read=True))
        except self._row.DoesNotExist:
            raise NotFoundError("customer") from None

    def get_many(
        self, business_id: str, customer_ids: Sequence[str], *, as_of_now: bool = False
    ) -> Mapping[str, Customer]:
        keys = [(business_id, customer_id) for customer_id in dict.fromkeys(customer_ids)]
        return {row.customer_id: _customer(row) for row in self._row.batch_get(keys, consistent_read=as_of_now)}

    def save(self, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        with transaction(self._row) as writes:
            self.save_within(writes, customers, contacts)

    def save_within(
        self,
        writes: TransactWrite,
        customers: Sequence[Customer],
        contacts: Sequence[Contact],
        others: int = 0,
    ) -> None:
        """``save`` as a part of a larger transaction, which has so many ``others``."""
        rows = self._as_rows(contacts)
        if len(customers) + rows.count + others > MAX_TRANSACTION:
            raise ValueError(f"a transaction holds at most {MAX_TRANSACTION} rows")
        for customer in customers:
            row = self._row(
                **{name: getattr(customer, name) for name in _FIELDS if name not in _WRITTEN_OTHERWISE},
                general_tags=list(customer.general_tags) or None,
                former_contacts=sorted(map(str, customer.former_contacts)) or None,
                version=next_version(customer.version),
            )
            writes.save(row, condition=_unchanged(CustomerRow, customer.version))
        rows.write(writes)

    def delete(self, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        with transaction(self._row) as writes:
            self.delete_within(writes, customers, contacts)

    def delete_within(self, writes: TransactWrite, customers: Sequence[Customer], contacts: Sequence[Contact]) -> None:
        """``delete`` as a part of a larger transaction."""
        rows = self._as_rows(contacts)
        if len(customers) + rows.count > MAX_TRANSACTION:
            raise ValueError(f"a transaction holds at most {MAX_TRANSACTION} rows")
        for customer in customers:
            row = self._row(customer.business_id, customer.customer_id)
            writes.delete(row, condition=_unchanged(CustomerRow, customer.version))
        rows.write(writes)

    def _as_rows(self, contacts: Sequence[Contact]) -> _ContactRows:
        return _ContactRows(self._contact_row, contacts)

    def page(
        self, business_id: str, *, limit: int, cursor: str | None = None, matching: Matcher | None = None
    ) -> Page[Customer]:
        after = read_cursor(cursor, CUSTOMER_KEYS)
        size = PAGE if matching else limit + 1
        found: list[Customer] = []
        for _ in range(MOST_PAGES):
            customers = self._query(business_id, after, size)
            for customer in customers:
                if len(found) == limit:
                    return Page(found, write_cursor(found[-1].customer_id))
                if matching is None or matching(customer):
                    found.append(customer)
            if len(customers) < size:
                return Page(found)
            after = customers[-1].customer_id
        return Page(found, write_cursor(str(after)))

    def _query(self, business_id: str, after: str | None, limit: int) -> Sequence[Customer]:
        condition = CustomerRow.customer_id > after if after is not None else None
        rows = self._row.query(business_id, condition, limit=limit, page_size=limit, consistent_read=True)
        return [_customer(row) for row in rows]

    def read_range(self, business_id: str, first: str, last: str, after: str | None, limit: int) -> Sequence[Customer]:
        start = {"business_id": {"S": business_id}, "customer_id": {"S": after}} if after is not None else None
        condition = CustomerRow.customer_id.between(first, last)
        rows = self._row.query(business_id, condition, limit=limit, page_size=limit, last_evaluated_key=start)
        return [_customer(row) for row in rows]

    def copy_flag(self, key: ContactKey, customer_id: str, *, invalid: bool) -> None:
        email = key.channel is Channel.EMAIL
        flag = CustomerRow.failed_email if email else CustomerRow.failed_phone
        try:
            customer = self.get(key.business_id, customer_id)
        except NotFoundError:
            return
        if customer.contact_key(key.channel) != key:
            return
        if (customer.failed_email if email else customer.failed_phone) == invalid:
            return
        address = customer.address(key.channel)
        same_address = (CustomerRow.email if email else CustomerRow.mobile_phone) == address
        row = self._row(key.business_id, customer_id)
        try:
            with lost_races():
                row.update(actions=[flag.set(invalid), CustomerRow.version.add(1)], condition=same_address)
        except ConcurrentChangeError:
            # The customer has moved to another address, or is gone: this flag is not theirs any more.
            return


class DynamoContactBook:
    """Implements ``ContactBook``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(ContactRow, table_name)

    def get_many(self, keys: Iterable[ContactKey], *, consistent: bool = True) -> Mapping[ContactKey, Contact]:
        wanted = {str(key): key for key in keys}
        if not wanted:
            return {}
        addresses = [contact_id for contact_id, key in wanted.items() if not key.is_hashed]
        found = {wanted[row.contact_id]: read_contact(row) for row in self._read(addresses, consistent=consistent)}
        hashed = {str(key.hashed): key for key in wanted.values() if key not in found}
        if hashed:
            # Nobody uses these now; a sender never comes here, because a customer's contacts are stored.
            for row in self._read(hashed, consistent=consistent):
                key = hashed[row.contact_id]
                found[key] = Contact(key, consent=_read_consent(row.consent), remembered=int(row.version))
        return {key: found.get(key) or Contact(key) for key in wanted.values()}

    def save(self, contact: Contact) -> None:
        if contact.is_used and contact.version:
            with lost_races():
                _contact_row(self._row, contact).save(condition=_unchanged(ContactRow, contact.version))
            return
        rows = _ContactRows(self._row, [contact])
        if rows.count:
            with transaction(self._row) as writes:
                rows.write(writes)

    def _read(self, ids: Iterable[str], *, consistent: bool = True) -> Iterable[ContactRow]:
        return self._row.batch_get(list(ids), consistent_read=consistent)


class _ContactRows:
    """Contacts on their way into a transaction.

    The row under the address is there while somebody uses it, the one under its hash only while nobody does: whoever
    writes the one makes sure of the other in the same transaction, so that no word about consent falls between them.
    """

    def __init__(self, row: type[ContactRow], contacts: Sequence[Contact]) -> None:
        self._row = row
        self._contacts = [contact for contact in contacts if not _leaves_nothing(contact)]

    @property
    def count(self) -> int:
        """How many rows of the transaction they take."""
        return sum(map(_rows_of, self._contacts))

    def write(self, writes: TransactWrite) -> None:
        """Add all rows, each as it was read."""
        for contact in self._contacts:
            if contact.is_used:
                self._write_used(writes, contact)
            else:
                self._write_unused(writes, contact)

    def _write_used(self, writes: TransactWrite, contact: Contact) -> None:
        unchanged = _unchanged(ContactRow, contact.version)
        writes.save(_contact_row(self._row, contact), condition=unchanged)
        if contact.version:
            return
        hashed, remembered = str(contact.key.hashed), _unchanged(ContactRow, contact.remembered)
        if contact.remembered:
            writes.delete(self._row(hashed), condition=remembered)
        else:
            writes.condition_check(self._row, hashed, condition=remembered)

    def _write_unused(self, writes: TransactWrite, contact: Contact) -> None:
        address, unchanged = str(contact.key), _unchanged(ContactRow, contact.version)
        if contact.version:
            writes.delete(self._row(address), condition=unchanged)
        elif not contact.key.is_hashed:
            writes.condition_check(self._row, address, condition=unchanged)
        if contact.consent.scopes:
            version = next_version(contact.remembered)
            kept = self._row(str(contact.key.hashed), consent=_write_consent(contact.consent), version=version)
            writes.save(kept, condition=_unchanged(ContactRow, contact.remembered))


def _leaves_nothing(contact: Contact) -> bool:
    return not (contact.is_used or contact.version or contact.consent.scopes)


def _rows_of(contact: Contact) -> int:
    alone = contact.version and (contact.is_used or not contact.consent.scopes)
    return 1 if alone else 2


def _unchanged(row: type[CustomerRow | ContactRow], version: int) -> Any:
    return row.version == version if version else row.version.does_not_exist()


def _customer(row: CustomerRow) -> Customer:
    # Not attribute by attribute: an expansion does nothing more often.
    values: dict[str, Any] = {name: row.attribute_values.get(name) for name in _FIELDS}
    values["general_tags"] = tuple(values["general_tags"] or ())
    values["former_contacts"] = frozenset(map(ContactKey.parse, values["former_contacts"] or ()))
    values["version"] = int(values["version"])
    return Customer(**values)


def _contact_row(row: type[ContactRow], contact: Contact) -> ContactRow:
    return row(
        str(contact.key),
        customer_ids=set(contact.customer_ids) or None,
        reachability=_write_reachability(contact.reachability),
        consent=_write_consent(contact.consent),
        version=next_version(contact.version),
    )


def read_contact(row: ContactRow) -> Contact:
    """The contact of a row."""
    return Contact(
        ContactKey.parse(row.contact_id),
        _read_reachability(row.reachability),
        _read_consent(row.consent),
        frozenset(row.customer_ids or ()),
        int(row.version),
    )


def contact_of_image(image: Mapping[str, Any]) -> Contact:
    """The contact of an image in the table's change stream."""
    row = ContactRow()
    row.deserialize(dict(image))
    return read_contact(row)


def _write_reachability(state: Reachability) -> Mapping[str, Any] | None:
    if state == Reachability():
        return None
    cleared, tried = state.cleared, state.tried
    return {
        "cleared": cleared and {"at": write_instant(cleared.at), "by": cleared.by, "message_id": cleared.message_id},
        "failures": [
            {
                "at": write_instant(failure.at),
                "message_id": failure.message_id,
                "provider": failure.provider,
                "code": failure.code,
                "detail": failure.detail,
            }
            for failure in sorted(state.failures, key=lambda f: f.order)
        ],
        "voided": sorted(state.voided),
        "tried": tried and {"at": write_instant(tried.at), "message_id": tried.message_id},
    }


def _read_reachability(document: Mapping[str, Any] | None) -> Reachability:
    if document is None:
        return Reachability()
    cleared, tried = document["cleared"], document.get("tried")
    return Reachability(
        cleared and Cleared(read_instant(cleared["at"]), ClearedBy(cleared["by"]), cleared["message_id"]),
        frozenset(
            Failure(
                read_instant(failure["at"]),
                failure["message_id"],
                Provider(failure["provider"]),
                failure["code"],
                failure["detail"],
            )
            for failure in document["failures"]
        ),
        frozenset(document.get("voided", ())),
        tried and Tried(read_instant(tried["at"]), tried["message_id"]),
    )


def _write_consent(consent: Consent) -> Mapping[str, Any] | None:
    if not consent.scopes:
        return None
    return {scope: _write_scope(state) for scope, state in consent.scopes.items()}


def _write_scope(state: ScopeState) -> Mapping[str, Any]:
    """The last of each kind by itself, which mostly is all there is, and what else was said."""
    outs = [_write_said(said) for said in state.statements if said.opted_out]
    ins = [_write_said(said) for said in state.statements if not said.opted_out]
    more = {"more_out": outs[:-1], "more_in": ins[:-1]}
    return {
        "out": outs[-1] if outs else None,
        "in": ins[-1] if ins else None,
        **{name: said for name, said in more.items() if said},
    }


def _write_said(said: ConsentEvidence) -> Mapping[str, Any]:
    more = {"who": said.who, "words": said.words}
    return {
        "at": write_instant(said.at),
        "source": said.source,
        "message_id": said.message_id,
        **{name: value for name, value in more.items() if value is not None},
    }


def _read_consent(document: Mapping[str, Any] | None) -> Consent:
    return Consent(
        MappingProxyType({Scope(scope): _read_scope(Scope(scope), kept) for scope, kept in (document or {}).items()})
    )


def _read_scope(scope: Scope, kept: Mapping[str, Any]) -> ScopeState:
    outs = [_read_said(scope, said, opted_out=True) for said in (kept["out"], *kept.get("more_out", ())) if said]
    ins = [_read_said(scope, said, opted_out=False) for said in (kept["in"], *kept.get("more_in", ())) if said]
    return ScopeState(frozenset((*outs, *ins)))


def _read_said(scope: Scope, said: Mapping[str, Any], *, opted_out: bool) -> ConsentEvidence:
    at: datetime = read_instant(said["at"])
    source = ConsentSource(said["source"])
    return ConsentEvidence(at, scope, opted_out, source, said["message_id"], said.get("who"), said.get("words"))


def contact_change_of(record: Mapping[str, Any]) -> Written[Contact] | None:
    """The change of a record in the table's change stream; a contact that is gone has nobody who uses it."""
    change = record["dynamodb"]
    old, new = change.get("OldImage"), change.get("NewImage")
    before = contact_of_image(old) if old else None
    after = contact_of_image(new) if new else before and Contact(before.key)
    if after is None:
        return None
    at = datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC)
    return Written(before, after, record["eventID"], at)
