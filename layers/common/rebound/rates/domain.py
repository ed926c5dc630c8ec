"""How fast messages may be handed to a provider, shared between workers that know of each other only by a table.

A provider takes so many messages a second from one *sending account* (SES from an AWS account, Twilio from one sender).
Everybody who sends over it is a *flow*: one lane of one business. A flow books time on the account before it hands a
chunk over: booking ``n`` messages moves the moment until which the flow is booked by ``n`` divided by the flow's share
of the rate, and the chunk goes out at the moment at which its own piece begins. That is a leaky bucket kept as one
number ("virtual scheduling", ITU-T I.371), which one atomic write moves.

Flows that are booked share the rate by weight, so that a business with a million messages waiting leaves a business
with ten its half, and what somebody waits for (``PROMPT``) goes before what can wait (``BULK``). A flow that is not
booked takes no share. A flow may be booked only ``HORIZON`` ahead: what is booked does not change when others come or a
campaign is cancelled, so it must not be much.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct, field

from rebound.kernel.provider_codes import Provider

HORIZON: Final = timedelta(minutes=2)
"""So far ahead a flow may be booked."""


LINGERING: Final = timedelta(seconds=10)
"""So long a flow counts after what it booked is over: its next chunk may be on its way."""


SLOWEST: Final = 0.1
"""The share of the provider's rate that is left at the hardest braking."""


BRAKING: Final = 0.7
"""By which a throttle multiplies the rate."""


RECOVERY: Final = timedelta(seconds=60)
"""How long it takes from a standstill to the full rate."""


SHORTEST_STOP: Final = timedelta(minutes=1)


LONGEST_STOP: Final = timedelta(minutes=15)
"""How long nothing is tried after a provider's "not today": as long again as there has been nothing to be had, within
these. Its 24 hours are rolling, so that some of them free up at any time, and its allowance may be raised."""


class Lane(StrEnum):
    """Which of the two ways a message takes, so that nobody's reminder waits behind somebody's million."""

    PROMPT = "prompt"
    """What somebody waits for: a message to one person, reminders and other transactional messages."""
    BULK = "bulk"
    """What is sent to win business."""


_WEIGHTS: Final[Mapping[Lane, int]] = {Lane.PROMPT: 4, Lane.BULK: 1}


class Flow(Struct, frozen=True):
    """One lane of one business, on one sending account."""

    business_id: str
    lane: Lane

    def __str__(self) -> str:
        return f"{self.business_id}#{self.lane}"

    @classmethod
    def parse(cls, text: str) -> Flow:
        """The flow that ``str`` wrote."""
        business_id, lane = text.rsplit("#", 1)
        return cls(business_id, Lane(lane))


class Quota(Struct, frozen=True):
    """What a provider allows: messages a second, and in 24 hours (``None`` for no limit) with those sent so far."""

    rate: float
    daily: int | None = None
    sent_today: int = 0

    @property
    def used_up(self) -> bool:
        """Whether nothing more may be sent today."""
        return self.daily is not None and self.sent_today >= self.daily


class Stop(Struct, frozen=True):
    """Nothing goes out until then: the allowance of the day is used up, ``since`` a time however often it was tried."""

    since: datetime
    until: datetime


class RateState(Struct, frozen=True):
    """What is known of one sending account, some seconds old at most.

    ``booked`` says until when each flow is booked. ``brake`` is the share of the rate that was left at ``braked_at``,
    after a throttle. ``stop`` is the last one, which may be over.
    """

    quota: Quota | None = None
    quota_read_at: datetime | None = None
    booked: Mapping[Flow, datetime] = field(default_factory=lambda: MappingProxyType({}))
    brake: float = 1.0
    braked_at: datetime | None = None
    stop: Stop | None = None

    def stopped_until(self, now: datetime) -> datetime | None:
        """Until when nothing goes out; ``None`` while something may."""
        return self.stop.until if self.stop is not None and self.stop.until > now else None

    def rate_of(self, flow: Flow, rate: float, now: datetime) -> float:
        """Messages a second for a flow: its share, by weight among the flows under way, of the account's ``rate``."""
        under_way = {known for known, until in self.booked.items() if until > now - LINGERING} | {flow}
        share = _WEIGHTS[flow.lane] / sum(_WEIGHTS[known.lane] for known in under_way)
        return rate * share * self.released(now)

    def released(self, now: datetime) -> float:
        """The share of the rate that braking leaves at ``now``."""
        if self.braked_at is None:
            return 1.0
        return min(1.0, self.brake + (now - self.braked_at) / RECOVERY)

    def braked(self, now: datetime) -> float:
        """The share that is to be left after one more throttle at ``now``."""
        return max(SLOWEST, self.released(now) * BRAKING)

    def next_stop(self, now: datetime) -> Stop:
        """The stop that follows when the allowance of the day is found to be used up at ``now``."""
        goes_on = self.stop is not None and now - self.stop.until < LONGEST_STOP
        since = self.stop.since if self.stop is not None and goes_on else now
        return Stop(since, now + within(SHORTEST_STOP, now - since, LONGEST_STOP))


def within(least: timedelta, wanted: timedelta, most: timedelta) -> timedelta:
    """What is wanted, but no less and no more than these."""
    return min(max(wanted, least), most)


_TOO_FAST: Final = frozenset(provider.traits.too_fast for provider in Provider)


class Throttled(Struct, frozen=True):
    """The provider asks to come again; it has not gone out. ``daily`` when the allowance of the day is used up."""

    code: str
    daily: bool = False

    @property
    def slows_down(self) -> bool:
        """Whether it is about how fast, or how much, was sent; otherwise it was something else that will pass."""
        return self.daily or self.code in _TOO_FAST
