"""Chunks on their way to a sender, at once or when their hour has come."""

from __future__ import annotations

from copy import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.rates.domain import Lane, within

if TYPE_CHECKING:
    from rebound.campaigns.domain.campaigns import Campaign
    from rebound.campaigns.domain.chunks import ChunkKey
    from rebound.kernel.channels import Channel

LONGEST_DELAY: Final = timedelta(minutes=15)
"""The longest that SQS holds a message back."""
FIRST_ROUND: Final = timedelta(seconds=15)
"""So long what has just begun to wait for its hour is left alone."""


def lane_of(campaign: Campaign) -> Lane:
    """The lane of a campaign's messages."""
    return Lane.BULK if campaign.category.is_promotional and not campaign.single else Lane.PROMPT


class Ticket(Struct, frozen=True):
    """A chunk on its way to a sender: how many messages it is at most, and when its turn is once that is known.

    One of size 0 is decided again and hands over nothing: who may go after all comes back with a turn to be booked.
    """

    key: ChunkKey
    size: int
    lane: Lane
    turn_at: datetime | None = None


class HeldTicket(Struct, frozen=True):
    """A chunk whose recipients all wait for their hour, on no lane until ``not_before``.

    The ticket's size is how many of them may go out then; the others wait for longer. It waits ``since`` then, because
    of what was decided under that ``version`` of the business's settings (0 where that is not known).
    """

    channel: Channel
    ticket: Ticket
    not_before: datetime
    since: datetime
    version: int

    def round_from(self, now: datetime) -> timedelta:
        """How long it is left alone: until its hour, but no longer than it has waited so far, nor than a queue can.

        So what changes soon after is seen soon, and rounds are few all the same.
        """
        left = max(self.not_before - now, timedelta())
        return min(left, within(FIRST_ROUND, now - self.since, LONGEST_DELAY))

    def to_look_again(self, now: datetime) -> Ticket:
        """A ticket for the lane before the hour, which takes nobody's turn."""
        return replace(self.ticket, size=0, turn_at=now)
