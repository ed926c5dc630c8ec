"""What a campaign is to bring its recipients to do, and who has done it: pure functions of a message and of facts.

A goal is looked at from the message: who was sent one, or was held out of it, has so many days from that moment. What
counts is when something happened, not when it was told: a message says when its goal was reached first, and says it
anew whenever what is known of the customer changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from rebound.messages.domain.messages import HELD_OUT, Message, MessageStatus
from rebound.messages.domain.spans import WHEN

MOST_DAYS: Final = 90
TOLD_LATE: Final = timedelta(days=30)
"""How long after a goal's days what is told, or corrected, of them still counts."""
UNDER_WAY: Final = timedelta(days=90)
"""How long after its beginning a campaign's last messages may go out, so that their goals count."""
LOOKED_BACK: Final = UNDER_WAY + timedelta(days=MOST_DAYS) + TOLD_LATE
"""How long ago the campaigns began of which a goal may still be reached, or be taken back."""


class GoalKind(StrEnum):
    """What counts as reaching a goal."""

    VISIT = "visit"
    PURCHASE = "purchase"
    REDEMPTION = "redemption"
    """Of the voucher of the campaign."""
    REPLY = "reply"
    """By text."""


class Goal(Struct, frozen=True):
    """What recipients are to do, ``within_days`` days of their message; who is held out, of when they were."""

    kind: GoalKind
    within_days: int

    @classmethod
    def read(cls, text: str) -> Goal:
        """The goal as a message says it."""
        kind, _, days = text.partition("#")
        return cls(GoalKind(kind), int(days))

    @property
    def written(self) -> str:
        """As a message says it."""
        return f"{self.kind}#{self.within_days}"

    @property
    def days(self) -> timedelta:
        """``within_days``."""
        return timedelta(days=self.within_days)

    def counts_until(self, began: datetime) -> datetime:
        """Until when it may be reached or taken back in a campaign that began then."""
        return began + UNDER_WAY + self.days + TOLD_LATE

    def is_open(self, message: Message, now: datetime) -> bool:
        """Whether what is told now still counts for a message."""
        since = begins(message)
        return since is not None and now <= since + self.days + TOLD_LATE

    def reached(self, message: Message, times: Iterable[datetime]) -> datetime | None:
        """When it was reached first, if it was; ``times`` are those at which what counts was done."""
        since = begins(message)
        if since is None:
            return None
        return min((at for at in times if since < at <= since + self.days), default=None)


def begins(message: Message) -> datetime | None:
    """Since when what the recipient does counts: since the message went out, or since they were held out of it.

    ``None`` where neither is so. Who was sent to counts whatever became of the message, because of those who were held
    out nobody knows what would have become of theirs.
    """
    if message.status in WHEN:
        return message.sent_at or message.queued_at
    if message.status is MessageStatus.EXCLUDED and message.reason == HELD_OUT:
        return max(filter(None, (message.queued_at, message.held_until)), default=None)
    return None
