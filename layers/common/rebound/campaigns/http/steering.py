"""What can be done with a campaign: announce it, pause it, resume it, end it, copy it, take its flags back."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import Field

from rebound.campaigns import wiring
from rebound.campaigns.http.campaigns import CampaignAnswer, PostedCampaignAnswer
from rebound.campaigns.http.requests import CampaignChangeRequest
from rebound.platform.http.routes import business_of, json_answer, name_of_request, responses
from rebound.platform.http.shapes import Line, Moment, Request


class RollbackRequest(Request):
    """Which bounces say nothing about their addresses: those of the campaign from ``since`` until ``until``."""

    since: Moment | None = Field(default=None, description="RFC 3339; from the beginning when it is absent.")
    until: Moment | None = Field(default=None, description="RFC 3339, inclusive; to the last when it is absent.")


class ChoiceRequest(Request):
    """Which variant goes to the rest."""

    variant: Line = Field(description="Its name.")


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Campaigns"]

    @app.post(
        "/v1/campaigns/<campaign_id>/copy",
        summary="Make a draft of what a campaign says and to whom, with changes",
        tags=tags,
        responses=responses(PostedCampaignAnswer, HTTPStatus.CREATED),
    )
    def copy_campaign(
        campaign_id: str, request: Annotated[CampaignChangeRequest | None, Body()] = None
    ) -> Response[str]:
        change = (request or CampaignChangeRequest()).read(business_of(app))
        view = wiring.use_cases().edit_campaign.copy(business_of(app), campaign_id, change, name_of_request(app))
        return json_answer(PostedCampaignAnswer.of(view), HTTPStatus.CREATED)

    @app.post(
        "/v1/campaigns/<campaign_id>/announce",
        summary="Send a draft, now or at its send_at",
        tags=tags,
        responses=responses(CampaignAnswer, HTTPStatus.ACCEPTED),
    )
    def announce_campaign(campaign_id: str) -> Response[str]:
        view = wiring.use_cases().edit_campaign.announce(business_of(app), campaign_id)
        return json_answer(CampaignAnswer.of(view), HTTPStatus.ACCEPTED)

    one = responses(CampaignAnswer)

    @app.post("/v1/campaigns/<campaign_id>/pause", summary="Hand over nothing more", tags=tags, responses=one)
    def pause_campaign(campaign_id: str) -> Response[str]:
        return json_answer(CampaignAnswer.of(wiring.use_cases().steer_campaign.pause(business_of(app), campaign_id)))

    @app.post("/v1/campaigns/<campaign_id>/resume", summary="Go on after a pause", tags=tags, responses=one)
    def resume_campaign(campaign_id: str) -> Response[str]:
        return json_answer(CampaignAnswer.of(wiring.use_cases().steer_campaign.resume(business_of(app), campaign_id)))

    @app.post("/v1/campaigns/<campaign_id>/cancel", summary="End a campaign", tags=tags, responses=one)
    def cancel_campaign(campaign_id: str) -> Response[str]:
        return json_answer(CampaignAnswer.of(wiring.use_cases().steer_campaign.cancel(business_of(app), campaign_id)))

    @app.post(
        "/v1/campaigns/<campaign_id>/winner",
        summary="Let a variant go to the rest now, before the time at which the best would",
        tags=tags,
        responses=one,
    )
    def choose_winner(campaign_id: str, request: Annotated[ChoiceRequest, Body()]) -> Response[str]:
        business_id = business_of(app)
        wiring.use_cases().choose_winner.by_hand(business_id, campaign_id, request.variant)
        return json_answer(CampaignAnswer.of(wiring.use_cases().campaign_service.get(business_id, campaign_id)))

    @app.post(
        "/v1/campaigns/<campaign_id>/rollback-flags",
        summary="Take back the flags that its bounces raised",
        tags=tags,
        responses=responses(CampaignAnswer, HTTPStatus.ACCEPTED),
    )
    def roll_back_flags(campaign_id: str, request: Annotated[RollbackRequest | None, Body()] = None) -> Response[str]:
        asked = request or RollbackRequest()
        view = wiring.use_cases().ask_for_rollback(business_of(app), campaign_id, asked.since, asked.until)
        return json_answer(CampaignAnswer.of(view), HTTPStatus.ACCEPTED)
