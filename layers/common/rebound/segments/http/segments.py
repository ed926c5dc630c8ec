"""Segments, and whom a message would reach: shapes and routes."""

from http import HTTPStatus
from typing import Annotated, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import Field, model_validator

from rebound.eligibility import wiring
from rebound.eligibility.application.preview_audience import Question
from rebound.eligibility.http.audience_answer import AudienceAnswer
from rebound.jobs.domain.jobs import JobKind
from rebound.jobs.http.job_answers import accepted, started
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    business_of,
    json_answer,
    no_content,
    prefers_a_job,
    responses,
)
from rebound.platform.http.shapes import MAX_CUSTOMER_IDS, Answer, CustomerId, Filter, Line, Request, Time
from rebound.segments.application.manage_segments import filter_of
from rebound.segments.domain import Segment, compile_filter


class SegmentRequest(Request):
    """A segment."""

    name: Line
    filter: Filter


class SegmentAnswer(Answer):
    """A saved segment."""

    segment_id: str
    name: str
    filter: Filter
    updated_at: Time

    @classmethod
    def of(cls, segment: Segment) -> Self:
        """The answer for a segment."""
        return cls(
            segment_id=segment.segment_id,
            name=segment.name,
            filter=dict(segment.filter),
            updated_at=segment.updated_at,
        )


class SegmentPage(Answer):
    """Part of a list of segments."""

    items: list[SegmentAnswer]
    next_cursor: str | None


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
    """The routes."""
    tags = ["Segments"]
    one = responses(SegmentAnswer)

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

    @app.get("/v1/segments", summary="List segments", tags=tags, responses=responses(SegmentPage))
    def list_segments(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[str]:
        page = wiring.use_cases().manage_segments.page(business_of(app), limit, cursor)
        items = [SegmentAnswer.of(segment) for segment in page.items]
        return json_answer(SegmentPage(items=items, next_cursor=page.next_cursor))

    @app.put("/v1/segments/<segment_id>", summary="Create or replace a segment", tags=tags, responses=one)
    def put_segment(segment_id: str, request: Annotated[SegmentRequest, Body()]) -> Response[str]:
        segment = wiring.use_cases().manage_segments.put(business_of(app), segment_id, request.name, request.filter)
        return json_answer(SegmentAnswer.of(segment))

    @app.get("/v1/segments/<segment_id>", summary="Read a segment", tags=tags, responses=one)
    def get_segment(segment_id: str) -> Response[str]:
        return json_answer(SegmentAnswer.of(wiring.use_cases().manage_segments.get(business_of(app), segment_id)))

    @app.delete("/v1/segments/<segment_id>", summary="Remove a segment", tags=tags, responses=no_content())
    def delete_segment(segment_id: str) -> Response[str]:
        wiring.use_cases().manage_segments.delete(business_of(app), segment_id)
        return Response(status_code=HTTPStatus.NO_CONTENT, body="")
