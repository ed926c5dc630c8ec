"""Versions of sequences, and moving those who wait from one to the newest: routes and shapes."""

from http import HTTPStatus
from typing import Annotated, Any, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import Field

from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    business_of,
    json_answer,
    name_of_request,
    responses,
)
from rebound.platform.http.shapes import Answer, Request
from rebound.sequences import wiring
from rebound.sequences.domain.moves import Move, StaysBecause
from rebound.sequences.domain.sequences import Definition, Reentry
from rebound.sequences.domain.steps import MOST_STEPS
from rebound.sequences.http.routes import SequenceInPath
from rebound.sequences.http.shapes import StepAnswer, definition_in_answer

VersionInPath = Annotated[int, Field(ge=1), Path(description="As results and enrolments tell it.")]


class VersionAnswer(Answer):
    """What a version says; whoever is inside stays on theirs."""

    version: int
    enrolments: int = Field(description="How many are inside on it.")
    trigger: dict[str, Any]
    filter: dict[str, Any] | None
    reentry: Reentry
    steps: list[StepAnswer]
    exit_on: list[dict[str, Any]]

    @classmethod
    def of(cls, version: int, definition: Definition, enrolments: int) -> Self:
        """The answer for a version."""
        return cls(version=version, enrolments=enrolments, **definition_in_answer(definition))


class VersionList(Answer):
    """The newest version, and those that anybody has gone through, the newest first."""

    items: list[VersionAnswer]
    next_cursor: str | None


class MoveRequest(Request):
    """Whom to move to the newest version, and where they wait then."""

    steps: Annotated[dict[str, Annotated[str, Field(max_length=128)]], Field(max_length=MOST_STEPS)] = Field(
        description="For a step of this version at which customers wait, the step of the newest at which they wait "
        "then. They wait by the new step from when they began to wait, and what comes behind it is sent. Who stands "
        "before the first step begins the newest, unless they wait for what does not begin it."
    )
    dry_run: bool = Field(default=False, description="Only say who would be moved.")


class MoverAnswer(Answer):
    """How many wait at a step, and where they wait then."""

    step_id: str
    to_step_id: str
    enrolments: int


class StayerAnswer(Answer):
    """How many stay at a step, and why."""

    step_id: str | None = Field(description="Null before the first step.")
    because: StaysBecause = Field(
        description="not_mapped: steps does not say where to. in_hand: a step is being done for them; move again later."
        " another_trigger: they wait for what is to come, such as the end of a membership, and the newest version "
        "begins with something else, or with less."
    )
    enrolments: int


class MoveAnswer(Answer):
    """Who is moved and who stays, by counts that are a few seconds behind."""

    version: int
    to: int = Field(description="The newest version.")
    beginning: int = Field(description="Who stands before the first step and begins the newest.")
    moves: list[MoverAnswer]
    stays: list[StayerAnswer]
    job_id: str | None = Field(description="The job that moves them. Null for a dry run.")

    @classmethod
    def of(cls, move: Move, job_id: str | None) -> Self:
        """The answer for a move."""
        return cls.filled(
            move,
            job_id=job_id,
            moves=[MoverAnswer.filled(each) for each in move.moves],
            stays=[StayerAnswer.filled(each) for each in move.stays],
        )


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Sequences"]
    path = "/v1/sequences/<sequence_id>/versions"
    moved: dict[int, Any] = {
        **responses(MoveAnswer),
        int(HTTPStatus.ACCEPTED): {
            "description": "They are being moved",
            "content": {"application/json": {"model": MoveAnswer}},
        },
    }

    @app.get(
        path,
        summary="List a sequence's versions, and who is inside on which",
        tags=tags,
        responses=responses(VersionList),
    )
    def list_versions(
        sequence_id: SequenceInPath, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Response[str]:
        page = wiring.use_cases().sequence_results.versions(business_of(app), sequence_id, limit, cursor)
        return json_answer(
            VersionList(items=[VersionAnswer.of(*each) for each in page.items], next_cursor=page.next_cursor)
        )

    @app.post(
        f"{path}/<version>/move",
        summary="Move those who wait in an older version to the newest",
        tags=tags,
        responses=moved,
    )
    def move_enrolments(
        sequence_id: SequenceInPath, version: VersionInPath, request: Annotated[MoveRequest, Body()]
    ) -> Response[str]:
        business_id, use_case = business_of(app), wiring.use_cases().move_enrolments
        move = use_case.foresee(business_id, sequence_id, version, request.steps)
        if request.dry_run:
            return json_answer(MoveAnswer.of(move, None))
        job_id = use_case.start(business_id, sequence_id, move, name_of_request(app))
        return json_answer(MoveAnswer.of(move, job_id), HTTPStatus.ACCEPTED)
