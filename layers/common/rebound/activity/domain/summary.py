"""What a customer did, in numbers: one value that answers questions in calendar days without reading anything more."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from rebound.activity.domain.events import EventKind

if TYPE_CHECKING:
    from rebound.activity.domain.events import Event, MembershipStatus

DAYS_KEPT: Final = 400
"""As many days before a summary is written are told apart; what lies before them is kept by month."""
MOST_PLACES: Final = 45
"""Locations at which a customer is looked for: rows of one transaction, with as many that are left."""


class Membership(Struct, frozen=True, array_like=True):
    """How a membership stands: the latest word about it; ``until`` is its last day."""

    status: MembershipStatus
    until: date | None = None


class Offer(Struct, frozen=True, array_like=True):
    """What was visited or booked, and where."""

    class_id: str | None = None
    class_type: str | None = None
    template_id: str | None = None
    series_id: str | None = None
    location_id: str | None = None


NO_OFFER: Final = Offer()


class Visits(Struct, frozen=True, array_like=True):
    """How many visits there were on a day, or within a month: from ``first`` to ``last``, both inclusive."""

    first: date
    last: date
    offer: Offer
    count: int


class Spending(Struct, frozen=True, array_like=True):
    """What was bought on a day, or within a month; ``amount`` has refunds taken off, and may be below zero.

    ``is_visit`` is for what visits cost, which is no purchase.
    """

    first: date
    last: date
    product_id: str | None
    currency: str
    is_visit: bool
    count: int
    amount: Decimal


class Booking(Struct, frozen=True, array_like=True):
    """One booking that was not cancelled; ``day`` is that of ``starts_at`` in the business's zone."""

    starts_at: datetime
    day: date
    offer: Offer


class Summary(Struct, frozen=True, kw_only=True):
    """A pure fold over the events of one customer (``summarised``).

    Days are those of ``zone``, the business's when the summary was written. Days more than ``DAYS_KEPT`` before
    ``written_on`` are told apart by month only: a question that begins or ends within such a month counts all of it.
    ``bookings`` has those that begin on ``written_on`` or later.
    """

    zone: str
    written_on: date
    visited: tuple[Visits, ...] = ()
    spendings: tuple[Spending, ...] = ()
    bookings: tuple[Booking, ...] = ()
    first_visit: date | None = None
    last_visit: date | None = None
    memberships: Mapping[str, Membership] = MappingProxyType({})
    packages: Mapping[str, int] = MappingProxyType({})
    """Credits left of each package."""
    rating: int | None = None
    """Of the latest review."""
    waiver: str | None = None
    """The latest version that was agreed to."""
    cancellations: int = 0
    no_shows: int = 0
    check_ins: int = 0
    last_location_id: str | None = None
    """Of what happened last and named a location: a visit, or a booking that stands, which happens when it is made."""

    @classmethod
    def empty(cls, zone: str = "UTC", written_on: date = date.min) -> Summary:
        """That of a customer of whom no event is known."""
        return cls(zone=zone, written_on=written_on)

    def visits(
        self,
        first: date,
        last: date,
        *,
        class_id: str | None = None,
        class_type: str | None = None,
        template_id: str | None = None,
        series_id: str | None = None,
        location_id: str | None = None,
    ) -> int:
        """How many visits from day to day, both inclusive; ``date.min`` for ever. Several names must all fit."""
        wanted = Offer(class_id, class_type, template_id, series_id, location_id)
        return sum(
            each.count
            for each in self.visited
            if each.first <= last and first <= each.last and (wanted == NO_OFFER or _fits(each.offer, wanted))
        )

    def sessions(self, first: date, last: date) -> int:
        """How many visits of any kind, by which customers are ranked."""
        return self.visits(first, last)

    def bookings_from(self, day: date, *, class_id: str | None = None) -> int:
        """How many bookings that were not cancelled begin on a day or later."""
        return sum(each.day >= day and (class_id is None or each.offer.class_id == class_id) for each in self.bookings)

    def next_booking(self, now: datetime) -> datetime | None:
        """When the next booking begins that was not cancelled."""
        coming = self.coming(now)
        return None if coming is None else coming.starts_at

    def coming(self, now: datetime) -> Booking | None:
        """The next booking that was not cancelled."""
        return min(
            (each for each in self.bookings if each.starts_at >= now), key=lambda each: each.starts_at, default=None
        )

    def purchases(self, first: date, last: date, *, product_id: str | None = None) -> int:
        """How many purchases from day to day, both inclusive; a refund does not take one off."""
        return sum(each.count for each in self._spent(first, last, product_id) if not each.is_visit)

    def spent(self, first: date, last: date, *, product_id: str | None = None) -> Mapping[str, Decimal]:
        """What was paid from day to day, by currency: purchases and visits, without what was refunded.

        With ``product_id``, for this product only. A currency in which all was refunded is there with zero.
        """
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for each in self._spent(first, last, product_id):
            sums[each.currency] += each.amount
        return dict(sums)

    @property
    def places(self) -> Mapping[str, datetime | None]:
        """The locations at which the customer is looked for, the last ``MOST_PLACES`` of them.

        With when the last booking there begins that is known to come, or ``None`` for where they have been.
        """
        been = dict.fromkeys(name for each in reversed(self.visited) if (name := each.offer.location_id) is not None)
        booked = {name: each.starts_at for each in self.bookings if (name := each.offer.location_id) is not None}
        places: dict[str, datetime | None] = {name: booked[name] for name in reversed(booked)}
        return dict(islice((places | been).items(), MOST_PLACES))

    @property
    def appointments(self) -> int:
        """Visits of no class."""
        return sum(each.count for each in self.visited if not _is_class(each.offer))

    @property
    def classes(self) -> int:
        """Visits of classes."""
        return sum(each.count for each in self.visited if _is_class(each.offer))

    def _spent(self, first: date, last: date, product_id: str | None) -> Iterable[Spending]:
        for each in self.spendings:
            if each.first <= last and first <= each.last and product_id in (None, each.product_id):
                yield each


