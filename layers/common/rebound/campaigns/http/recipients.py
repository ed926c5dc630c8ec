"""Whom a campaign was for, and what became of each: routes."""

from typing import Annotated, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from rebound.campaigns import wiring
from rebound.campaigns.http.campaigns import known
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.http import MessagePage
from rebound.platform.http.routes import DEFAULT_LIMIT, Cursor, Limit, business_of, json_answer, responses
from rebound.platform.http.shapes import one_of

SHOWN: Final = [status for status in MessageStatus if status is not MessageStatus.SENDING]
Status = Annotated[Annotated[str, one_of(SHOWN)] | None, Query(description="Only messages with this status.")]


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Campaigns"]

    @app.get(
        "/v1/campaigns/<campaign_id>/messages",
        summary="A campaign's messages",
        tags=tags,
        responses=responses(MessagePage),
    )
    def list_campaign_messages(
        campaign_id: str,
        status: Status = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response[str]:
        page = wiring.use_cases().read_recipients(
            business_of(app),
            campaign_id,
            status=None if status is None else MessageStatus(known("status", status, SHOWN)),
            limit=limit,
            cursor=cursor,
        )
        whose = [message.key.customer_id for message in page.items]
        return json_answer(MessagePage.of(page, wiring.use_cases().external_ids(business_of(app), whose)))
