"""Listing and counting the customers that match a filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, convert, to_builtins
from msgspec.structs import asdict

from rebound.contacts.domain.contacts import FAILED_VALUES
from rebound.customers.application.customer_service import views_of
from rebound.customers.domain import Customer, has_failed
from rebound.jobs.application.run_job import beyond, completed
from rebound.jobs.domain import COUNT, LOOKED_AT, Job, JobProgress
from rebound.kernel.ids import bounds
from rebound.kernel.pages import Page
from rebound.segments.application.matching import among, by_pages
from rebound.segments.domain.selections import CustomerFilter

if TYPE_CHECKING:
    from rebound.activity.ports import SummaryBook
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import ContactBook
    from rebound.customers.application.customer_service import CustomerView
    from rebound.customers.ports import CustomerBook
    from rebound.jobs.ports import JobLedger
    from rebound.platform.ports import Clock


class ListCustomers(Struct, frozen=True, kw_only=True):
    """Lists the customers of one business at a time."""

    customers: CustomerBook
    contacts: ContactBook
    summaries: SummaryBook
    businesses: BusinessDirectory

    def __call__(
        self, business_id: str, wanted: CustomerFilter, *, limit: int, cursor: str | None = None
    ) -> Page[CustomerView]:
        """The customers that match, sorted by id. Raises ``InvalidInputError`` when the filter is wrong."""
        matching = None if wanted.is_everybody else by_pages(wanted.compiled(), self.contacts, self.summaries)
        page = self.customers.page(business_id, limit=limit, cursor=cursor, matching=matching)
        return Page(views_of(page.items, self.contacts, self.businesses.get(business_id)), page.next_cursor)


PAGE: Final = 500
"""Customers in memory at a time."""
LONGEST_COUNT: Final = timedelta(seconds=20)
"""How long a count may take; the API gateway waits 29 seconds."""


class CountCustomers(Struct, frozen=True, kw_only=True):
    """Counts the customers of a filter within one request."""

    customers: CustomerBook
    contacts: ContactBook
    summaries: SummaryBook
    clock: Clock
    longest: timedelta = LONGEST_COUNT

    def __call__(self, business_id: str, wanted: CustomerFilter) -> Mapping[str, int] | None:
        """``count``, and how many of these have which contacts failed; ``None`` when time runs out before the end.

        Raises ``InvalidInputError`` when the filter is wrong.
        """
        matcher = wanted.compiled()
        deadline = self.clock.now() + self.longest
        first, last = bounds(0, 1)
        counts: Counter[str] = Counter()
        after: str | None = None
        while self.clock.now() < deadline:
            customers = self.customers.read_range(business_id, first, last, after, PAGE)
            counts.update(tally(customers, among(customers, matcher, self.contacts, self.summaries, consistent=False)))
            if len(customers) < PAGE:
                return counts
            after = customers[-1].customer_id
        return None


class CountingWork(Struct, frozen=True, kw_only=True):
    """Counts the customers of a filter as a job."""

    customers: CustomerBook
    contacts: ContactBook
    summaries: SummaryBook
    ledger: JobLedger

    def step(self, job: Job, progress: JobProgress, within: tuple[str, str]) -> None:
        """Count one page of customers."""
        customers = self.customers.read_range(job.business_id, *within, progress.cursor, PAGE)
        matched = among(customers, read_filter(job.request).compiled(), self.contacts, self.summaries, consistent=False)
        counts = tally(customers, matched)
        self.ledger.commit(beyond(progress, counts, next_after(customers)))

    def conclude(self, job: Job, counts: Mapping[str, int]) -> Job:  # noqa: ARG002 - the counts are the result
        """Complete the job after its only phase."""
        return completed(job)


def next_after(customers: Sequence[Customer]) -> str | None:
    """The cursor that continues after a page; ``None`` when it was the last."""
    return customers[-1].customer_id if len(customers) == PAGE else None


def tally(customers: Sequence[Customer], matched: Sequence[Customer]) -> Mapping[str, int]:
    """The counts of one page."""
    return {LOOKED_AT: len(customers), COUNT: len(matched), **failed_among(matched)}


def failed_among(customers: Iterable[Customer]) -> Mapping[str, int]:
    """How many of the customers have which contacts failed (``FAILED_VALUES``)."""
    listed = list(customers)
    return {which: sum(has_failed(customer, which) for customer in listed) for which in FAILED_VALUES}


def write_filter(wanted: CustomerFilter) -> dict[str, Any]:
    """A filter as it is stored in the request of a job."""
    given = {name: value for name, value in asdict(wanted).items() if value is not None}
    return {**given, **{name: to_builtins(given[name]) for name in ("updated_since", "as_of") if name in given}}


def read_filter(request: Mapping[str, Any]) -> CustomerFilter:
    """The filter of a job's request."""
    return convert(request["wanted"], CustomerFilter)
