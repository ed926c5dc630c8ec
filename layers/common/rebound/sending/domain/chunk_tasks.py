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
"""The longest time for which SQS delays a message."""
FIRST_ROUND: Final = timedelta(seconds=15)
"""How long a chunk that has just begun to wait for its hour is left alone."""


def lane_of(campaign: Campaign) -> Lane:
    """The lane of a campaign's messages."""
    return Lane.BULK if campaign.category.is_promotional and not campaign.single else Lane.PROMPT


def channel_of(campaign: Campaign, key: ChunkKey) -> Channel:
    """The channel of one of a campaign's chunks."""
    return Channel.EMAIL if key.fell_back is not None else campaign.channel


class ChunkTask(Struct, frozen=True):
    """The task to send a chunk: at most ``size`` messages, and not before ``turn_at`` once a slot is booked.

    A task of size 0 only has its chunk decided again; recipients who may be sent to then come back without a slot.
    """

    key: ChunkKey
    size: int
    lane: Lane
    turn_at: datetime | None = None


class DeferredChunkTask(Struct, frozen=True):
    """The task to send a chunk whose recipients are all deferred: it is on no lane until ``not_before``.

    The size of ``task`` is how many may go out at that time; the others wait for longer. The chunk has waited ``since``
    the time given, as decided under ``version`` of the business's settings (0 where that is not known).
    """

    channel: Channel
    task: ChunkTask
    not_before: datetime
    since: datetime
    version: int

    def round_from(self, now: datetime) -> timedelta:
        """How long the chunk is left alone: until its hour, but at most as long as it has waited or a queue can delay.

        A change soon after the decision is therefore seen soon, and rounds are few all the same.
        """
        left = max(self.not_before - now, timedelta())
        return min(left, within(FIRST_ROUND, now - self.since, LONGEST_DELAY))

    def to_look_again(self, now: datetime) -> ChunkTask:
        """The task that has the chunk decided again before the hour; it needs no slot."""
        return replace(self.task, size=0, turn_at=now)
