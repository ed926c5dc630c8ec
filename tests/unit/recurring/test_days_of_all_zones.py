"""Which days count, in every zone, around every change of its clocks within ten years."""

from copy import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.kernel.local_time import wall_clock
from rebound.recurring.domain.days import DAY, Every, Weekday, celebrated, for_hours, opening, until_midnight
from rebound.recurring.domain.recurring_campaigns import (
    QUARTERS,
    SAME_BIRTHDAY,
    Birthday,
    LostCustomer,
    Period,
    RecurringCampaign,
    RecurringStatus,
    Regular,
)
from rebound.segments.domain.selections import Selection
from tests.fakes.making import business
from tests.unit.recurring.salon import recurring

FIRST: Final = date(2020, 1, 1)
LAST: Final = date(2030, 1, 1)
ZONES: Final = sorted(available_timezones() - {"Factory", "localtime"})
TOGETHER: Final = 40
IN_ALL_ZONES: Final = pytest.mark.parametrize("zones", [ZONES[each::TOGETHER] for each in range(TOGETHER)])
HOURS: Final = (time(0), time(2, 30), time(9), time(23, 59))
SINCE: Final = datetime(2019, 1, 1, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)


@cache
def changes(zone: str) -> tuple[date, ...]:
    """The days of ten years around which a zone's offset changes."""
    there, found = ZoneInfo(zone), []
    before = datetime.combine(FIRST, time(), UTC).astimezone(there).utcoffset()
    for number in range((LAST - FIRST).days):
        day = FIRST + number * DAY
        offset = datetime.combine(day, time(), UTC).astimezone(there).utcoffset()
        if offset != before:
            found.append(day)
        before = offset
    return tuple(found)


def around(zone: str) -> set[date]:
    """Days near a change, the turns of some years, and 29 February."""
    near = {day + away * DAY for day in changes(zone) for away in range(-3, 4)}
    turns = {
        date(year, month, day) for year in (2020, 2024, 2027) for month, day in ((1, 1), (2, 28), (3, 1), (12, 31))
    }
    return near | turns | {date(2024, 2, 29)}


@IN_ALL_ZONES
def test_every_day_has_its_time_and_no_other_days(zones: list[str]) -> None:
    for zone in zones:
        for day in around(zone):
            for at in HOURS:
                window, after = until_midnight(day, at, zone), until_midnight(day + DAY, at, zone)
                shown = wall_clock(window.opens, zone)
                assert window.opens < after.opens
                assert window.opens < window.closes
                # Clocks show the hour then, unless they skip it, in which case they may show the next day.
                assert shown == datetime.combine(day, at) or shown > datetime.combine(day, at)
                assert window.closes <= after.opens or shown.date() > day
                assert timedelta(hours=5) == for_hours(day, at, zone, 5).closes - window.opens


@IN_ALL_ZONES
def test_at_its_hour_each_day_counts_and_before_it_does_not(zones: list[str]) -> None:
    for zone in zones:
        always = (Period(SINCE, time(9)),)
        birthdays, lost = (recurring(audience=who, periods=always) for who in (Birthday(), LostCustomer(30)))
        for day in around(zone):
            opens = opening(day, time(9), zone)
            for one in (birthdays, lost):
                assert next(iter(one.days(opens, zone))) == day
                assert day not in list(one.days(opens - timedelta(seconds=1), zone))
            assert len(list(birthdays.days(opens, zone))) == 1


