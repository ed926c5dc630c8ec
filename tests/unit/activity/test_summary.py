"""A summary is a fold: the same in whatever order, and right about calendar days."""

import random
import zlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.msgpack import decode, encode

from rebound.activity.adapters.packed import pack, unpack
from rebound.activity.domain.events import Event, EventKind, MembershipStatus
from rebound.activity.domain.summary import DAYS_KEPT, Membership, Summary, month_of, summarised

ZONE: Final = "America/New_York"
NOW: Final = datetime(2026, 3, 2, 17, tzinfo=UTC)
TODAY: Final = date(2026, 3, 2)
DAY: Final = timedelta(days=1)


def event(kind: EventKind, at: datetime = NOW, event_id: str = "", **fields: Any) -> Event:
    return Event(event_id=event_id or f"{kind}-{at}-{sorted(fields.items())}", kind=kind, at=at, **fields)


def visit(days_ago: float, **fields: Any) -> Event:
    return event(EventKind.VISIT, NOW - days_ago * DAY, **fields)


def of(*events: Event, zone: str = ZONE, now: datetime = NOW) -> Summary:
    return summarised(events, zone, now)


def test_visits_are_counted_by_calendar_day_of_the_zone() -> None:
    late = event(EventKind.VISIT, datetime(2026, 3, 2, 4, 59, tzinfo=UTC))
    there, elsewhere = of(late), of(late, zone="Europe/Berlin")

    assert there.visits(TODAY - DAY, TODAY - DAY) == 1
    assert there.visits(TODAY, TODAY) == 0
    assert elsewhere.visits(TODAY, TODAY) == 1
    assert (there.first_visit, elsewhere.last_visit) == (TODAY - DAY, TODAY)


def test_visits_are_found_by_what_was_visited_and_all_names_must_fit() -> None:
    summary = of(visit(1, class_id="y1", class_type="yoga"), visit(1, class_id="y2", class_type="yoga"), visit(1))
    ever = (date.min, TODAY)

    assert summary.visits(*ever) == summary.sessions(*ever) == 3
    assert summary.visits(*ever, class_type="yoga") == 2
    assert summary.visits(*ever, class_type="yoga", class_id="y2") == 1
    assert summary.visits(*ever, class_id="y2", series_id="none") == 0
    assert (summary.appointments, summary.classes) == (1, 2)


def test_days_are_told_apart_for_four_hundred_days_and_months_before() -> None:
    summary = of(visit(DAYS_KEPT), visit(DAYS_KEPT + 1), visit(DAYS_KEPT + 2), visit(2000))
    oldest = TODAY - DAYS_KEPT * DAY

    assert summary.visits(oldest, TODAY) == 1
    assert summary.visits(oldest - DAY, oldest - DAY) == 2
    assert summary.visits(date.min, TODAY) == 4
    assert [each.first == each.last for each in summary.visited] == [False, False, True]
    assert (summary.first_visit, summary.last_visit) == (TODAY - 2000 * DAY, oldest)


def test_money_is_summed_exactly_by_currency_and_refunds_are_taken_off() -> None:
    buy, back = EventKind.PURCHASE, EventKind.REFUND
    ten_cents = [event(buy, event_id=str(n), amount=Decimal("0.1"), currency="USD", product_id="oil") for n in range(3)]
    summary = of(
        *ten_cents,
        event(buy, amount=Decimal(5), currency="EUR"),
        event(back, amount=Decimal(5), currency="EUR"),
        visit(0, amount=Decimal("2.50"), currency="USD"),
    )

    assert summary.spent(date.min, TODAY) == {"USD": Decimal("2.80"), "EUR": Decimal(0)}
    assert summary.spent(TODAY, TODAY, product_id="oil") == {"USD": Decimal("0.3")}
    assert summary.purchases(TODAY, TODAY) == 4
    assert summary.purchases(date.min, TODAY - DAY) == 0
    assert summary.purchases(TODAY, TODAY, product_id="oil") == 3


@pytest.mark.parametrize("order", [1, -1])
def test_the_last_location_is_that_of_the_last_visit_or_booking_that_stands_and_names_one(order: int) -> None:
    def booking(days_ago: int, location_id: str, appointment_id: str) -> Event:
        at, starts_at = NOW - days_ago * DAY, NOW + 9 * DAY
        return event(EventKind.BOOKING, at, appointment_id=appointment_id, starts_at=starts_at, location_id=location_id)

    came = [visit(3, location_id="soho"), visit(5, location_id="east"), visit(1)]
    booked = [booking(2, "west", "b"), booking(1, "gone", "c")]
    cancelled = [event(EventKind.CANCELLATION, NOW, appointment_id="c")]

    assert of(*came[::order]).last_location_id == "soho"
    assert of(*[*came, *booked, *cancelled][::order]).last_location_id == "west"
    assert of(*[*came, *booked][::order]).last_location_id == "gone"
    assert of(visit(1)).last_location_id is None


