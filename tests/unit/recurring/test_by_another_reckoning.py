"""Who is sent to and when, against a reckoning that shares nothing with the product: clocks are read, minute by minute.

A customer and a recurring campaign live through some days, a quarter of an hour at a time, near changes of clocks, ends
of months and years, and 29 February. Looks happen when the product asks for them, and not while the stack is down.
"""

from collections.abc import Iterator
from copy import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rebound.recurring.domain.days import DAY, Every, Weekday, for_hours, opening, until_midnight
from rebound.recurring.domain.looks import Look
from rebound.recurring.domain.recurring_campaigns import (
    Birthday,
    LostCustomer,
    RecurringCampaign,
    RecurringStatus,
    Regular,
)
from rebound.segments.domain.selections import Selection
from tests.fakes.making import business, customer
from tests.unit.recurring.salon import recurring
from tests.unit.recurring.test_days_of_all_zones import PLACES, ZONES, changes

MINUTE: Final = timedelta(minutes=1)
STEP: Final = 15 * MINUTE
HOUR: Final = timedelta(hours=1)
SOON: Final = 5 * MINUTE
LIVED: Final = 9
HOURS: Final = (time(0), time(2), time(2, 30), time(9), time(12, 45), time(23), time(23, 45))
TURNS: Final = (date(2023, 2, 28), date(2024, 2, 29), date(2024, 4, 30), date(2024, 12, 31), date(2027, 2, 28))


# --- another reckoning ------------------------------------------------------------------------------------------------


