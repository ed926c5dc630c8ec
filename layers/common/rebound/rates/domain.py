"""How fast messages may be handed to a provider, agreed between workers that share nothing but a table.

A provider accepts a number of messages a second from one *sending account* (SES from an AWS account, Twilio from one
sender). Each sender over the account is a *flow*: one lane of one business. A flow books time on the account before it
hands a chunk over: booking ``n`` messages moves the end of the flow's booked time by ``n`` divided by the flow's share
of the rate, and the chunk goes out when the time that it booked begins. This is a leaky bucket kept as one number
("virtual scheduling", ITU-T I.371), which one atomic write moves.

Booked flows share the rate by weight. A business with a million messages waiting leaves half of the rate to a business
with ten, and messages that somebody waits for (``PROMPT``) get more of it than messages that can wait (``BULK``). A
flow that is not booked takes no share. A flow may be booked at most ``HORIZON`` ahead: bookings do not change when
other flows come or a campaign is cancelled, so they must be short.
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
"""How far ahead a flow may be booked."""


LINGERING: Final = timedelta(seconds=10)
"""How long a flow still takes a share after its booked time has ended: its next chunk may be on its way."""


SLOWEST: Final = 0.1
"""The share of the provider's rate that is left at the hardest braking."""


BRAKING: Final = 0.7
"""The factor by which a throttle multiplies the rate."""


RECOVERY: Final = timedelta(seconds=60)
"""How long the rate would take to rise from zero to full after braking."""


SHORTEST_STOP: Final = timedelta(minutes=1)


LONGEST_STOP: Final = timedelta(minutes=15)
"""How long nothing is tried once the daily quota is used up: as long as it has been used up so far, between these two
bounds. The provider's 24 hours are rolling, so some quota may become free at any time, and the quota may be raised."""


class Lane(StrEnum):
    """The lane that a message takes. There are two, so that no reminder waits behind a million bulk messages."""

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
    """A provider's limits: messages a second, messages in 24 hours (``None`` for no limit), and those sent so far."""

    rate: float
    daily: int | None = None
    sent_today: int = 0

    @property
    def used_up(self) -> bool:
        """Whether nothing more may be sent today."""
        return self.daily is not None and self.sent_today >= self.daily


class Stop(Struct, frozen=True):
    """Nothing goes out before ``until``: the daily quota is used up, and has been at every try from ``since`` on."""

    since: datetime
    until: datetime


class RateState(Struct, frozen=True):
    """What is known of one sending account, some seconds old at most.

    ``booked`` says until when each flow is booked. ``brake`` is the share of the rate that was left at ``braked_at``,
    after a throttle. ``stop`` is the latest stop, which may be over.
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
        """A flow's messages a second: its share of the account's ``rate``, by weight among the flows under way."""
        under_way = {known for known, until in self.booked.items() if until > now - LINGERING} | {flow}
        share = _WEIGHTS[flow.lane] / sum(_WEIGHTS[known.lane] for known in under_way)
        return rate * share * self.released(now)

    def released(self, now: datetime) -> float:
        """The share of the rate that braking leaves at ``now``."""
        if self.braked_at is None:
            return 1.0
        return min(1.0, self.brake + (now - self.braked_at) / RECOVERY)

    def braked(self, now: datetime) -> float:
        """The share of the rate to keep after one more throttle at ``now``."""
        return max(SLOWEST, self.released(now) * BRAKING)

    def next_stop(self, now: datetime) -> Stop:
        """The stop to make when the daily quota is found to be used up at ``now``."""
        goes_on = self.stop is not None and now - self.stop.until < LONGEST_STOP
        since = self.stop.since if self.stop is not None and goes_on else now
        return Stop(since, now + within(SHORTEST_STOP, now - since, LONGEST_STOP))


def within(least: timedelta, wanted: timedelta, most: timedelta) -> timedelta:
    """``wanted``, but no less than ``least`` and no more than ``most``."""
    return min(max(wanted, least), most)


_TOO_FAST: Final = frozenset(provider.traits.too_fast for provider in Provider)


class Throttled(Struct, frozen=True):
    """The provider asks to try again later; the message has not gone out. ``daily``: the daily quota is used up."""

    code: str
    daily: bool = False

    @property
    def slows_down(self) -> bool:
        """Whether messages were sent too fast, or too many of them; any other cause will pass by itself."""
        return self.daily or self.code in _TOO_FAST
