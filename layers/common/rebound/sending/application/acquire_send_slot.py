"""Decides whether a chunk may be handed over now, within the providers' rates and quotas that all workers share.

A chunk that must wait goes back to its queue as a new message with a delay, and the old message is deleted. Waiting
therefore never uses up the receives after which a queue gives a message up. The booked time travels with the chunk
(``ChunkTask.turn_at``), so a chunk books once: rate limiting costs one write a chunk. A worker that dies between
booking and sending wastes the time that it booked. A worker that dies after it has put the chunk back, but before the
old message is deleted, leaves two messages for one chunk; the claim lets only one of them send.
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
"""How often all workers together ask for the quota: SES allows about one such call a second."""
ANSWERED_WITHIN: Final = timedelta(seconds=5)
"""How long the other workers wait for the first answer about the quota, instead of booking at ``UNKNOWN_RATE``."""
SHORTEST_DELAY: Final = timedelta(seconds=1)
"""The shortest time for which a queue can delay a message."""
UNKNOWN_RATE: Final = 1.0
"""Messages a second while the provider's rate is not known: what SES allows in its sandbox."""


class SlotResult(StrEnum):
    """What may be done with a chunk now."""

    SEND = "send"
    """Its turn has come."""
    SETTLE = "settle"
    """A worker is handing it over, or died while doing so: that attempt may be settled, but nothing handed over."""
    NOTHING = "nothing"
    """The chunk is back on its queue, or was done already."""


class AcquireSendSlot(Struct, frozen=True, kw_only=True):
    """Decides whether a chunk may be sent now; one that may not is back on its queue when this returns."""

    rates: RateBook
    quotas: QuotaSource
    chunks: ChunkLedger
    queue: ChunkQueue
    clock: Clock
    chance: Callable[[], float]

    def __call__(self, channel: Channel, task: ChunkTask, account: SendingAccount) -> SlotResult:
        """Whether it is the chunk's turn. A chunk that is done already is not put back.

        Settling takes no turn and must not wait, because the receipts of what went out wait for it.
        """
        now = self.clock.now()
        rate_state = self._rate_state(account, now)
        stopped_until = rate_state.stopped_until(now)
        turn_at = task.turn_at if stopped_until is None else None
        if turn_at is None:
            state = self.chunks.state(task.key)
            if state is ChunkState.DONE:
                # A surplus queue message, such as a resume may leave. It must not use up the rate.
                return SlotResult.NOTHING
            if state is ChunkState.SENDING:
                return SlotResult.SETTLE
            if stopped_until is not None:
                self._back(channel, replace(task, turn_at=None), min(stopped_until - now, LONGEST_DELAY))
                return SlotResult.NOTHING
            if account.rate is None and self._is_being_asked(rate_state, now):
                self._back(channel, task, SHORTEST_DELAY)
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
        """A delay after which there will be room to book, spread at random so that not all chunks come back at once.

        Sending what waits on the queue takes ``backlog``. A chunk comes back when a part of that is over, but while
        some of it is left, so that no time goes unused. The flow is booked for longer than the shortest delay.
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
        # Only one worker asks; the others go on with what is known.
        if not self.rates.claim_quota(account.name, rate_state.quota_read_at, now):
            return self.rates.current(account.name, now)
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

    @staticmethod
    def _is_being_asked(rate_state: RateState, now: datetime) -> bool:
        """Whether another worker asks for a quota of which nothing is known yet."""
        asked_at = rate_state.quota_read_at
        return rate_state.quota is None and asked_at is not None and now - asked_at < ANSWERED_WITHIN