def _fits(offer: Offer, wanted: Offer) -> bool:
    return (
        wanted.class_id in (None, offer.class_id)
        and wanted.class_type in (None, offer.class_type)
        and wanted.template_id in (None, offer.template_id)
        and wanted.series_id in (None, offer.series_id)
        and wanted.location_id in (None, offer.location_id)
    )


def _is_class(offer: Offer) -> bool:
    return offer.class_id is not None or offer.class_type is not None


def summarised(events: Iterable[Event], zone: str, now: datetime) -> Summary:
    """The summary of these events, in whatever order they come, in the calendar of a zone."""
    return summarised_on(events, zone, now.astimezone(ZoneInfo(zone)).date())


def summarised_on(events: Iterable[Event], zone: str, today: date) -> Summary:
    """``summarised``, by the day that the zone's calendar shows."""
    there = ZoneInfo(zone)
    oldest = today - timedelta(days=DAYS_KEPT)

    def day_of(at: datetime) -> date:
        return at.astimezone(there).date()

    def period(at: datetime) -> tuple[date, date]:
        day = day_of(at)
        return (day, day) if day >= oldest else month_of(day, oldest)

    by_kind: defaultdict[EventKind, list[Event]] = defaultdict(list)
    for event in events:
        by_kind[event.kind].append(event)
    visits: Counter[tuple[date, date, Offer]] = Counter()
    for event in by_kind[EventKind.VISIT]:
        visits[*period(event.at), offer_of(event)] += 1
    visit_days = [day_of(event.at) for event in by_kind[EventKind.VISIT]]
    booked = _standing(by_kind)
    latest = _latest_of(by_kind)
    review, waiver = latest(EventKind.REVIEW).get(""), latest(EventKind.WAIVER).get("")
    return Summary(
        zone=zone,
        written_on=today,
        visited=tuple(Visits(*key, visits[key]) for key in sorted(visits, key=_written)),
        spendings=_spendings(by_kind, period),
        bookings=_coming(booked, today, day_of),
        first_visit=min(visit_days, default=None),
        last_visit=max(visit_days, default=None),
        memberships={
            each: Membership(event.status, event.until)
            for each, event in sorted(latest(EventKind.MEMBERSHIP, "membership_id").items())
            if event.status is not None
        },
        packages={
            each: event.credits_left or 0 for each, event in sorted(latest(EventKind.PACKAGE, "package_id").items())
        },
        rating=None if review is None else review.rating,
        waiver=None if waiver is None else waiver.version,
        cancellations=len(by_kind[EventKind.CANCELLATION]),
        no_shows=len(by_kind[EventKind.NO_SHOW]),
        check_ins=len(by_kind[EventKind.CHECK_IN]),
        last_location_id=_last_location((*by_kind[EventKind.VISIT], *booked)),
    )


