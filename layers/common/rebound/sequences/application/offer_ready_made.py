"""Offering what is ready-made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.sequences.domain.ready_made import ready_made

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.sequences.domain.ready_made import ReadyMade


class OfferReadyMade(Struct, frozen=True, kw_only=True):
    """The sequences that a business may take over, by putting them; nothing is kept of them before."""

    businesses: BusinessDirectory

    def __call__(self, business_id: str) -> Sequence[ReadyMade]:
        """All of them, in its language."""
        return ready_made(self.businesses.get(business_id).language)
