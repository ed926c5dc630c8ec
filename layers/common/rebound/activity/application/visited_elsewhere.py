"""Whether somebody visited or bought at another business, where the operator lets businesses share customers."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.businesses.application.share_customers import all_of
from rebound.businesses.domain.business import Business
from rebound.customers.domain import Customer
from rebound.kernel.channels import ContactKey

if TYPE_CHECKING:
    from rebound.activity.ports import SummaryBook
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import ContactBook


class VisitedElsewhere(Struct, frozen=True, kw_only=True):
    """A ``ProfileLock``: the person is known again by an address of theirs. Says yes or no, and not where or when."""

    businesses: BusinessDirectory
    contacts: ContactBook
    summaries: SummaryBook

    def __call__(self, customer: Customer, business: Business) -> bool:
        """Nothing is read for a business that shares no customers."""
        if not business.shares_customers:
            return False
        others = [
            each.business_id
            for each in all_of(self.businesses)
            if each.shares_customers and each.business_id != business.business_id
        ]
        keys = [ContactKey(other, key.channel, key.address) for other in others for key in customer.contact_keys]
        met = defaultdict[str, set[str]](set)
        for key, contact in (self.contacts.get_many(keys) if keys else {}).items():
            met[key.business_id] |= contact.customer_ids
        return any(
            summary.first_visit is not None or summary.purchases(date.min, date.max)
            for other, customer_ids in met.items()
            if customer_ids
            for summary in self.summaries.get_many(other, customer_ids).values()
        )
