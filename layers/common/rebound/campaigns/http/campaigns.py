"""Campaigns: shapes and routes."""

from collections.abc import Collection
from copy import replace
from datetime import date
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import Field

from rebound.businesses.domain.quiet_hours import HoldReason
from rebound.campaigns import wiring
from rebound.campaigns.application.campaign_service import CampaignsWanted, CampaignView
from rebound.campaigns.domain.by_tier import as_posted
from rebound.campaigns.domain.campaigns import Campaign, CampaignStatus, Rollback
from rebound.campaigns.domain.redemptions import reward_on
from rebound.campaigns.domain.results import VariantResults, not_reached
from rebound.campaigns.http.goals import GoalAnswer, GoalResultsAnswer, OutcomesAnswer
from rebound.campaigns.http.requests import CampaignChangeRequest, DayOrTime, NewCampaignRequest
from rebound.campaigns.http.results import ResultsAnswer, SpanAnswer
from rebound.eligibility.application.preview_audience import MOST_FORESEEN
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.currencies import decimals_of
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.times import write_time
from rebound.loyalty.domain.tiers import Tier
from rebound.messages.domain.variants import REST, Variant, in_percent
from rebound.messages.domain.vouchers import VoucherKind
from rebound.messages.domain.winners import Because, ChosenBy
from rebound.messages.http import SaidAnswer, said_in_answer
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
    Answer,
    AudienceAnswer,
    CustomerId,
    EitherTime,
    FieldProblem,
    Time,
    one_of,
)
from rebound.segments.domain.filters import as_written
from rebound.segments.http.filters import Filter
from rebound.templates.domain.content import written_said
from rebound.templates.http.given_content import GivenContent

HOW_TO_FORESEE = (
    "Too many customers to tell at once whom this reaches: POST /v1/segments/preview with the same filter, channel and "
    "category counts them, in the background where need be."
)


class VariantAnswer(SaidAnswer):
    """One of the things that a campaign says, to how many, and what became of them."""

    name: str
    share: float = Field(description="In percent of those who are not held out.")
    targeted: int = Field(description="Of the campaign's targeted: how many get this.")
    results: ResultsAnswer
    opted_out: int = Field(
        description="Who wanted no more such messages: by a link in this one, by a complaint about it, or by STOP as "
        "the next thing after it."
    )

    @classmethod
    def of(cls, variant: Variant, results: VariantResults | None) -> Self:
        """The answer for a variant; one of a campaign that has not begun has no results."""
        return cls(
            **said_in_answer(variant.content),
            name=variant.name,
            share=in_percent(variant.share),
            targeted=0 if results is None else results.targeted,
            results=ResultsAnswer() if results is None else ResultsAnswer.of(results),
            opted_out=0 if results is None else results.opted_out,
        )


class WinnerAnswer(Answer):
    """How the best variant goes to the rest, which it is, and what became of their messages."""

    test_share: float
    after_hours: int
    by: ChosenBy
    least: int
    decides_at: Time | None = Field(
        description="Null before the campaign has begun; moves while some have not got yet what is tried on them."
    )
    chosen: str | None = Field(description="The name of the variant that goes to the rest.")
    because: Because | None = Field(
        description="more: it has the larger share; same: the first of several with the largest; too_few: the first, "
        "because one went out to fewer than least; by_hand."
    )
    not_reached: int = Field(
        description="How many of those on whom a variant is tried have not got it, or had not when it was chosen by "
        "what the others did. They get their own variant whenever it can be sent."
    )
    targeted: int = Field(description="Of the campaign's targeted: how many get the winner.")
    results: ResultsAnswer


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


class ChildAnswer(Answer):
    """The campaign to whom of one loyalty tier."""

    campaign_id: str
    tier: Tier
    status: CampaignStatus
    audience: AudienceAnswer
    results: ResultsAnswer

    @classmethod
    def of(cls, view: CampaignView) -> Self:
        """The answer for a child."""
        return cls.filled(view.campaign, audience=_audience(view), results=ResultsAnswer.of(view))


class EarnedAnswer(Answer):
    """An amount, as decimal text, in a currency (ISO 4217)."""

    amount: str
    currency: str


