"""Frequency caps: how many messages of some kinds one customer may be handed within some days.

A message counts from right before its hand-over, when it reserves room in the customer's row. The reservation is
released when the message is known not to have gone out. It stays when the message was accepted, and also when nobody
knows whether the message went out. Days are rolling and exactly 24 hours long: under a cap of seven days, room that is
reserved at 10:00 is free again 7 times 24 hours later, even if clocks were put forward or back in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import replace
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel

MOST_CAPS: Final = 10
HIGHEST_CAP: Final = 50
LONGEST_WITHIN_DAYS: Final = 90
"""Together with ``MOST_CAPS`` and ``HIGHEST_CAP``, keeps a customer's row small: writes are paid by the kilobyte."""
LONGEST_LOYALTY_INTERVAL: Final = 60
"""In days, between two loyalty campaigns to the same people."""


class FrequencyCap(Struct, frozen=True):
    """A customer is handed at most ``at_most`` messages of ``categories`` within ``within_days`` days.

    ``channel`` is ``None`` for a cap across all channels. With ``per_segment``, the messages of each saved segment are
    counted separately, and all messages sent without a saved segment are counted together.
    """

    name: str
    categories: tuple[Category, ...]
    at_most: int
    within_days: int
    channel: Channel | None = None
    per_segment: bool = False

    @property
    def window(self) -> timedelta:
        """How long a message counts."""
        return timedelta(days=self.within_days)

    def covers(self, category: Category, channel: Channel) -> bool:
        """Whether such messages count towards the cap and are limited by it."""
        return category in self.categories and self.channel in (None, channel)


class HandOver(Struct, frozen=True):
    """A message that a customer has been handed or is about to be handed, as caps see it.

    ``attempt`` is the number of the chunk's claim that reserved room; only that claim or a later one may release it.
    """

    message_id: str
    at: datetime
    category: Category
    channel: Channel
    segment_id: str | None = None
    attempt: int = 0


class CapState(Struct, frozen=True):
    """Where a customer stands with one cap. ``free_again_at`` is ``None`` while there is room."""

    cap: FrequencyCap
    counted: int
    free_again_at: datetime | None


class Frequency(Struct, frozen=True):
    """What one customer has been handed lately: the one row that everybody who sends to the customer writes.

    ``version`` counts the writes of the stored row, 0 for none.
    """

    business_id: str
    customer_id: str
    hand_overs: tuple[HandOver, ...] = ()
    version: int = 0

    def states(self, caps: Iterable[FrequencyCap], wanted: HandOver) -> tuple[CapState, ...]:
        """The states, at the time of ``wanted``, of the caps that cover it; its own reservation does not count."""
        return tuple(self._state(cap, wanted) for cap in caps if cap.covers(wanted.category, wanted.channel))

    def free_again_at(self, caps: Iterable[FrequencyCap], wanted: HandOver) -> datetime | None:
        """When all caps will have room for such a message if nothing else is sent; ``None`` when all have room now."""
        return max((s.free_again_at for s in self.states(caps, wanted) if s.free_again_at is not None), default=None)

    def reservation_of(self, message_id: str) -> HandOver | None:
        """The reservation of a message; ``None`` when it has none."""
        return next((known for known in self.hand_overs if known.message_id == message_id), None)

    def reserving(self, wanted: HandOver, caps: Sequence[FrequencyCap]) -> Frequency:
        """The frequency with ``wanted`` reserved, and without the hand-overs that are too old for every cap."""
        begins = wanted.at - longest_window(caps)
        kept = (known for known in self.hand_overs if known.message_id != wanted.message_id and known.at > begins)
        return replace(self, hand_overs=_in_order(*kept, wanted))

    def releasing(self, message_id: str, attempt: int) -> Frequency:
        """The frequency without the reservation of a message that has not gone out, unless a later attempt made it."""
        return replace(
            self, hand_overs=tuple(k for k in self.hand_overs if k.message_id != message_id or k.attempt > attempt)
        )

    def _state(self, cap: FrequencyCap, wanted: HandOver) -> CapState:
        times = sorted(
            known.at
            for known in self.hand_overs
            if known.message_id != wanted.message_id
            and cap.covers(known.category, known.channel)
            and (not cap.per_segment or known.segment_id == wanted.segment_id)
            and known.at + cap.window > wanted.at
        )
        # There is room for one more once all but ``at_most - 1`` of them have left the window.
        full = len(times) >= cap.at_most
        return CapState(cap, len(times), times[len(times) - cap.at_most] + cap.window if full else None)


def longest_window(caps: Iterable[FrequencyCap]) -> timedelta:
    """How far back any of the caps looks."""
    return max((cap.window for cap in caps), default=timedelta())


def _in_order(*hand_overs: HandOver) -> tuple[HandOver, ...]:
    return tuple(sorted(hand_overs, key=lambda known: (known.at, known.message_id)))
