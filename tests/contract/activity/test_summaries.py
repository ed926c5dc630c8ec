"""Summaries, written and read: one suite against the fake and the table."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

import pytest

from rebound.activity.adapters.packed import pack
from rebound.activity.domain.events import Event, EventKind, MembershipStatus
from rebound.activity.domain.summary import Summary, summarised
from rebound.kernel.errors import ConcurrentChangeError
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, at, id_of

ZONE: Final = "America/New_York"
NOW: Final = at(0)
READ_UNIT: Final = 4096
EVENTS: Final = (
    Event(event_id="v1", kind=EventKind.VISIT, at=NOW - timedelta(days=3), class_id="yoga", class_type="class"),
    Event(event_id="v2", kind=EventKind.VISIT, at=NOW - timedelta(days=900), amount=Decimal("12.50"), currency="EUR"),
    Event(event_id="p1", kind=EventKind.PURCHASE, at=NOW, amount=Decimal("0.10"), currency="USD", product_id="oil"),
    Event(event_id="r1", kind=EventKind.REFUND, at=NOW, amount=Decimal("0.30"), currency="USD", product_id="oil"),
    Event(
        event_id="b1", kind=EventKind.BOOKING, at=NOW, starts_at=NOW + timedelta(days=2), series_id="s", class_id="y"
    ),
    Event(
        event_id="m1",
        kind=EventKind.MEMBERSHIP,
        at=NOW,
        membership_id="gold",
        status=MembershipStatus.ACTIVE,
        until=date(2027, 1, 31),
    ),
    Event(event_id="k1", kind=EventKind.PACKAGE, at=NOW, package_id="ten", credits_left=0),
    Event(event_id="w1", kind=EventKind.WAIVER, at=NOW, version="3"),
    Event(event_id="s1", kind=EventKind.REVIEW, at=NOW, rating=4),
    Event(event_id="c1", kind=EventKind.CANCELLATION, at=NOW, appointment_id="a"),
    Event(event_id="n1", kind=EventKind.NO_SHOW, at=NOW),
    Event(event_id="i1", kind=EventKind.CHECK_IN, at=NOW),
)
FULL: Final = summarised(EVENTS, ZONE, NOW)


@pytest.mark.parametrize("summary", [FULL, Summary.empty(ZONE, date(2026, 3, 1))], ids=["full", "empty"])
def test_a_summary_is_read_as_it_was_written(ports: EveryPorts, summary: Summary) -> None:
    ports.activity.save_summary(BUSINESS_ID, id_of(1), summary, read=0)
    ports.activity.save_summary("other", id_of(2), summary, read=0)

    assert ports.summaries.get_many(BUSINESS_ID, [id_of(1), id_of(2)]) == {
        id_of(1): summary,
        id_of(2): Summary.empty(),
    }
    assert ports.summaries.get_many(BUSINESS_ID, []) == {}


def test_a_summary_is_written_only_over_the_one_that_was_read(ports: EveryPorts) -> None:
    ports.activity.save_summary(BUSINESS_ID, id_of(1), FULL, read=0)
    for read in (0, 7):
        with pytest.raises(ConcurrentChangeError):
            ports.activity.save_summary(BUSINESS_ID, id_of(1), None, read=read)

    assert ports.summaries.get_many(BUSINESS_ID, [id_of(1)]) == {id_of(1): FULL}


def test_two_hundred_visits_read_at_one_unit() -> None:
    """Of 20 classes, over 400 days, in an order that repeats nothing."""
    chance = random.Random(7)  # noqa: S311 - the same in every run
    start = datetime(2026, 3, 2, 12, tzinfo=UTC)
    visits = [
        Event(
            event_id=str(number),
            kind=EventKind.VISIT,
            at=start - timedelta(hours=chance.randrange(24 * 400)),
            class_id=f"class-{chance.getrandbits(64):x}" if number < 20 else f"class-{number % 20}",
            class_type=chance.choice(["yoga", "pilates", "spinning"]),
            series_id=f"series-{number % 30}",
            amount=Decimal(chance.randrange(1000, 9000)) / 100,
            currency="EUR",
        )
        for number in range(200)
    ]

    assert len(pack(summarised(visits, ZONE, start))) < 0.6 * READ_UNIT
