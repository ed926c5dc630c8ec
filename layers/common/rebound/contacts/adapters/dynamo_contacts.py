"""Contacts in a table of their own: the evidence of both folds, and who uses the address."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from rebound.consent.domain.consent import Consent, ConsentEvidence, ScopeState
from rebound.contacts.adapters.rows import ContactRow
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import Cleared, ClearedBy, Failure, Reachability, Tried
from rebound.kernel.channels import ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.pages import Page, RowChange, read_cursor
from rebound.kernel.provider_codes import Provider
from rebound.platform.adapters.dynamo import (
    as_read,
    bind,
    later_version,
    lost_races,
    next_version,
    page_of,
    read_instant,
    transaction,
    write_instant,
)

if TYPE_CHECKING:
    from pynamodb.transactions import TransactWrite


_CONTACT_IDS: Final = re.compile(r"[^#]+#[a-z]+#.+")


class DynamoContactBook:
    """Implements ``ContactBook``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(ContactRow, table_name)

    def get_many(self, keys: Iterable[ContactKey], *, consistent: bool = True) -> Mapping[ContactKey, Contact]:
        wanted = list(dict.fromkeys(keys))
        rows = self._read({place for key in wanted for place in _places(key)}, consistent=consistent)
        # Nobody uses these addresses now. Senders never get here, because a customer's contacts are stored.
        more = {place for key in wanted for place in _places_of_unused(key, rows)}.difference(rows)
        rows |= self._read(more, consistent=consistent)
        return {key: _contact_of(key, rows) for key in wanted}

    def save(self, contact: Contact) -> None:
        if contact.is_used and contact.version and not contact.joined:
            with lost_races():
                _contact_row(self._row, contact).save(condition=as_read(ContactRow, contact.version))
            return
        rows = self.rows([contact])
        if rows.count:
            with transaction(self._row) as writes:
                rows.write(writes)

    def rows(self, contacts: Sequence[Contact]) -> ContactRows:
        """Contacts that are to be written in a transaction of another adapter."""
        return ContactRows(self, self._row, contacts)

    def in_use(self, cursor: str | None, limit: int) -> Page[ContactKey]:
        after = read_cursor(cursor, _CONTACT_IDS)
        found = self._row.scan(
            ContactRow.customer_ids.exists(),
            limit=limit,
            page_size=limit,
            last_evaluated_key=None if after is None else {"contact_id": {"S": after}},
            attributes_to_get=["contact_id"],
        )
        return page_of(found, lambda row: ContactKey.parse(row.contact_id), lambda row: row.contact_id)

    def _read(self, places: Collection[str], *, consistent: bool) -> dict[str, ContactRow]:
        found = self._row.batch_get(list(places), consistent_read=consistent) if places else ()
        return {row.contact_id: row for row in found}


