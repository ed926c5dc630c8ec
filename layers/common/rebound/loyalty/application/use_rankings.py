"""The ranking that tiers are found with, made each night for businesses that use it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zlib import crc32

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.customers.domain import Customer
from rebound.jobs.domain import JobKind
from rebound.kernel.errors import ConflictError, NotFoundError
from rebound.kernel.local_time import first_instant_of, wall_clock
from rebound.loyalty.domain.ranking import Ranking
from rebound.loyalty.domain.tiers import Standings, Tier
from rebound.timers.domain import Timer

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.jobs.application.job_service import JobService, JobView
    from rebound.loyalty.application.find_tiers import FindTiers
    from rebound.loyalty.application.rank_customers import RankCustomers
    from rebound.loyalty.ports import Rankings
    from rebound.platform.ports import Clock
    from rebound.timers.ports import TimerBook

RANKING: Final = "loyalty-ranking"
"""The kind of the timers that rank a business's customers at night; their keys are business ids."""
STALE: Final = timedelta(days=2)
"""A ranking that is older is made anew when it is asked for: the nights have stopped."""
UNUSED: Final = timedelta(days=30)
"""Who has asked for no tier for so long is not ranked any more."""
MOST_PAGES: Final = 2
"""Pages of customers that are ranked because somebody looks at one of them."""
AT_NIGHT: Final = time(2)
SPREAD: Final = timedelta(hours=3)
"""The businesses of a zone are not all ranked in the same minute."""


class UseRankings(Struct, frozen=True, kw_only=True):
    """Gives the latest ranking, and remembers that it was asked for.

    The first to ask, today, has the next night's timer written, or one for now where there is nothing to give yet.
    Nothing is read or written for a business that never asks.
    """

    rankings: Rankings
    businesses: BusinessDirectory
    timers: TimerBook
    rank: RankCustomers
    clock: Clock

    def standings(self, business: Business, at: datetime) -> Standings:
        """What tiers are found with at a time: who is on top as of the latest ranking, all else as of that day.

        Raises ``ConflictError`` where a business is ranked for the first time and too large for that while one waits.
        """
        latest = self.fresh(business)
        if latest is None:
            self.timers.put([Timer(self.clock.now(), RANKING, business.business_id)])
            raise ConflictError(
                "not_ranked_yet",
                "The customers are being ranked for the first time, so that nobody's tier is known yet.",
            )
        return Standings(business.local_day(at), frozenset(latest.top), latest.is_reviewed, business.time_zone)

    def fresh(self, business: Business) -> Ranking | None:
        """The latest ranking, or a new one where there is none of these days and that is quickly done."""
        self._used(business)
        latest = self.rankings.get(business.business_id)
        if latest is not None and self.clock.now() - latest.ranked_at < STALE:
            return latest
        return self.rank(business.business_id) or latest

    def anew(self, business_id: str) -> Ranking | None:
        """The ranking of now where that is quickly done, else the latest; ``None`` when there is none."""
        self._used(self.businesses.get(business_id))
        return self.rank(business_id) or self.rankings.get(business_id)

    def _used(self, business: Business) -> None:
        now = self.clock.now()
        today = business.local_day(now)
        if self.rankings.used_on(business.business_id) != today:
            self.timers.put([_next_night(business, now)])
            self.rankings.note_use(business.business_id, today)


class TierOfCustomer(Struct, frozen=True, kw_only=True):
    """Finds the tier of one customer, for who looks at them: no use of the ranking that would have it made at night."""

    rankings: Rankings
    businesses: BusinessDirectory
    rank: RankCustomers
    find_tiers: FindTiers
    clock: Clock

    def __call__(self, customer: Customer) -> Tier | None:
        """The tier; ``None`` for none, and where many customers have not been ranked."""
        business, now = self.businesses.get(customer.business_id), self.clock.now()
        latest = self.rankings.get(business.business_id)
        if latest is None or now - latest.ranked_at >= STALE:
            latest = self.rank(business.business_id, MOST_PAGES) or latest
        if latest is None:
            return None
        standings = replace(latest.standings, day=business.local_day(now), zone=business.time_zone)
        return self.find_tiers(business, [customer], standings)[customer.customer_id]


class StartRanking(Struct, frozen=True, kw_only=True):
    """Starts a job that ranks the customers of a business by day."""

    businesses: BusinessDirectory
    jobs: JobService
    clock: Clock

    def __call__(self, business_id: str, request: str | None = None) -> JobView:
        """Start it, once a day unless the request has a name."""
        day = self.businesses.get(business_id).local_day(self.clock.now())
        return self.jobs.start(business_id, JobKind.RANKING, {}, request=request or f"{RANKING}#{day}")


class RankAtNight(Struct, frozen=True, kw_only=True):
    """Wakes the businesses whose customers are due to be ranked, and has them woken the next night again."""

    rankings: Rankings
    businesses: BusinessDirectory
    timers: TimerBook
    jobs: JobService
    clock: Clock

    def __call__(self, timers: Sequence[Timer]) -> None:
        """Start the jobs; one of each business and night, however often it is woken."""
        for timer in timers:
            try:
                business = self.businesses.get(timer.key)
            except NotFoundError:
                continue
            used_on = self.rankings.used_on(timer.key)
            now = self.clock.now()
            if used_on is None or business.local_day(now) - used_on > UNUSED:
                continue
            self.timers.put([_next_night(business, max(now, timer.due_at))])
            night = business.local_day(timer.due_at)
            self.jobs.start(timer.key, JobKind.RANKING, {}, request=f"{RANKING}#night#{night}", in_one=True)


def _next_night(business: Business, after: datetime) -> Timer:
    """When the customers of a business are ranked next after a time."""
    zone = business.time_zone
    minute = timedelta(minutes=crc32(business.business_id.encode()) % (SPREAD // timedelta(minutes=1)))
    day: date = wall_clock(after, zone).date()
    while True:
        due_at = first_instant_of(datetime.combine(day, AT_NIGHT) + minute, zone)
        if due_at > after:
            return Timer(due_at, RANKING, business.business_id)
        day += timedelta(days=1)
