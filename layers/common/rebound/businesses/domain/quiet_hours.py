"""Quiet hours: the hours, by the recipient's clock, in which a business's messages wait.

It may be uncertain in which zone a recipient is. Then the quiet hours of every possible zone apply together, and a
message goes out at the first minute that is quiet in none of these zones.
"""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel

Whereabouts = Callable[[str], frozenset[str]]
"""Gives the zones (IANA names) in which a phone number (E.164) may be; none when the number names no place."""

HELD_UNLESS_SAID: Final = frozenset(category for category in Category if category.traits.waits_for_morning)
"""What waits by default. Transactional and personal messages do not: they answer what a customer has just done."""
DAY: Final = timedelta(days=1)


class HoldReason(StrEnum):
    """Why a message waits."""

    QUIET_HOURS = "quiet_hours"
    """It is, or may be, night where the recipient is."""
    SEND_AT = "send_at"
    """The local time that was set for the message has not come yet where the recipient is."""
    WINNER = "winner"
    """The variant that goes to the rest is tried on others first."""
    DAILY_QUOTA = "daily_quota"
    """The provider's daily quota is used up."""


class QuietWindow(Struct, frozen=True):
    """Quiet from ``start`` until before ``end``, in wall-clock time; a window may span midnight.

    ``start`` and ``end`` are whole minutes and differ. Only messages of ``categories`` wait.
    """

    start: time
    end: time
    categories: frozenset[Category] = HELD_UNLESS_SAID

    def covers(self, wall: datetime) -> bool:
        """Whether a wall-clock time is within the window."""
        shown = wall.time()
        if self.start < self.end:
            return self.start <= shown < self.end
        return shown >= self.start or shown < self.end

    def left(self, wall: datetime) -> timedelta:
        """How long until a clock that shows ``wall`` shows ``end``, unless it is put forward or back meanwhile."""
        shown = timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)
        return (timedelta(hours=self.end.hour, minutes=self.end.minute) - shown) % DAY


NIGHT: Final = QuietWindow(time(21), time(8))
"""The United States forbid calls and texts that sell before 8:00 and after 21:00 in the called party's local time (47
CFR 64.1200(c)(1)); other countries have the same rule or a milder one."""


class QuietHours(Struct, frozen=True):
    """The windows of a business; ``None`` where nothing waits."""

    sms: QuietWindow | None = NIGHT
    email: QuietWindow | None = None

    def window(self, channel: Channel, category: Category) -> QuietWindow | None:
        """The window that applies to a message; ``None`` when the message goes out at once."""
        window = self.email if channel is Channel.EMAIL else self.sms
        return window if window is not None and category in window.categories else None