class VoucherAnswer(Answer):
    """What each recipient gets, and when it is valid."""

    kind: VoucherKind
    value: str
    currency: str | None
    valid_from: DayOrTime | None
    valid_until: DayOrTime | None
    valid_days: int | None


class ListedCampaignAnswer(Answer):
    """A campaign and how it stands, without what it says and whom it names: that may be large."""

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
        "winner: the variant for the rest has not been chosen; "
        "daily_quota: the provider's allowance of the day is used up, for everybody. Not in lists."
    )
    audience: AudienceAnswer
    results: ResultsAnswer
    fell_back_to_email: int = Field(
        description="Of those targeted, to how many it goes by email in place of a text, because the text plan has no "
        "room for them. They are among the results."
    )
    recurring_campaign_id: str | None = Field(description="Of which recurring campaign it is an occurrence.")
    occurrence_date: date | None = Field(description="The local day of the occurrence.")
    redeemed: int | None = Field(description="Vouchers that were redeemed, and not taken back. Null without a voucher.")
    revenue: list[EarnedAnswer] | None = Field(
        description="What was paid for the orders that they were redeemed with, without the discounts, by currency."
    )
    reward: list[EarnedAnswer] | None = Field(
        description="Of the revenue, as many percents as voucher_reward_percent of the business says."
    )
    rolled_back: RollbackAnswer | None = Field(description="The latest rollback of flags that was asked for.")
    parent_id: str | None = Field(description="Null unless it is the part for one loyalty tier.")
    tier: Tier | None = Field(description="Of a child: for whom it is.")
    children: list[ChildAnswer] = Field(
        description="With contents, once it has begun: a campaign for each tier. Audience and results have theirs in "
        "them; whoever is of no tier with a content is left out of the campaign itself."
    )
    warnings: list[FieldProblem] = Field(
        description="What the business had better set right, or mend in the layout that has just been given; the "
        "campaign is sent all the same."
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
            audience=_audience(view),
            results=ResultsAnswer.of(view),
            fell_back_to_email=view.fell_back_to_email,
            recurring_campaign_id=campaign.recurring_id,
            **_brought_in(view),
            rolled_back=None if campaign.rollback is None else RollbackAnswer.of(campaign.rollback),
            children=[ChildAnswer.of(child) for child in view.children],
            warnings=[FieldProblem.of(warning) for warning in view.warnings],
            **cls._more(view),
        )

    @classmethod
    def _more(cls, _view: CampaignView) -> dict[str, Any]:
        """What else an answer has."""
        return {}


