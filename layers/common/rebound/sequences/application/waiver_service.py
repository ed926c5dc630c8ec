"""Waivers: posting versions of them, showing how they stand, and finding who may have to be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.jobs.application.run_job import beyond, completed
from rebound.jobs.domain import LOOKED_AT, Job, JobKind, JobProgress, JobStatus
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from rebound.kernel.ids import derived_ulid
from rebound.kernel.retrying import retried
from rebound.sequences.application.ask_to_sign import asking
from rebound.sequences.domain.enrolments import EnrolmentKey
from rebound.sequences.domain.waivers import (
    MOST_VERSIONS,
    MOST_WAIVERS,
    AskKey,
    Posting,
    Waiver,
    counts_of_version,
    sequence_of,
)

if TYPE_CHECKING:
    from rebound.activity.ports import SummaryBook
    from rebound.businesses.domain.business import Business
    from rebound.businesses.ports import BusinessDirectory
    from rebound.customers.domain import Customer
    from rebound.customers.ports import CustomerBook
    from rebound.jobs.application.job_service import JobService
    from rebound.jobs.ports import JobLedger
    from rebound.platform.ports import Clock
    from rebound.sequences.application.schedule import ScheduleSteps
    from rebound.sequences.domain.waivers import AskCounts, WaiverVersion
    from rebound.sequences.ports import AskBook, StepTallies, WaiverBook
    from rebound.templates.application.template_contents import TemplateContents

PAGE: Final = 500
"""Customers that one step of the job looks at."""


class WaiverView(Struct, frozen=True):
    """A waiver, and how many were asked to sign each of its versions, by their numbers.

    They are a few seconds behind, and exact once nothing happens.
    """

    waiver: Waiver
    counts: Mapping[int, AskCounts]


class WaiverService(Struct, frozen=True, kw_only=True):
    """The waivers of one business at a time."""

    waivers: WaiverBook
    step_tallies: StepTallies
    businesses: BusinessDirectory
    template_contents: TemplateContents
    job_service: JobService
    clock: Clock

    def post(self, business_id: str, waiver_id: str, posting: Posting) -> Waiver:
        """Post a version, and have everybody with a coming booking asked to sign it.

        The same version once more, with the same note and address, is known and changes nothing. Raises
        ``InvalidInputError``, and ``ConflictError`` for a version that says something else, and for too many.
        """
        self._note_use(business_id)

        def write() -> tuple[Waiver, WaiverVersion]:
            before = self._found(business_id, waiver_id)
            known = before.called(posting.version)
            if known is not None:
                if Posting(known.version, known.note, known.url) == posting:
                    return before, known
                raise ConflictError(
                    "waiver_version_known",
                    f"The version {posting.version} was posted before, with another note or url.",
                )
            if len(before.versions) >= MOST_VERSIONS:
                raise ConflictError("too_many_waivers", f"A waiver has at most {MOST_VERSIONS} versions.")
            after = before.with_version(posting, self.clock.now())
            self._check(business_id, after.current)
            return self.waivers.save(after), after.current

        waiver, posted = retried(write)
        if posted == waiver.current:
            # Also of a known one: who posted it may have died before it was begun.
            self._start(waiver)
        return waiver

    def get(self, business_id: str, waiver_id: str) -> WaiverView:
        """Raises ``NotFoundError``. Nobody who was asked is read to answer."""
        waiver = self.waivers.get(business_id, waiver_id)
        counts = self.step_tallies.counts(business_id, sequence_of(waiver_id))
        return WaiverView(waiver, {each.number: counts_of_version(each.number, counts) for each in waiver.versions})

    def all(self, business_id: str) -> Sequence[Waiver]:
        """Those of a business, by id."""
        return self.waivers.all(business_id)

    def _note_use(self, business_id: str) -> None:
        """Before the first version is there: from then on its bookings are heard, and nobody else's."""

        def write() -> None:
            business = self.businesses.get(business_id)
            if not business.has_waivers:
                self.businesses.replace(replace(business, has_waivers=True))

        retried(write)

    def _found(self, business_id: str, waiver_id: str) -> Waiver:
        try:
            return self.waivers.get(business_id, waiver_id)
        except NotFoundError:
            if len(self.waivers.all(business_id)) >= MOST_WAIVERS:
                raise ConflictError("too_many_waivers", f"A business has at most {MOST_WAIVERS} waivers.") from None
            return Waiver(business_id=business_id, waiver_id=waiver_id)

    def _check(self, business_id: str, version: WaiverVersion) -> None:
        """Refuse what could not be said in the business's templates. Raises ``InvalidInputError``."""
        for channel in Channel:
            try:
                self.template_contents.made(business_id, asking(version, channel), channel, Category.TRANSACTIONAL)
            except InvalidInputError as error:
                raise InvalidInputError(*(_in_request(each) for each in error.errors)) from None

    def _start(self, waiver: Waiver) -> None:
        version = waiver.current
        asked = {"waiver_id": waiver.waiver_id, "number": version.number}
        named = f"{sequence_of(waiver.waiver_id)}#{waiver.business_id}#{version.number}"
        job_id = derived_ulid(version.posted_at, named)
        self.job_service.start(waiver.business_id, JobKind.WAIVER, asked, job_id=job_id)


