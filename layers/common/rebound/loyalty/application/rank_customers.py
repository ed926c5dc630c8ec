"""Ranking the customers of a business: at once where they are few, and as a job.

Customers are read twice, range by range: first to find who is on top and whether there is any review, then, with that,
to count the tiers. Only the best of each range so far are kept, beside its progress.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import replace
from datetime import date
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.customers.domain import Customer
from rebound.jobs.application.run_job import beyond, completed
from rebound.jobs.domain import LOOKED_AT, Job, JobProgress, JobStatus
from rebound.kernel.ids import bounds
from rebound.loyalty.domain.ranking import Rank, Ranking, highest, rank_of
from rebound.loyalty.domain.standings import Standings

if TYPE_CHECKING:
    from rebound.activity.domain.summary import Summary
    from rebound.activity.ports import SummaryBook
    from rebound.businesses.ports import BusinessDirectory
    from rebound.customers.ports import CustomerBook
    from rebound.jobs.ports import JobLedger
    from rebound.loyalty.application.find_tiers import FindTiers
    from rebound.loyalty.domain.tiers import Tier
    from rebound.loyalty.ports import Rankings
    from rebound.platform.ports import Clock

PAGE: Final = 500
"""Customers read at a time."""
FEW: Final = 3_000
"""So many customers at most are ranked whenever somebody asks, while the request waits."""
NO_TIER: Final = "none"
REVIEWED: Final = "reviewed"
TIER: Final = "tier:"
_RANKED: Final = "ranked:"
"""Before the id of a customer of the best of a range, in the counts of the first phase."""
_DIGITS: Final = 1_000_000
"""More visits than anybody makes: sessions and visits are kept as one number."""


class Piece(Struct, frozen=True):
    """What some customers of a business add to its ranking."""

    ranks: Sequence[Rank] = ()
    is_reviewed: bool = False


class RankCustomers(Struct, frozen=True, kw_only=True):
    """Ranks customers who have been read, or all of a business that has few while a request waits."""

    customers: CustomerBook
    summaries: SummaryBook
    businesses: BusinessDirectory
    rankings: Rankings
    find_tiers: FindTiers
    clock: Clock

    def __call__(self, business_id: str, most: int | None = None) -> Ranking | None:
        """Rank the customers of a business now, and keep the ranking; ``None`` where there are more than ``FEW``.

        With ``most``, where there are more than that. Profiles, what they did and contacts are each read once, and
        where there are too many nothing but so many profiles.
        """
        business, began = self.businesses.get(business_id), self.clock.now()
        customers = self._all(business_id, FEW if most is None else most)
        if customers is None:
            return None
        day, summaries = business.local_day(began), self._summaries(business_id, customers)
        piece = _piece(summaries, day)
        ranking = Ranking(began, day, _ids(piece.ranks), piece.is_reviewed)
        counts = _counted(self.find_tiers(business, customers, ranking.standings, summaries))
        return self.rankings.put(business_id, replace(ranking, counts=counts))

    def _all(self, business_id: str, most: int) -> Sequence[Customer] | None:
        found: list[Customer] = []
        after: str | None = None
        while len(found) <= most:
            page = self.customers.read_range(business_id, *bounds(0, 1), after, min(PAGE, most + 1))
            found += page
            if len(page) < min(PAGE, most + 1):
                return found if len(found) <= most else None
            after = page[-1].customer_id
        return None

    def _summaries(self, business_id: str, customers: Sequence[Customer]) -> Mapping[str, Summary]:
        ids = [customer.customer_id for customer in customers]
        return self.summaries.get_many(business_id, ids) if ids else {}

    def piece(self, business_id: str, customers: Sequence[Customer], day: date) -> Piece:
        """What these customers add, as of a moment ago."""
        return _piece(self._summaries(business_id, customers), day)

    def counted(self, business: Business, customers: Sequence[Customer], standings: Standings) -> Mapping[str, int]:
        """How many of these customers are of each tier, and of none."""
        return _counted(self.find_tiers(business, customers, standings) if customers else {})


def _piece(summaries: Mapping[str, Summary], day: date) -> Piece:
    ranks = [rank for id_, summary in summaries.items() if (rank := rank_of(id_, summary, day)) is not None]
    return Piece(highest(*ranks), any(summary.rating is not None for summary in summaries.values()))


def _counted(tiers: Mapping[str, Tier | None]) -> dict[str, int]:
    return dict(Counter(NO_TIER if tier is None else str(tier) for tier in tiers.values()))


class RankingWork(Struct, frozen=True, kw_only=True):
    """Ranks the customers of a business as a job of two phases."""

    rank: RankCustomers
    customers: CustomerBook
    businesses: BusinessDirectory
    ledger: JobLedger
    rankings: Rankings

    def step(self, job: Job, progress: JobProgress, within: tuple[str, str]) -> None:
        """Look at one page of customers, and commit what it adds."""
        business = self.businesses.get(job.business_id)
        customers = self.customers.read_range(job.business_id, *within, progress.cursor, PAGE)
        cursor = customers[-1].customer_id if len(customers) == PAGE else None
        if job.phase:
            counts = self.rank.counted(business, customers, _ranking(job).standings)
            tiers = {f"{TIER}{tier}": count for tier, count in counts.items()}
            self.ledger.commit(beyond(progress, {LOOKED_AT: len(customers), **tiers}, cursor))
            return
        piece = self.rank.piece(job.business_id, customers, business.local_day(job.created_at))
        best = highest(*_ranks(progress.counts), *piece.ranks)
        kept = {
            LOOKED_AT: progress.counts.get(LOOKED_AT, 0),
            REVIEWED: progress.counts.get(REVIEWED, 0),
            **{f"{_RANKED}{rank.customer_id}": rank.sessions * _DIGITS + rank.visits for rank in best},
        }
        added = {LOOKED_AT: len(customers), REVIEWED: int(piece.is_reviewed)}
        self.ledger.commit(beyond(replace(progress, counts=kept), added, cursor))

    def conclude(self, job: Job, counts: Mapping[str, int]) -> Job:
        """Fix who is on top for the second phase, or keep the ranking and complete the job."""
        if not job.phase:
            day = self.businesses.get(job.business_id).local_day(job.created_at)
            found = {"day": str(day), "top": list(_ids(highest(*_ranks(counts))))}
            request = {**job.request, **found, "is_reviewed": bool(counts.get(REVIEWED))}
            return replace(job, request=request, phase=1, status=JobStatus.RUNNING)
        tiers = {label.removeprefix(TIER): count for label, count in counts.items() if label.startswith(TIER)}
        self.rankings.put(job.business_id, replace(_ranking(job), counts=tiers))
        return completed(job)


def _ranking(job: Job) -> Ranking:
    """The ranking that the first phase of a job has found."""
    asked = job.request
    return Ranking(job.created_at, date.fromisoformat(asked["day"]), tuple(asked["top"]), asked["is_reviewed"])


def _ranks(counts: Mapping[str, int]) -> list[Rank]:
    return [
        Rank(*divmod(count, _DIGITS), label.removeprefix(_RANKED))
        for label, count in counts.items()
        if label.startswith(_RANKED)
    ]


def _ids(ranks: Sequence[Rank]) -> tuple[str, ...]:
    return tuple(rank.customer_id for rank in ranks)
