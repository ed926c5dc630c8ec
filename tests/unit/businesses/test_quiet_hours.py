"""Quiet hours and local times in every zone that there is, over all changes of its clocks in ten years."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.domain.allowed_hours import LOOKED_AHEAD, first_allowed
from rebound.businesses.domain.quiet_hours import NIGHT, QuietHours, QuietWindow
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.local_time import FIRST_CLOCK, change_of_offset, first_instant_of, wall_clock
from tests.fakes.making import NO_QUIET_HOURS

FIRST: Final = datetime(2026, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2037, 1, 1, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
SECOND: Final = timedelta(seconds=1)
WINDOWS: Final = (
    NIGHT,
    QuietWindow(time(22, 30), time(2, 30)),
    QuietWindow(time(1, 30), time(3)),
    QuietWindow(time(2, 15), time(2, 45)),
    QuietWindow(time(2, 45), time(2, 15)),
    QuietWindow(time(0), time(23, 59)),
    QuietWindow(time(23, 30), time(0, 30)),
)
"""Nights, windows that begin, end or lie where clocks change, and one that leaves a single minute."""
ZONES: Final = sorted(available_timezones())


def offset(zone: str, at: datetime) -> timedelta:
    found = at.astimezone(ZoneInfo(zone)).utcoffset()
    assert found is not None
    return found


@cache
def changes(zone: str) -> Sequence[datetime]:
    """All changes of a zone's offset in ten years: looked for every day, found to the second by halving."""
    found, at, before = [], FIRST, offset(zone, FIRST)
    while at < LAST:
        after = offset(zone, at + DAY)
        if after != before:
            low, high = at, at + DAY
            while high - low > SECOND:
                middle = (low + (high - low) / 2).replace(microsecond=0)
                low, high = (middle, high) if offset(zone, middle) == before else (low, middle)
            found.append(high)
        at, before = at + DAY, after
    return found


def kinds_of_change() -> Iterator[tuple[str, datetime]]:
    """Each change of each zone, once for all zones that change at the same instant between the same offsets."""
    seen = set()
    for zone in ZONES:
        for at in changes(zone):
            kind = (at, offset(zone, at - SECOND), offset(zone, at))
            if kind not in seen:
                seen.add(kind)
                yield zone, at


def quarters(first: datetime, last: datetime) -> Iterator[datetime]:
    """``first``, every quarter of an hour and the minute before it, up to ``last``, which is not among them."""
    at = first
    while at < last:
        yield at
        at = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0) + timedelta(minutes=15)
        yield max(first, min(at, last) - timedelta(minutes=1))


def test_there_is_something_to_test() -> None:
    assert len(ZONES) > 400
    assert len(list(kinds_of_change())) > 200
    assert {offset(zone, at) - offset(zone, at - SECOND) for zone, at in kinds_of_change()} >= {HOUR, -HOUR, HOUR / 2}


def test_no_clock_is_put_twice_within_a_week_and_all_show_whole_quarters() -> None:
    """What ``change_of_offset`` and ``LOOKED_AHEAD`` rest on, and the tests here."""
    for zone in ZONES:
        own = changes(zone)
        assert all(later - earlier > LOOKED_AHEAD for earlier, later in pairwise(own)), zone
        assert not [at for at in [FIRST, *own] if offset(zone, at) % (HOUR / 4)], zone
        assert max(offset(zone, at) for at in [FIRST, *own]) <= FIRST_CLOCK, zone


@pytest.mark.parametrize("window", WINDOWS, ids=lambda window: f"{window.start:%H:%M}-{window.end:%H:%M}")
def test_nothing_goes_out_within_quiet_hours_and_nothing_later_than_their_end_in_any_zone(window: QuietWindow) -> None:
    """Every change of every zone in ten years, asked for from two days before it to a day after it."""
    moments = [-47, -31, -22, -9, -2, -1, 0, 1, 2, 8]
    for zone, change in kinds_of_change():
        for at in [*(change + n * HOUR for n in moments), change - SECOND, change + SECOND]:
            allowed = first_allowed(at, window, frozenset({zone}))

            assert allowed is not None, (zone, at)
            assert not window.covers(wall_clock(allowed, zone)), (zone, at)
            # Offsets are whole quarters and windows end at one or a minute before: no allowed minute is overlooked.
            for looked in [*quarters(at, allowed), *([change] if at <= change < allowed else [])]:
                assert window.covers(wall_clock(looked, zone)), (zone, at, looked)
            if allowed > at:
                assert window.covers(wall_clock(allowed - SECOND, zone)), (zone, at)
            first_allowed.cache_clear()


