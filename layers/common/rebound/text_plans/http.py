"""The route that says what is left of the text plan."""

from typing import Annotated, Final, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from pydantic import Field

from rebound.businesses.domain.text_plan import WARNED_FROM, PlanStatus
from rebound.kernel.errors import NotFoundError
from rebound.platform.http.routes import business_of, json_answer, responses
from rebound.platform.http.shapes import Answer
from rebound.text_plans import wiring
from rebound.text_plans.application.read_text_plan import TextPlanNow

MONTH: Final = r"^\d{4}-(0[1-9]|1[0-2])$"


class TextPlanAnswer(Answer):
    """What a business may use of text segments in this month, and has used."""

    month: Annotated[str, Field(pattern=MONTH)] = Field(
        description="On the calendar of the business: it begins in its time zone.", examples=["2026-11"]
    )
    included: int = Field(description="Segments a month.")
    used: int = Field(
        description="Segments of what has gone out, or may have, and of what came in where that counts; reserved "
        "before a text goes out, and corrected by what its provider counts. It may be more than is included."
    )
    inbound: int = Field(description="How much of it came in; 0 where what comes in does not count.")
    left: int
    status: PlanStatus = Field(
        description=f"warning from {WARNED_FROM} % on. exhausted: no more texts go out in this month, unless the plan "
        "becomes larger."
    )
    upgrade_url: str | None = Field(description="Where a larger plan is booked; null where the operator names nothing.")

    @classmethod
    def of(cls, now: TextPlanNow) -> Self:
        """The answer for a plan."""
        plan, month = now.plan, now.month
        return cls(
            month=month.month,
            included=plan.included,
            used=month.used,
            inbound=month.inbound,
            left=now.left,
            status=now.status,
            upgrade_url=plan.upgrade_url,
        )


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""

    @app.get(
        "/v1/text-plan",
        summary="Read what is left of the text plan",
        description="404 for a business without a plan, whose texts nobody counts.",
        tags=["Business"],
        responses=responses(TextPlanAnswer),
    )
    def get_text_plan() -> Response[str]:
        now = wiring.use_cases().read_text_plan.of(business_of(app))
        if now is None:
            raise NotFoundError("text plan")
        return json_answer(TextPlanAnswer.of(now))
