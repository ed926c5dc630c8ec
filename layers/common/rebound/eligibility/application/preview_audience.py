"""Previews what a send would do: while a request waits, or as a job when there are too many customers for that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.businesses.domain.quiet_hours import Whereabouts
from rebound.customers.domain import Customer
from rebound.eligibility.application.audience import Screening, matching, supposed_mailing
from rebound.jobs.application.run_job import beyond, completed
from rebound.jobs.domain import EXCLUDED, MATCHED, Job, JobProgress
from rebound.kernel.audiences import Audience
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.ids import bounds
from rebound.messages.domain.mailing import Mailing
from rebound.segments.application.find_customers import LONGEST_COUNT, PAGE, next_after
from rebound.segments.domain import compile_filter

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import ContactBook
    from rebound.customers.ports import CustomerBook
    from rebound.eligibility.application.audience import Selected
    from rebound.eligibility.ports import FrequencyBook
    from rebound.jobs.ports import JobLedger
    from rebound.platform.ports import Clock

LONGEST_LOOK: Final = timedelta(seconds=3)
"""How long a client that posts a campaign may be kept waiting to be told whom it will reach."""


class Question(Struct, frozen=True):
    """Asks which customers that match ``filter`` would get a message of this category on this channel.

    ``segment_id`` names the saved segment that the filter comes from; some caps count messages of each segment apart.
    """

    filter: Mapping[str, Any]
    channel: Channel
    category: Category
    exclude_failed: bool = True
    include_customer_ids: frozenset[str] = frozenset()
    segment_id: str | None = None

    def supposed(self, business_id: str) -> Mailing:
        """The mailing to decide about, which is never sent."""
        return supposed_mailing(
            business_id,
            self.channel,
            self.category,
            filter_=self.filter,
            segment_id=self.segment_id,
            exclude_failed=self.exclude_failed,
            include_customer_ids=self.include_customer_ids,
        )

    def written(self) -> Mapping[str, Any]:
        """The question in the form in which a job's request stores it."""
        return {
            "filter": self.filter,
            "channel": self.channel,
            "category": self.category,
            "exclude_failed": self.exclude_failed,
            "include_customer_ids": sorted(self.include_customer_ids),
            "segment_id": self.segment_id,
        }

    @classmethod
    def read(cls, request: Mapping[str, Any]) -> Question:
        """The question that a job's request stores."""
        kinds = {"channel": Channel(request["channel"]), "category": Category(request["category"])}
        return cls(**{**request, **kinds, "include_customer_ids": frozenset(request["include_customer_ids"])})


class PreviewAudience(Struct, frozen=True, kw_only=True):
    """Previews an audience while the request waits."""

    customers: CustomerBook
    contacts: ContactBook
    frequencies: FrequencyBook
    businesses: BusinessDirectory
    clock: Clock
    whereabouts: Whereabouts
    longest: timedelta = LONGEST_COUNT

    def __call__(self, business_id: str, question: Question) -> Audience | None:
        """How many would be meant, left out by reason, and targeted, if it were sent now; ``None`` when time is up.

        Raises ``InvalidInputError`` when the filter is wrong.
        """
        audience, pages = Audience(), self.pages(business_id, question)
        until = self.clock.now() + self.longest
        while self.clock.now() < until:
            page = next(pages, None)
            if page is None:
                return audience
            audience = audience.plus(page.audience)
        return None

    def foresee(self, mailing: Mailing) -> Audience | None:
        """Preview a campaign that is about to be accepted, with its filter filled in; ``None`` when it takes too long.

        Accepting the campaign matters more than its preview: there is no time for all customers of a large business.
        """
        audience, until = Audience(), self.clock.now() + LONGEST_LOOK
        for page in self._decided(mailing):
            audience = audience.plus(page.audience)
            if self.clock.now() >= until:
                return None
        return audience

    def pages(self, business_id: str, question: Question) -> Iterator[Selected]:
        """The decisions about the customers who are meant, page by page."""
        return self._decided(question.supposed(business_id))

    def _decided(self, mailing: Mailing) -> Iterator[Selected]:
        now = self.clock.now()
        business = self.businesses.get(mailing.business_id)
        screening = Screening(self.contacts, self.frequencies, business, mailing, self.whereabouts)
        for customers in self._meant(mailing):
            yield screening(customers, now)

    def _meant(self, mailing: Mailing) -> Iterator[Mapping[str, Customer | None]]:
        business_id, selection = mailing.business_id, mailing.selection
        if selection.customer_ids is not None:
            for ids in batched(selection.customer_ids, PAGE, strict=False):
                found = self.customers.get_many(business_id, ids)
                yield {customer_id: found.get(customer_id) for customer_id in ids}
            return
        matcher = compile_filter(selection.filter)
        after: str | None = None
        while True:
            customers = self.customers.read_range(business_id, *bounds(0, 1), after, PAGE)
            yield matching(customers, matcher)
            after = next_after(customers)
            if after is None:
                return


class PreviewWork(Struct, frozen=True, kw_only=True):
    """Previews an audience as a job; it decides as of the time at which the job was asked for.

    Each page is decided by itself. When customers on different pages share a flagged address whose try is due, each of
    them therefore counts as a recipient, although in the end only the first of them gets the message.
    """

    customers: CustomerBook
    contacts: ContactBook
    frequencies: FrequencyBook
    businesses: BusinessDirectory
    ledger: JobLedger
    whereabouts: Whereabouts

    def step(self, job: Job, progress: JobProgress, within: tuple[str, str]) -> None:
        """Decide about one page of customers and commit its counts."""
        question, at = Question.read(job.request), job.created_at
        business = self.businesses.get(job.business_id)
        supposed = question.supposed(job.business_id)
        screening = Screening(self.contacts, self.frequencies, business, supposed, self.whereabouts)
        customers = self.customers.read_range(job.business_id, *within, progress.cursor, PAGE)
        page = screening(matching(customers, compile_filter(question.filter)), at).audience
        excluded = {f"{EXCLUDED}{reason}": count for reason, count in page.excluded.items()}
        counts = {"looked_at": len(customers), MATCHED: page.matched, **excluded}
        self.ledger.commit(beyond(progress, counts, next_after(customers)))

    def conclude(self, job: Job, counts: Mapping[str, int]) -> Job:  # noqa: ARG002 - the counts are the result
        """Complete the job, which has only one phase."""
        return completed(job)
