"""The filter language as the OpenAPI document has it; ``compile_filter`` reads it. Loaded only for the document."""

from enum import StrEnum
from itertools import combinations
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, RootModel, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from rebound.contacts.domain.contacts import FAILED_VALUES
from rebound.customers.domain import COMPARED_FIELDS, COUNTED_FIELDS, PROFILE
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import Scope
from rebound.kernel.currencies import CODE
from rebound.loyalty.domain.tiers import Tier
from rebound.platform.http.shapes import Request, text_of
from rebound.segments.application.segment_service import SEGMENT_ID
from rebound.segments.domain.activity_leaves import LONGEST_AGO, MEMBERSHIP_VALUES, MOST, OF_CLASSES
from rebound.segments.domain.filters import MAX_DEPTH, MAX_NODES
from rebound.segments.domain.leaves import CONSENT_VALUES, DATE_FIELDS, MAX_DAYS
from rebound.segments.domain.reading import AMOUNT, MAX_NAME, MOST_NAMES
from rebound.segments.http.filters import MAX_FILTER_BYTES

_LARGEST: Final = f"At most {MAX_NODES} conditions, {MAX_DEPTH} levels deep."


class FilterAll(Request):
    """Every one of these holds; of none, everybody does."""

    all: Annotated[list["Filter"], Field(max_length=MAX_NODES)]


class FilterAny(Request):
    """At least one of these holds; of none, nobody does."""

    any: Annotated[list["Filter"], Field(max_length=MAX_NODES)]


class FilterNot(Request):
    """It does not hold."""

    not_: "Filter" = Field(alias="not")


class FilterTag(Request):
    """The customer has the tag, without regard to case and accents."""

    tag: Annotated[str, StringConstraints(pattern=r"\S", max_length=MAX_FILTER_BYTES)]


class FailedContact(StrEnum):
    """Which address failed."""

    vars().update({value: value for value in FAILED_VALUES})


class FilterFailed(Request):
    """Which of the customer's addresses failed."""

    failed: FailedContact


class ConsentStanding(StrEnum):
    """How consent stands: no opt-out covers the scope; one does; none does and the customer asked for marketing."""

    vars().update({value.upper(): value for value in CONSENT_VALUES})


class ConsentCondition(Request):
    """``all`` stands for everything on the channel, ``marketing`` for Daily Deals and loyalty too."""

    channel: Channel
    scope: Scope
    is_: ConsentStanding = Field(alias="is")


class FilterConsent(Request):
    """Consent stands so, as the decision takes it: opted_in is silence too. Without an address on the channel: no."""

    consent: ConsentCondition


class FilterField(StrEnum):
    """A field of the profile; one of an object is called ``object_field``, such as ``address_city``."""

    vars().update({name: name for name in (*PROFILE, *COUNTED_FIELDS) if name in COMPARED_FIELDS})


_A_DAY: Final[dict[str, Any]] = {"type": "string", "pattern": "^$|^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_OTHER: Final[dict[str, Any]] = {"properties": {"field": {"not": {"enum": list(DATE_FIELDS)}}}}


class FilterEquals(Request):
    """A field of the profile has this value, without regard to case and accents; a number however it is written.

    Of a date ``YYYY-MM-DD``.
    """

    model_config = ConfigDict(json_schema_extra={"anyOf": [_OTHER, {"properties": {"equals": _A_DAY}}]})

    field: FilterField
    equals: Annotated[str, StringConstraints(max_length=MAX_FILTER_BYTES)] | bool


class FilterIn(Request):
    """A field of the profile has one of these values."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [_OTHER, {"properties": {"in": {"items": _A_DAY}}}]})

    field: FilterField
    in_: list[Annotated[str, StringConstraints(max_length=MAX_FILTER_BYTES)] | bool] = Field(
        alias="in", max_length=MAX_FILTER_BYTES // len('"", ')
    )


class FilterPresent(Request):
    """A field of the profile is filled in, or is not."""

    field: FilterField
    present: bool


class FilterSegment(Request):
    """The filter of a saved segment holds, as it is when this one is used."""

    segment: Annotated[str, text_of(pattern=f"^{SEGMENT_ID.pattern}$")]


class BirthdayCondition(Request):
    """Days from today, which counts as none."""

    within_days: Annotated[int, Field(ge=0, le=MAX_DAYS)]


class FilterBirthday(Request):
    """The birthday comes within so many days; 0 is today. On 29 February, the 28th in other years. Not known: no."""

    birthday: BirthdayCondition


class LoyaltyTier(StrEnum):
    """The loyalty tiers, in the order in which they are tried."""

    vars().update({tier.name: tier.value for tier in Tier})


class FilterTier(Request):
    """The customer is of this loyalty tier, by the ranking of the night; everybody is of one at most."""

    tier: LoyaltyTier


def _left_out(schema: dict[str, Any]) -> None:
    """A field that may be left out, and has no value then."""
    schema.pop("default", None)


Nothing = SkipJsonSchema[None]
Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]
Names = Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES)]
Days = Annotated[int, Field(ge=0, le=MAX_DAYS)]
Count = Annotated[int, Field(ge=1, le=MOST)]
_LEFT_OUT: Final = Field(default=None, json_schema_extra=_left_out)


class AnyOfThese(Request):
    """One of these is enough."""

    any: Names


class VisitsCondition(Request):
    """At least so many or at most so many, which whoever never came had too; of one kind of class, if any is named.

    A list of classes or locations asks for each of them, ``{"any": […]}`` for one.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["at_least"]}, {"required": ["at_most"]}],
            "not": {"anyOf": [{"required": list(two)} for two in combinations(OF_CLASSES, 2)]},
        }
    )

    at_least: Count | Nothing = _LEFT_OUT
    at_most: Annotated[int, Field(ge=0, le=MOST)] | Nothing = _LEFT_OUT
    within_days: Days | Nothing = _LEFT_OUT
    class_id: Name | Names | AnyOfThese | Nothing = _LEFT_OUT
    class_type: Name | Names | AnyOfThese | Nothing = _LEFT_OUT
    template_id: Name | Names | AnyOfThese | Nothing = _LEFT_OUT
    series_id: Name | Names | AnyOfThese | Nothing = _LEFT_OUT
    location_id: Name | Names | AnyOfThese | Nothing = _LEFT_OUT


