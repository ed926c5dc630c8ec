"""What clients ask for when they post, edit and copy campaigns."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, ValidationError, WithJsonSchema, model_validator

from rebound.businesses.application.timing import Timing
from rebound.campaigns.application.campaign_service import NewCampaign
from rebound.campaigns.application.check_contents import NEEDS_VARIANTS
from rebound.campaigns.application.edit_campaign import CampaignChange
from rebound.campaigns.domain.campaigns import Campaign
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.written_text import one_line
from rebound.loyalty.domain.tiers import Tier
from rebound.messages.domain.goals import MOST_DAYS as MOST_DAYS_TO_A_GOAL
from rebound.messages.domain.goals import Goal, GoalKind
from rebound.messages.domain.variants import Variant
from rebound.messages.domain.vouchers import MOST_DAYS, Voucher, VoucherKind
from rebound.messages.domain.winners import MOST_HOURS, ChosenBy, WinnerRule
from rebound.messages.http import HUNDREDTHS, Divides, Says, Sends, Timed, Variants
from rebound.platform.http.problems import fields_of_content
from rebound.platform.http.shapes import (
    AddedCustomerIds,
    AddedExternalIds,
    CustomerIds,
    ExternalIds,
    Line,
    Request,
    TakenOutCustomerIds,
    TakenOutExternalIds,
    customers_named,
    one_of,
)
from rebound.segments.domain.selections import Selection
from rebound.segments.http.filters import Filter, SegmentId
from rebound.templates.domain.content import UNWRITTEN, Said
from rebound.templates.domain.rendering import NONE_DECLARED
from rebound.templates.domain.variables import Declared, of_vouchers
from rebound.templates.http.given_content import GivenContent, content_of

AUDIENCE: Final[tuple[str, ...]] = ("segment_id", "filter", "customer_ids", "external_ids")
EXACTLY_ONE: Final = f"Give exactly one of {', '.join(AUDIENCE)}."
LISTS_BY_HAND: Final = frozenset(
    {"include_customer_ids", "include_external_ids", "exclude_customer_ids", "exclude_external_ids"}
)
LISTS: Final = frozenset({"customer_ids", "external_ids"})
MAX_CONTENTS_BYTES: Final = 150_000
"""Of the contents by tier together: a campaign's row holds 400 KB."""
_TIERS: Final = ", ".join(Tier)
MAX_LIST_BYTES: Final = 40_000
"""Of a list of external ids, which is kept as it is: a thousand UUIDs, and both lists fit the campaign's row."""
MAX_TAKEN_OUT_BYTES: Final = 20_000
"""Of the external ids of those who are taken out, which the campaign's row has room for besides."""
Name = Annotated[Line, AfterValidator(one_line)]


def _fits(most: int, external_ids: list[str]) -> list[str]:
    if len(json.dumps(external_ids, ensure_ascii=False, separators=(",", ":")).encode()) > most:
        raise ValueError(f"Must have at most {most} bytes, as JSON without spaces.")
    return external_ids


KeptExternalIds = Annotated[ExternalIds, AfterValidator(partial(_fits, MAX_LIST_BYTES))]
KeptAddedExternalIds = Annotated[AddedExternalIds, AfterValidator(partial(_fits, MAX_LIST_BYTES))]
KeptTakenOutExternalIds = Annotated[TakenOutExternalIds, AfterValidator(partial(_fits, MAX_TAKEN_OUT_BYTES))]


def _fit_together(contents: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(contents, ensure_ascii=False).encode(errors="replace")) > MAX_CONTENTS_BYTES:
        raise ValueError(f"Must have at most {MAX_CONTENTS_BYTES} bytes together, as JSON.")
    return contents


Contents = Annotated[
    dict[Annotated[str, one_of(Tier)], GivenContent],
    AfterValidator(_fit_together),
    Field(
        description="Of a loyalty campaign to a segment_id or a filter, in place of content: what it says to whom of "
        "each tier. Each has a campaign of its own then; who is of none of these tiers is left out as no_tier_content.",
        examples=[
            {"new": {"subject": "Welcome", "text": "Come again."}, "top": {"subject": "Thanks", "text": "A gift."}}
        ],
    ),
]


