"""What a business's software tells sequences in names of its own: shapes and the route."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import Field

from rebound.activity.domain.checking import EVENT_ID
from rebound.platform.http.routes import business_of, json_answer, responses
from rebound.platform.http.shapes import Answer, Moment, NamesACustomer
from rebound.sequences import wiring
from rebound.sequences.application.tell_custom import CustomEvent


class CustomEventRequest(NamesACustomer):
    """Something that happened with a customer, in a name of your own."""

    name: Annotated[str, Field(min_length=1, max_length=128)] = Field(
        description="As triggers, exits and waits of the kind custom have it, letter by letter."
    )
    event_id: Annotated[str, Field(pattern=f"^{EVENT_ID.pattern}$")] = Field(
        description="Your own id of it: under the same name it is the same event, however often you say so."
    )
    at: Moment = Field(description="When it happened: at most two days before now, and at most one day from now.")


class CustomEventAnswer(Answer):
    """What was told."""

    sequences: int = Field(
        description="How many sequences that are on have the name, as they are published now; with 0 look at the name."
    )


def add_routes(app: APIGatewayRestResolver) -> None:
    """The route."""

    @app.post(
        "/v1/custom-events",
        summary="Say that something of your own happened with a customer",
        description="Every sequence hears it: it begins those whose trigger it is, ends those that are to end with it, "
        "and who waits for it goes on, usually within seconds. Said again it changes nothing.",
        tags=["Sequences"],
        responses=responses(CustomEventAnswer, HTTPStatus.ACCEPTED),
    )
    def post_custom_event(request: Annotated[CustomEventRequest, Body()]) -> Response[str]:
        business_id = business_of(app)
        event = CustomEvent(name=request.name, event_id=request.event_id, at=request.at)
        field = "customer_id" if request.external_id is None else "external_id"
        told = wiring.use_cases().tell_custom(business_id, request.customer_of(business_id), event, field)
        return json_answer(CustomEventAnswer(sequences=told), HTTPStatus.ACCEPTED)