def _in_request(error: FieldError) -> FieldError:
    """An error about a template's variable, as one about what the request gives."""
    names = {"variables.url": "url", "variables.noteToCustomers": "note"}
    return replace(error, field=names.get(error.field, error.field))


class ForgetAsked(Struct, frozen=True, kw_only=True):
    """Forgets that a customer who was deleted was asked."""

    waivers: WaiverBook
    asks: AskBook

    def __call__(self, customer: Customer) -> None:
        """May be done again at any time."""
        for waiver in self.waivers.all(customer.business_id):
            self.asks.forget(AskKey(customer.business_id, waiver.waiver_id, customer.customer_id))


class LookAtSigner(Struct, frozen=True, kw_only=True):
    """Learns that what a customer did has changed, for businesses that have waivers; nobody else pays for it."""

    waivers: WaiverBook
    schedule: ScheduleSteps
    clock: Clock

    def __call__(self, business: Business, customer_id: str) -> None:
        """Have it looked at whether they are to be asked to sign something, or not any more; may be told again."""
        if not business.has_waivers:
            return
        now, business_id = self.clock.now(), business.business_id
        waiting = [
            EnrolmentKey(business_id, customer_id, sequence_of(each.waiver_id))
            for each in self.waivers.all(business_id)
        ]
        self.schedule((key, now) for key in waiting)


class WaiverWork(Struct, frozen=True, kw_only=True):
    """Goes through the customers, and has those looked at who have a coming booking.

    It goes through them twice: who was booked while the first version was being posted, unheard, is found by then.
    """

    waivers: WaiverBook
    customers: CustomerBook
    summaries: SummaryBook
    schedule: ScheduleSteps
    job_ledger: JobLedger
    clock: Clock

    def step(self, job: Job, progress: JobProgress, within: tuple[str, str]) -> None:
        """Look at the next page of customers; at nobody any more once a later version is there, which has its own."""
        business_id, waiver_id = job.business_id, job.request["waiver_id"]
        if self.waivers.get(business_id, waiver_id).current.number != job.request["number"]:
            self.job_ledger.commit(replace(progress, done=True))
            return
        customers = self.customers.read_range(business_id, *within, progress.cursor, PAGE)
        now = self.clock.now()
        known = self.summaries.get_many(business_id, [customer.customer_id for customer in customers])
        booked = [customer_id for customer_id, summary in known.items() if summary.coming(now) is not None]
        self.schedule((EnrolmentKey(business_id, each, sequence_of(waiver_id)), now) for each in booked)
        cursor = customers[-1].customer_id if len(customers) == PAGE else None
        self.job_ledger.commit(beyond(progress, {LOOKED_AT: len(customers), "booked": len(booked)}, cursor))

    def conclude(self, job: Job, counts: Mapping[str, int]) -> Job:  # noqa: ARG002 - who was found is counted elsewhere
        """Once more, and then it is over."""
        return completed(job) if job.phase else replace(job, phase=1, status=JobStatus.RUNNING)
