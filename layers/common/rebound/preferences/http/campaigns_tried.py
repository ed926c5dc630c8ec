"""Tests of campaigns: the route."""

from http import HTTPStatus
from typing import Annotated, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import Field, StringConstraints

from rebound.kernel.channels import MAX_EMAIL, Channel
from rebound.loyalty.domain.tiers import Tier
from rebound.messages.domain.messages import Message, MessageStatus
from rebound.platform.http.routes import business_of, json_answer, name_of_request, responses
from rebound.platform.http.shapes import Answer, Request, Time, one_of
from rebound.preferences import wiring


class TestRequest(Request):
    """To whom a test is to be sent."""

    __test__ = False

    tier: Annotated[str, one_of(Tier)] | None = Field(
        default=None, description="Of a campaign with contents by loyalty tier: which to try; the first if left out."
    )
    variant: str | None = Field(
        max_length=64,
        default=None,
        description="Of a campaign with variants: which to try, by name; the first if left out.",
    )
    to: Annotated[str, StringConstraints(min_length=3, max_length=MAX_EMAIL)] = Field(
        description="One of test_recipients of the business that has confirmed.", examples=["owner@example.com"]
    )


class TestAnswer(Answer):
    """A test that has just been accepted."""

    __test__ = False

    message_id: str
    campaign_id: str = Field(description="The campaign that is tried; the test is in none of its counts.")
    channel: Channel
    to: str
    status: MessageStatus
    queued_at: Time | None

    @classmethod
    def of(cls, message: Message, campaign_id: str) -> Self:
        """The answer for a test."""
        return cls.filled(message, message_id=message.key.message_id, campaign_id=campaign_id, to=message.address)


def add_routes(app: APIGatewayRestResolver) -> None:
    """The route."""

    @app.post(
        "/v1/campaigns/<campaign_id>/test",
        summary="Send a campaign as a test to one of the business's test recipients",
        tags=["Campaigns"],
        responses=responses(TestAnswer, HTTPStatus.ACCEPTED),
    )
    def test_campaign(campaign_id: str, request: Annotated[TestRequest, Body()]) -> Response[str]:
        message = wiring.use_cases().send_test(
            business_of(app), campaign_id, request.to, name_of_request(app), request.tier, request.variant
        )
        return json_answer(TestAnswer.of(message, campaign_id), HTTPStatus.ACCEPTED)
