"""What has happened about appointments, in memory."""

from rebound.application.pages import Page
from rebound.domain.appointments import AppointmentEntry, Told
from tests.fakes.cursors import page_of, read_cursor


class MemoryAppointmentBook:
    """Implements ``AppointmentBook``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], dict[str, AppointmentEntry]] = {}

    def record(self, business_id: str, appointment_id: str, entry: AppointmentEntry) -> None:
        kind = "told" if isinstance(entry, Told) else "answered"
        name = f"{entry.at.isoformat(timespec='microseconds')}#{kind}#{entry.entry_id}"
        self.rows.setdefault((business_id, appointment_id), {})[name] = entry

    def page(self, business_id: str, appointment_id: str, limit: int, cursor: str | None) -> Page[AppointmentEntry]:
        before = read_cursor(cursor)
        kept = sorted(self.rows.get((business_id, appointment_id), {}).items(), reverse=True)
        return page_of([(name, entry) for name, entry in kept if before is None or name < before], limit)
