"""What a campaign is to bring its recipients to do."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

MOST_DAYS: Final = 90


class GoalKind(StrEnum):
    """What counts as reaching a goal."""

    VISIT = "visit"
    PURCHASE = "purchase"
    REDEMPTION = "redemption"
    """Of the voucher of the campaign."""
    REPLY = "reply"


class Goal(Struct, frozen=True):
    """What recipients are to do, ``within_days`` days of their message; who is held out, of when they were."""

    kind: GoalKind
    within_days: int
