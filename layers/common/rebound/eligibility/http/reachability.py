"""Why a customer does not get our messages: shapes and route."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field, TypeAdapter

from rebound.businesses.domain.quiet_hours import HoldReason
from rebound.contacts.domain.reachability import ClearedBy
from rebound.eligibility import wiring
from rebound.eligibility.domain.eligibility import Exclusion, Hold, Send
from rebound.eligibility.domain.explanation import (
    Attempt,
    Explanation,
    FailureEvidence,
    RuleOutcome,
    RuleResult,
)
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.provider_codes import FailureClass, Provider
from rebound.messages.http import MessageAnswer
from rebound.platform.http.routes import CustomerInPath, business_of, json_answer, responses
from rebound.platform.http.shapes import Answer, Time

_TIMES: Final[TypeAdapter[datetime]] = TypeAdapter(Time)


class VerdictAnswer(Answer):
    """Whether the next such message would be sent."""

    decision: Literal["send", "hold", "exclude"]
    reason: Exclusion | HoldReason | None = Field(
        description="Why it would be left out (the first rule that stops it), or held back."
    )
    held_until: Time | None = Field(description="When one that is held back would be handed over.")
    sentence: str

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        """The verdict of an explanation."""
        match explanation.decision:
            case Send():
                return cls(decision="send", reason=None, held_until=None, sentence=explanation.sentence)
            case Hold(until, because):
                return cls(decision="hold", reason=because, held_until=until, sentence=explanation.sentence)
            case reason:
                return cls(decision="exclude", reason=reason, held_until=None, sentence=explanation.sentence)


class RuleAnswer(Answer):
    """One rule, in the order in which they are asked."""

    rule: Exclusion = Field(description="The reason that the rule leaves out for.")
    outcome: RuleOutcome
    sentence: str
    looked_at: dict[str, Any] = Field(description="The data that the outcome rests on; empty for a rule not reached.")

    @classmethod
    def of(cls, result: RuleResult) -> Self:
        """The answer for a rule."""
        return cls.filled(result, looked_at=_written(result.looked_at))


def _written(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _TIMES.dump_python(value) if isinstance(value, datetime) else value for name, value in data.items()}


class FailureEvidenceAnswer(Answer):
    """The failure that flagged the address."""

    failure_class: FailureClass
    provider: Provider
    code: str
    words: str | None = Field(description="The provider's own words.")
    sentence: str = Field(description="What the code means.")
    message_id: str | None = Field(description="Null for an entry of the provider's suppression list.")
    at: Time

    @classmethod
    def of(cls, evidence: FailureEvidence) -> Self:
        """The answer for a failure."""
        failure = evidence.failure
        return cls.filled(
            failure, failure_class=evidence.failure_class, words=failure.detail, sentence=evidence.sentence
        )


class FailureCountAnswer(Answer):
    """Failures of one class since the address was last known to be good."""

    failure_class: FailureClass
    count: int
    threshold: int | None = Field(description="So many flag; null when no number of them does.")


class ClearedAnswer(Answer):
    """When the address was last known or said to be good; deliveries are kept only where they cleared something."""

    by: ClearedBy
    at: Time


class ValidityAnswer(Answer):
    """The flag and what it rests on."""

    invalid: bool
    reason: str | None
    since: Time | None
    next_try_at: Time | None = Field(
        description="From when on one more message of the category is tried, where the business has it so (recovery) "
        "and the cause may have passed; otherwise null."
    )
    evidence: FailureEvidenceAnswer | None
    counts: list[FailureCountAnswer]
    cleared: ClearedAnswer | None


class OptOutAnswer(Answer):
    """An opt-out that holds."""

    scope: Scope
    source: ConsentSource
    at: Time
    message_id: str | None
    applies: bool = Field(description="Whether it covers the category that was asked about.")


class AttemptAnswer(MessageAnswer):
    """A message of the client log and what became of it in words."""

    sentence: str
    words: str | None = Field(description="The provider's own words, for failures that speak against the address now.")

    @classmethod
    def of_attempt(cls, attempt: Attempt, external_id: str | None) -> Self:
        """The answer for an attempt."""
        message = MessageAnswer.of(attempt.message, external_id)
        return cls(**dict(message), sentence=attempt.sentence, words=attempt.words)


class ReachabilityAnswer(Answer):
    """Why a customer does, or does not, get a kind of message, and the one thing to do about it."""

    customer_id: str
    external_id: str | None
    channel: Channel
    category: Category
    address: str | None
    verdict: VerdictAnswer
    next_step: str
    rules: list[RuleAnswer]
    validity: ValidityAnswer
    opt_outs: list[OptOutAnswer]
    attempts: list[AttemptAnswer] = Field(description="The last five on the channel, newest first.")

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        """The answer for an explanation."""
        case, verdict, cleared = explanation.case, explanation.verdict, explanation.cleared
        return cls(
            customer_id=case.customer.customer_id,
            external_id=case.customer.external_id,
            channel=case.mailing.channel,
            category=case.mailing.category,
            address=case.address,
            verdict=VerdictAnswer.of(explanation),
            next_step=explanation.next_step,
            rules=[RuleAnswer.of(result) for result in explanation.rules],
            validity=ValidityAnswer.filled(
                verdict,
                next_try_at=explanation.next_try_at,
                evidence=FailureEvidenceAnswer.of(explanation.evidence) if explanation.evidence is not None else None,
                counts=[FailureCountAnswer.filled(count) for count in explanation.counts],
                cleared=ClearedAnswer.filled(cleared) if cleared is not None else None,
            ),
            opt_outs=[OptOutAnswer.filled(opt_out) for opt_out in explanation.opt_outs],
            attempts=[AttemptAnswer.of_attempt(each, case.customer.external_id) for each in explanation.attempts],
        )


def add_routes(app: APIGatewayRestResolver) -> None:
    """The route."""

    @app.get(
        "/v1/customers/<customer_id>/reachability",
        summary="Why a customer does not get our messages, and what to do",
        tags=["Customers"],
        responses=responses(ReachabilityAnswer),
    )
    def explain_reachability(
        customer_id: CustomerInPath,
        channel: Annotated[Channel, Query(description="Which address.")],
        category: Annotated[Category, Query(description="Which kind of message.")],
        asks_confirmation: Annotated[  # noqa: FBT002 - a parameter of the query
            bool, Query(description="A text that asks the customer to confirm an appointment.")
        ] = False,
        segment_id: Annotated[
            str | None,
            Query(
                description="Of a campaign for this saved segment; matters to caps that count segments apart.",
                max_length=64,
            ),
        ] = None,
    ) -> Response[str]:
        explanation = wiring.use_cases().explain_reachability(
            business_of(app),
            customer_id,
            channel,
            category,
            asks_confirmation=asks_confirmation,
            segment_id=segment_id,
        )
        return json_answer(ReachabilityAnswer.of(explanation))