def _said_by_tier(channel: Channel, contents: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Said]:
    """What is said to each tier. Raises ``InvalidInputError``."""
    said: dict[str, Said] = {}
    errors: list[FieldError] = [] if contents else [FieldError("contents", f"Name one tier at least: {_TIERS}.")]
    for tier, given in contents.items():
        if tier not in list(Tier):
            errors.append(FieldError.unknown(f"contents.{tier}", f"Must be one of {_TIERS}.", tier, list(Tier)))
            continue
        try:
            said[tier] = content_of(channel, given)
        except ValidationError as error:
            errors.extend(fields_of_content(error, f"contents.{tier}"))
    if errors:
        raise InvalidInputError(*errors)
    return said


DayOrTime = Annotated[
    str,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date", "examples": ["2026-12-01"]},
                {"type": "string", "format": "date-time", "examples": ["2026-12-01T09:00:00.000Z"]},
            ]
        }
    ),
]
"""A day on the business's calendar, or a moment."""


class VoucherRequest(Request):
    """What each recipient of a campaign gets, and when it is valid. Exactly one of valid_until and valid_days."""

    kind: Annotated[VoucherKind, Field(strict=False)] = Field(
        description="percent: a part of the order; amount: so much off; free_minutes: minutes that are not charged."
    )
    value: Annotated[str, Field(max_length=30, examples=["15", "10.00"])] = Field(
        description="Decimal text: percents, an amount of the currency, or whole minutes."
    )
    currency: Annotated[str, Field(max_length=10, examples=["EUR"])] | None = Field(
        default=None,
        description="ISO 4217. Required for an amount. Else it is that of the orders that name none, in place of the "
        "currency of the business's country.",
    )
    valid_from: DayOrTime | None = Field(
        default=None, description="The first day on the business's calendar, or a moment (RFC 3339). Absent: at once."
    )
    valid_until: DayOrTime | None = Field(
        default=None, description="The last day, which counts, or a moment from which on it is over."
    )
    valid_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = Field(
        default=None, description="In place of valid_until: so many days after that of the send."
    )

    def read(self) -> Voucher:
        """The voucher, not checked."""
        return Voucher(**{name: getattr(self, name) for name in type(self).model_fields})


class GoalRequest(Request):
    """What a campaign is to bring its recipients to do."""

    kind: Annotated[GoalKind, Field(strict=False)] = Field(
        description="visit: an appointment or class that they came to; purchase: a sale; redemption: of the voucher of "
        "the campaign; reply: an answer to the message."
    )
    within_days: Annotated[int, Field(ge=1, le=MOST_DAYS_TO_A_GOAL)] = Field(
        description="So many days after the message; for who is held out, after they were."
    )

    def read(self) -> Goal:
        """The goal."""
        return Goal(self.kind, self.within_days)


class WinnerRequest(Request):
    """How the best variant goes to the rest, once all were tried on some."""

    test_share: Annotated[float, Field(ge=1, le=99), HUNDREDTHS] = Field(
        description="Percent of those who are not held out: so many get their variant at once, the others the winner."
    )
    after_hours: Annotated[int, Field(ge=1, le=MOST_HOURS)] = Field(
        description="The winner is chosen so long after the campaign has begun, or after the last on whom a variant is "
        "tried got it, where that took more than a quarter of an hour."
    )
    by: Annotated[ChosenBy, Field(strict=False)] = Field(
        description="goal: that with which the largest share reached the goal until then; delivered: was delivered to. "
        "Of equal ones the first."
    )
    least: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=100,
        description="To so many each variant must have gone out by then: else nothing can be told, and the first wins.",
    )

    def read(self) -> WinnerRule:
        """The rule."""
        return WinnerRule(round(self.test_share * 100), self.after_hours, self.by, self.least)


