"""Everything that was sent about an appointment, what became of it, and what the customer answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.messages.domain.appointments import MessagePosted, confirmed_at

if TYPE_CHECKING:
    from rebound.messages.domain.appointments import Answered, AppointmentEntry
    from rebound.messages.domain.messages import Message
    from rebound.messages.ports import AppointmentBook, MessageLog

PAGE: Final = 100


class AppointmentLog(Struct, frozen=True):
    """Part of the log, newest first. ``confirmed_at`` is about the whole of it."""

    confirmed_at: datetime | None
    entries: Sequence[Message | Answered]
    next_cursor: str | None


class ReadAppointmentLog(Struct, frozen=True, kw_only=True):
    """The log of one appointment, which is empty when nothing has ever been sent about one of this name."""

    appointments: AppointmentBook
    messages: MessageLog

    def __call__(self, business_id: str, appointment_id: str, limit: int, cursor: str | None) -> AppointmentLog:
        """A page of it."""
        page = self.appointments.page(business_id, appointment_id, limit, cursor)
        messages = self.messages.get_many([entry.key for entry in page.items if isinstance(entry, MessagePosted)])
        shown = (messages.get(entry.key) if isinstance(entry, MessagePosted) else entry for entry in page.items)
        return AppointmentLog(
            confirmed_at(self._all(business_id, appointment_id)),
            [entry for entry in shown if entry is not None],
            page.next_cursor,
        )

    def _all(self, business_id: str, appointment_id: str) -> Iterator[AppointmentEntry]:
        cursor: str | None = None
        while True:
            page = self.appointments.page(business_id, appointment_id, PAGE, cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return
