"""Recurring campaigns: shapes and routes."""

from collections.abc import Mapping
from copy import replace
from datetime import UTC, date, datetime, time
from http import HTTPStatus
from typing import Annotated, Any, Final, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import Field, PrivateAttr, model_validator

from rebound.businesses.http import ClockTime
from rebound.campaigns.http.campaigns import CampaignPage, ListedCampaignAnswer, VoucherAnswer
from rebound.campaigns.http.requests import Name, VoucherRequest
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.messages.http import SaidAnswer, Says, said_in_answer
from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    business_of,
    json_answer,
    name_of_request,
    no_content,
    nothing,
    responses,
)
from rebound.platform.http.shapes import Answer, FieldProblem, Request, Time
from rebound.recurring import wiring
from rebound.recurring.application.recurring_service import RecurringView, tag_of
from rebound.recurring.domain.days import Every, Weekday
from rebound.recurring.domain.recurring_campaigns import (
    Audience,
    Birthday,
    LostCustomer,
    RecurringCampaign,
    RecurringStatus,
    Regular,
)
from rebound.segments.domain.selections import Selection
from rebound.segments.http.filters import Filter, SegmentId
from rebound.templates.domain.rendering import NONE_DECLARED
from rebound.templates.domain.variables import Declared, of_vouchers
from rebound.templates.http.templates import IfMatch, expected

EXACTLY_ONE: Final = "Give exactly one of birthday, lost_customer, segment_id, filter."
NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


class BirthdayShape(Request):
    """Customers whose birthday it is, or is in some days."""

    days_before: Annotated[int, Field(ge=0, le=60)] = 0


class LostCustomerShape(Request):
    """Customers who have not come for longer than this, and have no coming booking."""

    after_days: Annotated[int, Field(ge=1, le=1000)]


class EveryShape(Request):
    """One day of each week or of each month: exactly one of the two."""

    weekday: Annotated[Weekday, Field(strict=False)] | None = None
    day_of_month: Annotated[int, Field(ge=1, le=31)] | None = Field(
        default=None, description="29 to 31 are the last day of a month that is shorter."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.weekday is None) == (self.day_of_month is None):
            raise ValueError("Give exactly one of weekday, day_of_month.")
        return self


class AudienceShape(Request):
    """Who is meant, and on which days: exactly one of birthday, lost_customer, segment_id and filter."""

    birthday: BirthdayShape | None = Field(
        default=None,
        description="Once for each birthday. That of 29 February is on the 28th in other years.",
    )
    lost_customer: LostCustomerShape | None = Field(
        default=None, description="Once for each last visit, on the day after which it is longer ago."
    )
    segment_id: SegmentId | None = Field(default=None, description="With every: the saved segment as it is then.")
    filter: Filter | None = Field(default=None, description="With every.")
    every: EveryShape | None = Field(default=None, description="With segment_id or filter: on which days.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [self.birthday, self.lost_customer, self.segment_id, self.filter]
        if given.count(None) != len(given) - 1:
            raise ValueError(EXACTLY_ONE)
        is_regular = self.segment_id is not None or self.filter is not None
        if is_regular != (self.every is not None):
            raise ValueError("every is for segment_id and filter, and is required with them.")
        return self

    def read(self) -> Audience:
        """The audience that is meant."""
        if self.birthday is not None:
            return Birthday(self.birthday.days_before)
        if self.lost_customer is not None:
            return LostCustomer(self.lost_customer.after_days)
        every = self.every or EveryShape()
        return Regular(Selection(self.segment_id, self.filter), Every(every.weekday, every.day_of_month))


class Recurs(Says):
    """What can be set of a recurring campaign."""

    local: bool = Field(
        default=False,
        description="At that time by the customer's own clock: that of their profile's time_zone, else the business's.",
    )
    exclude_failed: bool = Field(default=True, description="Leave out contacts that are flagged as invalid.")
    catch_up_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        default=24,
        description="For how many hours after its time an occurrence that was missed still happens. A birthday's until "
        "its local day ends.",
    )
    backlog: bool = Field(
        default=False,
        description="Also for whom it was due before this was switched on: who is lost already, and whose hour of "
        "today is over.",
    )
    status: Annotated[RecurringStatus, Field(strict=False)] = RecurringStatus.ON
    voucher: VoucherRequest | None = Field(
        default=None, description="What each recipient of each occurrence gets. As a whole; null takes it away."
    )


AtTime = Annotated[ClockTime, Field(description="HH:MM: the hour at which it is sent.", examples=["09:00"])]


