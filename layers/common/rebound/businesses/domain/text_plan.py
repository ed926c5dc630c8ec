"""What texts a business has booked with whoever runs the stack."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

MOST_INCLUDED: Final = 100_000_000
"""Segments a month."""
MAX_TIER: Final = 100
WARNED_FROM: Final = 80
"""Percent of what is included, from which on the owner is warned."""


class PlanStatus(StrEnum):
    """How far a month's segments are used up."""

    OK = "ok"
    WARNING = "warning"
    EXHAUSTED = "exhausted"


class TextPlan(Struct, frozen=True):
    """The segments of texts that a business may use in a month of its own, set by the operator alone.

    ``inbound_texts`` and ``inbound_calls`` say what of that which comes in is counted as well: a text by its segments,
    a call as one. ``tier`` is what the operator calls the plan, ``upgrade_url`` where a larger one is booked.
    """

    included: int
    inbound_texts: bool = False
    inbound_calls: bool = False
    tier: str | None = None
    upgrade_url: str | None = None

    def left(self, used: int) -> int:
        """How many segments may still be used; a correction or what comes in may have passed the limit."""
        return max(self.included - used, 0)

    def status(self, used: int) -> PlanStatus:
        """How far the month is used up."""
        if used >= self.included:
            return PlanStatus.EXHAUSTED
        return PlanStatus.WARNING if used * 100 >= self.included * WARNED_FROM else PlanStatus.OK