class NewCampaignRequest(Sends, Divides):
    """A campaign: exactly one of ``segment_id``, ``filter``, ``customer_ids`` and ``external_ids`` says for whom."""

    name: Name
    status: Literal["draft"] | None = Field(
        default=None, description="A draft is kept, and sent only once it is announced."
    )
    contents: Contents | None = None
    segment_id: SegmentId | None = None
    filter: Filter | None = None
    customer_ids: CustomerIds | None = None
    external_ids: KeptExternalIds | None = None
    exclude_failed: bool = Field(default=True, description="Leave out contacts that are flagged as invalid.")
    include_customer_ids: AddedCustomerIds = Field(default_factory=list)
    include_external_ids: KeptAddedExternalIds = Field(default_factory=list)
    exclude_customer_ids: TakenOutCustomerIds = Field(default_factory=list)
    exclude_external_ids: KeptTakenOutExternalIds = Field(default_factory=list)
    voucher: VoucherRequest | None = Field(
        default=None, description="What each recipient gets with a code of their own: ##{{voucher_code}}."
    )
    goal: GoalRequest | None = Field(default=None, description="What is counted, by variant and of those held out.")
    winner: WinnerRequest | None = Field(
        default=None, description="Of a campaign with variants: the best goes to most."
    )

    @property
    def more_variables(self) -> Declared:
        """Those of the voucher."""
        return NONE_DECLARED if self.voucher is None else of_vouchers()

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if [getattr(self, name) for name in AUDIENCE].count(None) != len(AUDIENCE) - 1:
            raise ValueError(EXACTLY_ONE)
        return self

    def read(self, business_id: str) -> NewCampaign:
        """The campaign that is asked for. Raises ``InvalidInputError``, and ``ValidationError`` for its content."""
        contents = None if self.contents is None else _said_by_tier(self.channel, self.contents)
        variants = self.divided(business_id, self.channel, self.category, self.more_variables)
        _check_alone(self)
        if self.winner is not None and not variants:
            raise InvalidInputError(FieldError("winner", NEEDS_VARIANTS))
        return NewCampaign(
            name=self.name,
            category=self.category,
            channel=self.channel,
            selection=_selection(business_id, {name: getattr(self, name) for name in AUDIENCE}),
            content=(
                next(iter(contents.values()))
                if contents is not None
                else variants[0].content or UNWRITTEN[0]
                if variants
                else self.said(business_id, self.channel, self.category)
            ),
            contents=contents,
            variants=variants,
            holdout=round(self.holdout * 100),
            goal=None if self.goal is None else self.goal.read(),
            winner=None if self.winner is None else self.winner.read(),
            exclude_failed=self.exclude_failed,
            include_customer_ids=frozenset(self.include_customer_ids),
            include_external_ids=frozenset(self.include_external_ids),
            exclude_customer_ids=frozenset(self.exclude_customer_ids),
            exclude_external_ids=frozenset(self.exclude_external_ids),
            timing=self.timing(),
            is_draft=self.status is not None,
            voucher=None if self.voucher is None else self.voucher.read(),
        )


