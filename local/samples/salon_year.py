"""A year at the salon: what its customers did up to a day, as their booking system would tell it.

Everything follows from the file and that day: the same day gives the same events, with the same ids, so that a second
run tells nothing new.
"""

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from local.demo.sample import SampleCustomer

LOST_AFTER_DAYS: Final = 90
MEMBERSHIP: Final = "juniper-club"
CURRENCY: Final = "USD"
YEAR: Final = 365

_LOST: Final = 30
_NEW: Final = 30
_CELEBRATING: Final = 6
_FAMILIES: Final = 5
_FAVOURITES: Final = 3
_COMES: Final = 11
"""Every how manieth of the other customers came this year; the file has more than the appointment book remembers."""
_REVIEWS: Final = 0.7
_BUYS: Final = 0.3
_IS_MEMBER: Final = 0.15
_HAS_BOOKED: Final = 0.1
"""Shares of those who come every few weeks."""
_CHILDREN_BORN_AFTER: Final = "2011"
_PLAIN_MAILBOX: Final = re.compile(r"[^+]*@example\.(com|net|org)")
_TREATMENTS: Final = {"colour": "89.00", "cut": "54.00", "blow-dry": "38.00", "balayage": "140.00"}
_PRODUCTS: Final = {"shampoo": "24.50", "hair-oil": "31.00", "brush": "18.00"}

type Event = dict[str, Any]


def _instant(event: Event) -> datetime:
    return datetime.fromisoformat(event["at"])


@dataclass(frozen=True)
class Family:
    """Two customers who share a mailbox or a phone: what the other is to the one, by the file's ids."""

    one: str
    other: str
    relationship: str


@dataclass(frozen=True)
class Year:
    """What the demo tells of one year, and who is what, by the file's ids.

    ``latest`` has the last visits, memberships and bookings: with these alone it is known who stays away.
    """

    until: date
    latest: Sequence[Event]
    before: Sequence[Event]
    lost: Sequence[str]
    celebrating: Sequence[str]
    """Customers without a birthday in the file, who are given today's."""
    born: date
    families: Sequence[Family]
    favourites: Sequence[str]
    members: frozenset[str]
    birthdays: frozenset[str]
    """Everybody whose birthday it is today then."""

    @property
    def events(self) -> Sequence[Event]:
        """All of them."""
        return (*self.latest, *self.before)

    @property
    def returned(self) -> int:
        """How many customers came more than once."""
        return len({event["external_id"] for event in self.before if event["kind"] == "visit"})

    @property
    def visitors(self) -> int:
        """How many customers came at all."""
        return len({event["external_id"] for event in self.latest if event["kind"] == "visit"})


