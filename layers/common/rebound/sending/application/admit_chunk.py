"""May this chunk be handed over now? Rate and quota of the providers, kept by all workers together.

A chunk that must wait goes back to its queue as a new message with a delay, and the old one is done: so waiting never
uses up the receives after which a queue gives a message up. What it booked travels with it (``Ticket.turn_at``), so a
chunk books once, which is the one write that pacing costs. A worker that dies between booking and sending has only let
a moment of the rate go by; one that dies after putting the chunk back and before its old message is gone leaves two
messages for one chunk, of which the claim lets one send.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.campaigns.domain.chunks import ChunkState
from rebound.rates.domain import HORIZON, Flow
from rebound.sending.domain.pacing import LONGEST_DELAY

if TYPE_CHECKING:
    from rebound.businesses.domain.sending_accounts import SendingAccount
    from rebound.campaigns.ports import ChunkLedger
    from rebound.kernel.channels import Channel
    from rebound.platform.ports import Clock
    from rebound.rates.domain import Pace
    from rebound.rates.ports import PaceBook, QuotaSource
    from rebound.sending.domain.pacing import Ticket
    from rebound.sending.ports import ChunkQueue

QUOTA_GOOD_FOR: Final = timedelta(seconds=60)
"""Asked for so often by all workers together: SES allows about one such call a second."""
AT_ONCE: Final = timedelta(seconds=1)
"""A queue cannot hold back for less."""
UNKNOWN_RATE: Final = 1.0
"""Messages a second while the provider has not been heard: what SES allows in its sandbox."""


class Admission(StrEnum):
    """What may be done with a chunk now."""

    SEND = "send"
    """Its turn has come."""
    SETTLE = "settle"
    """Somebody is handing it over, or has died meanwhile: what they left may be settled, and nothing be handed over."""
    NOTHING = "nothing"
    """It is back on its queue, or was done before."""


class AdmitChunk(Struct, frozen=True, kw_only=True):
    """Decides about one ticket; a chunk that is not admitted is back on its queue when this returns."""

    paces: PaceBook
    quotas: QuotaSource
    chunks: ChunkLedger
    queue: ChunkQueue
    clock: Clock
    chance: Callable[[], float]

    def __call__(self, channel: Channel, ticket: Ticket, account: SendingAccount) -> Admission:
        """Whether the chunk's turn is now. One that is done already is not put back.

        To settle takes no turn and may not wait, because receipts of what went out wait for it.
        """
        now = self.clock.now()
        pace = self._pace(account, now)
        stopped_until = pace.stopped_until(now)
        turn_at = ticket.turn_at if stopped_until is None else None
        if turn_at is None:
            state = self.chunks.state(ticket.key)
            if state is ChunkState.DONE:
                # A message too many, as a resume may leave one. It must not use up the rate.
                return Admission.NOTHING
            if state is ChunkState.SENDING:
                return Admission.SETTLE
            if stopped_until is not None:
                self._back(channel, replace(ticket, turn_at=None), min(stopped_until - now, LONGEST_DELAY))
                return Admission.NOTHING
            flow = Flow(ticket.key.business_id, ticket.lane)
            rate = account.rate or (pace.quota.rate if pace.quota is not None else UNKNOWN_RATE)
            width = timedelta(seconds=ticket.size / pace.rate_of(flow, rate, now))
            turn_at = self.paces.book(account.name, flow, width, now, now + HORIZON)
            if turn_at is None:
                self._back(channel, ticket, self._until_there_is_room(channel, ticket, rate))
                return Admission.NOTHING
        if turn_at - now < AT_ONCE:
            return Admission.SEND
        self._back(channel, replace(ticket, turn_at=turn_at), min(turn_at - now, LONGEST_DELAY))
        return Admission.NOTHING

    def _back(self, channel: Channel, ticket: Ticket, delay: timedelta) -> None:
        self.queue.put(channel, [ticket], delay)

    def _until_there_is_room(self, channel: Channel, ticket: Ticket, rate: float) -> timedelta:
        """A delay after which what waits will have become bookable, spread so that not all come at once.

        What waits on the queue takes ``backlog``; everybody comes again while some of it is left, so that no time goes
        by unused, and not before a part of it is over. The flow is booked for longer than the shortest delay.
        """
        backlog = timedelta(seconds=self.queue.waiting(channel, ticket.lane) * ticket.size / rate)
        spread = backlog * (0.25 + self.chance() / 2)
        return min(max(spread, HORIZON * (0.5 + self.chance() / 4)), LONGEST_DELAY)

    def _pace(self, account: SendingAccount, now: datetime) -> Pace:
        """The pace, with a quota that is not older than a minute where the provider has one to give."""
        pace = self.paces.pace(account.name, now)
        if account.rate is not None or (pace.quota_read_at is not None and now - pace.quota_read_at < QUOTA_GOOD_FOR):
            return pace
        # One of all workers asks; the others go on with what is known.
        if not self.paces.claim_quota(account.name, pace.quota_read_at, now):
            return pace
        quota = self.quotas.quota()
        if quota is None:
            return pace
        self.paces.keep_quota(account.name, quota)
        pace = replace(pace, quota=quota)
        if quota.used_up:
            stop = pace.next_stop(now)
            self.paces.stop(account.name, stop)
            return replace(pace, stop=stop)
        return pace
