"""What runs in the background, whatever its kind: newest first, how far it is, and how to go on where it stopped."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from rebound.console.http.files.imports import PAGE, before
from rebound.console.http.requests import PageAnswer, see
from rebound.console.http.visits import Visit
from rebound.jobs.domain import (
    COUNT,
    DELETED,
    FAILED,
    FROZEN,
    LOOKED_AT,
    MATCHED,
    SKIPPED,
    STANDING,
    Job,
    JobKind,
    JobStatus,
)
from rebound.kernel.errors import NotFoundError

MOST_JOBS: Final = 200
"""Read for a page."""
FOUND: Final = (COUNT, MATCHED, FROZEN)
"""Under one of these a kind of job counts the customers that it is about."""


class ShownJob(Struct, frozen=True):
    """A line of the list; ``page`` is the area that shows more of it."""

    id: str
    page: str
    kind: str
    status: str
    created_at: datetime
    by: str | None


def show_list(visit: Visit) -> PageAnswer:
    """Jobs, imports and exports together. Each hour's look for a recurring campaign is left out once it is done."""
    behind, business_id, older_than = visit.behind, visit.business_id, before(visit)
    jobs = behind.job_service.newest(business_id, MOST_JOBS, older_than)
    # Of what is older than the last of these, there may be jobs that were not read.
    floor = jobs[-1].job_id if len(jobs) == MOST_JOBS else ""
    found = [
        *(
            ShownJob(each.job_id, "jobs", each.kind, each.status, each.created_at, each.by)
            for each in jobs
            if each.kind is not JobKind.RECURRING or each.status is not JobStatus.COMPLETED
        ),
        *(
            ShownJob(each.import_id, "imports", "import", each.status, each.created_at, each.by)
            for each in behind.start_import.newest(business_id, PAGE + 1, older_than)
            if each.import_id >= floor
        ),
        *(
            ShownJob(each.export_id, "exports", "export", each.status, each.created_at, each.by)
            for each in behind.start_export.newest(business_id, PAGE + 1, older_than)
            if each.export_id >= floor
        ),
    ]
    found.sort(key=lambda each: each.id, reverse=True)
    goes_on_behind = found[PAGE - 1].id if len(found) > PAGE else floor
    return visit.page("jobs", rows=found[:PAGE], before=goes_on_behind or None)


def show(visit: Visit, job_id: str) -> PageAnswer:
    """How far a job is, and what it has found or done."""
    view = visit.behind.job_service.get(visit.business_id, job_id)
    job, first, last = view.job, view.counts[0], view.counts[-1]
    dealt_with = sum(n for name, n in last.items() if name in (DELETED, FAILED) or name.startswith(SKIPPED))
    is_cleaning = job.kind is JobKind.BULK_DELETE
    return visit.page(
        "jobs_one",
        job=job,
        about=_about(visit, job),
        is_over=job.status in STANDING,
        may_resume=job.status is JobStatus.PAUSED,
        done=view.ranges_done,
        looked_at=first.get(LOOKED_AT, 0),
        found=next((first[name] for name in FOUND if name in first), None),
        dealt_with=dealt_with if job.phase and is_cleaning else None,
        is_cleaning=is_cleaning,
    )


def _about(visit: Visit, job: Job) -> tuple[str, str, str] | None:
    """The area, id and name of the campaign, or the recurring one, that a job is for."""
    behind, recurring_id = visit.behind, str(job.request.get("recurring_id", ""))
    try:
        if recurring_id:
            return (
                "recurring",
                recurring_id,
                behind.recurring_service.get(visit.business_id, recurring_id).recurring.name,
            )
        if job.about is not None:
            return "campaigns", job.about, behind.campaign_service.find(visit.business_id, job.about).name
    except NotFoundError:
        pass
    return None


def resume(visit: Visit, job_id: str) -> PageAnswer:
    """Go on with one that is paused."""
    visit.behind.job_service.resume(visit.business_id, job_id)
    return see(visit.request.link("jobs", job_id))
