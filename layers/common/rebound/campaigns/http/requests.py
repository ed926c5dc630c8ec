"""What clients ask for when they post, edit and copy campaigns."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from rebound.businesses.application.timing import Timing
from rebound.campaigns.application.campaign_service import NewCampaign
from rebound.campaigns.application.edit_campaign import CampaignChange
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.messages.domain.mailing import Content
from rebound.messages.http import GivenContent, Sends, Timed, content_of
from rebound.platform.http.shapes import MAX_CUSTOMER_IDS, CustomerId, Line, one_line
from rebound.segments.domain import Selection
from rebound.segments.http.filters import Filter, SegmentId

EXACTLY_ONE: Final = "Give exactly one of segment_id, filter, customer_ids."
AUDIENCE: Final = ("segment_id", "filter", "customer_ids")
Name = Annotated[Line, AfterValidator(one_line)]
CustomerIds = Annotated[list[CustomerId], Field(min_length=1, max_length=MAX_CUSTOMER_IDS)]
MoreCustomerIds = Annotated[list[CustomerId], Field(max_length=MAX_CUSTOMER_IDS)]


class NewCampaignRequest(Sends):
    """A campaign: exactly one of ``segment_id``, ``filter`` and ``customer_ids`` says for whom."""

    name: Name
    status: Literal["draft"] | None = Field(
        default=None, description="A draft is kept, and sent only once it is announced."
    )
    segment_id: SegmentId | None = None
    filter: Filter | None = None
    customer_ids: CustomerIds | None = None
    exclude_failed: bool = Field(default=True, description="Leave out contacts that are flagged as invalid.")
    include_customer_ids: MoreCustomerIds = Field(
        default_factory=list, description="Customers to add back although their contact is flagged."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if [self.segment_id, self.filter, self.customer_ids].count(None) != len(AUDIENCE) - 1:
            raise ValueError(EXACTLY_ONE)
        return self

    def read(self) -> NewCampaign:
        """The campaign that is asked for. Raises ``InvalidInputError``, and ``ValidationError`` for its content."""
        return NewCampaign(
            name=self.name,
            category=self.category,
            channel=self.channel,
            selection=_selection(self.segment_id, self.filter, self.customer_ids),
            content=content_of(self.channel, self.content),
            exclude_failed=self.exclude_failed,
            include_customer_ids=frozenset(self.include_customer_ids),
            timing=self.timing(),
            is_draft=self.status is not None,
        )


class CampaignChangeRequest(Timed):
    """Fields to set; what is left out stays. One of ``segment_id``, ``filter`` and ``customer_ids`` replaces another.

    A ``send_at`` of ``null``, or one that is over, sends a scheduled campaign at once; a draft waits for its
    announcement.
    """

    name: Name = ""
    category: Annotated[Category, Field(strict=False)] = Category.MARKETING
    content: GivenContent = Field(default_factory=dict)
    segment_id: SegmentId | None = None
    filter: Filter | None = None
    customer_ids: CustomerIds | None = None
    exclude_failed: bool = Field(default=True, description="Leave out contacts that are flagged as invalid.")
    include_customer_ids: MoreCustomerIds = Field(
        default_factory=list,
        description="Customers to add back although their contact is flagged, in place of those that there are.",
    )

    def read(self) -> CampaignChange:
        """The change that is asked for."""
        given = self.model_fields_set
        simple: dict[str, Any] = {name: getattr(self, name) for name in given & {"name", "category", "exclude_failed"}}
        if "include_customer_ids" in given:
            simple["include_customer_ids"] = frozenset(self.include_customer_ids)
        return CampaignChange(
            **simple,
            selection=self._selected if given.intersection(AUDIENCE) else None,
            content=self._said if "content" in given else None,
            timing=self._timed if given & Timed.model_fields.keys() else None,
        )

    def _said(self, channel: Channel) -> Content:
        return content_of(channel, self.content)

    def _selected(self, before: Selection) -> Selection:
        """The audience named, or else the one before without what is named as null."""
        named = {name: getattr(self, name) for name in AUDIENCE if name in self.model_fields_set}
        chosen = {name: value for name, value in named.items() if value is not None}
        if len(chosen) == 1:
            return _selection(chosen.get("segment_id"), chosen.get("filter"), chosen.get("customer_ids"))
        kept = (
            "segment_id" if before.segment_id is not None else "filter" if before.filter is not None else AUDIENCE[-1]
        )
        if chosen or kept in named:
            raise InvalidInputError(FieldError(next(iter(chosen or named)), EXACTLY_ONE))
        return before

    def _timed(self, before: Timing) -> Timing:
        """The time named, in which what is left out is as before."""
        as_written = before.local_time or before.send_at
        stood = {"send_at": as_written, "local": before.local_time is not None, "expires_at": before.expires_at}
        named = {name: getattr(self, name) for name in Timed.model_fields.keys() & self.model_fields_set}
        return Timed.model_construct(**{**stood, **named}).timing()


def _selection(segment_id: str | None, filter: dict[str, Any] | None, customer_ids: list[str] | None) -> Selection:  # noqa: A002 - as requests call it
    named = None if customer_ids is None else tuple(dict.fromkeys(customer_ids))
    return Selection(segment_id, filter, named)
