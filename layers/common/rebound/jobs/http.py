"""Work in the background: what is answered about it, and routes."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from pydantic import Field

from rebound.contacts.domain.contacts import FAILED_VALUES
from rebound.jobs import wiring
from rebound.jobs.application.job_service import JobView
from rebound.jobs.domain import (
    COUNT,
    DELETED,
    FAILED,
    FROZEN,
    LOOKED_AT,
    MATCHED,
    SKIPPED,
    SPARED_BECAUSE,
    Job,
    JobKind,
    JobStatus,
    audience_of,
)
from rebound.kernel.api_scopes import ApiScope
from rebound.platform.http.routes import authorizer, business_of, check_has, json_answer, name_of_request, responses
from rebound.platform.http.shapes import Answer, AudienceAnswer, Time, one_of


class CountAnswer(Answer):
    """How many customers a filter has."""

    count: int
    failed: dict[str, int] = Field(description="How many of them have which address failed: phone, email, any, both.")

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Self:
        """The answer for counts."""
        return cls(count=counts.get(COUNT, 0), failed={which: counts.get(which, 0) for which in FAILED_VALUES})


class JobProgressAnswer(Answer):
    """How far a job is."""

    ranges: int = Field(description="Parts that are worked at side by side.")
    ranges_done: int = Field(description="Of the present phase: counting, then running.")
    looked_at: int = Field(description="Customers looked at while counting.")
    counted: int = Field(description="Of those, the ones that match.")
    handled: int = Field(description="Of those, the ones that have been dealt with.")


class SparedAnswer(Answer):
    """A customer who was not deleted, and why."""

    customer_id: str
    external_id: str | None = Field(description="Null for who was gone.")
    reason: Annotated[str, one_of(SPARED_BECAUSE)] = Field(description="busy: others kept writing the customer.")


class DeletionReport(Answer):
    """What became of those counted: at the end ``counted`` = ``deleted`` + the sum of ``skipped`` + ``failed``."""

    counted: int
    deleted: int
    skipped: dict[str, int] = Field(description="By reason: gone, changed or no_longer_matches since the count.")
    failed: int = Field(description="Others kept writing the customer or an address of theirs.")
    spared: list[SparedAnswer] = Field(description="Who was skipped or failed, at most 100 for each range.")


class JobAnswer(Answer):
    """Work in the background and how it stands."""

    job_id: str
    kind: JobKind
    status: JobStatus
    reason: str | None = Field(description="Why it is paused or was refused.")
    created_at: Time
    ended_at: Time | None
    progress: JobProgressAnswer
    count: CountAnswer | None = Field(description="The result of a count.")
    audience: AudienceAnswer | None = Field(description="The result of a preview.")
    report: DeletionReport | None = Field(description="What a clean-up has done so far.")

    @classmethod
    def of(cls, view: JobView) -> Self:
        """The answer for a job."""
        job, first = view.job, view.counts[0]
        counted = first.get(FROZEN, 0) + first.get(COUNT, 0) + first.get(MATCHED, 0)
        report = _deletion_report(view) if job.phase and job.kind is JobKind.BULK_DELETE else None
        is_completed = job.status is JobStatus.COMPLETED
        return cls.filled(
            job,
            progress=JobProgressAnswer(
                ranges=job.ranges,
                ranges_done=view.ranges_done,
                looked_at=first.get(LOOKED_AT, 0),
                counted=counted,
                handled=report.deleted + sum(report.skipped.values()) + report.failed if report else 0,
            ),
            count=CountAnswer.of(first) if is_completed and job.kind is JobKind.COUNT else None,
            audience=_previewed(job, first) if is_completed and job.kind is JobKind.PREVIEW else None,
            report=report,
        )


def _previewed(job: Job, counts: Mapping[str, int]) -> AudienceAnswer:
    """What a preview has found, with the time of the ranking that its filter was fixed with, if it was with one."""
    standings = (job.request.get("as_of") or {}).get("standings") or {}
    ranked_at = standings.get("ranked_at")
    return AudienceAnswer.of(
        audience_of(counts), ranked_at=None if ranked_at is None else datetime.fromisoformat(ranked_at)
    )


def _deletion_report(view: JobView) -> DeletionReport:
    counted, done = view.counts
    skipped = {label.removeprefix(SKIPPED): n for label, n in sorted(done.items()) if label.startswith(SKIPPED)}
    return DeletionReport(
        counted=counted.get(FROZEN, 0),
        deleted=done.get(DELETED, 0),
        skipped=skipped,
        failed=done.get(FAILED, 0),
        spared=[SparedAnswer.filled(one) for one in view.spared],
    )


def started(app: APIGatewayRestResolver, kind: JobKind, asked: Mapping[str, Any]) -> Response[str]:
    """The answer that says where to ask for the result."""
    view = wiring.use_cases().job_service.start(business_of(app), kind, asked, request=name_of_request(app))
    return json_answer(JobAnswer.of(view), HTTPStatus.ACCEPTED)


def accepted() -> dict[int, Any]:
    """What a route answers that may also start a job."""
    described = {"description": "A job to poll", "content": {"application/json": {"model": JobAnswer}}}
    return {int(HTTPStatus.ACCEPTED): described}


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags, one = ["Jobs"], responses(JobAnswer)

    @app.get(
        "/v1/jobs/<job_id>",
        summary="How a job stands; needs the scope that the request needed which started it",
        tags=tags,
        responses=one,
        security=_any_of(f"{area}:read" for area in _AREA_OF_JOB.values()),
    )
    def get_job(job_id: str) -> Response[str]:
        view = wiring.use_cases().job_service.get(business_of(app), job_id)
        _demand(app, ApiScope(f"{_AREA_OF_JOB[view.job.kind]}:read"))
        return json_answer(JobAnswer.of(view))

    @app.post(
        "/v1/jobs/<job_id>/resume",
        summary="Go on with a paused job; needs the scope that the request needed which started it",
        tags=tags,
        responses=one,
        security=_any_of(_scope_of_resuming(kind) for kind in JobKind),
    )
    def resume_job(job_id: str) -> Response[str]:
        kind = wiring.use_cases().job_service.get(business_of(app), job_id).job.kind
        _demand(app, _scope_of_resuming(kind))
        return json_answer(JobAnswer.of(wiring.use_cases().job_service.resume(business_of(app), job_id)))


def _any_of(scopes: Iterable[str]) -> list[dict[str, list[str]]]:
    """One of these scopes will do, for the OpenAPI document."""
    return [{"key": [scope]} for scope in dict.fromkeys(map(str, scopes))]


def _scope_of_resuming(kind: JobKind) -> ApiScope:
    return ApiScope(f"{_AREA_OF_JOB[kind]}:{'write' if kind in _CHANGES else 'read'}")


def _demand(app: APIGatewayRestResolver, needed: ApiScope) -> None:
    """For what only shows when a thing has been read."""
    check_has(authorizer(app).get("scopes", ""), needed)


_AREA_OF_JOB: Final = {
    JobKind.COUNT: "customers",
    JobKind.PREVIEW: "segments",
    JobKind.BULK_DELETE: "customers",
    JobKind.RANKING: "customers",
    JobKind.RECURRING: "campaigns",
    JobKind.SEQUENCE: "campaigns",
    JobKind.WAIVER: "messages",
}
"""Whose scopes a job asks for: those of the request that started it."""
_CHANGES: Final = (JobKind.BULK_DELETE, JobKind.RECURRING, JobKind.SEQUENCE, JobKind.WAIVER)
"""What does more than to look."""
