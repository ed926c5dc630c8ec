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
from rebound.loyalty.application.rank_customers import FEW
from rebound.loyalty.domain.ranking import Ranking
from rebound.loyalty.domain.standings import Standings
from rebound.loyalty.domain.tiers import Tier
from rebound.timers.domain import Timer

if TYPE_CHECKING:
    from rebound.activity.domain.summary import Summary
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
FEWEST: Final = 1_000
"""So many customers at most are ranked because somebody looks at one of them, where nobody asks for tiers."""
AT_NIGHT: Final = time(2)
SPREAD: Final = timedelta(hours=3)
"""The businesses of a zone are not all ranked in the same minute."""


class UseRankings(Struct, frozen=True, kw_only=True):
    """Ranks few customers whenever a tier is asked for, gives the latest ranking of many, and remembers who asked.

    The first to ask, today, has the next night's timer written, or one for now where there is nothing to give yet.
    Nothing is read or written for a business that never asks.
    """

    rankings: Rankings
    businesses: BusinessDirectory
    timers: TimerBook
    rank: RankCustomers
    clock: Clock

    def standings(self, business: Business, at: datetime, *, is_next_page: bool = False) -> Standings:
        """What tiers are found with at a time: who is on top as of the latest ranking, all else as of that day.

        Few customers are ranked for it, unless they were since ``at``; not for ``is_next_page`` of something.
        Raises ``ConflictError`` where a business is ranked for the first time and too large for that while one waits.
        """
        self._used(business)
        latest = self.kept(business.business_id) if is_next_page else self.since(business.business_id, at)
        if latest is None:
            self.timers.put([Timer(self.clock.now(), RANKING, business.business_id)])
            raise ConflictError(
                "not_ranked_yet",
                "The customers are being ranked for the first time, so that nobody's tier is known yet.",
            )
        return replace(latest.standings, day=business.local_day(at), zone=business.time_zone)

    def anew(self, business_id: str) -> Ranking | None:
        """The ranking of now where there are few customers, else the latest; ``None`` when there is none."""
        business = self.businesses.get(business_id)
        self._used(business)
        return self.since(business_id, self.clock.now())

    def since(self, business_id: str, at: datetime) -> Ranking | None:
        """A ranking that was not made before ``at``, where there are few customers; else the latest."""
        latest = self.rankings.get(business_id)
        if latest is not None and (latest.customers > FEW or latest.ranked_at >= at):
            return latest
        return self.rank(business_id) or latest

    def kept(self, business_id: str, most: int | None = None) -> Ranking | None:
        """The latest ranking, or one of now where the nights have stopped and there are few (``most``) customers."""
        latest = self.rankings.get(business_id)
        if latest is not None and self.clock.now() - latest.ranked_at < STALE:
            return latest
        return self.rank(business_id, most) or latest

    def is_used(self, business: Business) -> bool:
        """Whether somebody asked for a tier within the last 30 days."""
        used_on = self.rankings.used_on(business.business_id)
        return used_on is not None and business.local_day(self.clock.now()) - used_on <= UNUSED

    def _used(self, business: Business) -> None:
        now = self.clock.now()
        today = business.local_day(now)
        if self.rankings.used_on(business.business_id) != today:
            self.timers.put([_next_night(business, now)])
            self.rankings.note_use(business.business_id, today)


class TierOfCustomer(Struct, frozen=True, kw_only=True):
    """Finds the tier of one customer, for who looks at them: no use of the ranking that would have it made at night.

    A business that asks for tiers is ranked anew where it has few customers; another is ranked every two days, if
    it is small.
    """

    businesses: BusinessDirectory
    use_rankings: UseRankings
    find_tiers: FindTiers
    clock: Clock

    def __call__(self, customer: Customer, summary: Summary) -> tuple[Tier | None, datetime | None]:
        """The tier, and as of when customers were ranked for it.

        The tier is ``None`` for none, and where many customers have not been ranked. No ranking is asked for, and the
        time is ``None``, where the tier does not depend on one: of favourites, and of who never came.
        """
        business, now = self.businesses.get(customer.business_id), self.clock.now()
        standings = Standings(business.local_day(now), zone=business.time_zone)
        if not customer.favourite and summary.first_visit is not None:
            latest = self._latest(business, now)
            if latest is None:
                return None, None
            standings = replace(latest.standings, day=standings.day, zone=standings.zone)
        known = {customer.customer_id: summary}
        return self.find_tiers(business, [customer], standings, known)[customer.customer_id], standings.ranked_at

    def _latest(self, business: Business, now: datetime) -> Ranking | None:
        rankings, business_id = self.use_rankings, business.business_id
        return rankings.since(business_id, now) if rankings.is_used(business) else rankings.kept(business_id, FEWEST)


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

    use_rankings: UseRankings
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
            now = self.clock.now()
            if not self.use_rankings.is_used(business):
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
