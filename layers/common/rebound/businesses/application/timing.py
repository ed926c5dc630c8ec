"""When a message is to go out, and until when it is of use, as a client asks for it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.kernel.errors import FieldError
from rebound.kernel.local_time import first_instant_anywhere, first_instant_of
from rebound.kernel.times import write_time

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""A time up to this long ago means now, as a client's clock may be slow; an older one is a mistake and is refused."""
FARTHEST_SCHEDULE: Final = timedelta(days=365)
"""How far ahead a campaign or a message may be timed, and an appointment begin."""
FARTHEST_EXPIRY: Final = timedelta(days=730)
DAY: Final = timedelta(days=1)


class Timing(Struct, frozen=True):
    """When to send: at ``send_at``, one moment for everybody, or when each recipient's clock shows ``local_time``.

    A message about an appointment that begins at ``appointment_at`` may be sent ``lead`` before that instead. At most
    one of the three is set; with none, the message goes out at once. Nothing goes out from ``expires_at`` on, or once
    the appointment has begun.
    """

    send_at: datetime | None = None
    local_time: datetime | None = None
    expires_at: datetime | None = None
    appointment_at: datetime | None = None
    lead: timedelta | None = None

    @property
    def starts_at(self) -> datetime | None:
        """When the first recipient may get the message; ``None`` for at once."""
        if self.appointment_at is not None and self.lead is not None:
            return self.appointment_at - self.lead
        return self.send_at if self.local_time is None else first_instant_anywhere(self.local_time)

    @property
    def ends_at(self) -> datetime | None:
        """From when on nothing goes out; ``None`` for never."""
        return self.expires_at if self.appointment_at is None else self.appointment_at

    def problems(self, business: Business, now: datetime, farthest: timedelta) -> Iterator[FieldError]:
        """What is wrong with this timing; a local time is judged in the business's time zone.

        An appointment may have begun, and the time before it be over: the first is told otherwise, the second is now.
        """
        if self.appointment_at is not None and self.expires_at is not None:
            yield FieldError("expires_at", "Leave it out with starts_at: nothing is sent once the appointment begins.")
        if self.lead is not None and (self.send_at is not None or self.local_time is not None):
            yield FieldError("send_before", "Give either send_at or send_before.")
        if self.lead is not None and self.appointment_at is None:
            yield FieldError("starts_at", "Needed with send_before: when the appointment begins.")
        if self.appointment_at is not None and abs(self.appointment_at - now) > farthest:
            yield FieldError("starts_at", f"Must be within {farthest.days} days of now.")
        if self.lead is None:
            yield from self._problems_of_time(business, now, farthest)

    def _problems_of_time(self, business: Business, now: datetime, farthest: timedelta) -> Iterator[FieldError]:
        meant = self._meant(business, now, farthest)
        if meant is None or not now - CLOCKS_DIFFER < meant <= now + farthest:
            where = "" if self.local_time is None else " on the business's clock"
            message = f"Must be within the next {farthest.days} days{where}, or null to send now."
            yield FieldError("send_at", message)
            meant = now
        elif self.starts_at is not None and self.appointment_at is not None and meant >= self.appointment_at:
            begins = write_time(self.appointment_at)
            yield FieldError("send_at", f"Must be before the appointment starts at {begins}.")
        if self.expires_at is None:
            return
        if not now < self.expires_at <= now + FARTHEST_EXPIRY:
            yield FieldError("expires_at", f"Must be in the future, within the next {FARTHEST_EXPIRY.days} days.")
        elif self.expires_at <= meant:
            yield FieldError("expires_at", "Must be later than send_at.")

    def _meant(self, business: Business, now: datetime, farthest: timedelta) -> datetime | None:
        """The moment that the client means; ``None`` for a local time far from any that is allowed."""
        if self.local_time is None:
            return self.send_at or now
        # This far off, no time zone makes a difference, and a conversion could pass the end of the calendar.
        if abs(self.local_time.replace(tzinfo=UTC) - now) > farthest + 2 * DAY:
            return None
        return first_instant_of(self.local_time, business.time_zone)
