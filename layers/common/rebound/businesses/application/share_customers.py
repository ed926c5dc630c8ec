"""The operator's word that the businesses of a stack share customers: whose profile it is follows from all of them."""

from __future__ import annotations

from collections.abc import Iterator
from copy import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.kernel.retrying import retried

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory

PAGE: Final = 100


class ShareCustomers(Struct, frozen=True, kw_only=True):
    """Lets businesses share customers, or ends that; what they know of customers stays their own."""

    businesses: BusinessDirectory

    def __call__(self, *, shared: bool, business_id: str | None = None) -> int:
        """How many businesses share customers now: of all that there are, or of one. Raises ``NotFoundError``."""
        wanted = [business_id] if business_id is not None else [each.business_id for each in self._all()]
        for each in wanted:
            retried(lambda one=each: self._write(one, shared=shared))  # type: ignore[misc]
        return sum(each.shares_customers for each in self._all())

    def _write(self, business_id: str, *, shared: bool) -> None:
        business = self.businesses.get(business_id)
        if business.shares_customers != shared:
            self.businesses.replace(replace(business, shares_customers=shared))

    def _all(self) -> Iterator[Business]:
        return all_of(self.businesses)


def all_of(businesses: BusinessDirectory) -> Iterator[Business]:
    """Every business, page by page."""
    cursor: str | None = None
    while True:
        page = businesses.page(PAGE, cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return
