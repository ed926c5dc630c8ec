"""What a send would do: while a request waits, or as a job when there are too many customers for that."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from rebound.application.audience import select, supposed_campaign
from rebound.application.count_customers import LONGEST_COUNT, PAGE, next_after
from rebound.application.ports import BusinessDirectory, Clock, ContactBook, CustomerBook, JobLedger, JobProgress
from rebound.application.run_job import beyond, completed
from rebound.domain.business import Business
from rebound.domain.campaigns import Audience, Campaign, Category
from rebound.domain.channels import Channel
from rebound.domain.jobs import Job
from rebound.domain.key_ranges import bounds
from rebound.domain.segments import compile_filter

MATCHED: Final = "matched"
EXCLUDED: Final = "excluded:"


@dataclass(frozen=True, slots=True)
class Question:
    """Asks who of ``filter`` would get a message of this category on this channel."""

    filter: Mapping[str, Any]
    channel: Channel
    category: Category
    exclude_failed: bool = True

    def supposed(self, business_id: str, at: datetime) -> Campaign:
        """The campaign to decide on."""
        return supposed_campaign(
            business_id, self.channel, self.category, at, filter_=self.filter, exclude_failed=self.exclude_failed
        )

    def written(self) -> Mapping[str, Any]:
        """The question as a job's request has it."""
        return {
            "filter": self.filter,
            "channel": self.channel,
            "category": self.category,
            "exclude_failed": self.exclude_failed,
        }

    @classmethod
    def read(cls, request: Mapping[str, Any]) -> "Question":
        """The question of a job's request."""
        kinds = {"channel": Channel(request["channel"]), "category": Category(request["category"])}
        return cls(**{**request, **kinds})


class PreviewAudience:
    """Answers on the spot."""

    def __init__(
        self,
        customers: CustomerBook,
        contacts: ContactBook,
        businesses: BusinessDirectory,
        clock: Clock,
        longest: timedelta = LONGEST_COUNT,
    ) -> None:
        self._pages = _Pages(customers, contacts)
        self._businesses = businesses
        self._clock = clock
        self._longest = longest

    def __call__(self, business_id: str, question: Question) -> Audience | None:
        """How many would be meant, left out by reason, and targeted, if it were sent now; ``None`` when time is up.

        Raises ``InvalidInputError`` when the filter is wrong.
        """
        business = self._businesses.get(business_id)
        began = self._clock.now()
        audience, after = Audience(), None
        while self._clock.now() < began + self._longest:
            page, after, _ = self._pages.read(business, question, began, bounds(0, 1), after)
            audience = audience.plus(page)
            if after is None:
                return audience
        return None


class PreviewWork:
    """The same as a job; it decides as of the time at which it was asked for."""

    def __init__(
        self, customers: CustomerBook, contacts: ContactBook, businesses: BusinessDirectory, ledger: JobLedger
    ) -> None:
        self._pages = _Pages(customers, contacts)
        self._businesses = businesses
        self._ledger = ledger

    def step(self, job: Job, progress: JobProgress, within: tuple[str, str]) -> None:
        """One page."""
        business, question = self._businesses.get(job.business_id), Question.read(job.request)
        page, cursor, looked_at = self._pages.read(business, question, job.created_at, within, progress.cursor)
        excluded = {f"{EXCLUDED}{reason}": count for reason, count in page.excluded.items()}
        counts = {"looked_at": looked_at, MATCHED: page.matched, **excluded}
        self._ledger.commit(beyond(progress, counts, cursor))

    def conclude(self, job: Job, counts: Mapping[str, int]) -> Job:  # noqa: ARG002 - the counts are the result
        """There is one phase."""
        return completed(job)


@dataclass(frozen=True, slots=True)
class _Pages:
    customers: CustomerBook
    contacts: ContactBook

    def read(
        self, business: Business, question: Question, at: datetime, within: tuple[str, str], after: str | None
    ) -> tuple[Audience, str | None, int]:
        """One page decided, the cursor after it, and how many customers were looked at."""
        customers = self.customers.read_range(business.business_id, *within, after, PAGE)
        supposed = question.supposed(business.business_id, at)
        selected = select(customers, compile_filter(question.filter), self.contacts, business, supposed)
        return selected.audience, next_after(customers), len(customers)


def audience_of(counts: Mapping[str, int]) -> Audience:
    """The audience that a job's counts say."""
    excluded = {label.removeprefix(EXCLUDED): count for label, count in counts.items() if label.startswith(EXCLUDED)}
    return Audience(counts.get(MATCHED, 0), MappingProxyType(excluded))
