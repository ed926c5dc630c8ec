"""May this chunk be handed over now? Rate and quota of the providers, kept by all workers together.

A chunk that must wait goes back to its queue as a new message with a delay, and the old one is done: so waiting never
uses up the receives after which a queue gives a message up. What it booked travels with it (``ChunkTask.turn_at``), so
a chunk books once, which is the one write that rate limiting costs. A worker that dies between booking and sending has
only let a moment of the rate go by. One that dies after putting the chunk back, before its old message is gone, leaves
two messages for one chunk, of which the claim lets one send.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import SendingAccount
from rebound.campaigns.domain.chunks import ChunkState
from rebound.kernel.channels import Channel
from rebound.rates.domain import HORIZON, Flow, RateState
from rebound.sending.domain.chunk_tasks import LONGEST_DELAY, ChunkTask

if TYPE_CHECKING:
    from rebound.campaigns.ports import ChunkLedger
    from rebound.platform.ports import Clock
    from rebound.rates.ports import QuotaSource, RateBook
    from rebound.sending.ports import ChunkQueue

QUOTA_GOOD_FOR: Final = timedelta(seconds=60)
"""Asked for so often by all workers together: SES allows about one such call a second."""
SHORTEST_DELAY: Final = timedelta(seconds=1)
"""A queue cannot hold back for less."""
UNKNOWN_RATE: Final = 1.0
"""Messages a second while the provider has not been heard: what SES allows in its sandbox."""


class SlotResult(StrEnum):
    """What may be done with a chunk now."""

    SEND = "send"
    """Its turn has come."""
    SETTLE = "settle"
    """Somebody is handing it over, or has died meanwhile: what they left may be settled, and nothing be handed over."""
    NOTHING = "nothing"
    """It is back on its queue, or was done before."""


class AcquireSendSlot(Struct, frozen=True, kw_only=True):
    """Decides whether a chunk may be sent now; one that may not is back on its queue when this returns."""

    rates: RateBook
    quotas: QuotaSource
    chunks: ChunkLedger
    queue: ChunkQueue
    clock: Clock
    chance: Callable[[], float]

    def __call__(self, channel: Channel, task: ChunkTask, account: SendingAccount) -> SlotResult:
        """Whether it is the chunk's turn. One that is done already is not put back.

        To settle takes no turn and may not wait, because receipts of what went out wait for it.
        """
        now = self.clock.now()
        rate_state = self._rate_state(account, now)
        stopped_until = rate_state.stopped_until(now)
        turn_at = task.turn_at if stopped_until is None else None
        if turn_at is None:
            state = self.chunks.state(task.key)
            if state is ChunkState.DONE:
                # A message too many, as a resume may leave one. It must not use up the rate.
                return SlotResult.NOTHING
            if state is ChunkState.SENDING:
                return SlotResult.SETTLE
            if stopped_until is not None:
                self._back(channel, replace(task, turn_at=None), min(stopped_until - now, LONGEST_DELAY))
                return SlotResult.NOTHING
            flow = Flow(task.key.business_id, task.lane)
            rate = account.rate or (rate_state.quota.rate if rate_state.quota is not None else UNKNOWN_RATE)
            width = timedelta(seconds=task.size / rate_state.rate_of(flow, rate, now))
            turn_at = self.rates.book(account.name, flow, width, now, now + HORIZON)
            if turn_at is None:
                self._back(channel, task, self._until_there_is_room(channel, task, rate))
                return SlotResult.NOTHING
        if turn_at - now < SHORTEST_DELAY:
            return SlotResult.SEND
        self._back(channel, replace(task, turn_at=turn_at), min(turn_at - now, LONGEST_DELAY))
        return SlotResult.NOTHING

    def _back(self, channel: Channel, task: ChunkTask, delay: timedelta) -> None:
        self.queue.put(channel, [task], delay)

    def _until_there_is_room(self, channel: Channel, task: ChunkTask, rate: float) -> timedelta:
        """A delay after which what waits will have become bookable, spread so that not all come at once.

        What waits on the queue takes ``backlog``; everybody comes again while some of it is left, so that no time goes
        by unused, and not before a part of it is over. The flow is booked for longer than the shortest delay.
        """
        backlog = timedelta(seconds=self.queue.waiting(channel, task.lane) * task.size / rate)
        spread = backlog * (0.25 + self.chance() / 2)
        return min(max(spread, HORIZON * (0.5 + self.chance() / 4)), LONGEST_DELAY)

    def _rate_state(self, account: SendingAccount, now: datetime) -> RateState:
        """The account's state; its quota is at most a minute old where the provider has one to give."""
        rate_state = self.rates.current(account.name, now)
        if account.rate is not None or (
            rate_state.quota_read_at is not None and now - rate_state.quota_read_at < QUOTA_GOOD_FOR
        ):
            return rate_state
        # One of all workers asks; the others go on with what is known.
        if not self.rates.claim_quota(account.name, rate_state.quota_read_at, now):
            return rate_state
        quota = self.quotas.quota()
        if quota is None:
            return rate_state
        self.rates.keep_quota(account.name, quota)
        rate_state = replace(rate_state, quota=quota)
        if quota.used_up:
            stop = rate_state.next_stop(now)
            self.rates.stop(account.name, stop)
            return replace(rate_state, stop=stop)
        return rate_state
