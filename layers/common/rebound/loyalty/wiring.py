"""The ports of loyalty over AWS, and the use cases made of them (``platform.wiring``)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from rebound.activity.wiring import ActivityUseCases, AwsActivityPorts
from rebound.jobs.wiring import AwsJobsPorts, JobsUseCases
from rebound.platform.wiring import in_this_process, use_case
from rebound.timers.wiring import AwsTimersPorts, TimersUseCases

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rebound.businesses.domain.business import Business
    from rebound.jobs.application.run_job import JobWork
    from rebound.jobs.domain import JobKind
    from rebound.loyalty.application.favourites import Favourites
    from rebound.loyalty.application.find_tiers import FindTiers
    from rebound.loyalty.application.rank_customers import RankCustomers
    from rebound.loyalty.application.use_rankings import RankAtNight, StartRanking, TierOfCustomer, UseRankings
    from rebound.loyalty.domain.standings import Standings
    from rebound.loyalty.ports import LoyaltyPorts, Rankings
    from rebound.timers.domain import Timer
    from rebound.timers.ports import Waker

RANKING = "loyalty-ranking"


class AwsLoyaltyPorts(AwsActivityPorts, AwsJobsPorts, AwsTimersPorts):
    """The ports of loyalty over AWS."""

    @cached_property
    def rankings(self) -> Rankings:
        from rebound.loyalty.adapters import DynamoRankings

        return DynamoRankings(self.settings["DIRECTORY_TABLE"])


class LoyaltyUseCases(ActivityUseCases, JobsUseCases, TimersUseCases):
    """The use cases of loyalty."""

    ports: LoyaltyPorts

    favourites: Favourites = use_case("rebound.loyalty.application.favourites")
    find_tiers: FindTiers = use_case("rebound.loyalty.application.find_tiers")
    rank_customers: RankCustomers = use_case("rebound.loyalty.application.rank_customers")
    use_rankings: UseRankings = use_case("rebound.loyalty.application.use_rankings", rank="rank_customers")
    tier_of_customer: TierOfCustomer = use_case("rebound.loyalty.application.use_rankings")
    start_ranking: StartRanking = use_case("rebound.loyalty.application.use_rankings", jobs="job_service")
    rank_at_night: RankAtNight = use_case("rebound.loyalty.application.use_rankings", jobs="job_service")

    def standings_at_need(self, business: Business, at: datetime, is_next_page: bool) -> Standings:  # noqa: FBT001 - a port
        """What tiers are found with; few filters ask for one."""
        return self.use_rankings.standings(business, at, is_next_page=is_next_page)

    @cached_property
    def wakers(self) -> Mapping[str, Waker]:
        """Who wakes each kind of timer."""
        return {**super().wakers, RANKING: self._rank_at_need}

    def _rank_at_need(self, timers: Sequence[Timer]) -> None:
        """Few sweeps wake any."""
        self.rank_at_night(timers)

    @cached_property
    def job_works(self) -> Mapping[JobKind, JobWork]:
        from rebound.jobs.domain import JobKind
        from rebound.loyalty.application.rank_customers import RankingWork

        ledger = self.ports.job_ledger
        return {
            **super().job_works,
            JobKind.RANKING: self.made(RankingWork, ledger=ledger, rank=self.rank_customers),
        }


use_cases = in_this_process(LoyaltyUseCases, AwsLoyaltyPorts)
ports = AwsLoyaltyPorts
