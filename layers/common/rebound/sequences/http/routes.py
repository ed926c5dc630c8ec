"""Sequences: routes."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import Field

from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    business_of,
    json_answer,
    no_content,
    nothing,
    responses,
)
from rebound.platform.http.shapes import text_of
from rebound.sequences import wiring
from rebound.sequences.application.sequence_service import tag_of
from rebound.sequences.domain.sequences import SavedSequence
from rebound.sequences.http.shapes import (
    SequenceAnswer,
    SequenceList,
    SequenceRequest,
    SequenceStatusRequest,
    WarningAnswer,
)
from rebound.templates.http.templates import IfMatch, expected

SEQUENCE_ID = "^[A-Za-z0-9_-]{1,64}$"
SequenceInPath = Annotated[
    str, text_of(pattern=SEQUENCE_ID), Field(pattern=SEQUENCE_ID), Path(description="A name of your own.")
]


def _answer(sequence: SavedSequence) -> SequenceAnswer:
    return SequenceAnswer.of(sequence, wiring.use_cases().sequence_results.inside(sequence))


def _shown(sequence: SavedSequence) -> Response[str]:
    warnings = [WarningAnswer.filled(each) for each in wiring.use_cases().warn_of_steps(sequence)]
    answer = json_answer(_answer(sequence).model_copy(update={"warnings": warnings}))
    answer.headers["ETag"] = f'"{tag_of(sequence)}"'
    return answer


def _responses() -> dict[int, Any]:
    described = responses(SequenceAnswer)
    headers = {"ETag": {"description": "Its state, for If-Match.", "schema": {"type": "string"}}}
    described[int(HTTPStatus.OK)] |= {"headers": headers}
    return described


def _may_be_changed(described: dict[int, Any]) -> dict[int, Any]:
    problem = described[int(HTTPStatus.CONFLICT)]
    described[int(HTTPStatus.PRECONDITION_FAILED)] = {**problem, "description": "Changed since it was read"}
    return described


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Sequences"]
    path = "/v1/sequences/<sequence_id>"

    @app.get("/v1/sequences", summary="List the sequences, by id", tags=tags, responses=responses(SequenceList))
    def list_sequences(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[str]:
        page = wiring.use_cases().sequence_service.page(business_of(app), limit, cursor)
        return json_answer(SequenceList(items=[_answer(each) for each in page.items], next_cursor=page.next_cursor))

    @app.put(
        path,
        summary="Create a sequence, or publish its next version",
        tags=tags,
        responses=_may_be_changed(_responses()),
    )
    def put_sequence(
        sequence_id: SequenceInPath, request: Annotated[SequenceRequest, Body()], if_match: IfMatch = None
    ) -> Response[str]:
        business_id = business_of(app)
        wanted = request.read(business_id)
        service = wiring.use_cases().sequence_service
        return _shown(service.put(business_id, sequence_id, wanted, expected(if_match).tags))

    @app.get(path, summary="How a sequence stands", tags=tags, responses=_responses())
    def get_sequence(sequence_id: SequenceInPath) -> Response[str]:
        return _shown(wiring.use_cases().sequence_service.get(business_of(app), sequence_id))

    @app.patch(path, summary="Switch a sequence on or off", tags=tags, responses=_responses())
    def switch_sequence(
        sequence_id: SequenceInPath, request: Annotated[SequenceStatusRequest, Body()]
    ) -> Response[str]:
        service = wiring.use_cases().sequence_service
        return _shown(service.switch(business_of(app), sequence_id, request.status, request.late))

    @app.delete(
        path,
        summary="Remove a sequence: whoever is inside leaves, and what was sent stays",
        tags=tags,
        responses=_may_be_changed(no_content()),
    )
    def delete_sequence(sequence_id: SequenceInPath, if_match: IfMatch = None) -> Response[str]:
        wiring.use_cases().sequence_service.delete(business_of(app), sequence_id, expected(if_match).tags)
        return nothing()