@cache
def clock(zone: str, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """Each quarter of an hour near a day: the instant, and what the zone's clocks show then."""
    first = datetime.combine(day - DAY, time(6), UTC)
    return tuple((at, shown(zone, at)) for at in (first + number * STEP for number in range(4 * 72)))


def shown(zone: str, at: datetime) -> datetime:
    """What the zone's clocks show."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def first_minute(zone: str, quarter: datetime, wanted: datetime) -> datetime:
    """The first minute of the quarter that ends then at which clocks show a time or a later one."""
    minutes = (quarter - STEP + number * MINUTE for number in range(1, 16))
    return next(at for at in minutes if shown(zone, at) >= wanted)


def comes(zone: str, day: date, at: time) -> datetime:
    """When the hour of a day comes: clocks show it, or have gone past it."""
    wanted = datetime.combine(day, at)
    quarter = next(instant for instant, read in clock(zone, day) if read >= wanted)
    return first_minute(zone, quarter, wanted)


def ends(zone: str, instant: datetime) -> datetime:
    """When the day ends there on which an instant is."""
    midnight = datetime.combine(shown(zone, instant).date() + DAY, time())
    while shown(zone, instant) < midnight:
        instant += STEP
    return first_minute(zone, instant, midnight)


def is_day_of(audience: Any, day: date, born: date, last_visit: date) -> bool:
    """Whether somebody's message belongs to a day."""
    if isinstance(audience, Birthday):
        feast = day + timedelta(days=audience.days_before)
        is_leap_year = feast.year % 4 == 0
        is_instead = (born.month, born.day, feast.month, feast.day) == (2, 29, 2, 28) and not is_leap_year
        return (born.month, born.day) == (feast.month, feast.day) or is_instead
    if isinstance(audience, LostCustomer):
        return (day - last_visit) == timedelta(days=audience.after_days + 1)
    if audience.every.weekday is not None:
        return day.strftime("%A").lower() == str(audience.every.weekday)
    is_last = (day + timedelta(days=1)).month != day.month
    wanted: int = audience.every.day_of_month
    return day.day == wanted or (is_last and day.day < wanted)


def closes(one: RecurringCampaign, zone: str, opens: datetime) -> datetime:
    """Until when a day's message may still go out."""
    return ends(zone, opens) if isinstance(one.audience, Birthday) else opens + one.catch_up_hours * HOUR


# --- the calendars of all zones ---------------------------------------------------------------------------------------


@cache
def alike() -> tuple[str, ...]:
    """A zone of each kind whose clocks change alike."""
    found: dict[object, str] = {}
    for zone in ZONES:
        halves = (
            datetime(2020 + number // 24, number % 24 // 2 + 1, 1 + 14 * (number % 2), tzinfo=UTC)
            for number in range(240)
        )
        found.setdefault(tuple(shown(zone, at) for at in halves), zone)
    return tuple(sorted(found.values()))


@pytest.mark.parametrize("part", range(10))
def test_hours_come_and_days_end_as_clocks_show_them(part: int) -> None:
    for zone in alike()[part::10]:
        for change in (*changes(zone)[:6], *TURNS):
            for day in (change - DAY, change, change + DAY):
                for at in HOURS:
                    opens = comes(zone, day, at)
                    assert opening(day, at, zone) == opens, (zone, day, at)
                    window = until_midnight(day, at, zone)
                    assert (window.day, window.opens, window.closes) == (day, opens, ends(zone, opens))
                    assert for_hours(day, at, zone, 7).closes == opens + 7 * HOUR


# --- lives ------------------------------------------------------------------------------------------------------------


class Life:
    """Some days of one customer and one recurring campaign."""

    def __init__(self, one: RecurringCampaign, middle: date, own: str | None, business_zone: str, down: Any) -> None:
        self.owner = business(time_zone=business_zone)
        # In other years 28 February is also the day of who was born on the 29th.
        born = date(1992, 2, 29) if (middle.month, middle.day) == (2, 28) else middle.replace(year=1992)
        self.who = customer(1, time_zone=own, birthday=born)
        self.zone = own if one.local and own is not None else business_zone
        self.last_visit = middle - timedelta(days=31)
        self.began = self.now = datetime.combine(middle - 4 * DAY, time(7, 15), UTC)
        self.ended = self.began + LIVED * DAY
        self.one = replace(one, updated_at=self.now).switched(None, self.now)
        self.looks = {self.now + SOON}
        self.down = [(self.began + begins * STEP, self.began + (begins + lasts) * STEP) for begins, lasts in down]
        self.marks: list[date] = []
        self.sent: list[tuple[date, datetime]] = []

    def change(self, **given: Any) -> None:
        self.one = replace(self.one, **given, updated_at=self.now).switched(self.one, self.now)
        self.looks.add(self.now + SOON)

    def is_up(self, at: datetime) -> bool:
        return not any(begins <= at < until for begins, until in self.down)

    def pass_time(self) -> None:
        if self.is_up(self.now) and any(look <= self.now for look in self.looks):
            self.looks = {look for look in self.looks if look > self.now}
            if self.one.is_on:
                self._look()
        self.now += STEP

    def _look(self) -> None:
        for _, due in Look(self.one, self.owner, self.now).due([self.who], {self.who.customer_id: self.last_visit}):
            if self.one.is_new(due, self.marks[-1] if self.marks else None):
                self.marks.append(due.mark)
                self.sent.append((due.day, self.now))
        look = self.one.next_look(self.now, self.owner)
        assert look is not None
        self.looks.add(look)

    def days(self) -> Iterator[tuple[date, datetime, datetime]]:
        """The days of the customer's messages, and from when until when each may go out, by the other reckoning."""
        for number in range(-3, LIVED + 3):
            day = self.began.date() + timedelta(days=number)
            if self.who.birthday is not None and is_day_of(self.one.audience, day, self.who.birthday, self.last_visit):
                opens = comes(self.zone, day, self.one.at)
                yield day, opens, closes(self.one, self.zone, opens)


EVERIES: Final = st.one_of(
    st.builds(Every, weekday=st.sampled_from(Weekday)),
    st.builds(Every, day_of_month=st.sampled_from([1, 2, 15, 28, 29, 30, 31])),
)
AUDIENCES: Final = st.one_of(
    st.builds(Birthday, st.integers(0, 3)),
    st.builds(LostCustomer, st.integers(28, 33)),
    st.builds(lambda every: Regular(Selection("all"), every), EVERIES),
)
CAMPAIGNS: Final = st.builds(
    recurring,
    audience=AUDIENCES,
    at=st.sampled_from(HOURS),
    local=st.booleans(),
    catch_up_hours=st.sampled_from([1, 5, 24, 30]),
    backlog=st.booleans(),
)
MIDDLES: Final = st.one_of(
    st.sampled_from(TURNS),
    st.builds(
        lambda zone, place: (changes(zone) or TURNS)[place % (len(changes(zone)) or len(TURNS))],
        st.sampled_from(PLACES),
        st.integers(0, 40),
    ),
)
LIVES: Final = st.builds(
    Life,
    CAMPAIGNS,
    MIDDLES,
    st.one_of(st.none(), st.sampled_from(PLACES)),
    st.sampled_from(PLACES),
    st.lists(st.tuples(st.integers(0, LIVED * 96), st.integers(1, 150)), max_size=2),
)


def expected(life: Life) -> list[tuple[date, datetime]]:
    """What goes out: at the hour, or as soon as the stack is up, if that is in time; before it began only a backlog."""
    found: list[tuple[date, datetime]] = []
    for day, opens, until in life.days():
        if opens < life.began and not life.one.backlog:
            continue
        # The first look is a moment after it began, and so at the next quarter.
        at = max(opens, life.began + STEP)
        while not life.is_up(at):
            at += STEP
        if at < min(until, life.ended):
            found.append((day, at))
    return found


@settings(deadline=None)
@given(life=LIVES)
def test_a_day_counts_from_its_hour_until_it_is_over(life: Life) -> None:
    moment = timedelta(seconds=1)
    for day, opens, until in life.days():
        if opens > life.began:
            times = (opens - moment, opens, until - moment, until)
            assert [day in life.one.days(at, life.zone) for at in times] == [False, True, True, False]


@settings(max_examples=60, deadline=None)
@given(life=LIVES)
def test_each_day_has_its_message_at_its_hour_or_when_the_stack_is_up_again(life: Life) -> None:
    while life.now < life.ended:
        life.pass_time()
    wanted = expected(life)
    if life.one.backlog and isinstance(life.one.audience, LostCustomer):
        # Whoever was lost long ago is due too, on the latest day that counts: once, for one last visit.
        assert len(life.sent) <= 1
        assert len(wanted) <= len(life.sent)
    elif isinstance(life.one.audience, LostCustomer | Birthday):
        assert life.sent == wanted[:1]
    else:
        # Two days of a week or month may be looked for together: the later counts.
        assert life.sent == [each for each in wanted if each[1] not in {at for day, at in wanted if day > each[0]}]


@settings(max_examples=40, deadline=None)
@given(
    life=LIVES,
    hours=st.lists(st.tuples(st.integers(1, LIVED * 96), st.sampled_from(HOURS)), min_size=1, max_size=4),
)
def test_an_hour_that_changes_neither_repeats_nor_skips_a_day(life: Life, hours: list[tuple[int, time]]) -> None:
    life.down.clear()
    life.one = replace(life.one, backlog=False, catch_up_hours=30)
    begun = {day for day, opens, _ in life.days() if opens >= life.began}
    last = life.ended - 2 * DAY
    for step in range(LIVED * 96):
        for when, at in hours:
            if when == step and life.now < last:
                life.change(at=at)
        life.pass_time()
    days = [day for day, _ in life.sent]
    assert len(days) == len(set(days))
    assert set(days) <= begun
    over = {day for day in begun if comes(life.zone, day, time(23, 45)) < life.ended - HOUR}
    if isinstance(life.one.audience, Birthday | LostCustomer):
        assert len(days) == min(len(begun), 1) or not over
    else:
        assert over <= set(days)


@settings(max_examples=40, deadline=None)
@given(life=LIVES, switches=st.lists(st.integers(1, LIVED * 96), min_size=1, max_size=4, unique=True))
@example(
    life=Life(recurring(audience=Birthday()), date(2024, 2, 29), None, "Europe/Berlin", []),
    switches=[4 * 96, 4 * 96 + 8],
)
def test_what_is_off_at_the_hour_is_not_made_up_for(life: Life, switches: list[int]) -> None:
    life.down.clear()
    life.one = replace(life.one, backlog=False)
    was_on: dict[datetime, bool] = {}
    for step in range(LIVED * 96):
        if step in switches:
            life.change(status=RecurringStatus.OFF if life.one.is_on else RecurringStatus.ON)
        was_on[life.now] = life.one.is_on
        life.pass_time()
    wanted, doubtful = [], set()
    for day, opens, until in life.days():
        if opens not in was_on or not was_on[opens]:
            continue
        on = [at for at, is_on in was_on.items() if is_on and opens <= at < until]
        # A look follows a moment after it is switched on again.
        if opens == on[0] or len(on) > 1:
            wanted.append(day)
        else:
            doubtful.add(day)
    days = [day for day, _ in life.sent]
    if isinstance(life.one.audience, Birthday | LostCustomer):
        assert days == wanted[:1]
    else:
        assert [day for day in days if day not in doubtful] == wanted