class ContactRows:
    """Contacts that are to be written in a transaction.

    The row under the address exists while somebody uses the address, the row under its hash only while nobody does. A
    write of the one deletes the other or checks that it is absent, in one transaction: no statement on consent is lost.
    Rows that are left under a former spelling go with it. Under the hash of a former spelling a row may say where what
    is remembered now stands (``same_as``).
    """

    def __init__(self, book: DynamoContactBook, row: type[ContactRow], contacts: Sequence[Contact]) -> None:
        self._book = book
        self._row = row
        self._contacts = [contact for contact in contacts if not _leaves_nothing(contact)]

    @property
    def count(self) -> int:
        """How many rows of the transaction the contacts take."""
        return sum(map(_rows_of, self._contacts))

    def write(self, writes: TransactWrite) -> None:
        """Add all rows, each on the condition that it is as it was read."""
        for contact in self._contacts:
            if contact.is_used:
                self._write_used(writes, contact)
            else:
                self._write_unused(writes, contact)

    def join_first(self) -> bool:
        keys = [contact.key for contact in self._contacts if contact.joined]
        for contact in self._book.get_many(keys).values():
            if contact.joined:
                self._book.save(contact)
        return bool(keys)

    def _write_used(self, writes: TransactWrite, contact: Contact) -> None:
        unchanged = as_read(ContactRow, contact.version)
        writes.save(_contact_row(self._row, contact), condition=unchanged)
        for place, version in contact.joined:
            writes.delete(self._row(place), condition=as_read(ContactRow, version))
        if contact.version:
            return
        hashed, remembered = str(contact.key.hashed), as_read(ContactRow, contact.remembered)
        if contact.remembered:
            writes.delete(self._row(hashed), condition=remembered)
        else:
            writes.condition_check(self._row, hashed, condition=remembered)

    def _write_unused(self, writes: TransactWrite, contact: Contact) -> None:
        address, unchanged = str(contact.key), as_read(ContactRow, contact.version)
        if contact.version:
            writes.delete(self._row(address), condition=unchanged)
        elif not contact.key.is_hashed:
            writes.condition_check(self._row, address, condition=unchanged)
        former = contact.key.former if contact.consent.scopes else None
        kept_as_former = None if former is None else str(former.hashed)
        for place, version in contact.joined:
            if place != kept_as_former:
                writes.delete(self._row(place), condition=as_read(ContactRow, version))
        if contact.consent.scopes:
            hashed = str(contact.key.hashed)
            version = next_version(contact.remembered)
            kept = self._row(hashed, consent=_write_consent(contact.consent), version=version)
            writes.save(kept, condition=as_read(ContactRow, contact.remembered))
            if kept_as_former is not None:
                # A link may hold the hash of the former spelling, and nothing else tells whose it is.
                read = dict(contact.joined).get(kept_as_former, 0)
                condition = as_read(ContactRow, read) if read else _leads_elsewhere_or_is_absent()
                writes.save(self._row(kept_as_former, same_as=hashed, version=0), condition=condition)


def _places(key: ContactKey) -> Iterator[str]:
    """Where a contact may be kept. Of a phone with two spellings, rows may be left under the former one."""
    yield str(key)
    former = key.former
    if former is not None:
        yield from (str(key.hashed), str(former), str(former.hashed))


def _places_of_unused(key: ContactKey, rows: Mapping[str, ContactRow]) -> Iterator[str]:
    """Where what is remembered of an address may be, once it is known that nobody uses it."""
    row = rows.get(str(key))
    if row is None:
        yield str(key.hashed)
    elif row.same_as:
        yield row.same_as


def _contact_of(key: ContactKey, rows: Mapping[str, ContactRow]) -> Contact:
    """The contact of all rows that are about it."""
    row = rows.get(str(key))
    if key.is_hashed:
        return Contact(key) if row is None else _remembered(key, rows.get(row.same_as or row.contact_id))
    contact = read_contact(row) if row is not None else _remembered(key, rows.get(str(key.hashed)))
    former = key.former
    if former is not None:
        for place in (str(former), str(former.hashed)):
            other = rows.get(place)
            if other is not None and not other.same_as:
                contact = contact.join(read_contact(other), (place, int(other.version)))
    return contact


def _remembered(key: ContactKey, row: ContactRow | None) -> Contact:
    """What is kept under a hash; the hash is the key's own, or for a hashed key the one that it leads to."""
    if row is None:
        return Contact(key)
    kept = ContactKey.parse(row.contact_id) if key.is_hashed else key
    return Contact(kept, consent=_read_consent(row.consent), remembered=int(row.version))


def _leads_elsewhere_or_is_absent() -> Any:
    return ContactRow.version.does_not_exist() | ContactRow.same_as.exists()


def _leaves_nothing(contact: Contact) -> bool:
    return not (contact.is_used or contact.version or contact.consent.scopes or contact.joined)


def _rows_of(contact: Contact) -> int:
    alone = contact.version and (contact.is_used or not contact.consent.scopes)
    leads = not contact.is_used and bool(contact.consent.scopes) and contact.key.former is not None
    return (1 if alone else 2) + len(contact.joined) + leads


