"""What happened with profiles, in the Directory table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from rebound.customers.domain import PROFILE_EVENTS, Customer, FormUse, ProfileEvent, ProfileEventKind, place_of_event
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import DirectoryRow, expiry, read_instant, transaction, write_instant

if TYPE_CHECKING:
    from pynamodb.transactions import TransactWrite

    from rebound.contacts.domain.contacts import Contact
    from rebound.customers.ports import CustomerTransactions

HISTORIES: Final = "profile#"
"""How the partition keys of what happened with profiles begin: a partition for each customer."""
FORM_KEPT: Final = timedelta(days=60)
"""Longer than the link to a form is valid."""


class DynamoProfileHistory(Directory):
    """Implements ``ProfileHistory``. Each customer has a partition, with a row for each event and each form."""

    kind = "profile"

    def __init__(self, table_name: str, customers: CustomerTransactions) -> None:
        super().__init__(table_name)
        self._customers = customers

    def save(
        self,
        customers: Sequence[Customer],
        contacts: Sequence[Contact],
        events: Mapping[str, Sequence[ProfileEvent]],
        *,
        form: FormUse | None = None,
    ) -> None:
        [customer, *_] = customers
        rows = [
            self._event_row(customer.business_id, customer_id, event)
            for customer_id, each in events.items()
            for event in each
        ]
        with transaction(self.row) as writes:
            self._customers.save_within(writes, customers, contacts, len(rows) + (form is not None))
            for row in rows:
                writes.save(row)
            if form is not None:
                row = self.row(
                    _history(customer.business_id, customer.customer_id),
                    _form(form.message_id),
                    document={"at": write_instant(form.at)},
                    version=int(form.done),
                    expires_at=expiry(form.at, FORM_KEPT),
                )
                writes.save(row, condition=DirectoryRow.entry_id.does_not_exist() | (DirectoryRow.version == 0))

    def note(self, business_id: str, events: Mapping[str, Sequence[ProfileEvent]]) -> None:
        for customer_id, each in events.items():
            for event in each:
                self._event_row(business_id, customer_id, event).save()

    def note_within(self, writes: TransactWrite, business_id: str, customer_id: str, event: ProfileEvent) -> None:
        """Keep an event in a larger transaction."""
        writes.save(self._event_row(business_id, customer_id, event))

    def _event_row(self, business_id: str, customer_id: str, event: ProfileEvent) -> DirectoryRow:
        document = {
            name: value
            for name in event.__struct_fields__
            if name not in ("at", "event_id") and (value := getattr(event, name))
        }
        return self.row(_history(business_id, customer_id), self.entry(place_of_event(event)), document=document)

    def form(self, business_id: str, customer_id: str, message_id: str) -> FormUse | None:
        try:
            row = self.row.get(_history(business_id, customer_id), _form(message_id), consistent_read=True)
        except self.row.DoesNotExist:
            return None
        return FormUse(message_id, read_instant(row.document["at"]), bool(row.version))

    def before(self, business_id: str, customer_id: str, place: str | None, limit: int) -> Sequence[ProfileEvent]:
        partition, first = _history(business_id, customer_id), self.entry("")
        last = self.entry(_BEHIND if place is None else place)
        found = self.row.query(
            partition,
            DirectoryRow.entry_id.between(first, last),
            scan_index_forward=False,
            limit=limit + 1,
            page_size=limit + 1,
            consistent_read=True,
        )
        return [_event(row) for row in found if row.entry_id != last][:limit]

    def forget(self, business_id: str, customer_id: str, *, before: datetime | None = None) -> None:
        kept = self.row.query(_history(business_id, customer_id), consistent_read=True)
        rows = [row for row in kept if before is None or _time_of(row) < before]
        with self.row.batch_write() as batch:
            for row in rows:
                batch.delete(row)


_BEHIND: Final = "~"
"""Sorts after every character of a place."""


def _history(business_id: str, customer_id: str) -> str:
    return f"{HISTORIES}{business_id}#{customer_id}"


def _form(message_id: str) -> str:
    return f"form#{message_id}"


def _time_of(row: DirectoryRow) -> datetime:
    kind, name, *_ = row.entry_id.split("#")
    return read_instant(name if kind == PROFILE_EVENTS else row.document["at"])


def _event(row: DirectoryRow) -> ProfileEvent:
    at, _, event_id = row.entry_id.split("#")[1:]
    document = row.document
    return ProfileEvent(
        at=read_instant(at),
        event_id=event_id,
        **{
            "who": None,
            **document,
            "kind": ProfileEventKind(document["kind"]),
            "fields": tuple(document.get("fields", ())),
        },
    )
