"""Rankings in memory."""

from datetime import date
from functools import cached_property

from rebound.loyalty.domain.ranking import Ranking
from tests.contract.activity.fakes import MemoryActivityPorts
from tests.contract.jobs.fakes import MemoryJobsPorts


class MemoryRankings:
    """Implements ``Rankings``."""

    def __init__(self) -> None:
        self.latest: dict[str, Ranking] = {}
        self.uses: dict[str, date] = {}

    def get(self, business_id: str) -> Ranking | None:
        return self.latest.get(business_id)

    def put(self, business_id: str, ranking: Ranking) -> Ranking:
        kept = self.latest.get(business_id)
        if kept is None or kept.ranked_at <= ranking.ranked_at:
            self.latest[business_id] = ranking
        return self.latest[business_id]

    def used_on(self, business_id: str) -> date | None:
        return self.uses.get(business_id)

    def note_use(self, business_id: str, day: date) -> None:
        self.uses[business_id] = day


class MemoryLoyaltyPorts(MemoryActivityPorts, MemoryJobsPorts):
    """Implements ``LoyaltyPorts``."""

    @cached_property
    def rankings(self) -> MemoryRankings:
        return MemoryRankings()
