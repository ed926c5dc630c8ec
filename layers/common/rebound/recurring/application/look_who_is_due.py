"""Looking who is due, and sending it to them: what a timer wakes, and the job that it starts.

A look goes through the customers of a business page by page. Whoever is due is marked with what they are due for, on
the condition that their mark is as it was read, together with the progress of the look and the list of the members of
their occurrence: all or nothing. So a customer is sent to once for each birthday, day or last visit (truth 14), whoever
dies, comes twice, or looks at the same time; and whoever looks later finds those whom nobody has marked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus
from rebound.jobs.application.run_job import beyond, completed
from rebound.jobs.domain import LOOKED_AT, Job, JobKind, JobProgress, JobStatus
from rebound.kernel.errors import ConcurrentChangeError, ConflictError, InvalidInputError, NotFoundError
from rebound.kernel.ids import derived_ulid
from rebound.kernel.local_time import first_instant_of
from rebound.recurring.domain.days import DAY
from rebound.recurring.domain.looks import Look
from rebound.recurring.domain.marking import MOST_MARKED, Marking
from rebound.recurring.domain.recurring_campaigns import (
    LAST_CLOCK,
    QUARTERS,
    RECURRING,
    Birthday,
    LostCustomer,
    Regular,
    look_of,
    timer_for,
)
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import TemplateContent

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.application.campaign_service import CampaignService
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerBook
    from rebound.jobs.application.job_service import JobService
    from rebound.jobs.ports import JobBook
    from rebound.platform.ports import Clock
    from rebound.recurring.application.count_recurring import CountRecurring
    from rebound.recurring.application.meant import FindMeant
    from rebound.recurring.domain.recurring_campaigns import (
        Due,
        RecurringCampaign,
    )
    from rebound.recurring.ports import MarkBook, Occurrences, RecurringBook
    from rebound.templates.application.template_contents import TemplateContents
    from rebound.timers.domain import Timer
    from rebound.timers.ports import TimerBook

PAGE: Final = 500
"""Customers that are read at a time where few of them are due."""
TOOK_LONG: Final = timedelta(minutes=15)
"""After which a look asks again whether it is still time: it may have stood still."""
COUNTS_AGAIN: Final = timedelta(hours=23)
"""After how long a look counts again what the last 30 days would have been."""
_DUE: Final = "due:"
_QUARTER: Final = "quarter:"
_WOULD: Final = "would_have_sent"


class WakeRecurring(Struct, frozen=True, kw_only=True):
    """Starts the look that a timer is for, and has the next one wake.

    A look's job is named after its time, so that however often it is woken there is one. The next timer is written
    before the one that woke is removed.
    """

    recurring: RecurringBook
    occurrences: Occurrences
    businesses: BusinessDirectory
    jobs: JobBook
    job_service: JobService
    timers: TimerBook
    clock: Clock

    def __call__(self, timers: Sequence[Timer]) -> None:
        """Wake for these."""
        for timer in timers:
            self._wake(*look_of(timer))

    def _wake(self, business_id: str, recurring_id: str, at: datetime) -> None:
        try:
            business, recurring = self.businesses.get(business_id), self.recurring.get(business_id, recurring_id)
        except NotFoundError:
            return
        self._resume_others(business_id, recurring_id)
        if not recurring.is_on:
            return
        now = max(self.clock.now(), at)
        insight = self.occurrences.insight(business_id, recurring_id)
        job_id = derived_ulid(at, f"{RECURRING}#{business_id}#{recurring_id}")
        if not self._is_known(business_id, job_id):
            self.occurrences.begin(business_id, recurring_id, job_id)
        counts = insight.counted_at is None or now - insight.counted_at >= COUNTS_AGAIN
        # A look after a change looks at everybody.
        since = (
            insight.looked_at if insight.looked_at is not None and insight.looked_at > recurring.updated_at else None
        )
        asked = {"recurring_id": recurring_id, "counts": counts, "since": None if since is None else since.isoformat()}
        self.job_service.start(business_id, JobKind.RECURRING, asked, in_one=True, job_id=job_id)
        quarters = QUARTERS if insight.quarters is None else insight.quarters
        look = recurring.next_look(now, business, quarters)
        if look is not None:
            self.timers.put([timer_for(recurring, look)])

    def _is_known(self, business_id: str, job_id: str) -> bool:
        """Whether a timer that comes again is for a look that has begun, and may have ended."""
        try:
            self.jobs.get(business_id, job_id)
        except NotFoundError:
            return False
        return True

    def _resume_others(self, business_id: str, recurring_id: str) -> None:
        """Go on with looks that an error has stopped: those whom they have marked are waiting."""
        for job_id in self.occurrences.under_way(business_id, recurring_id):
            try:
                job = self.jobs.get(business_id, job_id)
            except NotFoundError:
                # It was to begin with this wake, or is forgotten.
                continue
            if job.status is JobStatus.PAUSED:
                try:
                    self.job_service.resume(business_id, job_id)
                except (ConflictError, ConcurrentChangeError):
                    continue


class LookWork(Struct, frozen=True, kw_only=True):
    """The look, as a job of one range: whoever has few recurring campaigns pays for few state transitions."""

    recurring: RecurringBook
    marks: MarkBook
    occurrences: Occurrences
    customers: CustomerBook
    businesses: BusinessDirectory
    campaign_service: CampaignService
    template_contents: TemplateContents
    meant: FindMeant
    count: CountRecurring
    clock: Clock

    def step(self, job: Job, progress: JobProgress, within: tuple[str, str]) -> None:
        """Look at one page of customers, and mark those who are due."""
        try:
            recurring = self.recurring.get(job.business_id, job.request["recurring_id"])
        except NotFoundError:
            self.marks.commit(job.business_id, "", replace(progress, done=True))
            return
        business = self.businesses.get(job.business_id)
        look = Look(recurring, business, job.created_at)
        size = MOST_MARKED if look.kind is Regular else PAGE
        customers = self.customers.read_range(job.business_id, *within, progress.cursor, size)
        cursor = customers[-1].customer_id if len(customers) == size else None
        # What customers did is read of those alone whose hour has come since the look before.
        since = _since(job) if look.kind is LostCustomer and not job.request["counts"] else None
        asked = look.newly(customers, since) if look.kind is LostCustomer and since is not None else customers
        meant = self.meant(recurring, business, asked, job.created_at)
        marked = self._marked(recurring, business, job, list(look.due(meant.customers, meant.last_visits)))
        if len(marked) > MOST_MARKED:
            # The rest of the page is for the next step.
            marked = marked[:MOST_MARKED]
            cursor = marked[-1].marking.customer_id
            customers = [customer for customer in customers if customer.customer_id <= cursor]
        counts = Counter({LOOKED_AT: len(customers)})
        counts.update(f"{_DUE}{one.day}" for one in marked)
        if recurring.local:
            counts.update(f"{_QUARTER}{look.quarter(customer)}" for customer in customers)
        if job.request["counts"]:
            ids = {customer.customer_id for customer in customers}
            seen = replace(meant, customers=[who for who in meant.customers if who.customer_id in ids])
            counts[_WOULD] = self.count.of(recurring, business, job.created_at, seen)
        after = beyond(progress, counts, cursor)
        self.marks.commit(job.business_id, series_of(recurring), after, [one.marking for one in marked])

    def _marked(
        self, recurring: RecurringCampaign, business: Business, job: Job, due: Sequence[tuple[Customer, Due]]
    ) -> list[_Marked]:
        """Those who are due and have not been sent to for that, in the order of their ids."""
        if not recurring.is_on or not due:
            return []
        now = self.clock.now()
        still = Look(recurring, business, now) if now - job.created_at > TOOK_LONG else None
        known = self.marks.known(job.business_id, series_of(recurring), [customer.customer_id for customer, _ in due])
        found: list[_Marked] = []
        for customer, one in due:
            before = known.get(customer.customer_id)
            if recurring.is_new(one, before) and (still is None or one.day in still.days(customer)):
                campaign_id = _occurrence_id(job, one.day)
                found.append(_Marked(Marking(customer.customer_id, before, one.mark, campaign_id), one.day))
        return found

    def conclude(self, job: Job, counts: Mapping[str, int]) -> Job:
        """Make a campaign of each day on which somebody was marked; one that was removed meanwhile sends nothing."""
        business_id, recurring_id = job.business_id, job.request["recurring_id"]
        try:
            recurring = self.recurring.get(business_id, recurring_id)
        except NotFoundError:
            self.occurrences.end(business_id, recurring_id, job.job_id)
            return completed(job)
        business = self.businesses.get(business_id)
        for label in sorted(counts):
            if label.startswith(_DUE) and counts[label]:
                day = date.fromisoformat(label.removeprefix(_DUE))
                campaign = self._occurrence(recurring, business, job, day)
                self.occurrences.note(business_id, recurring_id, campaign.campaign_id, day)
                # Those of a day of the week or month are the same people; by their own clocks they get it in parts.
                is_spaced = isinstance(recurring.audience, Regular) and not recurring.local
                self.campaign_service.post_made(campaign, spaced=is_spaced)
        self._learn(recurring, job, counts)
        self.occurrences.end(business_id, recurring_id, job.job_id)
        return completed(job)

    def _occurrence(self, recurring: RecurringCampaign, business: Business, job: Job, day: date) -> Campaign:
        """The campaign of a day, with what its template says now; failed where that cannot be."""
        audience = recurring.audience
        campaign = Campaign(
            business_id=recurring.business_id,
            campaign_id=_occurrence_id(job, day),
            name=recurring.name,
            category=recurring.category,
            channel=recurring.channel,
            # Its members are listed elsewhere. Some caps count the messages of each segment apart.
            selection=(isinstance(audience, Regular) and self.meant.selection(audience, business, job.created_at))
            or Selection(customer_ids=()),
            content=recurring.content,
            created_at=job.created_at,
            status=CampaignStatus.EXPANDING,
            exclude_failed=recurring.exclude_failed,
            expires_at=_end_of(day, recurring, business) if isinstance(audience, Birthday) else None,
            recurring_id=recurring.recurring_id,
            occurrence_date=day,
            voucher=recurring.voucher,
        )
        said = recurring.content
        if not isinstance(said, TemplateContent):
            return campaign
        try:
            made = self.template_contents.made(
                recurring.business_id, said.made_from, recurring.channel, recurring.category
            )
        except InvalidInputError as error:
            return campaign.failed(str(error), self.clock.now())
        return replace(campaign, content=made)

    def _learn(self, recurring: RecurringCampaign, job: Job, counts: Mapping[str, int]) -> None:
        before = self.occurrences.insight(job.business_id, recurring.recurring_id)
        quarters = frozenset(int(label.removeprefix(_QUARTER)) for label in counts if label.startswith(_QUARTER))
        insight = replace(before, quarters=quarters, looked_at=job.created_at)
        if job.request["counts"]:
            insight = replace(insight, would_have_sent=counts.get(_WOULD, 0), counted_at=job.created_at)
        self.occurrences.learn(job.business_id, recurring.recurring_id, insight)


def _since(job: Job) -> datetime | None:
    """When everybody was looked at last, as the look's job was asked for."""
    since = job.request["since"]
    return None if since is None else datetime.fromisoformat(since)


class _Marked(Struct, frozen=True):
    """Somebody who is to be marked, and the day of their occurrence."""

    marking: Marking
    day: date


def series_of(recurring: RecurringCampaign) -> str:
    """What marks are compared within: birthdays, visits and days are different things."""
    kinds = {Birthday: "birthday", LostCustomer: "lost", Regular: "day"}
    return f"{recurring.recurring_id}#{kinds[type(recurring.audience)]}"


def _occurrence_id(job: Job, day: date) -> str:
    """The campaign of a look and a day: always the same."""
    return derived_ulid(job.created_at, f"{job.job_id}#{day}")


def _end_of(day: date, recurring: RecurringCampaign, business: Business) -> datetime:
    """When the day has ended, with ``local`` on the last clock on earth."""
    midnight = datetime.combine(day + DAY, time.min)
    if recurring.local:
        return midnight.replace(tzinfo=UTC) + LAST_CLOCK
    return first_instant_of(midnight, business.time_zone)
