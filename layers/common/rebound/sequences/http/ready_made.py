"""Sequences that are ready-made: shapes and the route."""

from typing import Any, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from pydantic import Field

from rebound.platform.http.routes import business_of, json_answer, responses
from rebound.platform.http.shapes import Answer
from rebound.sequences import wiring
from rebound.sequences.domain.ready_made import ReadyMade
from rebound.sequences.domain.sequences import Late, Reentry, SequenceStatus
from rebound.sequences.http.shapes import StepAnswer, definition_in_answer


class ReadyMadeSequence(Answer):
    """What PUT /v1/sequences/{sequence_id} takes."""

    name: str
    status: SequenceStatus = Field(description="Always off: nothing happens before it is switched on.")
    trigger: dict[str, Any]
    filter: dict[str, Any] | None
    reentry: Reentry
    steps: list[StepAnswer]
    exit_on: list[dict[str, Any]]
    late: Late


class ReadyMadeAnswer(Answer):
    """A sequence to be taken over, in the language of the business."""

    ready_made_id: str
    description: str = Field(description="What it does, for people.")
    sequence: ReadyMadeSequence = Field(
        description="Put it as a sequence of yours, changed or as it is; nothing is kept of it before."
    )

    @classmethod
    def of(cls, one: ReadyMade) -> Self:
        """The answer for one."""
        said = definition_in_answer(one.definition)
        sequence = ReadyMadeSequence(name=one.name, status=SequenceStatus.OFF, late=Late.GO_ON, **said)
        return cls(ready_made_id=one.ready_made_id, description=one.description, sequence=sequence)


class ReadyMadeList(Answer):
    """All of them."""

    items: list[ReadyMadeAnswer]
    next_cursor: str | None = Field(default=None, description="Always null: there are few.")


def add_routes(app: APIGatewayRestResolver) -> None:
    """The route."""

    @app.get(
        "/v1/ready-made-sequences",
        summary="List sequences that are ready to be taken over",
        tags=["Sequences"],
        responses=responses(ReadyMadeList),
    )
    def list_ready_made() -> Response[str]:
        found = wiring.use_cases().ready_made(business_of(app))
        return json_answer(ReadyMadeList(items=list(map(ReadyMadeAnswer.of, found))))