def test_where_the_next_booking_is() -> None:
    summary = of(
        event(EventKind.BOOKING, starts_at=NOW + 2 * DAY, location_id="soho"),
        event(EventKind.BOOKING, starts_at=NOW + DAY, location_id="east"),
    )

    assert [each and each.offer.location_id for each in map(summary.coming, (NOW, NOW + 2 * DAY, NOW + 3 * DAY))] == [
        "east",
        "soho",
        None,
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_a_cancellation_takes_off_the_booking_whenever_it_comes_and_a_later_booking_stands(order: int) -> None:
    booked = event(EventKind.BOOKING, NOW, appointment_id="a", starts_at=NOW + DAY, class_id="y")
    cancelled = event(EventKind.CANCELLATION, NOW, appointment_id="a")
    moved = event(EventKind.BOOKING, NOW + DAY / 24, appointment_id="a", starts_at=NOW + 2 * DAY)
    other = event(EventKind.BOOKING, NOW, starts_at=NOW + 5 * DAY, class_id="y")
    gone = of(*[booked, cancelled, other][::order])
    again = of(*[booked, moved, cancelled][::order])

    assert gone.bookings_from(TODAY) == 1
    assert gone.next_booking(NOW) == NOW + 5 * DAY
    assert (again.bookings_from(TODAY), again.next_booking(NOW)) == (1, NOW + 2 * DAY)
    assert (gone.bookings_from(TODAY, class_id="y"), again.bookings_from(TODAY, class_id="y")) == (1, 0)
    assert gone.bookings_from(TODAY + 6 * DAY) == 0
    assert gone.cancellations == 1


def test_of_memberships_packages_and_reviews_the_latest_word_holds() -> None:
    def member(days_ago: int, status: MembershipStatus) -> Event:
        at = NOW - days_ago * DAY
        return event(EventKind.MEMBERSHIP, at, membership_id="gold", status=status, until=at.date())

    summary = of(
        member(1, MembershipStatus.EXPIRED),
        member(30, MembershipStatus.ACTIVE),
        event(EventKind.REVIEW, NOW - DAY, rating=2),
        event(EventKind.REVIEW, NOW - 2 * DAY, rating=5),
        event(EventKind.PACKAGE, NOW, package_id="ten", credits_left=0),
        event(EventKind.PACKAGE, NOW - DAY, package_id="ten", credits_left=1),
        event(EventKind.WAIVER, NOW, version="2"),
    )

    assert summary.memberships == {"gold": Membership(MembershipStatus.EXPIRED, TODAY - DAY)}
    assert (summary.rating, summary.packages, summary.waiver) == (2, {"ten": 0}, "2")


def test_months_end_where_days_begin() -> None:
    assert month_of(date(2024, 2, 29)) == (date(2024, 2, 1), date(2024, 2, 29))
    assert month_of(date(2024, 12, 5), date(2024, 12, 9)) == (date(2024, 12, 1), date(2024, 12, 8))


NAMES: Final = st.sampled_from([None, "a", "b", "c#é"])
EVENTS: Final = st.lists(
    st.builds(
        Event,
        event_id=st.uuids().map(str),
        kind=st.sampled_from(EventKind),
        at=st.datetimes(datetime(2020, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
        starts_at=st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
        appointment_id=NAMES,
        class_id=NAMES,
        series_id=NAMES,
        location_id=NAMES,
        product_id=NAMES,
        membership_id=st.sampled_from(["m", "n"]),
        status=st.sampled_from(MembershipStatus),
        until=st.none() | st.dates(),
        package_id=st.sampled_from(["p", "q"]),
        credits_left=st.integers(0, 10),
        rating=st.integers(1, 5),
        version=NAMES,
        amount=st.none() | st.decimals(0, 1000, places=2),
        currency=st.sampled_from(["USD", "EUR"]),
    ),
    max_size=30,
)


def test_a_summary_of_before_locations_were_kept_knows_none() -> None:
    summary = of(visit(1, class_id="yoga", location_id="soho"), visit(2, class_id="spin"))
    former = zlib.compress(encode(decode(zlib.decompress(pack(summary)))[:-2]))
    read = unpack(former)

    assert read.visits(date.min, TODAY, class_id="yoga") == 1
    assert (read.visits(date.min, TODAY, location_id="soho"), read.last_location_id) == (0, None)
    assert read != summary


@given(EVENTS, st.randoms(use_true_random=False), st.sampled_from(["UTC", ZONE, "Pacific/Kiritimati"]))
def test_a_summary_is_the_same_in_every_order_and_as_it_is_stored(
    events: list[Event], chance: random.Random, zone: str
) -> None:
    summary = summarised(events, zone, NOW)
    shuffled = chance.sample(events, len(events))

    assert summarised(shuffled, zone, NOW) == summary
    assert unpack(pack(summary)) == summary
    visits = [each for each in events if each.kind is EventKind.VISIT]
    assert summary.visits(date.min, date.max) == len(visits)
    for name in ("a", "c#é"):
        assert summary.visits(date.min, date.max, location_id=name) == sum(each.location_id == name for each in visits)
