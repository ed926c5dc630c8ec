"""A recurring campaign: what is sent again and again, to whom, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.customers.domain import Customer
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.local_time import FIRST_CLOCK, wall_clock
from rebound.messages.domain.vouchers import Voucher
from rebound.recurring.domain.days import (
    DAY,
    Every,
    Window,
    celebrated,
    days_until,
    for_hours,
    opening,
    until_midnight,
)
from rebound.segments.domain.filters import segments_in
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import Said
from rebound.timers.domain import AHEAD, Timer

RECURRING: Final = "recurring"
"""The kind of the timer that has somebody look who is due."""
HOUR: Final = timedelta(hours=1)
LAST_CLOCK: Final = timedelta(hours=12)
"""How far the last clock on earth is behind UTC."""
QUARTERS: Final = frozenset({0, 15, 30, 45})
"""By how many minutes the hours of some clock on earth begin later than those of UTC."""
SAME_BIRTHDAY: Final = timedelta(days=183)
"""A birthday that is corrected by less is the same one."""
GUARD: Final = timedelta(minutes=3)
"""A minute longer than sweeps look ahead, and so longer than a request takes: none takes it before that is through."""
FARTHEST_DAY: Final = 62
"""In how many days each day of a week or of a month comes at least once."""
COUNTED: Final = timedelta(days=30)
"""Of which time it is said how many messages it would have been."""


class Birthday(Struct, frozen=True, tag="birthday"):
    """Customers whose birthday it is, or is in so many days."""

    days_before: int = 0


class LostCustomer(Struct, frozen=True, tag="lost_customer"):
    """Customers whose last visit is more than so many days ago, and who have no coming booking."""

    after_days: int


class Regular(Struct, frozen=True, tag="regular"):
    """Customers of a filter or a saved segment, on one day of each week or month."""

    selection: Selection
    every: Every


type Audience = Birthday | LostCustomer | Regular


class RecurringStatus(StrEnum):
    """Whether anything is sent."""

    ON = "on"
    OFF = "off"


class Period(Struct, frozen=True):
    """A time in which it was on: since the hour was ``first_at``, until it was ``last_at``.

    A day belongs to it whose hour came in that time. So that a changed hour skips no day, the first day is the one that
    would have been the first at that time, and the last likewise.
    """

    since: datetime
    first_at: time
    until: datetime | None = None
    last_at: time | None = None

    def has(self, day: date, zone: str) -> bool:
        """Whether it was on when the hour of a day came in a zone."""
        if opening(day, self.first_at, zone) < self.since:
            return False
        return self.until is None or self.last_at is None or opening(day, self.last_at, zone) < self.until


class Due(Struct, frozen=True):
    """Somebody is due on a local ``day``. ``mark`` is what they are due for: a birthday, a last visit, or that day."""

    day: date
    mark: date


class RecurringCampaign(Struct, frozen=True, kw_only=True):
    """What is sent again and again.

    ``at`` is a wall-clock time: with ``local`` on each customer's clock, else on the business's. ``periods`` are the
    times in which it was on that may still matter, the latest last. ``catch_up_hours`` is for how long after its hour
    an occurrence that was missed still happens; a birthday's until its local day ends. With a ``voucher``, each
    occurrence gives one, with a number of its own. With ``backlog``, also what was due before it was switched on.
    ``version`` counts the writes of the stored row, 0 for none yet.
    """

    business_id: str
    recurring_id: str
    name: str
    category: Category
    channel: Channel
    content: Said
    audience: Audience
    at: time
    local: bool = False
    exclude_failed: bool = True
    catch_up_hours: int = 24
    backlog: bool = False
    voucher: Voucher | None = None
    status: RecurringStatus = RecurringStatus.ON
    periods: tuple[Period, ...] = ()
    created_at: datetime
    updated_at: datetime
    version: int = 0

    @property
    def segments(self) -> frozenset[str]:
        """The saved segments that it names, itself or in its filter."""
        if not isinstance(self.audience, Regular):
            return frozenset()
        selection = self.audience.selection
        named = frozenset[str]() if selection.filter is None else segments_in(selection.filter)
        return named if selection.segment_id is None else named | {selection.segment_id}

    @property
    def is_on(self) -> bool:
        """Whether anything is sent."""
        return self.status is RecurringStatus.ON

    # --- switching it -------------------------------------------------------------------------------------------------

    def switched(self, before: RecurringCampaign | None, now: datetime) -> RecurringCampaign:
        """With the periods that follow from the change since ``before`` (``None`` for a new one)."""
        periods = () if before is None else before.periods
        if before is not None and (not self.is_on or not _same_days(before, self)):
            periods = tuple(_ended(period, before.at, now) for period in periods)
        if before is not None and not _same_days(before, self):
            # What was due by other rules is not made up for.
            periods = ()
        if self.is_on and (not periods or periods[-1].until is not None):
            periods = (*periods, Period(now, self.at))
        still = now - timedelta(hours=self.catch_up_hours) - 2 * DAY
        kept = tuple(period for period in periods if period.until is None or period.until >= still)
        return replace(self, periods=kept)

    # --- who is due ---------------------------------------------------------------------------------------------------

    def zone_of(self, customer: Customer, business: Business) -> str:
        """The zone by whose clock a customer's hour comes."""
        return self.zone_for(customer.time_zone, business)

    def zone_for(self, own: str | None, business: Business) -> str:
        """The same, by the zone of the customer's own, if they have one."""
        return own if self.local and own is not None else business.time_zone

    def window(self, day: date, zone: str) -> Window:
        """From when until when what belongs to a day may be sent."""
        if isinstance(self.audience, Birthday):
            return until_midnight(day, self.at, zone)
        return for_hours(day, self.at, zone, self.catch_up_hours)

    def days(self, now: datetime, zone: str) -> Iterator[date]:
        """The days that count now in a zone, the latest first."""
        back = 2 * DAY if isinstance(self.audience, Birthday) else timedelta(hours=self.catch_up_hours)
        for day in days_until(now, zone, back):
            if self.window(day, zone).is_open(now) and self._was_on(day, zone):
                yield day

    def _was_on(self, day: date, zone: str) -> bool:
        return self.backlog or any(period.has(day, zone) for period in self.periods)

    def due_birthday(self, birthday: date, days: Iterable[date]) -> Due | None:
        """For which birthday somebody is due, if these ``days`` count for them now, the latest first."""
        for day in days:
            if (feast := self.feast(birthday, day)) is not None:
                return Due(day, feast)
        return None

    def feast(self, birthday: date, day: date) -> date | None:
        """The celebration for which somebody gets a message on that day, if they do."""
        if not isinstance(self.audience, Birthday):
            return None
        feast = day + self.audience.days_before * DAY
        return feast if celebrated(birthday, feast.year) == feast else None

    def due_regularly(self, days: Iterable[date]) -> Due | None:
        """For which day of the week or month those whom the filter matches are due."""
        for day in days:
            if isinstance(self.audience, Regular) and self.audience.every.has(day):
                return Due(day, day)
        return None

    def line(self, last_visit: date) -> date | None:
        """The first day on which the last visit is more than so many days ago."""
        if not isinstance(self.audience, LostCustomer):
            return None
        return last_visit + (self.audience.after_days + 1) * DAY

    def due_lost(self, last_visit: date, days: Iterable[date]) -> Due | None:
        """Whether somebody without a coming booking, whose last visit was then, is due as lost.

        They cross the line on one day; with ``backlog`` it may have been any day before.
        """
        line = self.line(last_visit)
        if line is None:
            return None
        return next((Due(day, last_visit) for day in days if day == line or (self.backlog and day > line)), None)

    def is_new(self, due: Due, known: date | None) -> bool:
        """Whether somebody who was marked with ``known`` last has not been sent to for this."""
        if known is None:
            return True
        if isinstance(self.audience, Birthday):
            return due.mark - known >= SAME_BIRTHDAY
        return due.mark > known

    def opened(self, now: datetime, zone: str) -> Iterator[date]:
        """The days whose hour came in a zone within the last 30 days."""
        for day in days_until(now, zone, COUNTED):
            if now - COUNTED < opening(day, self.at, zone) <= now:
                yield day

    # --- when to look -------------------------------------------------------------------------------------------------

    def next_occurrence(self, now: datetime, business: Business, looked_at: datetime | None) -> Window | None:
        """The next day, and when it is looked who is due on it, on the business's clock; ``None`` while it is off.

        Everybody was looked at ``looked_at``, if ever. A day whose hour has come, or that counts only since the last
        change, is the next one until then.
        """
        if not self.is_on:
            return None
        zone = business.time_zone
        for day in filter(self._may_be, self.days(now, zone)):
            window = self.window(day, zone)
            if looked_at is None or looked_at < window.opens or looked_at <= self.updated_at:
                is_over = window.opens < self.updated_at
                return replace(window, opens=self.updated_at + GUARD) if is_over else window
        return self._coming(now, business)

    def _coming(self, now: datetime, business: Business) -> Window | None:
        """The next day whose hour is to come on the business's clock; ``None`` while it is off."""
        if not self.is_on:
            return None
        first = wall_clock(now, business.time_zone).date() - DAY
        for ahead in range(FARTHEST_DAY + 2):
            day = first + ahead * DAY
            if self._may_be(day) and opening(day, self.at, business.time_zone) > now:
                return self.window(day, business.time_zone)
        return None

    def _may_be(self, day: date) -> bool:
        return not isinstance(self.audience, Regular) or self.audience.every.has(day)

    def next_look(self, now: datetime, business: Business, quarters: frozenset[int] = QUARTERS) -> datetime | None:
        """When to look next who is due; ``None`` while it is off.

        Not ``local``: at its time on the business's clock. ``local``: each hour, and at those ``quarters`` of an hour
        at which clocks of customers show it; of a day of the week or month, from the first clock on earth that shows it
        until the last. For birthdays also each hour until their day ends: one may have been imported only now.
        """
        coming = self._coming(now, business)
        if coming is None:
            return None
        looks = [coming.opens]
        if self.local:
            looks.append(self._next_anywhere(now, quarters | {0}))
        elif isinstance(self.audience, Birthday):
            again = _next_quarter(now, self.at, frozenset({0}))
            today = wall_clock(now, business.time_zone).date()
            if any(self.window(day, business.time_zone).is_open(again) for day in (today, today - DAY, today + DAY)):
                looks.append(again)
        return min(looks)

    def _next_anywhere(self, now: datetime, quarters: frozenset[int]) -> datetime:
        """The next time at which it may be the hour of some clock on earth on a day that counts."""
        look = _next_quarter(now, self.at, quarters)
        if not isinstance(self.audience, Regular):
            return look
        for ahead in range(-2, FARTHEST_DAY + 2):
            day = now.date() + ahead * DAY
            if not self.audience.every.has(day):
                continue
            shown = datetime.combine(day, self.at, UTC)
            if look <= shown + LAST_CLOCK + HOUR:
                return max(look, _next_quarter(shown - FIRST_CLOCK - HOUR, self.at, quarters))
        return look


