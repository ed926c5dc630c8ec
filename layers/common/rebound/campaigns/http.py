"""Campaigns: shapes and routes."""

from http import HTTPStatus
from typing import Annotated, Final, Literal, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import AfterValidator, Field, model_validator

from rebound.businesses.domain.quiet_hours import HoldReason
from rebound.campaigns import wiring
from rebound.campaigns.application.campaign_service import CampaignView, NewCampaign
from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus, Rollback
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.times import write_time
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.http import MessagePage, Sends, content_of
from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    business_of,
    json_answer,
    name_of_request,
    responses,
)
from rebound.platform.http.shapes import (
    MAX_CUSTOMER_IDS,
    Answer,
    AudienceAnswer,
    CustomerId,
    EitherTime,
    FieldProblem,
    Line,
    Moment,
    Request,
    Time,
    one_line,
    one_of,
)
from rebound.segments.domain import Selection
from rebound.segments.http.filters import Filter, SegmentId

HOW_TO_FORESEE = (
    "Too many customers to tell at once whom this reaches: POST /v1/segments/preview with the same filter, channel and "
    "category counts them, in the background where need be."
)


class NewCampaignRequest(Sends):
    """A campaign: exactly one of ``segment_id``, ``filter`` and ``customer_ids`` says for whom."""

    name: Annotated[Line, AfterValidator(one_line)]
    segment_id: SegmentId | None = None
    filter: Filter | None = None
    customer_ids: Annotated[list[CustomerId], Field(min_length=1, max_length=MAX_CUSTOMER_IDS)] | None = None
    exclude_failed: bool = Field(default=True, description="Leave out contacts that are flagged as invalid.")
    include_customer_ids: Annotated[list[CustomerId], Field(max_length=MAX_CUSTOMER_IDS)] = Field(
        default_factory=list, description="Customers to add back although their contact is flagged."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if [self.segment_id, self.filter, self.customer_ids].count(None) != 2:  # noqa: PLR2004 - all but one
            raise ValueError("Give exactly one of segment_id, filter, customer_ids.")
        return self


class ResultsAnswer(Answer):
    """How many of those targeted are where; they add up to ``targeted``."""

    queued: int = 0
    sent: int = Field(default=0, description="Accepted by the provider, no final word yet.")
    delivered: int = 0
    bounced: int = Field(default=0, description="Final, and the address's fault.")
    failed: int = Field(default=0, description="Final, for any other reason.")
    uncertain: int = Field(default=0, description="Nobody knows whether it went out; settled by a later receipt.")
    cancelled: int = Field(default=0, description="The campaign was cancelled before these were handed over.")


class RollbackRequest(Request):
    """Which bounces say nothing about their addresses: those of the campaign from ``since`` until ``until``."""

    since: Moment | None = Field(default=None, description="RFC 3339; from the beginning when it is absent.")
    until: Moment | None = Field(default=None, description="RFC 3339, inclusive; to the last when it is absent.")


class RollbackAnswer(Answer):
    """A rollback of flags and how far it is."""

    status: Literal["running", "completed"]
    requested_at: Time
    since: Time | None
    until: Time | None
    bounces: int = Field(description="Messages whose bounces no longer count, so far. The flags follow a moment later.")

    @classmethod
    def of(cls, rollback: Rollback) -> Self:
        """The answer for a rollback."""
        return cls.filled(rollback, status="completed" if rollback.done else "running")


class CampaignAnswer(Answer):
    """A campaign and how it stands."""

    campaign_id: str
    name: str
    status: CampaignStatus
    reason: str | None = Field(
        description="Why the campaign failed, or paused by itself; the pause that a person asked for has none."
    )
    category: Category
    channel: Channel
    segment_id: str | None
    exclude_failed: bool
    send_at: EitherTime | None = Field(
        description="When it is sent, RFC 3339; with local, as each recipient's clock shows it."
    )
    local: bool
    expires_at: Time | None
    created_at: Time
    started_at: Time | None
    completed_at: Time | None
    held_until: Time | None = Field(
        description="Some, or all, of those queued are not handed over before. Not in lists."
    )
    held_because: HoldReason | None = Field(
        description="quiet_hours: it is night where the first of them is; send_at: that time has not come there; "
        "daily_quota: the provider's allowance of the day is used up, for everybody. Not in lists."
    )
    audience: AudienceAnswer
    results: ResultsAnswer
    rolled_back: RollbackAnswer | None = Field(description="The latest rollback of flags that was asked for.")
    warnings: list[FieldProblem] = Field(
        description="What the business had better set right; the campaign is sent all the same."
    )

    @classmethod
    def of(cls, view: CampaignView) -> Self:
        """The answer for a campaign."""
        campaign = view.campaign
        return cls.filled(
            campaign,
            reason=campaign.failure or campaign.paused_because,
            segment_id=campaign.selection.segment_id,
            send_at=_written_as(campaign),
            local=campaign.local_time is not None,
            held_until=view.held_until,
            held_because=view.held_because,
            audience=AudienceAnswer.of(view.audience),
            results=ResultsAnswer(**{str(status): count for status, count in view.results.items()}),
            rolled_back=None if campaign.rollback is None else RollbackAnswer.of(campaign.rollback),
            warnings=[FieldProblem.of(warning) for warning in view.warnings],
        )


class PostedCampaignAnswer(CampaignAnswer):
    """A campaign that has just been accepted, and whom it would reach."""

    foreseen: AudienceAnswer | None = Field(
        description="Who is meant, who is left out and why, and who is left, if it were sent now. Null when there are "
        "too many customers to tell at once."
    )
    foreseen_hint: str | None = Field(description="Where foreseen is null: how to ask.")

    @classmethod
    def of(cls, view: CampaignView) -> Self:
        """The answer for a campaign."""
        foreseen = None if view.foreseen is None else AudienceAnswer.of(view.foreseen)
        return cls(
            **dict(CampaignAnswer.of(view)),
            foreseen=foreseen,
            foreseen_hint=HOW_TO_FORESEE if foreseen is None else None,
        )


def _written_as(campaign: Campaign) -> str | None:
    """``send_at`` as it was posted."""
    if campaign.local_time is not None:
        return campaign.local_time.isoformat()
    return None if campaign.send_at is None else write_time(campaign.send_at)


class CampaignPage(Answer):
    """Part of a list of campaigns."""

    items: list[CampaignAnswer]
    next_cursor: str | None


_SHOWN: Final = [status for status in MessageStatus if status is not MessageStatus.SENDING]
Status = Annotated[Annotated[str, one_of(_SHOWN)] | None, Query(description="Only messages with this status.")]


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Campaigns"]

    @app.post(
        "/v1/campaigns",
        summary="Post a campaign",
        tags=tags,
        responses=responses(PostedCampaignAnswer, HTTPStatus.ACCEPTED),
    )
    def create_campaign(request: Annotated[NewCampaignRequest, Body()]) -> Response[str]:
        customer_ids = request.customer_ids
        new = NewCampaign(
            name=request.name,
            category=request.category,
            channel=request.channel,
            selection=Selection(
                request.segment_id,
                request.filter,
                None if customer_ids is None else tuple(dict.fromkeys(customer_ids)),
            ),
            content=content_of(request.channel, request.content),
            exclude_failed=request.exclude_failed,
            include_customer_ids=frozenset(request.include_customer_ids),
            timing=request.timing(),
        )
        view = wiring.use_cases().campaign_service.post(business_of(app), new, name_of_request(app))
        return json_answer(PostedCampaignAnswer.of(view), HTTPStatus.ACCEPTED)

    @app.get("/v1/campaigns", summary="List campaigns, newest first", tags=tags, responses=responses(CampaignPage))
    def list_campaigns(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[str]:
        page = wiring.use_cases().campaign_service.page(business_of(app), limit, cursor)
        items = [CampaignAnswer.of(view) for view in page.items]
        return json_answer(CampaignPage(items=items, next_cursor=page.next_cursor))

    @app.get(
        "/v1/campaigns/<campaign_id>",
        summary="How a campaign stands",
        tags=tags,
        responses=responses(CampaignAnswer),
    )
    def get_campaign(campaign_id: str) -> Response[str]:
        return json_answer(CampaignAnswer.of(wiring.use_cases().campaign_service.get(business_of(app), campaign_id)))

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
        "/v1/campaigns/<campaign_id>/rollback-flags",
        summary="Take back the flags that its bounces raised",
        tags=tags,
        responses=responses(CampaignAnswer, HTTPStatus.ACCEPTED),
    )
    def roll_back_flags(campaign_id: str, request: Annotated[RollbackRequest | None, Body()] = None) -> Response[str]:
        asked = request or RollbackRequest()
        view = wiring.use_cases().ask_for_rollback(business_of(app), campaign_id, asked.since, asked.until)
        return json_answer(CampaignAnswer.of(view), HTTPStatus.ACCEPTED)

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
        if status is not None and status not in _SHOWN:
            raise InvalidInputError(FieldError("status", f"Must be one of {', '.join(_SHOWN)}."))
        page = wiring.use_cases().campaign_service.messages(
            business_of(app),
            campaign_id,
            status=MessageStatus(status) if status is not None else None,
            limit=limit,
            cursor=cursor,
        )
        whose = [message.key.customer_id for message in page.items]
        return json_answer(MessagePage.of(page, wiring.use_cases().external_ids(business_of(app), whose)))
