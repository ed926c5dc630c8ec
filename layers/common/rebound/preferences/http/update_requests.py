"""Asking customers to look through their details: shape and route."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import Field

from rebound.kernel.channels import Channel
from rebound.messages.http import MessageAnswer
from rebound.platform.http.routes import CustomerInPath, business_of, json_answer, name_of_request, responses
from rebound.platform.http.shapes import Request
from rebound.preferences import wiring


class UpdateRequest(Request):
    """By which channel a customer is asked."""

    channel: Annotated[Channel | None, Field(strict=False)] = Field(
        default=None,
        description="email first, if left out. Where the address is missing, flagged or opted out, the other channel "
        "is used, as channel of the answer says.",
    )


def add_routes(app: APIGatewayRestResolver) -> None:
    """The route."""

    @app.post(
        "/v1/customers/<customer_id>/update-requests",
        summary="Ask a customer whether their details are right: a link to a form, filled in once within 30 days; "
        "once a day at each address",
        tags=["Customers"],
        responses=responses(MessageAnswer, HTTPStatus.ACCEPTED),
    )
    def ask_for_update(customer_id: CustomerInPath, request: Annotated[UpdateRequest, Body()]) -> Response[str]:
        business_id, use_cases = business_of(app), wiring.use_cases()
        message = use_cases.ask_for_update(business_id, customer_id, request.channel, name_of_request(app))
        external_id = use_cases.external_ids(business_id, [customer_id], as_of_now=True)[customer_id]
        return json_answer(MessageAnswer.of(message, external_id), HTTPStatus.ACCEPTED)
