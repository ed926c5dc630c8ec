"""Who the customers with the most sessions are, found piece by piece in whatever order the pieces come."""

from collections.abc import Mapping
from datetime import date, datetime
from heapq import nlargest
from typing import Final

from msgspec import Struct, field

from rebound.loyalty.domain.standings import Standings
from rebound.loyalty.domain.tiers import RECENT, Doings

MOST_ON_TOP: Final = 100


class Rank(Struct, frozen=True):
    """What a customer is ranked by: the sessions of the last 30 days, then all visits, then the smaller id."""

    sessions: int
    visits: int
    customer_id: str

    @property
    def _place(self) -> tuple[int, int, int]:
        return self.sessions, self.visits, -int(self.customer_id, 16)


def rank_of(customer_id: str, doings: Doings, day: date) -> Rank | None:
    """The customer's rank on a day; ``None`` for who had no session, who is never on top."""
    sessions = doings.visits(day - RECENT, day)
    return Rank(sessions, doings.visits(date.min, day), customer_id) if sessions else None


def highest(*ranks: Rank) -> tuple[Rank, ...]:
    """Those that are on top, the first of them first; the same for any order, and for what is taken together first."""
    return tuple(nlargest(MOST_ON_TOP, set(ranks), key=lambda rank: rank._place))  # noqa: SLF001


class Ranking(Struct, frozen=True):
    """The latest standings of a business, with how many customers were of each tier then.

    ``counts`` has the tiers, and under ``none`` those who are of no tier. ``day`` is that of the business's calendar at
    ``ranked_at``; ``top`` is in the order of the ranks.
    """

    ranked_at: datetime
    day: date
    top: tuple[str, ...]
    is_reviewed: bool
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def customers(self) -> int:
        """How many customers there were."""
        return sum(self.counts.values())

    @property
    def standings(self) -> Standings:
        """What tiers need to know of it."""
        return Standings(self.day, frozenset(self.top), self.is_reviewed, ranked_at=self.ranked_at)