class FilterVisits(Request):
    """The customer came so often within so many days (0 is today), or ever."""

    visits: VisitsCondition


class LastVisitCondition(Request):
    """Days from the last visit to today."""

    before_days: Annotated[int, Field(ge=0, le=LONGEST_AGO)]


class FilterLastVisit(Request):
    """The last visit was more than so many days ago; never came: no."""

    last_visit: LastVisitCondition


class BookingsCondition(Request):
    """Bookings that were not cancelled."""

    upcoming: bool
    class_id: Name | Names | AnyOfThese | Nothing = _LEFT_OUT
    location_id: Name | Names | AnyOfThese | Nothing = _LEFT_OUT


class FilterBookings(Request):
    """A booking is to come, or, with false, none is."""

    bookings: BookingsCondition


class PurchasesCondition(Request):
    """So many purchases, or so much paid, refunds taken off, in one currency."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["at_least"]}, {"required": ["amount_at_least"]}],
            "not": {"required": ["at_least", "currency"]},
        }
    )

    at_least: Count | Nothing = _LEFT_OUT
    amount_at_least: Annotated[str, text_of(pattern=rf"^(?=.*[1-9]){AMOUNT}$")] | Nothing = _LEFT_OUT
    currency: Annotated[str, StringConstraints(pattern=f"^{CODE}$")] | Nothing = _LEFT_OUT
    within_days: Days | Nothing = _LEFT_OUT
    product_id: Name | Names | AnyOfThese | Nothing = _LEFT_OUT


class FilterPurchases(Request):
    """The customer bought so often, or paid so much, within so many days, or ever."""

    purchases: PurchasesCondition


class MembershipStanding(StrEnum):
    """How memberships stand: one runs today; none does; none does and there was one; there never was one."""

    vars().update({value.upper(): value for value in MEMBERSHIP_VALUES})


class MembershipCondition(Request):
    """Of one membership, or with null or nothing of any."""

    id: Name | None = _LEFT_OUT
    is_: MembershipStanding = Field(alias="is")


class FilterMembership(Request):
    """A membership stands so; whoever has none is not_active and never."""

    membership: MembershipCondition


class DateField(StrEnum):
    """A field of the profile that is a date."""

    vars().update({name: name for name in DATE_FIELDS})


Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class FilterBefore(Request):
    """A date of the profile is earlier than this one; without a date: no."""

    field: DateField
    before: Day


class FilterAfter(Request):
    """A date of the profile is later than this one; without a date: no."""

    field: DateField
    after: Day


class FilterBetween(Request):
    """A date of the profile lies between these two; without a date: no."""

    field: DateField
    after: Day
    before: Day


class Filter(
    RootModel[
        FilterAll
        | FilterAny
        | FilterNot
        | FilterSegment
        | FilterTag
        | FilterFailed
        | FilterConsent
        | FilterEquals
        | FilterIn
        | FilterPresent
        | FilterBefore
        | FilterAfter
        | FilterBetween
        | FilterBirthday
        | FilterVisits
        | FilterLastVisit
        | FilterBookings
        | FilterPurchases
        | FilterMembership
        | FilterTier
    ]
):
    """Which customers: a condition, or several joined with all, any and not. ``{"all": []}`` is everybody."""

    model_config = ConfigDict(json_schema_extra={"description": f"{__doc__} {_LARGEST}"})