class NewRecurringCampaignRequest(Recurs):
    """What is to be sent again and again, to whom, and when."""

    name: Name
    category: Annotated[Category, Field(strict=False)]
    channel: Annotated[Channel, Field(strict=False)]
    audience: AudienceShape
    at: AtTime

    @property
    def more_variables(self) -> Declared:
        """Those of the voucher."""
        return NONE_DECLARED if self.voucher is None else of_vouchers()

    def read(self, business_id: str) -> RecurringCampaign:
        """What is asked for. Raises ``InvalidInputError``, and ``ValidationError`` for its content."""
        return RecurringCampaign(
            business_id=business_id,
            recurring_id="",
            name=self.name,
            category=self.category,
            channel=self.channel,
            content=self.said(business_id, self.channel, self.category),
            audience=self.audience.read(),
            at=time.fromisoformat(self.at),
            local=self.local,
            exclude_failed=self.exclude_failed,
            catch_up_hours=self.catch_up_hours,
            backlog=self.backlog,
            status=self.status,
            voucher=None if self.voucher is None else self.voucher.read(),
            created_at=NO_TIME,
            updated_at=NO_TIME,
        )


class RecurringCampaignChangeRequest(Recurs):
    """Fields to set; what is left out stays. What is said changes for occurrences to come."""

    name: Name = ""
    category: Annotated[Category, Field(strict=False)] = Category.MARKETING
    audience: AudienceShape = Field(default_factory=AudienceShape.model_construct)
    at: AtTime = ""

    _has_voucher: bool = PrivateAttr(default=False)

    @property
    def more_variables(self) -> Declared:
        """Those of the voucher that it has then."""
        return of_vouchers() if self._has_voucher else NONE_DECLARED

    def change(self, before: RecurringCampaign) -> RecurringCampaign:
        """What is asked for of one that is as ``before``."""
        given = self.model_fields_set
        simple = {
            name: getattr(self, name)
            for name in given & {"name", "category", "local", "exclude_failed", "catch_up_hours", "backlog", "status"}
        }
        after = replace(before, **simple)
        if "audience" in given:
            after = replace(after, audience=self.audience.read())
        if "at" in given:
            after = replace(after, at=time.fromisoformat(self.at))
        if "voucher" in given:
            after = replace(after, voucher=None if self.voucher is None else self.voucher.read())
        self._has_voucher = after.voucher is not None
        if self.says_something_else or "category" in given:
            said = self.said(before.business_id, before.channel, after.category, before.content)
            after = replace(after, content=said)
        return after


class WouldHaveSentAnswer(Answer):
    """How many messages it would have been within 30 days."""

    count: int = Field(
        description="By what is known of the customers at that time: who is meant, how often their day came in these "
        "30 days, and who may be sent to."
    )
    until: Time = Field(description="The end of the 30 days.")


class ListedRecurringCampaignAnswer(Answer):
    """A recurring campaign and how it stands, without what it says."""

    recurring_campaign_id: str
    name: str
    category: Category
    channel: Channel
    audience: AudienceShape
    at: str
    local: bool
    exclude_failed: bool
    catch_up_hours: int
    backlog: bool
    status: RecurringStatus
    next_occurrence_at: Time | None = Field(
        description="When it is next sent, if somebody is due then, on the business's clock; null while it is off. "
        "After a change, what is due already is looked for within some minutes. With local, elsewhere earlier or later."
    )
    next_occurrence_date: date | None = Field(description="The local day of that.")
    would_have_sent_last_30_days: WouldHaveSentAnswer | None = Field(
        description="Counted when one is read, of a business with at most 1,000 customers; else once a day while it is "
        "on, and null before the first time. In lists it is as it was counted last."
    )
    created_at: Time
    updated_at: Time
    warnings: list[FieldProblem] = Field(description="What the business had better set right.")

    @classmethod
    def of(cls, view: RecurringView) -> Self:
        """The answer for a recurring campaign."""
        recurring, coming, insight = view.recurring, view.coming, view.insight
        counted = None
        if insight.would_have_sent is not None and insight.counted_at is not None:
            counted = WouldHaveSentAnswer(count=insight.would_have_sent, until=insight.counted_at)
        return cls.filled(
            recurring,
            recurring_campaign_id=recurring.recurring_id,
            audience=_shape_of(recurring.audience),
            at=f"{recurring.at:%H:%M}",
            next_occurrence_at=None if coming is None else coming.opens,
            next_occurrence_date=None if coming is None else coming.day,
            would_have_sent_last_30_days=counted,
            warnings=[FieldProblem.of(warning) for warning in view.warnings],
            **cls._more(recurring),
        )

    @classmethod
    def _more(cls, _recurring: RecurringCampaign) -> dict[str, Any]:
        """What else an answer has."""
        return {}


class RecurringCampaignAnswer(ListedRecurringCampaignAnswer, SaidAnswer):
    """A recurring campaign and how it stands; the other fields are as requests have them."""

    voucher: VoucherAnswer | None

    @classmethod
    def _more(cls, recurring: RecurringCampaign) -> dict[str, Any]:
        voucher = None if recurring.voucher is None else VoucherAnswer.filled(recurring.voucher)
        return {**said_in_answer(recurring.content), "voucher": voucher}

    @classmethod
    def after(cls, view: RecurringView, request: Says) -> Self:
        """The answer to a request that said something, with what had better be mended in that."""
        about = request.warnings_about(view.recurring.content, view.recurring.category)
        return cls.of(replace(view, warnings=(*view.warnings, *about)))