class CampaignAnswer(ListedCampaignAnswer, SaidAnswer):
    """A campaign and how it stands; ``content`` and the audience are as requests have them."""

    contents: dict[str, GivenContent] | None = Field(description="By loyalty tier, in place of content.")
    filter: Filter | None = Field(description="For whom, unless by segment_id or a list.")
    segment_filter: Filter | None = Field(
        description="With segment_id: the segment's filter as it was when the campaign began; null before."
    )
    customer_ids: list[CustomerId] | None
    external_ids: list[str] | None = Field(description="The list, where it was given by your own ids.")
    include_customer_ids: list[CustomerId] = Field(
        description="Customers who were added back although their contact is flagged."
    )
    include_external_ids: list[str] = Field(description="The same, of those who were named by your own ids.")
    exclude_customer_ids: list[CustomerId] = Field(description="Customers who were taken out by hand.")
    exclude_external_ids: list[str] = Field(description="The same, of those who were named by your own ids.")
    voucher: VoucherAnswer | None
    variants: list[VariantAnswer] | None = Field(
        description="In place of content. What becomes of them adds up to targeted and results."
    )
    outcomes: OutcomesAnswer | None = Field(description="How the variants compare. Null without variants.")
    holdout: float = Field(
        description="Percent of those to whom it would be sent who get nothing. They count as targeted until it would "
        "be sent to them, and then as excluded: holdout."
    )
    winner: WinnerAnswer | None
    goal: GoalAnswer | None
    goal_results: GoalResultsAnswer | None = Field(description="Null without a goal.")
    results_over_time: list[SpanAnswer] | None = Field(
        description="When the results came in, without the spans of time in which none did; of each status they add up "
        "to results. Null for a campaign that began under a version that did not keep it."
    )

    @classmethod
    def _more(cls, view: CampaignView) -> dict[str, Any]:
        campaign, over_time = view.campaign, view.over_time
        selection = as_posted(campaign)
        contents, results = campaign.contents, {each.name: each for each in view.variants}
        divided = () if campaign.split is None else campaign.split.variants
        variants = [VariantAnswer.of(each, results.get(each.name)) for each in divided]
        named, own = selection.customer_ids, selection.external_ids
        is_saved = selection.segment_id is not None
        tree = None if selection.filter is None else as_written(selection.filter)
        return {
            **said_in_answer(campaign.content if contents is None and not variants else None),
            "variants": variants or None,
            "outcomes": None if view.outcomes is None else OutcomesAnswer.of_outcomes(view.outcomes),
            "winner": _winner(view, results.get(REST)),
            "holdout": 0 if campaign.split is None else in_percent(campaign.split.holdout),
            "goal": None if campaign.goal is None else GoalAnswer.filled(campaign.goal),
            "goal_results": None if view.goal is None else GoalResultsAnswer.of_results(view.goal),
            "contents": contents and {tier: written_said(said) for tier, said in contents.items()},
            "filter": None if is_saved else tree,
            "segment_filter": tree if is_saved else None,
            "customer_ids": None if named is None or own is not None else list(named),
            "external_ids": None if own is None else list(own),
            "include_customer_ids": sorted(campaign.named_to_include),
            "include_external_ids": sorted(campaign.include_external_ids),
            "exclude_customer_ids": sorted(campaign.named_to_exclude),
            "exclude_external_ids": sorted(campaign.exclude_external_ids),
            "voucher": None if campaign.voucher is None else VoucherAnswer.filled(campaign.voucher),
            "results_over_time": None if over_time is None else [SpanAnswer.of(span) for span in over_time],
        }


def _winner(view: CampaignView, rest: VariantResults | None) -> WinnerAnswer | None:
    split = view.campaign.split
    if split is None or split.winner is None:
        return None
    return WinnerAnswer(
        test_share=in_percent(split.winner.test_share),
        after_hours=split.winner.after_hours,
        by=split.winner.by,
        least=split.winner.least,
        decides_at=split.decides_at,
        chosen=None if split.chosen is None else split.chosen.name,
        because=None if split.chosen is None else split.chosen.because,
        not_reached=not_reached(split, view.variants),
        targeted=0 if rest is None else rest.targeted,
        results=ResultsAnswer() if rest is None else ResultsAnswer.of(rest),
    )


class PostedCampaignAnswer(CampaignAnswer):
    """A campaign that has just been accepted or edited, and whom it would reach."""

    foreseen: AudienceAnswer | None = Field(
        description="Who is meant, who is left out and why, and who is left, if it were sent now. Null for a business "
        f"with more than {MOST_FORESEEN} customers, unless a list names them."
    )
    foreseen_hint: str | None = Field(description="Where foreseen is null: how to ask.")

    @classmethod
    def after(cls, view: CampaignView, request: NewCampaignRequest | CampaignChangeRequest) -> Self:
        """The answer to a request that said something, with what had better be mended in that."""
        campaign = view.campaign
        more = list(request.warnings_about(campaign.content, campaign.category))
        for number, (given, said) in enumerate(zip(request.variants or (), campaign.all_said, strict=False)):
            more += [
                replace(each, field=f"variants[{number}].{each.field}")
                for each in given.warnings_about(said, campaign.category)
            ]
        return cls.of(replace(view, warnings=(*view.warnings, *more)))

    @classmethod
    def of(cls, view: CampaignView) -> Self:
        """The answer for a campaign."""
        left = partial(wiring.use_cases().read_text_plan.left, view.campaign.business_id)
        foreseen = None if view.foreseen is None else AudienceAnswer.of(view.foreseen, left)
        return cls(
            **dict(CampaignAnswer.of(view)),
            foreseen=foreseen,
            foreseen_hint=HOW_TO_FORESEE if foreseen is None else None,
        )


