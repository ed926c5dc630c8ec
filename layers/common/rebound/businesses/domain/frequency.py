"""Frequency caps: how many messages of some kinds one customer may be handed within some days.

A message counts from right before its hand-over: it reserves room among those that the customer has been handed, and
releases it when it is known not to have gone out. What was accepted keeps its reservation, and so does what may have
gone out for all that anybody knows. Days are rolling and exact: what is reserved at 10:00 is free seven times 24 hours
later, whatever the clocks did between.
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
"""With the two before, a customer's row stays small: each write of it is paid by the kilobyte."""


class FrequencyCap(Struct, frozen=True):
    """At most so many messages of these categories within so many days.

    ``channel`` is ``None`` for a cap across all channels. With ``per_segment`` messages of different segments count
    apart; everything that was sent without a saved segment counts as one more.
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
        """Whether messages of this kind count, and are held to it."""
        return category in self.categories and self.channel in (None, channel)


class HandOver(Struct, frozen=True):
    """A message that a customer has been handed or is about to be handed, as caps look at it.

    ``attempt`` counts the claims of the message's chunk: only who holds the chunk later may release what it reserved.
    """

    message_id: str
    at: datetime
    category: Category
    channel: Channel
    segment_id: str | None = None
    attempt: int = 0


class CapState(Struct, frozen=True):
    """How a customer stands to one cap. ``free_again_at`` is ``None`` while there is room."""

    cap: FrequencyCap
    counted: int
    free_again_at: datetime | None


class Frequency(Struct, frozen=True):
    """What one customer has been handed of late: the one row at which all who send to them meet.

    ``version`` counts the writes of the stored row, 0 for none, and does not make frequencies differ.
    """

    business_id: str
    customer_id: str
    hand_overs: tuple[HandOver, ...] = ()
    version: int = 0

    def states(self, caps: Iterable[FrequencyCap], wanted: HandOver) -> tuple[CapState, ...]:
        """How the caps that cover ``wanted`` see it at its time; what it has reserved itself does not count."""
        return tuple(self._state(cap, wanted) for cap in caps if cap.covers(wanted.category, wanted.channel))

    def free_again_at(self, caps: Iterable[FrequencyCap], wanted: HandOver) -> datetime | None:
        """When all caps will have room for such a message if nothing else is sent; ``None`` when they have."""
        return max((s.free_again_at for s in self.states(caps, wanted) if s.free_again_at is not None), default=None)

    def reservation_of(self, message_id: str) -> HandOver | None:
        """What a message has reserved."""
        return next((known for known in self.hand_overs if known.message_id == message_id), None)

    def reserving(self, wanted: HandOver, caps: Sequence[FrequencyCap]) -> Frequency:
        """With ``wanted`` reserved, and without what no cap looks at any more."""
        begins = wanted.at - longest_window(caps)
        kept = (known for known in self.hand_overs if known.message_id != wanted.message_id and known.at > begins)
        return replace(self, hand_overs=_in_order(*kept, wanted))

    def releasing(self, message_id: str, attempt: int) -> Frequency:
        """Without what a message has reserved that has not gone out, unless a later attempt has it now."""
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
        # Room for one more is there when all but ``at_most - 1`` of them have left the window.
        full = len(times) >= cap.at_most
        return CapState(cap, len(times), times[len(times) - cap.at_most] + cap.window if full else None)


def longest_window(caps: Iterable[FrequencyCap]) -> timedelta:
    """How far back any of the caps looks."""
    return max((cap.window for cap in caps), default=timedelta())


def _in_order(*hand_overs: HandOver) -> tuple[HandOver, ...]:
    return tuple(sorted(hand_overs, key=lambda known: (known.at, known.message_id)))
