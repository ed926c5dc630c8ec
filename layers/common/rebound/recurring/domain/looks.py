"""A look: who of some customers is due at one time, and how many messages the last 30 days would have been."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.customers.domain import Customer
from rebound.recurring.domain.recurring_campaigns import (
    Birthday,
    LostCustomer,
    Regular,
    quarter_of,
)

if TYPE_CHECKING:
    from rebound.recurring.domain.recurring_campaigns import (
        Due,
        RecurringCampaign,
    )


class Insight(Struct, frozen=True):
    """What the looks have found out.

    ``quarters`` are those at which clocks of customers show an hour, ``None`` before the first look; until
    ``looked_at`` everybody was looked at. ``would_have_sent`` is how many messages it would have been in the 30 days
    before ``counted_at``.
    """

    quarters: frozenset[int] | None = None
    looked_at: datetime | None = None
    would_have_sent: int | None = None
    counted_at: datetime | None = None


class Look:
    """One recurring campaign at one time. What is the same for all customers of a zone is worked out once."""

    def __init__(self, recurring: RecurringCampaign, business: Business, now: datetime) -> None:
        self._recurring = recurring
        self._business = business
        self._now = now
        self._days: dict[str, tuple[date, ...]] = {}
        self._opened: dict[str, tuple[date, ...]] = {}
        self._new: dict[str, bool] = {}

    @property
    def kind(self) -> type[Birthday | LostCustomer | Regular]:
        """What the audience is."""
        return type(self._recurring.audience)

    def zone_of(self, customer: Customer) -> str:
        """By whose clock the customer's hour comes."""
        return self._recurring.zone_for(customer.time_zone, self._business)

    def days(self, customer: Customer) -> tuple[date, ...]:
        """The days that count for a customer now."""
        zone = self.zone_of(customer)
        if zone not in self._days:
            self._days[zone] = tuple(self._recurring.days(self._now, zone))
        return self._days[zone]

    def opened(self, customer: Customer) -> tuple[date, ...]:
        """The days whose hour came for a customer within the last 30 days."""
        zone = self.zone_of(customer)
        if zone not in self._opened:
            self._opened[zone] = tuple(self._recurring.opened(self._now, zone))
        return self._opened[zone]

    def due(self, customers: Iterable[Customer], last_visits: Mapping[str, date]) -> Iterator[tuple[Customer, Due]]:
        """Who of those who are meant is due, and for what; ``last_visits`` are those of who may be lost."""
        for customer in customers:
            due = self._due(customer, last_visits.get(customer.customer_id))
            if due is not None:
                yield customer, due

    def _due(self, customer: Customer, last_visit: date | None) -> Due | None:
        days = self.days(customer)
        if self.kind is Birthday:
            return None if customer.birthday is None else self._recurring.due_birthday(customer.birthday, days)
        if self.kind is LostCustomer:
            return None if last_visit is None else self._recurring.due_lost(last_visit, days)
        return self._recurring.due_regularly(days)

    def times(self, customer: Customer, last_visit: date | None) -> int:
        """How often a customer who is meant now would have been due within the last 30 days."""
        return sum(self._was_due(customer, last_visit, day) for day in self.opened(customer))

    def _was_due(self, customer: Customer, last_visit: date | None, day: date) -> bool:
        audience = self._recurring.audience
        if isinstance(audience, Regular):
            return audience.every.has(day)
        if isinstance(audience, LostCustomer):
            return last_visit is not None and self._recurring.line(last_visit) == day
        return customer.birthday is not None and self._recurring.feast(customer.birthday, day) is not None

    def newly(self, customers: Iterable[Customer], since: datetime | None) -> list[Customer]:
        """Those for whom some day counts now that did not at a look at ``since``; everybody without such a look.

        Whose hour has come since, and who was changed since: they may be in another zone.
        """
        if since is None:
            return [customer for customer in customers if self.days(customer)]
        return [each for each in customers if self.days(each) and (each.updated_at >= since or self._came(each, since))]

    def _came(self, customer: Customer, since: datetime) -> bool:
        zone = self.zone_of(customer)
        if zone not in self._new:
            days = self.days(customer)
            self._new[zone] = any(self._recurring.window(day, zone).opens > since for day in days)
        return self._new[zone]

    def quarter(self, customer: Customer) -> int:
        """By how many minutes the customer's hours begin later than those of UTC."""
        return quarter_of(self._recurring, self._now, self.zone_of(customer))