@IN_ALL_ZONES
def test_somebody_looks_at_the_hour_of_each_day_by_the_businesss_clock(zones: list[str]) -> None:
    for zone in zones:
        owner = business(time_zone=zone)
        for day in sorted(around(zone))[:: max(1, len(around(zone)) // 25)]:
            for audience in (Birthday(), LostCustomer(30), Regular(Selection("all"), Every(day_of_month=day.day))):
                one = recurring(audience=audience)
                opens = opening(day, time(9), zone)
                if isinstance(audience, Regular) and not audience.every.has(day):
                    continue
                assert one.next_look(opens - timedelta(minutes=1), owner) == opens
                soon = opens - timedelta(minutes=1)
                assert one.next_occurrence(soon, owner, soon) == one.window(day, zone)


@IN_ALL_ZONES
def test_somebody_looks_within_an_hour_of_each_customers_hour(zones: list[str]) -> None:
    for zone in zones:
        owner = business(time_zone="America/New_York")
        days = sorted(around(zone))
        for day in days[:: max(1, len(days) // 25)]:
            for audience in (Birthday(), Regular(Selection("all"), Every(weekday=list(Weekday)[day.weekday()]))):
                one = recurring(audience=audience, local=True)
                opens = opening(day, time(9), zone)
                look = one.next_look(opens - timedelta(seconds=1), owner, QUARTERS)
                assert look is not None
                # At the hour itself, but where clocks change or skip it in the middle of a quarter.
                assert opens <= look <= opens + HOUR
                if wall_clock(opens, zone) == datetime.combine(day, time(9)):
                    assert look == opens


def test_a_birthday_is_celebrated_once_in_each_year() -> None:
    for born in (date(1988, 2, 29), date(1990, 2, 28), date(1990, 3, 1), date(1990, 12, 31), date(1991, 1, 1)):
        one = recurring()
        feasts = [day for number in range(366 * 10) if one.feast(born, day := date(2020, 1, 1) + number * DAY)]
        assert feasts == [celebrated(born, year) for year in range(2020, feasts[-1].year + 1)]
    assert celebrated(date(1988, 2, 29), 2027) == date(2027, 2, 28)
    assert celebrated(date(1988, 2, 29), 2028) == date(2028, 2, 29)


@pytest.mark.parametrize("day", range(1, 32))
def test_each_month_has_its_day_once(day: int) -> None:
    every = Every(day_of_month=day)
    days = [FIRST + number * DAY for number in range((LAST - FIRST).days)]
    found = [each for each in days if every.has(each)]

    assert [(each.year, each.month) for each in found] == [(y, m) for y in range(2020, 2030) for m in range(1, 13)]
    assert all(each.day == day or (each + DAY).day == 1 for each in found)


# --- one customer, whatever happens -----------------------------------------------------------------------------------

STEP: Final = timedelta(minutes=15)
PLACES: Final = (
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Honolulu",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "America/Santiago",
)
EVENTS = st.one_of(
    st.tuples(st.just("at"), st.sampled_from([time(0), time(2, 30), time(8), time(9), time(15), time(22, 45)])),
    st.tuples(st.just("zone"), st.sampled_from(PLACES)),
    st.tuples(st.just("born"), st.integers(-2, 2)),
    st.tuples(st.just("switch"), st.booleans()),
    st.tuples(st.just("down"), st.integers(1, 100)),
)


class Story:
    """One customer and one recurring campaign, a quarter of an hour at a time; looks happen as they are due."""

    def __init__(self, day: date, zone: str, *, local: bool, audience: Any, known: bool) -> None:
        self.day, self.zone, self.owner = day, zone, business(time_zone="America/New_York")
        self.now = datetime.combine(day - 3 * DAY, time(), UTC)
        self.one: RecurringCampaign = recurring(audience=audience, local=local).switched(None, self.now)
        self.birthday: date | None = day.replace(year=1992) if known else None
        self.looks: set[datetime] = {self.now}
        self.mark: date | None = None
        self.sent: list[date] = []
        self.down_until = self.now
        self.possible: dict[date, int] = {}
        """For how many quarters in a row somebody could have been sent to for something, while all was well."""
        self.missed: set[date] = set()

    def change(self, what: str, value: Any) -> None:
        before = self.one
        if what == "at":
            self.one = self._changed(at=value)
        elif what == "switch":
            self.one = self._changed(status=RecurringStatus.ON if value else RecurringStatus.OFF)
        elif what == "zone":
            self.zone = value
        elif what == "born":
            self.birthday = (self.day + value * DAY).replace(year=1992)
        else:
            self.down_until = self.now + value * STEP
        if self.one is not before and self.one.is_on:
            self.looks.add(self.now + timedelta(minutes=5))

    def _changed(self, **given: Any) -> RecurringCampaign:
        return replace(self.one, **given).switched(self.one, self.now)

    def due(self) -> Any:
        zone = self.one.zone_for(self.zone, self.owner)
        days = list(self.one.days(self.now, zone))
        if isinstance(self.one.audience, Birthday):
            return None if self.birthday is None else self.one.due_birthday(self.birthday, days)
        return self.one.due_regularly(days)

    def pass_time(self) -> None:
        up = self.now >= self.down_until
        if up and self.one.is_on and any(look <= self.now for look in self.looks):
            self.looks = {look for look in self.looks if look > self.now}
            due = self.due()
            if due is not None and self.one.is_new(due, self.mark):
                self.mark = due.mark
                self.sent.append(due.mark)
            look = self.one.next_look(self.now, self.owner)
            assert look is not None
            self.looks.add(look)
        due = self.due() if up and self.one.is_on else None
        mark = due.mark if due is not None and self.one.is_new(due, self.mark) else None
        self.possible = {} if mark is None else {mark: self.possible.get(mark, 0) + 1}
        # Two hours in a row are enough for whoever looks each hour.
        if mark is not None and isinstance(self.one.audience, Birthday) and self.possible[mark] > 8:
            self.missed.add(mark)
        self.now += STEP


@settings(deadline=None)
@given(
    zone=st.sampled_from(PLACES),
    change=st.integers(0, 40),
    local=st.booleans(),
    known=st.booleans(),
    audience=st.sampled_from([Birthday(), Birthday(3), Regular(Selection("all"), Every(weekday=Weekday.SUNDAY))]),
    events=st.lists(st.tuples(st.integers(0, 8 * 96 - 1), EVENTS), max_size=8),
)
def test_nobody_is_sent_to_twice_or_skipped_whatever_changes(
    zone: str, change: int, *, local: bool, known: bool, audience: Any, events: list[tuple[int, tuple[str, Any]]]
) -> None:
    days = changes(zone) or (date(2024, 2, 29),)
    story = Story(days[change % len(days)], zone, local=local, audience=audience, known=known)
    by_step: dict[int, list[tuple[str, Any]]] = {}
    for step, event in events:
        by_step.setdefault(step, []).append(event)
    for step in range(8 * 96):
        for what, value in by_step.get(step, ()):
            story.change(what, value)
        story.pass_time()

    assert len(set(story.sent)) == len(story.sent)
    assert story.missed == set()
    if isinstance(audience, Birthday):
        assert all(later - sooner >= SAME_BIRTHDAY for sooner, later in zip(story.sent, story.sent[1:], strict=False))
        if known and not events:
            assert len(story.sent) == 1
    elif not events:
        assert len(story.sent) >= 1
