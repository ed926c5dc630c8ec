"""What a business has booked by the month, as the operator sets it."""

from typing import Annotated, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import Field

from rebound.businesses.application.text_plan import MAX_URL
from rebound.businesses.domain.business import Business
from rebound.businesses.domain.text_plan import MAX_TIER, MOST_INCLUDED, TextPlan
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.operations.http.tenants import BusinessInPath, tell
from rebound.platform.http.routes import json_answer, responses
from rebound.platform.http.shapes import Answer, Request, text_of
from rebound.text_plans import wiring
from rebound.text_plans.http import TextPlanAnswer


class TextPlanRequest(Request):
    """The segments of texts that a business may use in a month."""

    included: Annotated[int, Field(ge=0, le=MOST_INCLUDED)] = Field(
        description="Segments a month, on the calendar of the business.", examples=[500]
    )
    inbound_texts: bool = Field(default=False, description="Whether texts that come in count as well, by segments.")
    inbound_calls: bool = Field(
        default=False, description="Whether calls that come in count as well, as one each. Rebound takes no calls yet."
    )
    tier: Annotated[str, text_of(minLength=1, maxLength=MAX_TIER)] | None = Field(
        default=None, description="What you call the plan.", examples=["Studio 500"]
    )
    upgrade_url: Annotated[str, text_of(maxLength=MAX_URL)] | None = Field(
        default=None,
        description="Where a larger plan is booked; the business and its owner are shown it.",
        examples=["https://platform.example/plans"],
    )


class PlansRequest(Request):
    """What a business has booked by the month."""

    texts: TextPlanRequest | None = Field(description="null: nobody counts its texts.")


class TextPlanSetAnswer(Answer):
    """A text plan as it is set."""

    included: int
    inbound_texts: bool
    inbound_calls: bool
    tier: str | None
    upgrade_url: str | None


class PlansAnswer(Answer):
    """What a business has booked by the month, and has used."""

    business_id: str
    texts: TextPlanSetAnswer | None = Field(description="null: nobody counts its texts.")
    now: TextPlanAnswer | None = Field(description="As the business reads it.")
    notes_to: str | None = Field(
        description="Whom the notes at 80 and at 100 percent go to: its owner_email. null: nobody is written to, as "
        "it has none, or no email_from to send from; the events TextPlanWarning and TextPlanExhausted come even so."
    )

    @classmethod
    def of(cls, business: Business) -> Self:
        """The answer for a business."""
        plan, now = business.text_plan, wiring.use_cases().read_text_plan(business)
        return cls(
            business_id=business.business_id,
            texts=None if plan is None else TextPlanSetAnswer.filled(plan),
            now=None if now is None else TextPlanAnswer.of(now),
            notes_to=business.owner_email if business.email_from is not None else None,
        )


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags, plans = ["Operator"], responses(PlansAnswer)

    @app.get("/v1/operator/businesses/<business_id>/plans", summary="Read the plans", tags=tags, responses=plans)
    def get_plans(business_id: BusinessInPath) -> Response[str]:
        return json_answer(PlansAnswer.of(wiring.use_cases().tenant_service.get_business(business_id)))

    @app.put(
        "/v1/operator/businesses/<business_id>/plans",
        summary="Set the plans",
        description="What the month has used so far stays counted: a plan may be raised and lowered within it, and "
        "holds from the next text on. The same request again changes nothing.",
        tags=tags,
        responses=plans,
    )
    def put_plans(business_id: BusinessInPath, request: Annotated[PlansRequest, Body()]) -> Response[str]:
        texts = request.texts
        plan = None if texts is None else TextPlan(**texts.model_dump())
        try:
            business = wiring.use_cases().set_text_plan(business_id, plan)
        except InvalidInputError as error:
            within = [FieldError(f"texts.{wrong.field}", wrong.message) for wrong in error.errors]
            raise InvalidInputError(*within) from None
        tell(app, "set_plans", business_id=business_id)
        return json_answer(PlansAnswer.of(business))
