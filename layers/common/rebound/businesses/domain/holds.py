"""Holding accounts that mostly send bulk: the operator's policy, and what is kept of each hold."""

from __future__ import annotations

from copy import replace
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

JUDGED_OVER: Final = timedelta(days=30)
SMALLEST_SHARE: Final = 0.5
"""That is mostly; single messages are counted up to one more than there was bulk, never further."""
LARGEST_VOLUME: Final = 1_000_000_000
MAX_LINE: Final = 500
"""Characters of a contact, or of a reason."""
KEPT_HOLDS: Final = 20
"""Of a business: the latest holds that were lifted."""


class HoldPolicy(Struct, frozen=True):
    """When an account is held: ``volume`` recipients of bulk or more in 30 days, and that share of everything.

    ``share`` is from ``SMALLEST_SHARE`` to 1. ``contact`` is whom a business that is held asks: an address, a number, a
    page.
    """

    share: float
    volume: int
    contact: str

    @property
    def as_taken_now(self) -> HoldPolicy:
        """The policy with a share that is taken today: it may be from when smaller ones were."""
        return replace(self, share=max(self.share, SMALLEST_SHARE))

    def holds(self, bulk: int, single: int) -> bool:
        """Whether so many recipients of campaigns, beside so many single messages, are mostly bulk."""
        return bulk >= self.volume and bulk >= self.share * (bulk + single)

    def most_singles(self, bulk: int) -> int:
        """With how many single messages or more an account with so much bulk is surely not held."""
        return int(bulk / self.share) - bulk + 1


class AccountHold(Struct, frozen=True):
    """Since when an account is held, for how many recipients of bulk and single messages, and whom to ask."""

    since: datetime
    bulk: int
    single: int
    contact: str


class LiftedHold(Struct, frozen=True):
    """A hold that the operator has lifted, when and why."""

    since: datetime
    lifted_at: datetime
    reason: str
