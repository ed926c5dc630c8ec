"""The tasks of the senders' queues: send a chunk, now or when its recipients' hour has come."""

from copy import replace
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from rebound.campaigns.domain.campaigns import Campaign
from rebound.campaigns.domain.chunks import ChunkKey
from rebound.kernel.channels import Channel
from rebound.rates.domain import Lane, within

LONGEST_DELAY: Final = timedelta(minutes=15)
"""The longest that SQS holds a message back."""
FIRST_ROUND: Final = timedelta(seconds=15)
"""So long what has just begun to wait for its hour is left alone."""


def lane_of(campaign: Campaign) -> Lane:
    """The lane of a campaign's messages."""
    return Lane.BULK if campaign.category.is_promotional and not campaign.single else Lane.PROMPT


class ChunkTask(Struct, frozen=True):
    """Sending a chunk: how many messages at most, and from when on, once a slot is booked (``turn_at``).

    One of size 0 is decided again and hands over nothing: who may be sent to after all comes back without a slot.
    """

    key: ChunkKey
    size: int
    lane: Lane
    turn_at: datetime | None = None


class DeferredChunkTask(Struct, frozen=True):
    """Sending a chunk whose recipients are all deferred: it is on no lane until ``not_before``.

    The task's size is how many of them may go out then; the others wait for longer. It waits ``since`` then, because
    of what was decided under that ``version`` of the business's settings (0 where that is not known).
    """

    channel: Channel
    task: ChunkTask
    not_before: datetime
    since: datetime
    version: int

    def round_from(self, now: datetime) -> timedelta:
        """How long it is left alone: until its hour, but no longer than it has waited so far, nor than a queue can.

        So what changes soon after is seen soon, and rounds are few all the same.
        """
        left = max(self.not_before - now, timedelta())
        return min(left, within(FIRST_ROUND, now - self.since, LONGEST_DELAY))

    def to_look_again(self, now: datetime) -> ChunkTask:
        """The task that has the chunk decided again before the hour; it needs no slot."""
        return replace(self.task, size=0, turn_at=now)