def year_until(today: date, people: Sequence[SampleCustomer], zone: str) -> Year:
    """The year that ends with the day before ``today``, on the calendar of a zone."""
    ordinary = [who for who in people if _PLAIN_MAILBOX.fullmatch(who.email)]
    born = today.replace(year=today.year - 32)  # a leap day again, if it is one
    new = ordinary[-_NEW:] if len(ordinary) > 2 * _NEW else ordinary[-1:]
    rest = ordinary[: -len(new)]
    # Whoever may be written to as lost has a mailbox of which nothing depends on how many emails it got.
    lost = rest[:: max(1, len(rest) // _LOST)][:_LOST]
    lost_ids, new_ids = {who.external_id for who in lost}, {who.external_id for who in new}
    book = _Book(today, ZoneInfo(zone))
    events = [event for who in lost for event in book.of_lost(who)]
    for who in new:
        events += book.of_new(who)
    others = [who for who in ordinary if who.external_id not in lost_ids | new_ids]
    celebrating = [who.external_id for who in (*others, *new) if not who.birthday][:_CELEBRATING]
    regulars = others[::_COMES]
    for who in regulars:
        events += book.of_regular(who)
    birthdays = {who.external_id: date.fromisoformat(who.birthday) for who in people if who.birthday}
    birthdays |= dict.fromkeys(celebrating, born)
    last = {event["external_id"]: event for event in sorted(events, key=_instant) if event["kind"] == "visit"}
    latest = [
        event
        for event in events
        if event["kind"] in ("membership", "booking") or last.get(event["external_id"]) is event
    ]
    ids = {event["event_id"] for event in latest}
    return Year(
        until=today,
        latest=latest,
        before=[event for event in events if event["event_id"] not in ids],
        lost=[who.external_id for who in lost],
        celebrating=celebrating,
        born=born,
        families=list(_families(people)),
        favourites=[who.external_id for who in regulars[:_FAVOURITES]],
        members=frozenset(event["external_id"] for event in events if event["kind"] == "membership"),
        birthdays=frozenset(who for who, birthday in birthdays.items() if _celebrates(birthday, today)),
    )


def _celebrates(birthday: date, day: date) -> bool:
    """Whether it is somebody's birthday; who was born on a leap day has it a day earlier in other years."""
    if (birthday.month, birthday.day) == (2, 29) and (day + timedelta(days=1)).day == 1:
        return day.month == birthday.month
    return (birthday.month, birthday.day) == (day.month, day.day)


def _families(people: Iterable[SampleCustomer]) -> Iterator[Family]:
    """The first households of the file: whoever has a mailbox or a phone together, and the same last name."""
    known: dict[tuple[str, str], SampleCustomer] = {}
    found = 0
    for who in people:
        home = next((key for key in _homes(who) if key in known), None)
        if home is None:
            known |= dict.fromkeys(_homes(who), who)
        elif found < _FAMILIES:
            found += 1
            head = known[home]
            elder, younger = sorted((head, who), key=_is_child)
            child = _is_child(younger) and not _is_child(elder)
            yield Family(elder.external_id, younger.external_id, "child" if child else "family")


def _homes(who: SampleCustomer) -> list[tuple[str, str]]:
    return [(who.last_name, address) for address in (who.email, who.mobile_phone) if address]


def _is_child(who: SampleCustomer) -> bool:
    return who.birthday > _CHILDREN_BORN_AFTER


class _Book:
    """The appointment book, from a year before today to some weeks after it."""

    def __init__(self, today: date, zone: ZoneInfo) -> None:
        self._today = today
        self._zone = zone

    def of_lost(self, who: SampleCustomer) -> Iterator[Event]:
        """Came some times, and has stayed away for long."""
        draw = random.Random(who.external_id)
        # Also by the day before, which it still is when this is told shortly before midnight.
        last = draw.randrange(LOST_AFTER_DAYS + 2, 200)
        yield from self._visits(who, draw, range(last, YEAR - 40, draw.randrange(25, 60)))

    def of_new(self, who: SampleCustomer) -> Iterator[Event]:
        """Came first in these weeks, and liked it."""
        draw = random.Random(who.external_id)
        first = draw.randrange(4, 55)
        yield from self._visits(who, draw, range(first, 0, -21))
        yield self._review(who, first - 1, draw.choice((4, 5, 5)))

    def of_regular(self, who: SampleCustomer) -> Iterator[Event]:
        """Comes every few weeks, buys something now and then; some are members, some have booked again."""
        draw = random.Random(who.external_id)
        visits = range(draw.randrange(2, 60), YEAR, draw.randrange(38, 100))
        yield from self._visits(who, draw, visits)
        if draw.random() < _REVIEWS:
            yield self._review(who, visits[0] - 1, draw.choice((5, 5, 4, 4, 4, 2)))
        if draw.random() < _BUYS:
            product, price = draw.choice(list(_PRODUCTS.items()))
            bought = {"product_id": product, "amount": price, "currency": CURRENCY}
            yield self._event(who, "purchase", 1, draw.choice(visits), 18, **bought)
        if draw.random() < _IS_MEMBER:
            until = self._today + timedelta(days=draw.randrange(30, 300))
            joined = {"membership_id": MEMBERSHIP, "status": "active", "until": until.isoformat()}
            yield self._event(who, "membership", 1, visits[-1], 9, **joined)
        if draw.random() < _HAS_BOOKED:
            booked = {"starts_at": self._time(-draw.randrange(2, 30), 15), "appointment_id": f"{who.external_id}-next"}
            yield self._event(who, "booking", 1, visits[0], 19, **booked)

    def _visits(self, who: SampleCustomer, draw: random.Random, days_ago: Sequence[int]) -> Iterator[Event]:
        for number, ago in enumerate(days_ago, 1):
            treatment, price = draw.choice(list(_TREATMENTS.items()))
            paid = {"template_id": treatment, "amount": price, "currency": CURRENCY}
            yield self._event(who, "visit", number, ago, draw.randrange(9, 18), **paid)

    def _review(self, who: SampleCustomer, ago: int, rating: int) -> Event:
        return self._event(who, "review", 1, max(ago, 1), 20, rating=rating)

    def _event(self, who: SampleCustomer, kind: str, number: int, ago: int, hour: int, **more: Any) -> Event:
        event_id = f"{who.external_id}-{kind}-{number}"
        return {
            "event_id": event_id,
            "kind": kind,
            "at": self._time(ago, hour),
            "external_id": who.external_id,
            **more,
        }

    def _time(self, days_ago: int, hour: int) -> str:
        day = self._today - timedelta(days=days_ago)
        return datetime.combine(day, time(hour), self._zone).isoformat()