class RecurringCampaignPage(Answer):
    """Part of a list of recurring campaigns, the oldest first."""

    items: list[ListedRecurringCampaignAnswer]
    next_cursor: str | None


def _shape_of(audience: Audience) -> AudienceShape:
    """The audience as requests have it."""
    if isinstance(audience, Birthday):
        return AudienceShape(birthday=BirthdayShape(days_before=audience.days_before))
    if isinstance(audience, LostCustomer):
        return AudienceShape(lost_customer=LostCustomerShape(after_days=audience.after_days))
    every = EveryShape(weekday=audience.every.weekday, day_of_month=audience.every.day_of_month)
    selection = audience.selection
    by_segment = selection.segment_id is not None
    return AudienceShape(
        segment_id=selection.segment_id,
        filter=None if by_segment or selection.filter is None else dict(selection.filter),
        every=every,
    )


def _shown(view: RecurringView, request: Says | None = None, status: HTTPStatus = HTTPStatus.OK) -> Response[str]:
    shown = RecurringCampaignAnswer.of(view) if request is None else RecurringCampaignAnswer.after(view, request)
    answer = json_answer(shown, status)
    answer.headers["ETag"] = f'"{tag_of(view.recurring)}"'
    return answer


def _responses(status: HTTPStatus = HTTPStatus.OK) -> dict[int, Any]:
    described = responses(RecurringCampaignAnswer, status)
    headers = {"ETag": {"description": "Its state, for If-Match.", "schema": {"type": "string"}}}
    described[int(status)] |= {"headers": headers}
    return described


def _may_be_changed(described: dict[int, Any]) -> dict[int, Any]:
    problem: Mapping[str, Any] = described[int(HTTPStatus.CONFLICT)]
    described[int(HTTPStatus.PRECONDITION_FAILED)] = {**problem, "description": "Changed since it was read"}
    return described


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Recurring campaigns"]
    path = "/v1/recurring-campaigns/<recurring_campaign_id>"

    @app.post(
        "/v1/recurring-campaigns",
        summary="Have something sent again and again",
        tags=tags,
        responses=_responses(HTTPStatus.CREATED),
    )
    def create_recurring_campaign(request: Annotated[NewRecurringCampaignRequest, Body()]) -> Response[str]:
        new = request.read(business_of(app))
        view = wiring.use_cases().recurring_service.post(new, name_of_request(app))
        return _shown(view, request, HTTPStatus.CREATED)

    @app.get(
        "/v1/recurring-campaigns",
        summary="List recurring campaigns, the oldest first",
        tags=tags,
        responses=responses(RecurringCampaignPage),
    )
    def list_recurring_campaigns(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[str]:
        page = wiring.use_cases().recurring_service.page(business_of(app), limit, cursor)
        items = [ListedRecurringCampaignAnswer.of(view) for view in page.items]
        return json_answer(RecurringCampaignPage(items=items, next_cursor=page.next_cursor))

    @app.get(path, summary="How a recurring campaign stands", tags=tags, responses=_responses())
    def get_recurring_campaign(recurring_campaign_id: str) -> Response[str]:
        return _shown(wiring.use_cases().recurring_service.get(business_of(app), recurring_campaign_id))

    @app.patch(
        path,
        summary="Edit a recurring campaign, or switch it on or off",
        tags=tags,
        responses=_may_be_changed(_responses()),
    )
    def change_recurring_campaign(
        recurring_campaign_id: str,
        request: Annotated[RecurringCampaignChangeRequest, Body()],
        if_match: IfMatch = None,
    ) -> Response[str]:
        view = wiring.use_cases().recurring_service.change(
            business_of(app), recurring_campaign_id, request.change, expected(if_match).tags
        )
        return _shown(view, request)

    @app.delete(
        path,
        summary="Send nothing more; what was sent stays",
        tags=tags,
        responses=_may_be_changed(no_content()),
    )
    def delete_recurring_campaign(recurring_campaign_id: str, if_match: IfMatch = None) -> Response[str]:
        wiring.use_cases().recurring_service.delete(business_of(app), recurring_campaign_id, expected(if_match).tags)
        return nothing()

    @app.get(
        f"{path}/occurrences",
        summary="List the campaigns that came of it, newest first",
        tags=tags,
        responses=responses(CampaignPage),
    )
    def list_occurrences(
        recurring_campaign_id: str, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Response[str]:
        service = wiring.use_cases().recurring_service
        page = service.occurrences_of(business_of(app), recurring_campaign_id, limit, cursor)
        items = [ListedCampaignAnswer.of(view) for view in page.items]
        return json_answer(CampaignPage(items=items, next_cursor=page.next_cursor))
