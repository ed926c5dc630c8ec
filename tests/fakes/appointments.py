"""What has happened about appointments, in memory."""

from collections.abc import Sequence

from rebound.kernel.channels import ContactKey
from rebound.kernel.pages import Page
from rebound.messages.domain.appointments import AppointmentEntry, Asked, Told
from tests.fakes.cursors import page_of, read_cursor


class MemoryAppointmentBook:
    """Implements ``AppointmentBook``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], dict[str, AppointmentEntry]] = {}
        self._asked: dict[ContactKey, dict[str, Asked]] = {}

    def record(self, business_id: str, appointment_id: str, entry: AppointmentEntry) -> None:
        kind = "told" if isinstance(entry, Told) else "answered"
        name = f"{entry.at.isoformat(timespec='microseconds')}#{kind}#{entry.entry_id}"
        self.rows.setdefault((business_id, appointment_id), {})[name] = entry

    def page(self, business_id: str, appointment_id: str, limit: int, cursor: str | None) -> Page[AppointmentEntry]:
        before = read_cursor(cursor)
        kept = sorted(self.rows.get((business_id, appointment_id), {}).items(), reverse=True)
        return page_of([(name, entry) for name, entry in kept if before is None or name < before], limit)

    def ask(self, key: ContactKey, asked: Asked) -> None:
        self._asked.setdefault(key.hashed, {})[asked.entry_id] = asked

    def asked(self, key: ContactKey) -> Sequence[Asked]:
        return sorted(self._asked.get(key.hashed, {}).values(), key=lambda one: (one.at, one.entry_id), reverse=True)

    def close(self, key: ContactKey, asked: Sequence[Asked]) -> None:
        for one in asked:
            self._asked.get(key.hashed, {}).pop(one.entry_id, None)