def _audience(view: CampaignView) -> AudienceAnswer:
    return AudienceAnswer.of(view.audience, ranked_at=view.campaign.selection.ranked_at)


def _brought_in(view: CampaignView) -> dict[str, Any]:
    """What the vouchers of a campaign brought in, by currency; all null for one without."""
    totals = view.brought_in
    if totals is None:
        return {"redeemed": None, "revenue": None, "reward": None}
    if not totals:
        return {"redeemed": 0, "revenue": [], "reward": []}
    found = sorted((currency, total) for currency, total in totals.items() if total.redeemed)
    rewards = {
        currency: reward_on(total.revenue, view.reward_percent, decimals_of(currency)) for currency, total in found
    }
    return {
        "redeemed": sum(total.redeemed for _, total in found),
        "revenue": [
            EarnedAnswer(amount=f"{total.revenue:.{decimals_of(currency)}f}", currency=currency)
            for currency, total in found
        ],
        "reward": [EarnedAnswer(amount=f"{reward:f}", currency=currency) for currency, reward in rewards.items()],
    }


def _written_as(campaign: Campaign) -> str | None:
    """``send_at`` as it was posted."""
    if campaign.local_time is not None:
        return campaign.local_time.isoformat()
    return None if campaign.send_at is None else write_time(campaign.send_at)


class CampaignPage(Answer):
    """Part of a list of campaigns."""

    items: list[ListedCampaignAnswer]
    next_cursor: str | None


OfStatus = Annotated[Annotated[str, one_of(CampaignStatus)] | None, Query(description="Only those with this status.")]
OfCategory = Annotated[Annotated[str, one_of(Category)] | None, Query(description="Only those of this category.")]
WordsOfName = Annotated[
    str | None,
    Query(min_length=1, max_length=200, description="Only those whose name has all these words or parts of words."),
]


def known(field: str, value: str, among: Collection[str]) -> str:
    """The value, if it is one of those. Raises ``InvalidInputError``."""
    if value not in list(among):
        raise InvalidInputError(FieldError(field, f"Must be one of {', '.join(among)}."))
    return value


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
        view = wiring.use_cases().campaign_service.post(
            business_of(app), request.read(business_of(app)), name_of_request(app)
        )
        return json_answer(PostedCampaignAnswer.after(view, request), HTTPStatus.ACCEPTED)

    @app.get(
        "/v1/campaigns",
        summary="List campaigns, newest first; a page may be short only after two thousand that do not match",
        tags=tags,
        responses=responses(CampaignPage),
    )
    def list_campaigns(
        status: OfStatus = None,
        category: OfCategory = None,
        q: WordsOfName = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response[str]:
        wanted = CampaignsWanted(
            None if status is None else CampaignStatus(known("status", status, CampaignStatus)),
            None if category is None else Category(known("category", category, Category)),
            q,
        )
        page = wiring.use_cases().campaign_service.page(business_of(app), limit, cursor, wanted)
        items = [ListedCampaignAnswer.of(view) for view in page.items]
        return json_answer(CampaignPage(items=items, next_cursor=page.next_cursor))

    @app.get(
        "/v1/campaigns/<campaign_id>",
        summary="How a campaign stands",
        tags=tags,
        responses=responses(CampaignAnswer),
    )
    def get_campaign(campaign_id: str) -> Response[str]:
        return json_answer(CampaignAnswer.of(wiring.use_cases().campaign_service.get(business_of(app), campaign_id)))

    @app.patch(
        "/v1/campaigns/<campaign_id>",
        summary="Edit a draft, or a campaign that has not begun",
        tags=tags,
        responses=responses(PostedCampaignAnswer),
    )
    def change_campaign(campaign_id: str, request: Annotated[CampaignChangeRequest, Body()]) -> Response[str]:
        view = wiring.use_cases().edit_campaign.change(business_of(app), campaign_id, request.read(business_of(app)))
        return json_answer(PostedCampaignAnswer.after(view, request))
