"""What has happened about appointments, in the Messages table: rows that lead from an appointment to its messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from rebound.adapters.dynamo_tables import (
    APPOINTMENT_KEYS,
    AppointmentRow,
    bind,
    read_cursor,
    read_instant,
    write_cursor,
    write_instant,
)
from rebound.application.pages import Page
from rebound.domain.appointments import Answered, Told
from rebound.domain.receipts import MessageKey

if TYPE_CHECKING:
    from rebound.domain.appointments import AppointmentEntry

KEPT: Final = timedelta(days=400)
"""As long as messages are."""
_TOLD: Final = "told"
_ANSWERED: Final = "answered"


class DynamoAppointmentBook:
    """Implements ``AppointmentBook``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(AppointmentRow, table_name)

    def record(self, business_id: str, appointment_id: str, entry: AppointmentEntry) -> None:
        kind, document = _document(entry)
        self._row(
            _partition(business_id, appointment_id),
            f"{write_instant(entry.at)}#{kind}#{entry.entry_id}",
            document=document,
            expires_at=int((entry.at + KEPT).timestamp()),
        ).save()

    def page(self, business_id: str, appointment_id: str, limit: int, cursor: str | None) -> Page[AppointmentEntry]:
        after, partition = read_cursor(cursor, APPOINTMENT_KEYS), _partition(business_id, appointment_id)
        found = self._row.query(
            partition,
            scan_index_forward=False,
            limit=limit,
            page_size=limit,
            last_evaluated_key={"recipient_id": {"S": partition}, "message_id": {"S": after}} if after else None,
            consistent_read=True,
        )
        rows = list(found)
        more = found.last_evaluated_key is not None and rows
        return Page([_read(business_id, row) for row in rows], write_cursor(rows[-1].message_id) if more else None)


def _partition(business_id: str, appointment_id: str) -> str:
    """No business is called ``appointment``."""
    return f"appointment#{business_id}#{appointment_id}"


def _document(entry: AppointmentEntry) -> tuple[str, Mapping[str, Any]]:
    match entry:
        case Told(_, key, asks_confirmation):
            return _TOLD, {"customer_id": key.customer_id, "asks_confirmation": asks_confirmation}
        case Answered(_, _, confirmed):
            return _ANSWERED, {"confirmed": confirmed}


def _read(business_id: str, row: AppointmentRow) -> AppointmentEntry:
    at, kind, entry_id = row.message_id.split("#", 2)
    if kind == _ANSWERED:
        return Answered(read_instant(at), entry_id, row.document["confirmed"])
    key = MessageKey(business_id, row.document["customer_id"], entry_id)
    return Told(read_instant(at), key, row.document["asks_confirmation"])
