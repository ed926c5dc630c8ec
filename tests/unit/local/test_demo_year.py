"""A year at the salon follows from the file and the day alone, and is what the API takes."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.demo.regulars import day_of_this, next_hour
from local.demo.sample import SAMPLE_FILE, parse, with_birthday
from local.samples.salon_year import LOST_AFTER_DAYS, YEAR, Year, year_until
from rebound.activity.domain.checking import ReadingContext, checked_event
from rebound.recurring.domain.days import celebrated

TEXT = SAMPLE_FILE.read_text(encoding="utf-8")
PEOPLE = parse(TEXT)
ZONE = "America/New_York"
ANY_DAY = st.dates(date(2024, 1, 1), date(2099, 12, 31))
A_LEAP_DAY = date(2028, 2, 29)


def local_day(event_time: str) -> date:
    return datetime.fromisoformat(event_time).astimezone(ZoneInfo(ZONE)).date()


def last_visits(year: Year) -> dict[str, date]:
    days = defaultdict(list)
    for event in year.events:
        if event["kind"] == "visit":
            days[event["external_id"]].append(local_day(event["at"]))
    return {who: max(each) for who, each in days.items()}


@settings(max_examples=6, deadline=None)
@given(ANY_DAY)
def test_the_same_day_gives_the_same_year_and_another_the_same_days_ago(today: date) -> None:
    year, later = year_until(today, PEOPLE, ZONE), year_until(today + timedelta(days=40), PEOPLE, ZONE)
    assert year_until(today, PEOPLE, ZONE) == year
    for before, after in zip(year.events, later.events, strict=True):
        assert before["event_id"] == after["event_id"]
        assert local_day(after["at"]) - local_day(before["at"]) == timedelta(days=40)


@settings(max_examples=6, deadline=None)
@given(ANY_DAY)
def test_everything_happened_within_the_year_before_and_the_api_takes_it(today: date) -> None:
    year = year_until(today, PEOPLE, ZONE)
    assert len({event["event_id"] for event in year.events}) == len(year.events)
    context = ReadingContext(ZONE, datetime.combine(today, time(), ZoneInfo(ZONE)))
    for index, event in enumerate(year.events):
        assert checked_event(event, index, context).event_id == event["event_id"]
        assert 0 < (today - local_day(event["at"])).days <= YEAR
        assert event["kind"] != "booking" or local_day(event["starts_at"]) > today
    assert Counter(event["kind"] for event in year.events).keys() == {
        "visit",
        "purchase",
        "membership",
        "review",
        "booking",
    }


@settings(max_examples=6, deadline=None)
@given(ANY_DAY)
def test_the_lost_and_nobody_else_have_stayed_away(today: date) -> None:
    year = year_until(today, PEOPLE, ZONE)
    away = {who for who, last in last_visits(year).items() if (today - last).days > LOST_AFTER_DAYS}
    assert away == set(year.lost)
    assert last_visits(year) == last_visits(replace(year, before=()))
    assert len(year.latest) <= 500
    assert len(year.lost) == 30


@pytest.mark.parametrize("today", [A_LEAP_DAY, A_LEAP_DAY - timedelta(days=366), date(2027, 2, 28), date(2026, 12, 31)])
def test_whose_birthday_it_is_is_as_the_product_celebrates_it(today: date) -> None:
    year = year_until(today, PEOPLE, ZONE)
    people = parse(with_birthday(TEXT, year.born.isoformat(), year.celebrating))
    born = {who.external_id: date.fromisoformat(who.birthday) for who in people if who.birthday}
    assert year.birthdays == {who for who, day in born.items() if celebrated(day, today.year) == today}
    assert len(year.celebrating) == 6
    assert set(year.celebrating) <= year.birthdays


def test_who_has_a_mailbox_of_the_twins_has_no_birthday_and_is_not_told_of() -> None:
    year = year_until(A_LEAP_DAY, PEOPLE, ZONE)
    told = {event["external_id"] for event in year.events}
    remembering = [who for who in PEOPLE if "+" in who.email]
    assert len(remembering) > 100
    assert not any(who.birthday or who.external_id in told for who in remembering)


def test_families_share_a_name_and_an_address() -> None:
    people = {who.external_id: who for who in PEOPLE}
    families = year_until(A_LEAP_DAY, PEOPLE, ZONE).families
    assert len(families) == 5
    for family in families:
        one, other = people[family.one], people[family.other]
        assert one.last_name == other.last_name
        assert {one.email, one.mobile_phone} & {other.email, other.mobile_phone}


@pytest.mark.parametrize(
    ("now", "day", "at"),
    [
        ("2026-06-01T10:00:10", "2026-06-01", "2026-06-01T10:01"),
        ("2026-06-01T10:00:55", "2026-06-01", "2026-06-01T10:02"),
        ("2026-06-01T23:54:59", "2026-06-01", "2026-06-01T23:56"),
        ("2026-06-01T23:56:00", "2026-06-02", "2026-06-02T00:00"),
    ],
)
def test_the_hour_is_the_next_full_minute_and_no_day_is_too_short(now: str, day: str, at: str) -> None:
    then = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(ZONE))
    assert day_of_this(then).isoformat() == day
    assert next_hour(then, day_of_this(then)).isoformat(timespec="minutes")[:16] == at
