"""The filter language as the OpenAPI document has it; ``compile_filter`` reads it. Loaded only for the document."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import ConfigDict, Field, RootModel, StringConstraints

from rebound.contacts.domain.contacts import FAILED_VALUES
from rebound.customers.domain import PROFILE, TEXT_FIELDS
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import Scope
from rebound.platform.http.shapes import Request, text_of
from rebound.segments.application.segment_service import SEGMENT_ID
from rebound.segments.domain.filters import MAX_DEPTH, MAX_NODES
from rebound.segments.domain.leaves import CONSENT_VALUES, DATE_FIELDS, MAX_DAYS
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
    """A field of the profile with one value."""

    vars().update({name: name for name in PROFILE if name in TEXT_FIELDS})


class FilterEquals(Request):
    """A field of the profile has this value, without regard to case and accents; a number however it is written."""

    field: FilterField
    equals: Annotated[str, StringConstraints(max_length=MAX_FILTER_BYTES)]


class FilterIn(Request):
    """A field of the profile has one of these values."""

    field: FilterField
    in_: list[Annotated[str, StringConstraints(max_length=MAX_FILTER_BYTES)]] = Field(
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
        | FilterBirthday
    ]
):
    """Which customers: a condition, or several joined with all, any and not. ``{"all": []}`` is everybody."""

    model_config = ConfigDict(json_schema_extra={"description": f"{__doc__} {_LARGEST}"})
