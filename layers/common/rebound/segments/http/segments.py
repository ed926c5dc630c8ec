"""Saved segments: shapes and routes."""

from typing import Annotated, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import Field

from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    business_of,
    json_answer,
    responses,
)
from rebound.platform.http.shapes import Answer, Line, Request, Time
from rebound.segments import wiring
from rebound.segments.domain.segments import MAX_ORDERED, Segment
from rebound.segments.http.filters import Filter, SegmentId


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
        return cls.filled(segment, filter=dict(segment.filter))


class SegmentPage(Answer):
    """Part of a list of segments."""

    items: list[SegmentAnswer]
    next_cursor: str | None


class SegmentOrderRequest(Request):
    """The segments in the order in which lists are to show them; those that are not named follow by id."""

    segment_ids: Annotated[list[SegmentId], Field(max_length=MAX_ORDERED)]


class SegmentOrderAnswer(Answer):
    """All segments in the order in which lists show them."""

    segment_ids: list[str]


SegmentInPath = Annotated[SegmentId, Path(description="A name of your own.")]


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Segments"]
    one = responses(SegmentAnswer)

    @app.get(
        "/v1/segments",
        summary="List segments, in your order; those that it does not name follow by id",
        tags=tags,
        responses=responses(SegmentPage),
    )
    def list_segments(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[str]:
        page = wiring.use_cases().segment_service.page(business_of(app), limit, cursor)
        items = [SegmentAnswer.of(segment) for segment in page.items]
        return json_answer(SegmentPage(items=items, next_cursor=page.next_cursor))

    @app.put(
        "/v1/segments/order",
        summary="Put the segments in an order of your own",
        tags=tags,
        responses=responses(SegmentOrderAnswer),
    )
    def put_segment_order(request: Annotated[SegmentOrderRequest, Body()]) -> Response[str]:
        order = wiring.use_cases().segment_service.put_order(business_of(app), request.segment_ids)
        return json_answer(SegmentOrderAnswer(segment_ids=list(order)))

    @app.put("/v1/segments/<segment_id>", summary="Create or replace a segment", tags=tags, responses=one)
    def put_segment(segment_id: SegmentInPath, request: Annotated[SegmentRequest, Body()]) -> Response[str]:
        segment = wiring.use_cases().segment_service.put(business_of(app), segment_id, request.name, request.filter)
        return json_answer(SegmentAnswer.of(segment))

    @app.get("/v1/segments/<segment_id>", summary="Read a segment", tags=tags, responses=one)
    def get_segment(segment_id: SegmentInPath) -> Response[str]:
        return json_answer(SegmentAnswer.of(wiring.use_cases().segment_service.get(business_of(app), segment_id)))
