"""What has happened about appointments, in the Messages table: rows that lead from an appointment to its messages."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any, Final

from rebound.kernel.channels import ContactKey
from rebound.kernel.pages import Page, read_cursor
from rebound.kernel.receipts import MessageKey
from rebound.messages.adapters.rows import APPOINTMENT_KEYS, AppointmentRow, AppointmentTimeRow
from rebound.messages.domain.appointments import Answered, AppointmentEntry, AppointmentTime, Asked, MessagePosted
from rebound.platform.adapters.dynamo import bind, expiry, newest, page_of, read_instant, write_instant

KEPT: Final = timedelta(days=400)
"""As long as messages are kept."""
_TOLD: Final = "told"
_ANSWERED: Final = "answered"
_ASKED: Final = "asked"
_NOW: Final = "now"
OPEN_FOR: Final = timedelta(days=30)
"""How long a question can be answered; a later answer is for staff to read."""
MOST_OPEN: Final = 20
"""How many questions to one number count: the latest ones."""


class DynamoAppointmentBook:
    """Implements ``AppointmentBook``."""

    def __init__(self, table_name: str) -> None:
        self._row = bind(AppointmentRow, table_name)
        self._time_row = bind(AppointmentTimeRow, table_name)

    def record(self, business_id: str, appointment_id: str, entry: AppointmentEntry) -> None:
        kind, document = _document(entry)
        self._row(
            _partition(business_id, appointment_id),
            f"{write_instant(entry.at)}#{kind}#{entry.entry_id}",
            document=document,
            expires_at=expiry(entry.at, KEPT),
        ).save()

    def page(self, business_id: str, appointment_id: str, limit: int, cursor: str | None) -> Page[AppointmentEntry]:
        partition, before = _partition(business_id, appointment_id), read_cursor(cursor, APPOINTMENT_KEYS)
        found = newest(self._row, partition, AppointmentRow.message_id, before, limit)
        return page_of(found, partial(_read, business_id), lambda row: row.message_id)

    def move(self, business_id: str, appointment_id: str, starts_at: datetime) -> AppointmentTime:
        row = self._time_row(_time(business_id, appointment_id), _NOW)
        row.update(
            actions=[
                AppointmentTimeRow.starts_at.set(starts_at),
                AppointmentTimeRow.version.add(1),
                AppointmentTimeRow.expires_at.set(expiry(max(starts_at, datetime.now(UTC)), KEPT)),
            ]
        )
        return AppointmentTime(row.starts_at, int(row.version))

    def time(self, business_id: str, appointment_id: str) -> AppointmentTime | None:
        try:
            row = self._time_row.get(_time(business_id, appointment_id), _NOW, consistent_read=True)
        except self._time_row.DoesNotExist:
            return None
        return AppointmentTime(row.starts_at, int(row.version))

    def ask(self, key: ContactKey, asked: Asked, sent_at: datetime | None = None) -> None:
        self._row(
            _contacts(key)[0],
            _asked(asked),
            document={"customer_id": asked.key.customer_id, "appointment_id": asked.appointment_id},
            expires_at=expiry(max(asked.at, sent_at or asked.at), OPEN_FOR),
        ).save()

    def asked(self, key: ContactKey) -> Sequence[Asked]:
        found = [newest(self._row, one, AppointmentRow.message_id, None, MOST_OPEN) for one in _contacts(key)]
        rows = islice(merge(*found, key=attrgetter("message_id"), reverse=True), MOST_OPEN)
        return [_read_asked(key.business_id, row) for row in rows]

    def close(self, key: ContactKey, asked: Sequence[Asked]) -> None:
        with self._row.batch_write() as batch:
            for one in asked:
                for contact in _contacts(key):
                    batch.delete(self._row(contact, _asked(one)))


def _contacts(key: ContactKey) -> list[str]:
    """The partitions of a contact's open questions, that of today first; no business is called ``asked``."""
    return [f"asked#{hashed}" for hashed in key.all_hashed]


def _asked(asked: Asked) -> str:
    return f"{write_instant(asked.at)}#{_ASKED}#{asked.entry_id}"


def _read_asked(business_id: str, row: AppointmentRow) -> Asked:
    at, _, message_id = row.message_id.split("#", 2)
    key = MessageKey(business_id, row.document["customer_id"], message_id)
    return Asked(read_instant(at), key, row.document["appointment_id"])


def _partition(business_id: str, appointment_id: str) -> str:
    """The partition of one appointment; no business is called ``appointment``."""
    return f"appointment#{business_id}#{appointment_id}"


def _time(business_id: str, appointment_id: str) -> str:
    """The partition of an appointment's time; no business is called ``appointment-time``."""
    return f"appointment-time#{business_id}#{appointment_id}"


def _document(entry: AppointmentEntry) -> tuple[str, Mapping[str, Any]]:
    match entry:
        case MessagePosted(_, key, asks_confirmation):
            return _TOLD, {"customer_id": key.customer_id, "asks_confirmation": asks_confirmation}
        case Answered(_, _, confirmed):
            return _ANSWERED, {"confirmed": confirmed}


def _read(business_id: str, row: AppointmentRow) -> AppointmentEntry:
    at, kind, entry_id = row.message_id.split("#", 2)
    if kind == _ANSWERED:
        return Answered(read_instant(at), entry_id, row.document["confirmed"])
    key = MessageKey(business_id, row.document["customer_id"], entry_id)
    return MessagePosted(read_instant(at), key, row.document["asks_confirmation"])
