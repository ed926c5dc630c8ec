"""Messages to one person: shape and routes."""

import re
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import AfterValidator, Field

from rebound.messages.http import MessageAnswer, MessagePage, Sends, content_of
from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    Cursor,
    CustomerInPath,
    Limit,
    business_of,
    json_answer,
    name_of_request,
    responses,
)
from rebound.platform.http.shapes import FieldProblem, NamesACustomer, text_of
from rebound.sending import wiring
from rebound.templates.domain.rendering import warnings_about

APPOINTMENT_ID = re.compile("[A-Za-z0-9_:-][A-Za-z0-9._:-]{0,127}")


def _names_an_appointment(value: str) -> str:
    """It has to stand in the address of the appointment's log."""
    if not APPOINTMENT_ID.fullmatch(value):
        raise ValueError("Must be 1 to 128 letters, digits, dots, colons, underscores and hyphens, a dot not first.")
    return value


AppointmentId = Annotated[str, AfterValidator(_names_an_appointment), text_of(pattern=f"^{APPOINTMENT_ID.pattern}$")]


class PostedMessageAnswer(MessageAnswer):
    """A message that has just been accepted."""

    warnings: list[FieldProblem] = Field(
        default_factory=list,
        description="What the business had better set right, if anything; the message is sent all the same.",
    )


class NewMessageRequest(NamesACustomer, Sends):
    """A message to one person; ``send_at`` may be within the next 7 days."""

    appointment_id: AppointmentId | None = Field(
        default=None, description="For the log of the appointment that it is about."
    )
    asks_confirmation: bool = Field(
        default=False,
        description="Whether the text asks the customer to confirm the appointment by answering C. Only for sms, and "
        "with an appointment_id.",
    )


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""

    @app.post(
        "/v1/messages",
        summary="Send a message to one person",
        tags=["Messages"],
        responses=responses(PostedMessageAnswer, HTTPStatus.ACCEPTED),
    )
    def post_message(request: Annotated[NewMessageRequest, Body()]) -> Response[str]:
        business_id = business_of(app)
        message = wiring.use_cases().post_message(
            business_id,
            customer_id=request.customer_of(business_id),
            customer_field="customer_id" if request.external_id is None else "external_id",
            category=request.category,
            channel=request.channel,
            content=content_of(request.channel, request.content),
            appointment_id=request.appointment_id,
            asks_confirmation=request.asks_confirmation,
            timing=request.timing(),
            request=name_of_request(app),
        )
        external_id = wiring.use_cases().external_ids(business_id, [message.key.customer_id], as_of_now=True)
        business = wiring.use_cases().settings_of_business.get(business_id)
        warnings = [FieldProblem.of(each) for each in warnings_about(business, request.category, request.channel)]
        answer = MessageAnswer.of(message, external_id[message.key.customer_id])
        return json_answer(
            PostedMessageAnswer(**dict(answer), warnings=warnings) if warnings else answer, HTTPStatus.ACCEPTED
        )

    @app.get(
        "/v1/customers/<customer_id>/messages",
        summary="The client log, newest first",
        tags=["Messages"],
        responses=responses(MessagePage),
    )
    def list_customer_messages(
        customer_id: CustomerInPath, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Response[str]:
        page = wiring.use_cases().read_client_log(business_of(app), customer_id, limit, cursor)
        return json_answer(MessagePage.of(page, {customer_id: page.external_id}))
