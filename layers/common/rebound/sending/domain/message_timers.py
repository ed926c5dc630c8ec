"""The timers of messages to one person, which wait in the table of timers when their time is far off."""

from datetime import datetime, timedelta
from typing import Final

from rebound.campaigns.domain.campaigns import Campaign, single_id
from rebound.campaigns.domain.chunks import ChunkKey, chunk_name
from rebound.kernel.channels import Channel
from rebound.rates.domain import Lane
from rebound.sending.domain.chunk_tasks import LONGEST_DELAY, ChunkTask
from rebound.timers.domain import Timer

MESSAGE: Final = "message"
"""The kind of timer."""
FAR: Final = LONGEST_DELAY
"""A message whose time is farther off waits in the table of timers, where waiting costs nothing."""


def single_chunk(business_id: str, message_id: str) -> ChunkKey:
    """The chunk of a message to one person."""
    return ChunkKey(business_id, single_id(message_id), chunk_name(0, 0))


def timer_of(carrier: Campaign, now: datetime) -> Timer | None:
    """The timer that wakes a message at its time; ``None`` for one whose time is near, or that has none.

    A local time is woken at the first moment at which a clock on earth shows it: where the customer is may still
    change. From there, and through quiet hours, the message is held like any other.
    """
    at = carrier.send_at
    if not carrier.single or carrier.run_id is None or at is None or at - now <= FAR:
        return None
    return Timer(at, MESSAGE, f"{carrier.channel}#{carrier.business_id}#{carrier.run_id}")


def woken_by(timer: Timer) -> tuple[Channel, ChunkTask]:
    """The task of the message that a timer wakes, with its channel."""
    channel, _, named = timer.key.partition("#")
    business_id, _, message_id = named.rpartition("#")
    return Channel(channel), ChunkTask(single_chunk(business_id, message_id), 1, Lane.PROMPT)


def left_until(at: datetime, now: datetime) -> timedelta:
    """How long to wait, in whole seconds, because what comes a moment too early has to wait once more."""
    return timedelta(seconds=max(0, -((now - at) // timedelta(seconds=1))))
