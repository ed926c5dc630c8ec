"""Contacts in a table of their own: the evidence of both folds, and who uses the address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rebound.consent.domain.consent import Consent, ConsentEvidence, ScopeState
from rebound.contacts.adapters.rows import ContactRow
from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.reachability import Cleared, ClearedBy, Failure, Reachability, Tried
from rebound.kernel.channels import ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.pages import RowChange
from rebound.kernel.provider_codes import Provider
from rebound.platform.adapters.dynamo import (
    as_read,
    bind,
    lost_races,
    next_version,
    read_instant,
    transaction,
    write_instant,
)

if TYPE_CHECKING:
    from pynamodb.transactions import TransactWrite


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
            # Nobody uses these addresses now. Senders never get here, because a customer's contacts are stored.
            for row in self._read(hashed, consistent=consistent):
                key = hashed[row.contact_id]
                found[key] = Contact(key, consent=_read_consent(row.consent), remembered=int(row.version))
        return {key: found.get(key) or Contact(key) for key in wanted.values()}

    def save(self, contact: Contact) -> None:
        if contact.is_used and contact.version:
            with lost_races():
                _contact_row(self._row, contact).save(condition=as_read(ContactRow, contact.version))
            return
        rows = self.rows([contact])
        if rows.count:
            with transaction(self._row) as writes:
                rows.write(writes)

    def rows(self, contacts: Sequence[Contact]) -> ContactRows:
        """Contacts that are to be written in a transaction of another adapter."""
        return ContactRows(self._row, contacts)

    def _read(self, ids: Iterable[str], *, consistent: bool = True) -> Iterable[ContactRow]:
        return self._row.batch_get(list(ids), consistent_read=consistent)


class ContactRows:
    """Contacts that are to be written in a transaction.

    The row under the address exists while somebody uses the address, the row under its hash only while nobody does. A
    write of the one deletes the other or checks that it is absent, in one transaction: no statement on consent is lost.
    """

    def __init__(self, row: type[ContactRow], contacts: Sequence[Contact]) -> None:
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

    def _write_used(self, writes: TransactWrite, contact: Contact) -> None:
        unchanged = as_read(ContactRow, contact.version)
        writes.save(_contact_row(self._row, contact), condition=unchanged)
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
        if contact.consent.scopes:
            version = next_version(contact.remembered)
            kept = self._row(str(contact.key.hashed), consent=_write_consent(contact.consent), version=version)
            writes.save(kept, condition=as_read(ContactRow, contact.remembered))


def _leaves_nothing(contact: Contact) -> bool:
    return not (contact.is_used or contact.version or contact.consent.scopes)


def _rows_of(contact: Contact) -> int:
    alone = contact.version and (contact.is_used or not contact.consent.scopes)
    return 1 if alone else 2


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
    """The change that a record of the table's change stream reports; a deleted row leaves a contact without users."""
    change = record["dynamodb"]
    old, new = change.get("OldImage"), change.get("NewImage")
    before = contact_of_image(old) if old else None
    after = contact_of_image(new) if new else before and Contact(before.key)
    if after is None:
        return None
    at = datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC)
    return RowChange(before, after, record["eventID"], at)