def _contact_row(row: type[ContactRow], contact: Contact) -> ContactRow:
    return row(
        str(contact.key),
        customer_ids=set(contact.customer_ids) or None,
        left=set(contact.left) or None,
        freed=set(contact.freed) or None,
        departed_at=contact.departed_at,
        reachability=_write_reachability(contact.reachability),
        consent=_write_consent(contact.consent),
        joined_from=[place for place, _ in contact.joined] or None,
        version=later_version(contact.version),
    )


def read_contact(row: ContactRow) -> Contact:
    """The contact of a row."""
    # An expansion reads nothing more often: past pynamodb's descriptors.
    values = row.attribute_values
    return Contact(
        ContactKey.parse(values["contact_id"]),
        _read_reachability(values.get("reachability")),
        _read_consent(values.get("consent")),
        frozenset(values.get("customer_ids") or ()),
        int(values["version"]),
        left=frozenset(values.get("left") or ()),
        freed=frozenset(values.get("freed") or ()),
        departed_at=values.get("departed_at"),
    )


def _row_of(image: Mapping[str, Any] | None) -> ContactRow | None:
    """The row of an image in the table's change stream."""
    if not image:
        return None
    row = ContactRow()
    row.deserialize(dict(image))
    return row


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
    """The latest opt-out and opt-in by themselves, mostly all that there is; the other statements as lists."""
    outs = [_write_statement(statement) for statement in state.statements if statement.opted_out]
    ins = [_write_statement(statement) for statement in state.statements if not statement.opted_out]
    more = {"more_out": outs[:-1], "more_in": ins[:-1]}
    return {
        "out": outs[-1] if outs else None,
        "in": ins[-1] if ins else None,
        **{name: value for name, value in more.items() if value},
    }


def _write_statement(statement: ConsentEvidence) -> Mapping[str, Any]:
    more = {"who": statement.who, "words": statement.words}
    return {
        "at": write_instant(statement.at),
        "source": statement.source,
        "message_id": statement.message_id,
        **{name: value for name, value in more.items() if value is not None},
    }


def _read_consent(document: Mapping[str, Any] | None) -> Consent:
    return Consent(
        MappingProxyType({Scope(scope): _read_scope(Scope(scope), kept) for scope, kept in (document or {}).items()})
    )


def _read_scope(scope: Scope, kept: Mapping[str, Any]) -> ScopeState:
    outs = [
        _read_statement(scope, statement, opted_out=True)
        for statement in (kept["out"], *kept.get("more_out", ()))
        if statement
    ]
    ins = [
        _read_statement(scope, statement, opted_out=False)
        for statement in (kept["in"], *kept.get("more_in", ()))
        if statement
    ]
    return ScopeState(frozenset((*outs, *ins)))


def _read_statement(scope: Scope, statement: Mapping[str, Any], *, opted_out: bool) -> ConsentEvidence:
    at: datetime = read_instant(statement["at"])
    source = ConsentSource(statement["source"])
    return ConsentEvidence(
        at, scope, opted_out, source, statement["message_id"], statement.get("who"), statement.get("words")
    )


def contact_change_of(record: Mapping[str, Any]) -> RowChange[Contact] | None:
    """The change that a record of the table's change stream reports; a deleted row leaves a contact without users.

    Nothing that matters has changed where a row under a former spelling goes, and where a new row only takes its place.
    """
    change = record["dynamodb"]
    old, new = (_row_of(change.get(image)) for image in ("OldImage", "NewImage"))
    row = new or old
    if row is None or row.same_as or row.contact_id != str(ContactKey.parse(row.contact_id)):
        return None
    before = read_contact(old) if old else None
    after = read_contact(new) if new else Contact(ContactKey.parse(row.contact_id))
    if before is None and new is not None and new.joined_from:
        before = after
    at = datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC)
    return RowChange(before, after, record["eventID"], at)
