"""Quiet hours: when a business's messages wait until the recipient's clock says that people are up.

Nobody may know for sure where somebody is. So the hours of every zone in which the recipient may be count together, and
a message goes out at the first minute that is quiet in none of them.
"""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel

Whereabouts = Callable[[str], frozenset[str]]
"""The zones (IANA names) in which a phone number in E.164 may be; none when it says nothing about a place."""

HELD_UNLESS_SAID: Final = frozenset(category for category in Category if category.traits.waits_for_morning)
"""What is transactional or a person's own word to one customer answers something that the customer has just done."""
DAY: Final = timedelta(days=1)


class HoldReason(StrEnum):
    """Why a message waits."""

    QUIET_HOURS = "quiet_hours"
    """It is, or may be, night where the recipient is."""
    SEND_AT = "send_at"
    """The time that the message was given has not come where the recipient is."""
    DAILY_QUOTA = "daily_quota"
    """The provider's allowance of the day is used up."""


class QuietWindow(Struct, frozen=True):
    """Quiet from ``start`` until ``end``, which is allowed again, by the clock on the wall; maybe over midnight.

    Both are whole minutes and differ. Only messages of ``categories`` wait.
    """

    start: time
    end: time
    categories: frozenset[Category] = HELD_UNLESS_SAID

    def covers(self, wall: datetime) -> bool:
        """Whether a clock that shows this is within the window."""
        shown = wall.time()
        if self.start < self.end:
            return self.start <= shown < self.end
        return shown >= self.start or shown < self.end

    def left(self, wall: datetime) -> timedelta:
        """How long it takes a clock to show the end, if nobody puts it forward or back."""
        shown = timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)
        return (timedelta(hours=self.end.hour, minutes=self.end.minute) - shown) % DAY


NIGHT: Final = QuietWindow(time(21), time(8))
"""The United States forbid calls and texts that sell before 8 and after 21 o'clock where the called party is (47 CFR
64.1200(c)(1)); other countries are the same or milder."""


class QuietHours(Struct, frozen=True):
    """The windows of a business; ``None`` where nothing waits."""

    sms: QuietWindow | None = NIGHT
    email: QuietWindow | None = None

    def window(self, channel: Channel, category: Category) -> QuietWindow | None:
        """The window that a message has to mind; ``None`` when it goes at once."""
        window = self.email if channel is Channel.EMAIL else self.sms
        return window if window is not None and category in window.categories else None
