"""Work in the background: routes."""

from typing import Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from rebound.jobs import wiring
from rebound.jobs.domain import JobKind
from rebound.jobs.http.job_answers import JobAnswer
from rebound.kernel.api_scopes import ApiScope
from rebound.platform.http.routes import authorizer, business_of, check_has, json_answer, responses


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags, one = ["Jobs"], responses(JobAnswer)

    @app.get("/v1/jobs/<job_id>", summary="How a job stands", tags=tags, responses=one)
    def get_job(job_id: str) -> Response[str]:
        view = wiring.use_cases().job_service.get(business_of(app), job_id)
        _demand(app, ApiScope(f"{_AREA_OF_JOB[view.job.kind]}:read"))
        return json_answer(JobAnswer.of(view))

    @app.post("/v1/jobs/<job_id>/resume", summary="Go on with a paused job", tags=tags, responses=one)
    def resume_job(job_id: str) -> Response[str]:
        kind = wiring.use_cases().job_service.get(business_of(app), job_id).job.kind
        _demand(app, ApiScope(f"{_AREA_OF_JOB[kind]}:{'write' if kind is JobKind.BULK_DELETE else 'read'}"))
        return json_answer(JobAnswer.of(wiring.use_cases().job_service.resume(business_of(app), job_id)))


def _demand(app: APIGatewayRestResolver, needed: ApiScope) -> None:
    """For what only shows when a thing has been read."""
    check_has(authorizer(app).get("scopes", ""), needed)


_AREA_OF_JOB: Final = {JobKind.COUNT: "customers", JobKind.PREVIEW: "segments", JobKind.BULK_DELETE: "customers"}
"""Whose scopes a job asks for: those of the request that started it."""
