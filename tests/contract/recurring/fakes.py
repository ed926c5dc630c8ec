"""Recurring campaigns, marks and occurrences in memory."""

from collections.abc import Collection, Mapping, Sequence
from copy import replace
from datetime import date
from functools import cached_property
from itertools import count

from rebound.jobs.domain import JobProgress
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.pages import Page
from rebound.recurring.domain.looks import Insight
from rebound.recurring.domain.marking import MOST_MARKED, Marking, parts_of
from rebound.recurring.domain.recurring_campaigns import RecurringCampaign
from rebound.segments.domain.segments import SavedSegments
from tests.contract.campaigns.fakes import MemoryMemberList
from tests.contract.jobs.fakes import MemoryJobLedger
from tests.contract.segments.fakes import MemorySegmentBook
from tests.contract.sending.fakes import MemorySendingPorts
from tests.fakes.cursors import page_of, read_cursor


class MemoryRecurringBook:
    """Implements ``RecurringBook``."""

    def __init__(self, segments: MemorySegmentBook) -> None:
        self.rows: dict[tuple[str, str], RecurringCampaign] = {}
        self._versions = count(1)
        self._segments = segments

    def get(self, business_id: str, recurring_id: str) -> RecurringCampaign:
        try:
            return self.rows[business_id, recurring_id]
        except KeyError:
            raise NotFoundError("recurring campaign") from None

    def add(self, recurring: RecurringCampaign, segments: SavedSegments | None = None) -> None:
        self._write(None, recurring, segments)

    def replace(
        self, before: RecurringCampaign, after: RecurringCampaign, segments: SavedSegments | None = None
    ) -> None:
        self._write(before.version, after, segments)

    def using(self, business_id: str, segment_id: str) -> Sequence[str]:
        return [id_ for (owner, id_), each in self.rows.items() if owner == business_id and segment_id in each.segments]

    def _write(self, version: int | None, after: RecurringCampaign, segments: SavedSegments | None) -> None:
        self._check(after, version)
        if segments is not None:
            self._segments.use(after.business_id, segments)
        self.rows[after.business_id, after.recurring_id] = replace(after, version=next(self._versions))

    def delete(self, recurring: RecurringCampaign) -> None:
        self._check(recurring, recurring.version)
        del self.rows[recurring.business_id, recurring.recurring_id]

    def _check(self, recurring: RecurringCampaign, version: int | None) -> None:
        stored = self.rows.get((recurring.business_id, recurring.recurring_id))
        if (None if stored is None else stored.version) != version:
            raise ConcurrentChangeError

    def page(self, business_id: str, limit: int, cursor: str | None) -> Page[RecurringCampaign]:
        after = read_cursor(cursor) or ""
        own = [(id_, each) for (owner, id_), each in sorted(self.rows.items()) if owner == business_id and id_ > after]
        return page_of(own, limit)


class MemoryMarkBook:
    """Implements ``MarkBook``; ``writes`` counts how often each customer was marked in each series."""

    def __init__(self, jobs: MemoryJobLedger, members: MemoryMemberList) -> None:
        self.rows: dict[tuple[str, str, str], date] = {}
        self._jobs = jobs
        self._members = members

    def known(self, business_id: str, series: str, customer_ids: Collection[str]) -> Mapping[str, date]:
        keys = {customer_id: (business_id, customer_id, series) for customer_id in customer_ids}
        return {customer_id: self.rows[key] for customer_id, key in keys.items() if key in self.rows}

    def commit(
        self, business_id: str, series: str, progress: JobProgress, marked: Sequence[Marking] = ()
    ) -> JobProgress:
        if len(marked) > MOST_MARKED:
            raise ValueError(f"a transaction marks at most {MOST_MARKED}")
        for one in marked:
            if self.rows.get((business_id, one.customer_id, series)) != one.known:
                raise ConcurrentChangeError
        after = self._jobs.commit(progress)
        for one in marked:
            self.rows[business_id, one.customer_id, series] = one.mark
        for part, campaign_id in parts_of(progress, marked):
            self._members.add(campaign_id, part)
        return after

    def forget(self, business_id: str, customer_id: str) -> None:
        for key in [key for key in self.rows if key[:2] == (business_id, customer_id)]:
            del self.rows[key]


class MemoryOccurrences:
    """Implements ``Occurrences``."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], dict[str, date]] = {}
        self.looks: dict[tuple[str, str], set[str]] = {}
        self.insights: dict[tuple[str, str], Insight] = {}

    def note(self, business_id: str, recurring_id: str, campaign_id: str, day: date) -> None:
        self.rows.setdefault((business_id, recurring_id), {})[campaign_id] = day

    def page(self, business_id: str, recurring_id: str, limit: int, cursor: str | None) -> Page[str]:
        before = read_cursor(cursor)
        found = sorted(self.rows.get((business_id, recurring_id), {}), reverse=True)
        return page_of([(each, each) for each in found if before is None or each < before], limit)

    def begin(self, business_id: str, recurring_id: str, job_id: str) -> None:
        self.looks.setdefault((business_id, recurring_id), set()).add(job_id)

    def end(self, business_id: str, recurring_id: str, job_id: str) -> None:
        self.looks.get((business_id, recurring_id), set()).discard(job_id)

    def under_way(self, business_id: str, recurring_id: str) -> Sequence[str]:
        return sorted(self.looks.get((business_id, recurring_id), ()))

    def insight(self, business_id: str, recurring_id: str) -> Insight:
        return self.insights.get((business_id, recurring_id), Insight())

    def learn(self, business_id: str, recurring_id: str, insight: Insight) -> None:
        self.insights[business_id, recurring_id] = insight


class MemoryRecurringPorts(MemorySendingPorts):
    """Implements ``RecurringPorts``."""

    @cached_property
    def recurring(self) -> MemoryRecurringBook:
        return MemoryRecurringBook(self.segments)

    @cached_property
    def marks(self) -> MemoryMarkBook:
        return MemoryMarkBook(self.job_ledger, self.members)

    @cached_property
    def occurrences(self) -> MemoryOccurrences:
        return MemoryOccurrences()
