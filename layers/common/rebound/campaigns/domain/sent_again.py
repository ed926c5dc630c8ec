"""Who of a campaign's people it was sent to again, so that nobody gets it a second time so."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import replace
from datetime import timedelta
from typing import Final

from msgspec import Struct

KEPT: Final = timedelta(days=400)
"""As long as campaigns are."""
MOST: Final = 8_000
"""Customers whom one row has room for."""


class Copy(Struct, frozen=True):
    """A campaign that is a copy of another, for some of its people."""

    copy_id: str
    customer_ids: tuple[str, ...]


class SentAgain(Struct, frozen=True):
    """The copies of one campaign, each for other people. ``version`` counts the writes of the row, 0 for none yet."""

    business_id: str
    campaign_id: str
    copies: tuple[Copy, ...] = ()
    version: int = 0

    @property
    def by_customer(self) -> Mapping[str, str]:
        """The id of the copy that each customer is in."""
        return {customer_id: copy.copy_id for copy in self.copies for customer_id in copy.customer_ids}

    def of_just(self, customer_ids: Collection[str]) -> str | None:
        """The id of the copy that is for just these; ``None`` where there is none."""
        asked = set(customer_ids)
        return next((copy.copy_id for copy in self.copies if set(copy.customer_ids) == asked), None)

    def with_copy(self, copy: Copy) -> SentAgain:
        """With one more."""
        return replace(self, copies=(*self.copies, copy))

    def without(self, copy_id: str) -> SentAgain:
        """Without one that was not sent after all."""
        return replace(self, copies=tuple(copy for copy in self.copies if copy.copy_id != copy_id))
