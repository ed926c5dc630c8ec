"""Whom a message would reach: shape and route."""

from typing import Annotated, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import Field, model_validator

from rebound.eligibility import wiring
from rebound.eligibility.application.preview_audience import Question
from rebound.jobs.domain import JobKind
from rebound.jobs.http import accepted, started
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.platform.http.routes import business_of, json_answer, prefers_a_job, responses
from rebound.platform.http.shapes import MAX_CUSTOMER_IDS, AudienceAnswer, CustomerId, Filter, Request
from rebound.segments.application.segment_service import filter_of
from rebound.segments.domain import compile_filter


class PreviewRequest(Request):
    """Whom to count for: exactly one of ``segment_id`` and ``filter``."""

    segment_id: str | None = None
    filter: Filter | None = None
    channel: Annotated[Channel, Field(strict=False)]
    category: Annotated[Category, Field(strict=False)]
    exclude_failed: bool = True
    include_customer_ids: Annotated[list[CustomerId], Field(max_length=MAX_CUSTOMER_IDS)] = Field(
        default_factory=list, description="Customers to add back although their contact is flagged."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.segment_id is None) == (self.filter is None):
            raise ValueError("Give exactly one of segment_id, filter.")
        return self


def add_routes(app: APIGatewayRestResolver) -> None:
    """The route."""
    tags = ["Segments"]

    @app.post(
        "/v1/segments/preview",
        summary="Who would get a message now; a job when there are too many to count while the request waits",
        tags=tags,
        responses=responses(AudienceAnswer) | accepted(),
    )
    def preview(request: Annotated[PreviewRequest, Body()]) -> Response[str]:
        business_id, segment_id = business_of(app), request.segment_id
        tree = filter_of(wiring.ports().segments, business_id, segment_id) if segment_id is not None else request.filter
        compile_filter(tree)
        question = Question(
            tree or {},
            request.channel,
            request.category,
            request.exclude_failed,
            frozenset(request.include_customer_ids),
            segment_id,
        )
        audience = None if prefers_a_job(app) else wiring.use_cases().preview_audience(business_id, question)
        if audience is not None:
            return json_answer(AudienceAnswer.of(audience))
        return started(app, JobKind.PREVIEW, question.written())