def month_of(day: date, before: date = date.max) -> tuple[date, date]:
    """The first and the last day of a day's month; of that in which the days begin (``before``), what lies before."""
    first = day.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first, min(last, before - timedelta(days=1))


def offer_of(event: Event) -> Offer:
    """What an event was about."""
    return Offer(event.class_id, event.class_type, event.template_id, event.series_id, event.location_id)


def order_of(event: Event) -> tuple[datetime, str]:
    """What decides which of several events is the latest."""
    return event.at.astimezone(UTC), event.event_id


def _latest_of(by_kind: Mapping[EventKind, Sequence[Event]]) -> Callable[..., Mapping[str, Event]]:
    def latest(kind: EventKind, name: str = "") -> Mapping[str, Event]:
        found: dict[str, Event] = {}
        for event in sorted(by_kind.get(kind, ()), key=order_of):
            found[str(getattr(event, name)) if name else ""] = event
        return found

    return latest


def _spendings(
    by_kind: Mapping[EventKind, Sequence[Event]], period: Callable[[datetime], tuple[date, date]]
) -> tuple[Spending, ...]:
    counts: Counter[tuple[date, date, str | None, str, bool]] = Counter()
    amounts: defaultdict[tuple[date, date, str | None, str, bool], Decimal] = defaultdict(Decimal)
    for kind, count, sign in ((EventKind.PURCHASE, 1, 1), (EventKind.REFUND, 0, -1), (EventKind.VISIT, 0, 1)):
        for event in by_kind.get(kind, ()):
            if event.amount is None or event.currency is None:
                continue
            key = (*period(event.at), event.product_id, event.currency, kind is EventKind.VISIT)
            counts[key] += count
            amounts[key] += sign * event.amount
    return tuple(Spending(*key, counts[key], amounts[key]) for key in sorted(amounts, key=_written))


def _standing(by_kind: Mapping[EventKind, Sequence[Event]]) -> Sequence[Event]:
    """The bookings that stand. Of an appointment the latest word holds: a booking of it, or its cancellation.

    What was booked and cancelled at the same moment is cancelled.
    """
    words = sorted((*by_kind.get(EventKind.BOOKING, ()), *by_kind.get(EventKind.CANCELLATION, ())), key=_last_word)
    last: dict[str, Event] = {event.appointment_id or f"\x1f{event.event_id}": event for event in words}
    return [event for event in last.values() if event.kind is EventKind.BOOKING]


def _last_location(events: Iterable[Event]) -> str | None:
    last = max((event for event in events if event.location_id is not None), key=order_of, default=None)
    return None if last is None else last.location_id


def _coming(booked: Iterable[Event], today: date, day_of: Callable[[datetime], date]) -> tuple[Booking, ...]:
    """The bookings of today and later."""
    coming = [
        Booking(event.starts_at.astimezone(UTC), day_of(event.starts_at), offer_of(event))
        for event in booked
        if event.starts_at is not None and day_of(event.starts_at) >= today
    ]
    return tuple(sorted(coming, key=lambda booking: (booking.starts_at, repr(booking.offer))))


def _last_word(event: Event) -> tuple[datetime, bool, str]:
    return event.at.astimezone(UTC), event.kind is EventKind.CANCELLATION, event.event_id


def _written(key: Any) -> tuple[Any, str]:
    """By the first value, and in some fixed order where that is the same."""
    return key[0], repr(key[1:])
