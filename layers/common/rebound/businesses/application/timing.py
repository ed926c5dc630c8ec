"""When a message is to go out, and until when it is of use, as a client asks for it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.kernel.errors import FieldError
from rebound.kernel.local_time import first_instant_anywhere, first_instant_of

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""So long ago is still now: a client's clock may be slow. Anything older is a mistake, not a wish to send at once."""
FARTHEST_EXPIRY: Final = timedelta(days=730)
DAY: Final = timedelta(days=1)


class Timing(Struct, frozen=True):
    """``send_at`` is the same moment for everybody, ``local_time`` what each recipient's own clock shows: one of them.

    Without either it goes out at once. From ``expires_at`` on it does not go out any more.
    """

    send_at: datetime | None = None
    local_time: datetime | None = None
    expires_at: datetime | None = None

    @property
    def starts_at(self) -> datetime | None:
        """When the first recipient may get it."""
        return self.send_at if self.local_time is None else first_instant_anywhere(self.local_time)

    def problems(self, business: Business, now: datetime, farthest: timedelta) -> Iterator[FieldError]:
        """What is wrong with it; local times are judged where the business is."""
        meant = self._meant(business, now, farthest)
        if meant is None or not now - CLOCKS_DIFFER < meant <= now + farthest:
            where = "" if self.local_time is None else " on the business's clock"
            message = f"Must be within the next {farthest.days} days{where}; leave it out to send now."
            yield FieldError("send_at", message)
            meant = now
        if self.expires_at is None:
            return
        if not now < self.expires_at <= now + FARTHEST_EXPIRY:
            yield FieldError("expires_at", f"Must be in the future, within the next {FARTHEST_EXPIRY.days} days.")
        elif self.expires_at <= meant:
            yield FieldError("expires_at", "Must be later than send_at.")

    def _meant(self, business: Business, now: datetime, farthest: timedelta) -> datetime | None:
        """The moment that is meant; ``None`` for a time on the clock that is far from anything allowed."""
        if self.local_time is None:
            return self.send_at or now
        # So far off no zone makes a difference, and a calendar has an end.
        if abs(self.local_time.replace(tzinfo=UTC) - now) > farthest + 2 * DAY:
            return None
        return first_instant_of(self.local_time, business.time_zone)
