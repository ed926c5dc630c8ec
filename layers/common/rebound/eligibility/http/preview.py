"""Whom a message would reach: shape and route."""

from functools import partial
from typing import Annotated, Final, Literal, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import Field, model_validator

from rebound.businesses.domain.quiet_hours import HoldReason
from rebound.eligibility import wiring
from rebound.eligibility.application.preview_audience import Foreseen, Question
from rebound.eligibility.domain.eligibility import Exclusion, Hold, Send
from rebound.jobs.domain import JobKind
from rebound.jobs.http import accepted, started
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.messages.domain.variants import split_of
from rebound.messages.http import Divides, Says, Timed
from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    business_of,
    json_answer,
    prefers_a_job,
    responses,
)
from rebound.platform.http.shapes import (
    AddedCustomerIds,
    AddedExternalIds,
    Answer,
    AudienceAnswer,
    TakenOutCustomerIds,
    TakenOutExternalIds,
    Time,
    customers_named,
    one_of,
)
from rebound.segments.application.find_customers import LONGEST_COUNT
from rebound.segments.http.filters import Filter, SegmentId
from rebound.templates.domain.variables import of_vouchers

SOME_LOT: Final = "preview"


class PreviewRequest(Timed, Says, Divides):
    """Whom to count for: exactly one of ``segment_id`` and ``filter``.

    With the times and the content of a campaign, the answer is about that campaign: whom it cannot be rendered for is
    left out as cannot_render.
    """

    segment_id: SegmentId | None = None
    filter: Filter | None = None
    channel: Annotated[Channel, Field(strict=False)]
    category: Annotated[Category, Field(strict=False)]
    exclude_failed: bool = True
    include_customer_ids: AddedCustomerIds = Field(default_factory=list)
    include_external_ids: AddedExternalIds = Field(default_factory=list)
    exclude_customer_ids: TakenOutCustomerIds = Field(default_factory=list)
    exclude_external_ids: TakenOutExternalIds = Field(default_factory=list)
    campaign_id: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None,
        description="With variants or a holdout: the draft, or campaign, whose draws count. Without it some lot is "
        "drawn, and for a campaign that is then posted another: nearly as many, and others.",
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.segment_id is None) == (self.filter is None):
            raise ValueError("Give exactly one of segment_id, filter.")
        return self

    @property
    def _says_something(self) -> bool:
        return any(getattr(self, name) is not None for name in Says.model_fields)

    def question(self, business_id: str, *, is_next_page: bool = False) -> Question:
        """The question, with a saved segment's filter as it is now. Raises ``InvalidInputError``, ``NotFoundError``."""
        variants = self.divided(business_id, self.channel, self.category, of_vouchers(), silent=True)
        if variants and self._says_something:
            says = next(name for name in Says.model_fields if getattr(self, name) is not None)
            raise InvalidInputError(FieldError(says, "Give either this or variants, each with its own."))
        segment_id = self.segment_id
        pin = wiring.use_cases().pin_filters
        tree = (
            pin.segment(business_id, segment_id)
            if segment_id is not None
            else pin.filter(business_id, self.filter or {})
        )
        question = Question(
            tree,
            self.channel,
            self.category,
            self.exclude_failed,
            frozenset(customers_named(business_id, self.include_customer_ids, self.include_external_ids)),
            segment_id,
            self.said(business_id, self.channel, self.category)
            if self._says_something
            else (variants[0].content if variants else None),
            self.timing(),
            exclude_customer_ids=frozenset(
                customers_named(business_id, self.exclude_customer_ids, self.exclude_external_ids)
            ),
            split=split_of(self.campaign_id or SOME_LOT, variants, round(self.holdout * 100)),
        )
        preview = wiring.use_cases().preview_audience
        preview.check(business_id, question)
        return preview.pin(business_id, question, is_next_page=is_next_page)


class RecipientAnswer(Answer):
    """A customer who is meant, and whether the message would reach them."""

    customer_id: str
    external_id: str | None
    name: str
    decision: Literal["send", "held", "excluded"]
    reason: Exclusion | HoldReason | None = Field(description="Why they are left out, or have to wait.")
    until: Time | None = Field(description="When the message of one who has to wait is handed over.")
    missing_variables: list[str] = Field(
        description="For the reason missing_variable: what the template requires and says nothing for them."
    )

    @classmethod
    def of(cls, foreseen: Foreseen) -> Self:
        """The answer for a customer."""
        customer = foreseen.customer
        who = {
            "customer_id": customer.customer_id,
            "external_id": customer.external_id,
            "name": customer.full_name,
            "missing_variables": list(foreseen.missing_variables),
        }
        match foreseen.decision:
            case Send():
                return cls(**who, decision="send", reason=None, until=None)
            case Hold(until, because):
                return cls(**who, decision="held", reason=because, until=until)
            case reason:
                return cls(**who, decision="excluded", reason=reason, until=None)


class RecipientPage(Answer):
    """Part of whom a message would reach or not."""

    items: list[RecipientAnswer]
    next_cursor: str | None


_REASONS: Final = (*Exclusion, *HoldReason)
Reason = Annotated[
    Annotated[str, one_of(_REASONS)] | None,
    Query(description="Only those who are left out, or have to wait, for this reason."),
]


def add_routes(app: APIGatewayRestResolver) -> None:
    """The route."""
    tags = ["Segments"]

    @app.post(
        "/v1/segments/preview",
        summary="Who would get a message now; a job when there are too many to count while the request waits",
        tags=tags,
        responses=responses(AudienceAnswer) | accepted(),
    )
    def preview_audience(request: Annotated[PreviewRequest, Body()]) -> Response[str]:
        business_id = business_of(app)
        question = request.question(business_id)
        audience = None if prefers_a_job(app) else wiring.use_cases().preview_audience(business_id, question)
        if audience is not None:
            left = partial(wiring.use_cases().read_text_plan.left, business_id)
            ranked_at = None if question.as_of is None else question.as_of.ranked_at
            return json_answer(AudienceAnswer.of(audience, left, ranked_at=ranked_at))
        return started(app, JobKind.PREVIEW, question.written())

    @app.post(
        "/v1/segments/preview/recipients",
        summary="Who would get a message, who would not and why, by name; a page is full as long as there are more, "
        f"unless it takes {LONGEST_COUNT.seconds} seconds to find them. Needs customers:read as well",
        tags=tags,
        responses=responses(RecipientPage),
    )
    def list_recipients(
        request: Annotated[PreviewRequest, Body()],
        reason: Reason = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response[str]:
        if reason is not None and reason not in _REASONS:
            raise InvalidInputError(FieldError("reason", f"Must be one of {', '.join(_REASONS)}."))
        business_id = business_of(app)
        question = request.question(business_id, is_next_page=cursor is not None)
        page = wiring.use_cases().preview_audience.recipients(
            business_id, question, limit=limit, cursor=cursor, reason=reason
        )
        items = [RecipientAnswer.of(foreseen) for foreseen in page.items]
        return json_answer(RecipientPage(items=items, next_cursor=page.next_cursor))