def timer_for(recurring: RecurringCampaign, look: datetime) -> Timer:
    """The timer of a look: it is taken so long before its time that it wakes at the time of the look."""
    return Timer(look + AHEAD, RECURRING, f"{recurring.business_id}#{recurring.recurring_id}")


def look_of(timer: Timer) -> tuple[str, str, datetime]:
    """The business and the recurring campaign that a timer is about, and the time of its look."""
    business_id, _, recurring_id = timer.key.rpartition("#")
    return business_id, recurring_id, timer.due_at - AHEAD


def _next_quarter(now: datetime, at: time, quarters: frozenset[int]) -> datetime:
    """The first time after now whose minute is one of those at which some clocks show ``at``."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    minutes = sorted({(at.minute + quarter) % 60 for quarter in quarters})
    times = (hour + timedelta(hours=ahead, minutes=minute) for ahead in range(2) for minute in minutes)
    return next(each for each in times if each > now)


def quarter_of(recurring: RecurringCampaign, now: datetime, zone: str) -> int:
    """By how many minutes the hours of a zone begin later than those of UTC."""
    shown = wall_clock(now, zone)
    return (now.astimezone(UTC).minute - shown.minute) % 60 // 15 * 15 if recurring.local else 0


def _same_days(one: RecurringCampaign, other: RecurringCampaign) -> bool:
    """Whether both are about the same days; for whom a day of the week or month is does not matter."""
    if isinstance(one.audience, Regular) and isinstance(other.audience, Regular):
        return one.audience.every == other.audience.every
    return one.audience == other.audience


def _ended(period: Period, at: time, now: datetime) -> Period:
    return period if period.until is not None else replace(period, until=now, last_at=at)
