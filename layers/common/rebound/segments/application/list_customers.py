"""The customers of a filter, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.customers.application.customer_service import views_of
from rebound.kernel.pages import Page
from rebound.segments.domain import CustomerFilter

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import ContactBook
    from rebound.customers.application.customer_service import CustomerView
    from rebound.customers.ports import CustomerBook


class ListCustomers(Struct, frozen=True, kw_only=True):
    """Lists the customers of one business at a time."""

    customers: CustomerBook
    contacts: ContactBook
    businesses: BusinessDirectory

    def __call__(
        self, business_id: str, wanted: CustomerFilter, *, limit: int, cursor: str | None = None
    ) -> Page[CustomerView]:
        """The customers that are wanted, by id. Raises ``InvalidInputError`` when the filter is wrong."""
        matching = None if wanted.is_everybody else wanted.compiled()
        page = self.customers.page(business_id, limit=limit, cursor=cursor, matching=matching)
        return Page(views_of(page.items, self.contacts, self.businesses.get(business_id)), page.next_cursor)
