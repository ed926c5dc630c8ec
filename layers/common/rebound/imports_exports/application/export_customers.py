"""Exporting customers: those that a filter names, as a file that spreadsheets open and an import reads again.

The file is written page by page in constant memory, as parts of one upload. An export that died or ran out of time goes
on after the last part that its job records; a part that is written again replaces the first one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.customers.domain import Customer
from rebound.imports_exports.application.customer_files import write_header, write_row
from rebound.imports_exports.domain import ExportJob
from rebound.segments.application.find_customers import read_filter, write_filter
from rebound.segments.application.matching import by_pages
from rebound.segments.domain.selections import CustomerFilter

if TYPE_CHECKING:
    from rebound.activity.ports import SummaryBook
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import ContactBook
    from rebound.customers.ports import CustomerBook
    from rebound.imports_exports.ports import ExportBook, ExportStore, FileRunner
    from rebound.platform.ports import Clock, Ids

PAGE: Final = 250
"""Customers held at a time."""
PART_BYTES: Final = 5 * 1024 * 1024
"""The least that S3 takes as a part of an upload, except for the last part."""
KEPT: Final = timedelta(days=6)
"""How long a file can be downloaded; the bucket keeps it for a day longer."""
STOPPED: Final = "Something failed on our side before the export was done. Export again."


class ExportView(Struct, frozen=True):
    """An export, and the URL of its file; ``None`` while there is no file, and after ``expires_at``."""

    job: ExportJob
    download_url: str | None
    expires_at: datetime


class StartExport(Struct, frozen=True, kw_only=True):
    """Accepts an export, and tells how it is getting on."""

    exports: ExportBook
    store: ExportStore
    runner: FileRunner
    businesses: BusinessDirectory
    clock: Clock
    ids: Ids

    def __call__(self, business_id: str, format_: str, wanted: CustomerFilter, *, by: str | None = None) -> ExportView:
        """Start an export, and show it; ``by`` is the email of whoever asks at the desk.

        Raises ``InvalidInputError`` when the filter is wrong.
        """
        self.businesses.get(business_id)
        wanted.compiled()
        now = self.clock.now()
        job = ExportJob(business_id, self.ids.ulid(now), format_, "queued", now, write_filter(wanted), by=by)
        self.exports.save(job)
        self.runner.start(business_id, job.export_id)
        return self._view(job)

    def newest(self, business_id: str, limit: int, before: str | None = None) -> Sequence[ExportJob]:
        """The newest exports, newest first; with ``before``, an id, those older than it."""
        return self.exports.newest(business_id, limit, before)

    def get(self, business_id: str, export_id: str) -> ExportView:
        """The export as it is now. Raises ``NotFoundError``."""
        return self._view(self.exports.get(business_id, export_id))

    def file_url(self, business_id: str, export_id: str, lasting: timedelta) -> str | None:
        """The URL of its file, which ends soon; ``None`` while there is no file, and once it is gone.

        Raises ``NotFoundError``.
        """
        job = self.exports.get(business_id, export_id)
        if not self._is_there(job):
            return None
        return self.store.download_url(business_id, export_id, int(lasting.total_seconds()))

    def _view(self, job: ExportJob) -> ExportView:
        url = self.store.download_url(job.business_id, job.export_id) if self._is_there(job) else None
        return ExportView(job, url, job.created_at + KEPT)

    def _is_there(self, job: ExportJob) -> bool:
        return job.status == "completed" and self.clock.now() < job.created_at + KEPT


class ExportCustomers(Struct, frozen=True, kw_only=True):
    """Writes the file of an export."""

    exports: ExportBook
    store: ExportStore
    customers: CustomerBook
    contacts: ContactBook
    summaries: SummaryBook
    businesses: BusinessDirectory
    part_bytes: int

    def __call__(self, business_id: str, export_id: str, may_go_on: Callable[[], bool]) -> bool:
        """Write while there is time, at least one page; returns whether the file is done."""
        job = self.exports.get(business_id, export_id)
        if job.status == "completed":
            return True
        if job.written:
            return self._completed(job)
        business = self.businesses.get(business_id)
        wanted = read_filter({"wanted": job.wanted})
        matching = None if wanted.is_everybody else by_pages(wanted.compiled(), self.contacts, self.summaries)
        if job.upload_id is None:
            job = replace(job, upload_id=self.store.begin(business_id, export_id, job.format))
            self.exports.save(job)
        job = replace(job, status="running", failure=None)
        waiting = bytearray(self._waiting(job))
        while True:
            page = self.customers.page(business_id, limit=PAGE, cursor=job.cursor, matching=matching)
            waiting += b"".join(self._written(page.items, business, job.format))
            job = replace(job, cursor=page.next_cursor, rows=job.rows + len(page.items))
            if page.next_cursor is None:
                job = replace(self._put(job, waiting), written=True)
                self.exports.save(job)
                return self._completed(job)
            if len(waiting) >= self.part_bytes:
                job = self._put(job, waiting)
                waiting.clear()
                self.exports.save(job)
            if not may_go_on():
                self._set_aside(job, bytes(waiting))
                return False

    def fail(self, business_id: str, export_id: str) -> None:
        """Fail for a reason on our side. A completed export stays completed."""
        job = self.exports.get(business_id, export_id)
        if job.status != "completed":
            self.exports.save(replace(job, status="failed", failure=STOPPED))

    def _completed(self, job: ExportJob) -> bool:
        self.store.complete(job.business_id, job.export_id, job.upload_id or "", job.parts)
        self.exports.save(replace(job, status="completed", failure=None))
        return True

    def _waiting(self, job: ExportJob) -> bytes:
        """What has been written but is in no part yet; a new file begins with its header."""
        if job.rest is not None:
            return self.store.read_rest(job.business_id, job.export_id, job.rest)
        return b"" if job.cursor is not None else write_header(job.format)

    def _put(self, job: ExportJob, content: bytearray) -> ExportJob:
        number = len(job.parts) + 1
        tag = self.store.put_part(job.business_id, job.export_id, job.upload_id or "", number, bytes(content))
        return replace(job, parts=(*job.parts, tag), rest=None)

    def _set_aside(self, job: ExportJob, content: bytes) -> None:
        """Keep what is too small for a part, under a name that no earlier state of the export refers to."""
        self.store.put_rest(job.business_id, job.export_id, job.rows, content)
        self.exports.save(replace(job, rest=job.rows))

    def _written(self, customers: Iterable[Customer], business: Business, format_: str) -> Iterable[bytes]:
        customers = list(customers)
        contacts = self.contacts.get_many({key for customer in customers for key in customer.contact_keys})
        for customer in customers:
            verdicts = {key.channel: contacts[key].verdict(business.policy) for key in customer.contact_keys}
            consents = {key.channel: contacts[key].consent for key in customer.contact_keys}
            yield write_row(format_, customer, verdicts, consents)
