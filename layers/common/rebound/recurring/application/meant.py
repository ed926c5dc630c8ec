"""Whom a recurring campaign means, among some customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.customers.domain import Customer
from rebound.kernel.errors import InvalidInputError
from rebound.recurring.domain.recurring_campaigns import Birthday, LostCustomer, RecurringCampaign, Regular
from rebound.segments.application.matching import among
from rebound.segments.domain.selections import Selection, meant_by

if TYPE_CHECKING:
    from rebound.activity.ports import SummaryBook
    from rebound.contacts.ports import ContactBook
    from rebound.segments.application.pin_filters import PinFilters


class Meant(Struct, frozen=True):
    """Those who are meant, and of who may be lost, their last visits."""

    customers: Sequence[Customer]
    last_visits: Mapping[str, date]


NOBODY = Meant((), {})


class FindMeant(Struct, frozen=True, kw_only=True):
    """Finds whom a recurring campaign means, whenever they are due."""

    contacts: ContactBook
    pin_filters: PinFilters
    summaries: SummaryBook

    def __call__(
        self, recurring: RecurringCampaign, business: Business, customers: Sequence[Customer], now: datetime
    ) -> Meant:
        """Those of the customers who are meant now; nobody by a segment that there is not any more."""
        audience = recurring.audience
        if isinstance(audience, Birthday):
            return Meant([customer for customer in customers if customer.birthday is not None], {})
        if isinstance(audience, LostCustomer):
            return self._without_booking(business, customers, now)
        return self._matching(audience, business, customers, now)

    def _without_booking(self, business: Business, customers: Sequence[Customer], now: datetime) -> Meant:
        """Those who have come, and have no coming booking."""
        known = self.summaries.get_many(business.business_id, [customer.customer_id for customer in customers])
        last_visits: dict[str, date] = {}
        for customer_id, summary in known.items():
            if summary.last_visit is not None and summary.next_booking(now) is None:
                last_visits[customer_id] = summary.last_visit
        return Meant([customer for customer in customers if customer.customer_id in last_visits], last_visits)

    def _matching(self, audience: Regular, business: Business, customers: Sequence[Customer], now: datetime) -> Meant:
        selection = self.selection(audience, business, now)
        if selection is None:
            return NOBODY
        return Meant(among(customers, meant_by(selection), self.contacts, self.summaries, consistent=False), {})

    def selection(self, audience: Regular, business: Business, now: datetime) -> Selection | None:
        """Whom a filter or segment means at a time; ``None`` when there is no such segment any more."""
        try:
            pinned = self.pin_filters.selection(business.business_id, audience.selection)
        except InvalidInputError:
            return None
        return self.pin_filters.at(business.business_id, pinned, now)
