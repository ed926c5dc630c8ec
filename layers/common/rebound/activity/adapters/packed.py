"""Summaries as bytes: columns of small numbers and one list of all names, deflated; 200 visits take about 1 KB."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate, batched, chain, pairwise, repeat
from typing import Final

from msgspec import Struct
from msgspec.msgpack import Decoder, encode

from rebound.activity.domain.events import MembershipStatus
from rebound.activity.domain.summary import Booking, Membership, Offer, Spending, Summary, Visits

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LEVEL: Final = 6
_OF_OFFER: Final = 4


class _Columns(Struct, frozen=True, array_like=True):
    """The stored form. What is added later goes to the end, with a default. Days are proleptic ordinals."""

    zone: str
    written_on: int
    names: list[str]
    """What the numbers of names count in, from 1; 0 is none."""
    offers: list[int]
    """Four names each."""
    visited: tuple[list[int], list[int], list[int], list[int]]
    """The first days (each as the distance to the one before), how many days more, places in ``offers``, counts."""
    spent: tuple[list[int], list[int], list[int], list[int], list[bool], list[int], list[int]]
    """The same for first and further days; then names of products, currencies; visits or not; counts; amounts."""
    booked: tuple[list[int], list[int], list[int]]
    """Microseconds since 1970, days, places in ``offers``."""
    first_visit: int
    last_visit: int
    """0 for none."""
    memberships: list[tuple[str, str, int]]
    packages: list[tuple[str, int]]
    rating: int
    waiver: str | None
    cancellations: int
    no_shows: int
    check_ins: int
    where: list[int] = []
    """The name of the location of each of ``offers``; none in rows of before locations were kept."""
    last_location: int = 0
    """A name."""


_DECODER: Final = Decoder(_Columns)


class _Table[T]:
    """Values by the number that they are kept under."""

    def __init__(self) -> None:
        self.numbers: dict[T, int] = {}

    def number(self, value: T) -> int:
        return self.numbers.setdefault(value, len(self.numbers))


def pack(summary: Summary) -> bytes:
    """The stored form of a summary."""
    names, offers = _Table[str | None](), _Table[Offer]()
    names.number(None)
    visited, spent, booked = summary.visited, summary.spendings, summary.bookings
    columns = _Columns(
        summary.zone,
        summary.written_on.toordinal(),
        [],
        [],
        (
            _distances(each.first for each in visited),
            [(each.last - each.first).days for each in visited],
            [offers.number(each.offer) for each in visited],
            [each.count for each in visited],
        ),
        (
            _distances(each.first for each in spent),
            [(each.last - each.first).days for each in spent],
            [names.number(each.product_id) for each in spent],
            [names.number(each.currency) for each in spent],
            [each.is_visit for each in spent],
            [each.count for each in spent],
            [names.number(str(each.amount)) for each in spent],
        ),
        (
            [(each.starts_at - _EPOCH) // _MICROSECOND for each in booked],
            [each.day.toordinal() for each in booked],
            [offers.number(each.offer) for each in booked],
        ),
        _number_of(summary.first_visit),
        _number_of(summary.last_visit),
        [(each, held.status.value, _number_of(held.until)) for each, held in summary.memberships.items()],
        list(summary.packages.items()),
        summary.rating or 0,
        summary.waiver,
        summary.cancellations,
        summary.no_shows,
        summary.check_ins,
        [names.number(offer.location_id) for offer in offers.numbers],
        names.number(summary.last_location_id),
    )
    columns.offers.extend(
        names.number(name)
        for offer in offers.numbers
        for name in (offer.class_id, offer.class_type, offer.template_id, offer.series_id)
    )
    columns.names.extend(name for name in names.numbers if name is not None)
    return zlib.compress(encode(columns), _LEVEL)


def unpack(packed: bytes) -> Summary:
    """The summary of its stored form."""
    columns = _DECODER.decode(zlib.decompress(packed))
    names: Sequence[str | None] = [None, *columns.names]
    of_offers = [names[number] for number in columns.offers]
    offers = [
        Offer(class_id, class_type, template_id, series_id, names[location])
        for (class_id, class_type, template_id, series_id), location in zip(
            batched(of_offers, _OF_OFFER, strict=True), chain(columns.where, repeat(0)), strict=False
        )
    ]
    day = date.fromordinal
    return Summary(
        zone=columns.zone,
        written_on=day(columns.written_on),
        visited=tuple(
            Visits(day(first), day(first + more), offers[offer], count)
            for first, more, offer, count in zip(_days(columns.visited[0]), *columns.visited[1:], strict=True)
        ),
        spendings=tuple(
            Spending(
                day(first),
                day(first + more),
                names[product],
                names[currency] or "",
                is_visit,
                count,
                Decimal(names[amount] or 0),
            )
            for first, more, product, currency, is_visit, count, amount in zip(
                _days(columns.spent[0]), *columns.spent[1:], strict=True
            )
        ),
        bookings=tuple(
            Booking(_EPOCH + at * _MICROSECOND, day(on), offers[offer])
            for at, on, offer in zip(*columns.booked, strict=True)
        ),
        first_visit=_day_of(columns.first_visit),
        last_visit=_day_of(columns.last_visit),
        memberships=_memberships(columns.memberships),
        packages=dict(columns.packages),
        rating=columns.rating or None,
        waiver=columns.waiver,
        cancellations=columns.cancellations,
        no_shows=columns.no_shows,
        check_ins=columns.check_ins,
        last_location_id=names[columns.last_location],
    )


def _memberships(stored: Iterable[tuple[str, str, int]]) -> Mapping[str, Membership]:
    return {each: Membership(MembershipStatus(status), _day_of(until)) for each, status, until in stored}


def _distances(days: Iterable[date]) -> list[int]:
    ordinals = [day.toordinal() for day in days]
    return [*ordinals[:1], *(later - earlier for earlier, later in pairwise(ordinals))]


def _days(distances: Iterable[int]) -> Iterable[int]:
    return accumulate(distances)


def _number_of(day: date | None) -> int:
    return 0 if day is None else day.toordinal()


def _day_of(number: int) -> date | None:
    return date.fromordinal(number) if number else None