def test_in_every_zone_a_time_of_the_clock_is_met_at_its_first_occurrence_and_a_leap_at_its_end() -> None:
    for zone, change in kinds_of_change():
        before, after = offset(zone, change - SECOND), offset(zone, change)
        shown_before = (change + before).replace(tzinfo=None)
        leap = after - before
        inside = shown_before + leap / 2
        if leap > timedelta():
            # Clocks leap from ``shown_before`` over ``inside``.
            assert first_instant_of(inside, zone) == change
            assert first_instant_of(shown_before, zone) == change
            assert first_instant_of(shown_before + leap, zone) == change
        else:
            # Clocks show ``inside`` twice.
            assert first_instant_of(inside, zone) == change + leap / 2
        for distance in (-3 * HOUR, 3 * HOUR):
            at = change + distance
            assert first_instant_of(wall_clock(at, zone), zone) == at
        assert change_of_offset(change - HOUR, change + HOUR, zone) == change


@given(
    st.sets(st.sampled_from(ZONES), min_size=1, max_size=5),
    st.datetimes(datetime(2026, 1, 1), datetime(2036, 12, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - Hypothesis's
    st.sampled_from(WINDOWS[:4]),
)
def test_of_several_zones_each_ones_hours_count(zones: set[str], at: datetime, window: QuietWindow) -> None:
    allowed = first_allowed(at, window, frozenset(zones))
    last = at + DAY if allowed is None else allowed

    assert allowed is None or not any(window.covers(wall_clock(allowed, zone)) for zone in zones)
    for looked in quarters(at, last):
        assert any(window.covers(wall_clock(looked, zone)) for zone in zones)


def test_zones_whose_nights_fill_the_day_leave_no_minute_and_say_so_at_once() -> None:
    around_the_earth = frozenset({"Pacific/Honolulu", "America/New_York", "Europe/London", "Asia/Tokyo"})

    assert first_allowed(FIRST, NIGHT, around_the_earth) is None
    assert first_allowed(FIRST, NIGHT, frozenset()) == FIRST


def test_a_minute_over_which_the_clock_leaps_is_waited_for_until_the_next_day() -> None:
    only_allowed_at_half_past_two = QuietWindow(time(2, 45), time(2, 15))
    eve = datetime(2027, 3, 14, 3, tzinfo=UTC)

    # At 7 o'clock in UTC New York's clocks leap from 2 to 3.
    allowed = first_allowed(eve, only_allowed_at_half_past_two, frozenset({"America/New_York"}))

    assert allowed == datetime(2027, 3, 15, 6, 15, tzinfo=UTC)


def test_by_default_texts_that_sell_or_remind_wait_for_the_morning_and_nothing_else_does() -> None:
    waiting = {category for category in Category if QuietHours().window(Channel.SMS, category) is not None}

    assert waiting >= {*(category for category in Category if category.is_promotional), Category.REMINDER}
    assert not waiting & {Category.TRANSACTIONAL, Category.ONE_TO_ONE}
    assert not [category for category in Category if QuietHours().window(Channel.EMAIL, category) is not None]
    assert not [each for each in Category for channel in Channel if NO_QUIET_HOURS.window(channel, each) is not None]
    everything = QuietHours(email=QuietWindow(time(20), time(9), frozenset({Category.ONE_TO_ONE})))
    assert everything.window(Channel.EMAIL, Category.ONE_TO_ONE) == everything.email


@pytest.mark.parametrize(
    ("shown", "left"),
    [
        (datetime(2026, 11, 20, 7, 59, 30), timedelta(minutes=15, seconds=30)),  # noqa: DTZ001 - a clock on a wall
        (datetime(2026, 11, 20, 8, 14, 59, 999_999), timedelta(microseconds=1)),  # noqa: DTZ001
        (datetime(2026, 11, 20, 22, 0), timedelta(hours=10, minutes=15)),  # noqa: DTZ001
    ],
)
def test_a_window_ends_at_its_minute_and_not_at_the_full_hour(shown: datetime, left: timedelta) -> None:
    assert QuietWindow(time(21, 30), time(8, 15)).left(shown) == left
