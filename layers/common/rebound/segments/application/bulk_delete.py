"""Clean-up: a job that deletes the customers of a filter, exactly those who were counted and confirmed.

The first phase freezes the list: customer ids, each with the time of the customer's last edit. When the list's length
is not the count that the client confirmed, nothing is deleted. The second phase goes through the list and deletes the
customers who are unchanged and still match, a dozen in one transaction, which also writes the progress. A client that
has seen who was counted can confirm the mark of that set as well: then not one other customer is deleted in the place
of one who no longer matches. Whatever dies
or runs twice, only customers on the list are deleted, and the report says what really became of each of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from rebound.contacts.domain.contacts import most_rows
from rebound.customers.application.copy_flags import with_flags
from rebound.customers.application.remove_customer import unlinked
from rebound.customers.domain import Customer
from rebound.jobs.application.run_job import beyond, completed
from rebound.jobs.domain import (
    DELETED,
    FAILED,
    FROZEN,
    LOOKED_AT,
    SKIPPED,
    SPARED_BECAUSE,
    FrozenCustomer,
    FrozenPage,
    Job,
    JobKind,
    JobProgress,
    JobStatus,
    Spared,
)
from rebound.kernel.errors import ConcurrentChangeError, FieldError, InvalidInputError, NotFoundError
from rebound.segments.application.find_customers import PAGE, mark_of, next_after, read_filter, write_filter
from rebound.segments.application.matching import among, settled
from rebound.segments.domain.segments import Removal
from rebound.segments.domain.selections import CustomerFilter

if TYPE_CHECKING:
    from rebound.activity.ports import SummaryBook
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import ContactBook
    from rebound.customers.application.remove_customer import RemoveCustomer
    from rebound.customers.ports import CustomerBook
    from rebound.jobs.application.job_service import JobService, JobView
    from rebound.jobs.ports import JobLedger
    from rebound.segments.ports import RemovalLedger

BATCH: Final = 12
"""Customers deleted in one transaction: with two contacts each, of two rows each, 61 rows with the progress."""
MOST_ROWS: Final = 99
"""Rows that one transaction may have besides the progress."""
ATTEMPTS: Final = 5
MOST_SPARED: Final = 100
"""How many of the customers left alone each range names; any others are only counted."""
PAGES: Final = "pages"
MARK: Final = "mark"
GONE, CHANGED, NO_LONGER_MATCHES, BUSY = SPARED_BECAUSE


class BulkDelete(Struct, frozen=True, kw_only=True):
    """Accepts the request for a clean-up and starts its job."""

    jobs: JobService

    def __call__(
        self,
        business_id: str,
        wanted: CustomerFilter,
        customer_ids: Sequence[str] | None,
        confirm_count: int,
        request: str | None = None,
        by: str | None = None,
        mark: int | None = None,
    ) -> JobView:
        """Start deleting; ``by`` is the email of whoever asks at the desk.

        With ``mark`` (see ``mark_of``) nobody is deleted unless those found are exactly those who were counted.

        Raises ``InvalidInputError`` when the request does not say whom, or its filter is wrong.
        """
        if wanted.is_everybody and customer_ids is None:
            message = (
                "Say whom to delete: filter, segment_id, failed, tag, q, customer_ids or external_ids. "
                '{"all": []} is everybody.'
            )
            raise InvalidInputError(FieldError("filter", message))
        wanted.compiled()
        asked = {
            "wanted": write_filter(wanted),
            "customer_ids": None if customer_ids is None else list(dict.fromkeys(customer_ids)),
            "confirm_count": confirm_count,
            **({} if mark is None else {"confirm_mark": str(mark)}),
        }
        in_one = customer_ids is not None
        return self.jobs.start(business_id, JobKind.BULK_DELETE, asked, request=request, in_one=in_one, by=by)


class _Settled(Struct):
    """What becomes of some customers of the list."""

    handled: int = 0
    removed: list[Customer] = field(default_factory=list)
    removal: Removal | None = None
    spared: list[Spared] = field(default_factory=list)

    def spare(self, customer_id: str, reason: str, customer: Customer | None) -> None:
        self.handled += 1
        self.spared.append(Spared(customer_id, reason, None if customer is None else customer.external_id))


class BulkDeleteWork(Struct, frozen=True, kw_only=True):
    """Freezes the list, then deletes."""

    customers: CustomerBook
    contacts: ContactBook
    summaries: SummaryBook
    businesses: BusinessDirectory
    ledger: JobLedger
    removals: RemovalLedger
    remove: RemoveCustomer

    def step(self, job: Job, progress: JobProgress, within: tuple[str, str]) -> None:
        """Freeze one page of customers, or do one transaction of deletions."""
        if job.phase == 0:
            self._freeze(job, progress, within)
        else:
            self._delete(job, progress)

    def conclude(self, job: Job, counts: Mapping[str, int]) -> Job:
        """Go on to the deletions only when as many customers were found as the client confirmed."""
        if job.phase == 1:
            return completed(job)
        found, confirmed = counts.get(FROZEN, 0), job.request["confirm_count"]
        marked = job.request.get("confirm_mark")
        if found == confirmed and marked is not None and int(marked) != counts.get(MARK, 0):
            reason = f"{found} customers match now, and not the same as were counted: nothing was deleted."
            return replace(job, status=JobStatus.REFUSED, reason=reason)
        if found == confirmed:
            return replace(job, phase=1, status=JobStatus.RUNNING)
        reason = f"{found} customers match now and confirm_count is {confirmed}: nothing was deleted."
        return replace(job, status=JobStatus.REFUSED, reason=reason)

    def _freeze(self, job: Job, progress: JobProgress, within: tuple[str, str]) -> None:
        customers, looked_at, cursor = self._page(job, progress, within)
        matcher = read_filter(job.request).compiled()
        matched = among(customers, matcher, self.contacts, self.summaries, consistent=False)
        found = tuple(FrozenCustomer(c.customer_id, c.updated_at) for c in matched)
        number = progress.counts.get(PAGES, 0)
        counts = {LOOKED_AT: looked_at, FROZEN: len(found), PAGES: 1 if found else 0}
        if "confirm_mark" in job.request:
            counts[MARK] = mark_of(matched)
        page = FrozenPage(job.job_id, progress.index, number, found) if found else None
        self.ledger.commit(beyond(progress, counts, cursor), frozen=page)

    def _page(
        self, job: Job, progress: JobProgress, within: tuple[str, str]
    ) -> tuple[Sequence[Customer], int, str | None]:
        """The next customers, how many ids were looked at for them, and the cursor after them (``None`` at the end)."""
        listed = job.request["customer_ids"]
        if listed is None:
            customers = self.customers.read_range(job.business_id, *within, progress.cursor, PAGE)
            return customers, len(customers), next_after(customers)
        start = int(progress.cursor or 0)
        ids = listed[start : start + PAGE]
        found = self.customers.get_many(job.business_id, ids)
        end = start + len(ids)
        return list(found.values()), len(ids), str(end) if end < len(listed) else None

    def _delete(self, job: Job, progress: JobProgress) -> None:
        """Settle the next dozen customers; when others write one of them meanwhile, settle only the first."""
        number, position = map(int, (progress.cursor or "0:0").split(":"))
        page = self.ledger.frozen(job.job_id, progress.index, number)
        if page is None:
            self.ledger.commit(beyond(progress, {}, None))
            return
        listed = page.customers[position:]
        for size in (BATCH, *[1] * ATTEMPTS):
            try:
                settled = self._settle(job, listed[:size])
                self._commit(progress, page, position, settled)
            except ConcurrentChangeError:
                if self.ledger.get(job.job_id, progress.phase, progress.index).version != progress.version:
                    raise
            else:
                return
        settled, busy = _Settled(), listed[0].customer_id
        settled.spare(busy, BUSY, self.customers.get_many(job.business_id, [busy]).get(busy))
        self._commit(progress, page, position, settled)

    def _settle(self, job: Job, listed: Sequence[FrozenCustomer]) -> _Settled:
        """Decide from what is stored now; a change after that makes the transaction fail."""
        matcher = read_filter(job.request).compiled()
        policy = self.businesses.get(job.business_id).policy
        found = dict(self.customers.get_many(job.business_id, [one.customer_id for one in listed]))
        for one in listed:
            customer = found.get(one.customer_id)
            if customer is not None and customer.updated_at == one.updated_at:
                self._lighten(found, customer)
        known = self.contacts.get_many({key for customer in found.values() for key in customer.all_contact_keys})
        flagged = [with_flags(customer, known, policy) for customer in found.values()]
        matches = settled(flagged, matcher, known, self.summaries)
        done = _Settled()
        rows = 0
        for one in listed:
            customer = found.get(one.customer_id)
            if customer is None:
                done.spare(one.customer_id, GONE, None)
            elif customer.updated_at != one.updated_at:
                done.spare(one.customer_id, CHANGED, customer)
            elif not matches[one.customer_id]:
                done.spare(one.customer_id, NO_LONGER_MATCHES, customer)
            else:
                rows += 1 + most_rows(customer.all_contact_keys)
                if rows > MOST_ROWS and done.removed:
                    break
                done.handled += 1
                done.removed.append(customer)
        ids = {customer.customer_id for customer in done.removed}
        theirs = {key: known[key] for customer in done.removed for key in customer.all_contact_keys}
        done.removal = Removal(done.removed, unlinked(theirs, ids, self.remove.note(done.removed))) if ids else None
        return done

    def _lighten(self, found: dict[str, Customer], customer: Customer) -> None:
        try:
            found[customer.customer_id] = self.remove.lightened(customer)
        except NotFoundError:
            del found[customer.customer_id]

    def _commit(self, progress: JobProgress, page: FrozenPage, position: int, settled: _Settled) -> None:
        counts = Counter(f"{SKIPPED}{one.reason}" if one.reason != BUSY else FAILED for one in settled.spared)
        counts[DELETED] = len(settled.removed)
        after = position + settled.handled
        cursor = f"{page.number}:{after}" if after < len(page.customers) else f"{page.number + 1}:0"
        moved = beyond(progress, counts, cursor)
        named = (*progress.spared, *settled.spared)[:MOST_SPARED]
        moved = replace(moved, spared=named)
        if settled.removal is None:
            self.ledger.commit(moved)
        else:
            self.removals.commit(moved, settled.removal)
