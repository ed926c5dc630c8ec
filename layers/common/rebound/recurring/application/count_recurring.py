"""How many messages a recurring campaign would have been within the last 30 days."""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.businesses.domain.quiet_hours import Whereabouts
from rebound.customers.domain import Customer
from rebound.eligibility.application.audience import EVERYBODY, Screening, supposed_mailing
from rebound.kernel.ids import bounds
from rebound.recurring.domain.looks import Look
from rebound.recurring.domain.recurring_campaigns import Regular

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import ContactBook
    from rebound.customers.ports import CustomerBook
    from rebound.eligibility.ports import FrequencyBook
    from rebound.platform.ports import Clock
    from rebound.recurring.application.meant import FindMeant, Meant
    from rebound.recurring.domain.looks import Insight
    from rebound.recurring.domain.recurring_campaigns import RecurringCampaign

MOST_COUNTED_NOW: Final = 1_000
"""Of how many customers it is counted while a request waits; for a business with more, looks count once a day."""


class CountRecurring(Struct, frozen=True, kw_only=True):
    """Counts by what is known of the customers now: who is meant, how often their day came, and who may be sent to."""

    customers: CustomerBook
    contacts: ContactBook
    frequencies: FrequencyBook
    businesses: BusinessDirectory
    whereabouts: Whereabouts
    meant: FindMeant
    clock: Clock

    def now(self, recurring: RecurringCampaign, known: Insight) -> Insight | None:
        """What is known, counted anew; ``None`` for a business with more than ``MOST_COUNTED_NOW`` customers."""
        customers = self.customers.read_range(recurring.business_id, *bounds(0, 1), None, MOST_COUNTED_NOW + 1)
        if len(customers) > MOST_COUNTED_NOW:
            return None
        business, now = self.businesses.get(recurring.business_id), self.clock.now()
        count = self.of(recurring, business, now, self.meant(recurring, business, customers, now))
        return replace(known, would_have_sent=count, counted_at=now)

    def of(self, recurring: RecurringCampaign, business: Business, now: datetime, meant: Meant) -> int:
        """The messages to those who are meant, one for each of their days, if nothing has changed since then."""
        look = Look(recurring, business, now)
        times: dict[str, int] = {}
        who: dict[str, Customer | None] = {}
        for customer in meant.customers:
            often = look.times(customer, meant.last_visits.get(customer.customer_id))
            if often:
                times[customer.customer_id], who[customer.customer_id] = often, customer
        return sum(times[customer_id] for customer_id in self._who_may_be_sent_to(recurring, business, now, who))

    def _who_may_be_sent_to(
        self, recurring: RecurringCampaign, business: Business, now: datetime, who: dict[str, Customer | None]
    ) -> Sequence[str]:
        if not who:
            return ()
        audience = recurring.audience
        supposed = supposed_mailing(
            recurring.business_id,
            recurring.channel,
            recurring.category,
            selection=audience.selection if isinstance(audience, Regular) else EVERYBODY,
            exclude_failed=recurring.exclude_failed,
        )
        screening = Screening(self.contacts, self.frequencies, business, supposed, self.whereabouts)
        return screening(who, now).recipients