class CampaignChangeRequest(Timed, Says, Divides):
    """Fields to set; what is left out stays. Of the four that say for whom, one replaces another.

    A ``send_at`` of ``null`` sends a scheduled campaign at once; a draft waits for its announcement.
    """

    name: Name = ""
    contents: Contents | None = Field(
        default=None, description="In place of what was said, by loyalty tier; content, in its place, is for everybody."
    )
    category: Annotated[Category, Field(strict=False)] = Category.MARKETING
    segment_id: SegmentId | None = None
    filter: Filter | None = None
    customer_ids: CustomerIds | None = None
    external_ids: KeptExternalIds | None = None
    exclude_failed: bool = Field(default=True, description="Leave out contacts that are flagged as invalid.")
    include_customer_ids: AddedCustomerIds = Field(default_factory=list)
    include_external_ids: KeptAddedExternalIds = Field(default_factory=list)
    exclude_customer_ids: TakenOutCustomerIds = Field(default_factory=list)
    exclude_external_ids: KeptTakenOutExternalIds = Field(default_factory=list)
    voucher: VoucherRequest | None = Field(default=None, description="As a whole; null takes it away.")
    variants: Variants | None = Field(
        default=None,
        description="As a whole, in place of what was said. With null, everybody gets what the first said; content, in "
        "their place, is for everybody too.",
    )
    goal: GoalRequest | None = Field(default=None, description="As a whole; null takes it away.")
    winner: WinnerRequest | None = Field(default=None, description="As a whole; null takes it away.")

    _has_voucher: bool = PrivateAttr(default=False)

    @property
    def more_variables(self) -> Declared:
        """Those of the voucher that the campaign has then."""
        return of_vouchers() if self._has_voucher else NONE_DECLARED

    def read(self, business_id: str) -> CampaignChange:
        """The change that is asked for."""
        given = self.model_fields_set
        simple: dict[str, Any] = {name: getattr(self, name) for name in given & {"name", "category", "exclude_failed"}}
        for name in given & LISTS_BY_HAND:
            simple[name] = frozenset(getattr(self, name))
        for name in given & {"voucher", "goal", "winner"}:
            asked = getattr(self, name)
            simple[name] = None if asked is None else asked.read()
        if "holdout" in given:
            simple["holdout"] = round(self.holdout * 100)
        _check_alone(self)
        return CampaignChange(
            **simple,
            selection=partial(self._selected, business_id) if given.intersection(AUDIENCE) else None,
            content=partial(self._said, business_id) if self._says_something_to_everybody else None,
            variants=partial(self._divided, business_id) if "variants" in given else None,
            contents=self._said_by_tier if self.contents is not None else None,
            timing=self._timed if given & Timed.model_fields.keys() else None,
        )

    @property
    def _says_something_to_everybody(self) -> bool:
        return self.says_something_else and self.contents is None and not self.variants

    def _divided(self, business_id: str, campaign: Campaign) -> tuple[Variant, ...]:
        more = of_vouchers() if campaign.voucher is not None else NONE_DECLARED
        return self.divided(business_id, campaign.channel, campaign.category, more)

    def _said_by_tier(self, campaign: Campaign) -> Mapping[str, Said]:
        return _said_by_tier(campaign.channel, self.contents or {})

    def _said(self, business_id: str, campaign: Campaign) -> Said:
        self._has_voucher = campaign.voucher is not None
        return self.said(business_id, campaign.channel, campaign.category, campaign.content)

    def _selected(self, business_id: str, before: Selection) -> Selection:
        """The audience named, or else the one before without what is named as null."""
        named = {name: getattr(self, name) for name in AUDIENCE if name in self.model_fields_set}
        chosen = {name: value for name, value in named.items() if value is not None}
        if len(chosen) == 1:
            return _selection(business_id, chosen)
        kept = {"segment_id"} if before.segment_id is not None else {"filter"} if before.filter is not None else LISTS
        if chosen or kept & named.keys():
            raise InvalidInputError(FieldError(next(iter(chosen or named)), EXACTLY_ONE))
        return before

    def _timed(self, before: Timing) -> Timing:
        """The time named, in which what is left out is as before."""
        as_written = before.local_time or before.send_at
        stood = {"send_at": as_written, "local": before.local_time is not None, "expires_at": before.expires_at}
        named = {name: getattr(self, name) for name in Timed.model_fields.keys() & self.model_fields_set}
        return Timed.model_construct(**{**stood, **named}).timing()


def _check_alone(request: NewCampaignRequest | CampaignChangeRequest) -> None:
    """Raise ``InvalidInputError`` for what stands beside contents by tier, or says something beside variants."""
    says = [name for name in Says.model_fields if getattr(request, name) is not None]
    if request.contents is not None:
        beside = [*says, *(name for name in ("variants", "holdout", "goal", "winner") if getattr(request, name))]
        if beside:
            raise InvalidInputError(FieldError(beside[0], "Give either this or contents, by tier."))
    elif request.variants and says:
        raise InvalidInputError(FieldError(says[0], "Give either this or variants, each with its own."))


def _selection(business_id: str, given: Mapping[str, Any]) -> Selection:
    """The selection of whichever of ``AUDIENCE`` is given."""
    ours, theirs = given.get("customer_ids"), given.get("external_ids")
    named = None if ours is None and theirs is None else customers_named(business_id, ours, theirs)
    own = None if theirs is None else tuple(dict.fromkeys(theirs))
    return Selection(given.get("segment_id"), given.get("filter"), named, own)
