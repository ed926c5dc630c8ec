"""Results of sequences by step: route and shapes."""

from typing import Any, Literal, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from pydantic import ConfigDict, Field

from rebound.platform.http.routes import business_of, json_answer, responses
from rebound.platform.http.shapes import Answer
from rebound.sequences import wiring
from rebound.sequences.domain.results import MessageResults, SequenceResults, StepResults, VersionResults
from rebound.sequences.domain.sequences import SavedSequence
from rebound.sequences.domain.steps import Send
from rebound.sequences.http.routes import SequenceInPath


class LeftAnswer(Answer):
    """How many have left, and why."""

    ended: int = Field(default=0, description="They came to the end, or to a step that ends it.")
    goal: int = Field(default=0, description="What the sequence was for has happened.")
    exit: int = Field(default=0, description="Something happened that ends it.")
    lapsed: int = Field(default=0, description="They were due while it was off, and what was late was to lapse.")
    not_matching: int = Field(default=0, description="They did not match the filter when what they waited for was due.")
    removed: int = Field(default=0, description="They were taken out, or deleted.")


class StepMessagesAnswer(Answer):
    """What became of the messages of a step, as campaigns count them."""

    sent: int = Field(default=0, description="Accepted by the provider, no final word yet.")
    delivered: int = 0
    bounced: int = Field(default=0, description="Final, and the address's fault.")
    failed: int = Field(default=0, description="Final, for any other reason.")
    uncertain: int = Field(default=0, description="Nobody knows whether it went out; settled by a later receipt.")
    cancelled: int = Field(default=0, description="The sequence was deleted before these were handed over.")
    excluded: dict[str, int] = Field(description="Who was left out right before the send, by reason.")

    @classmethod
    def of(cls, messages: MessageResults) -> Self:
        """The answer for the messages of a step."""
        return cls(**{str(status): count for status, count in messages.results.items()}, excluded=messages.excluded)


class StepResultsAnswer(Answer):
    """What became of those who came to a step: entered = waiting + doing + passed + moved + left, all together."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    step_id: str
    kind: Literal["wait", "send", "if", "tag", "exit"]
    entered: int
    waiting: int = Field(description="Who waits there now.")
    doing: int = Field(description="For whom the step is being done at this moment.")
    passed: int = Field(description="Who has gone on to a step behind it.")
    moved: int = Field(description="Who was moved from there to a newer version.")
    left: LeftAnswer = Field(description="Who has left there: of the last step, who came to the end.")
    then: int | None = Field(description="Of a condition: who matched. Null of all others.")
    otherwise: int | None = Field(
        serialization_alias="else", description="Of a condition: who did not match. Null of all others."
    )
    messages: StepMessagesAnswer | None = Field(
        description="Of a step that sends: of its messages of the last 400 days. Null of all others."
    )

    @classmethod
    def of(cls, found: StepResults) -> Self:
        """The answer for a step."""
        action: Any = found.step.action
        return cls.filled(
            found,
            step_id=found.step.step_id,
            kind=action.__struct_config__.tag,
            left=_left(found.left),
            then=found.then if found.asks else None,
            otherwise=found.otherwise if found.asks else None,
            messages=StepMessagesAnswer.of(found.messages) if isinstance(action, Send) else None,
        )


class TotalResultsAnswer(Answer):
    """All versions together: entered = inside + left, all together."""

    entered: int = Field(description="How many have begun it; who began it twice counts twice.")
    inside: int
    beginning: int = Field(description="Of those inside, who stand before the first step.")
    left: LeftAnswer
    steps: list[StepResultsAnswer] = Field(
        description="In the order of the newest version; steps that it has no more come last. Steps of the same id are "
        "added up."
    )

    @classmethod
    def of(cls, found: VersionResults) -> Self:
        """The answer for all versions together."""
        return cls.filled(found, left=_left(found.left), steps=[StepResultsAnswer.of(step) for step in found.steps])


class VersionResultsAnswer(TotalResultsAnswer):
    """A version: entered + moved_in = inside + moved + left, all together."""

    version: int
    moved_in: int = Field(description="Who was moved to it from an older version.")
    moved: int = Field(description="Who was moved on to a newer version.")


class SequenceResultsAnswer(Answer):
    """How a sequence does, step by step. The counts are a few seconds behind."""

    sequence_id: str
    version: int = Field(description="The newest, through which whoever begins goes.")
    total: TotalResultsAnswer
    versions: list[VersionResultsAnswer] = Field(
        description="Those that anybody has gone through, and the newest, which comes first."
    )

    @classmethod
    def of(cls, sequence: SavedSequence, found: SequenceResults) -> Self:
        """The answer for a sequence."""
        return cls(
            sequence_id=sequence.sequence_id,
            version=sequence.version,
            total=TotalResultsAnswer.of(found.total),
            versions=[VersionResultsAnswer.of(each) for each in found.versions],
        )


def _left(counts: Any) -> LeftAnswer:
    return LeftAnswer(**{str(why): count for why, count in counts.items()})


def add_routes(app: APIGatewayRestResolver) -> None:
    """The route."""

    @app.get(
        "/v1/sequences/<sequence_id>/results",
        summary="How a sequence does, step by step",
        tags=["Sequences"],
        responses=responses(SequenceResultsAnswer),
    )
    def sequence_results(sequence_id: SequenceInPath) -> Response[str]:
        found = wiring.use_cases().sequence_results(business_of(app), sequence_id)
        return json_answer(SequenceResultsAnswer.of(*found))
