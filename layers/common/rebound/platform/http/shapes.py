"""What the shapes of requests and answers are made of; a field that is not in a request's shape is refused."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any, Final, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    StringConstraints,
    TypeAdapter,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from rebound.kernel.audiences import Audience
from rebound.kernel.errors import FieldError
from rebound.kernel.ids import id_of_external
from rebound.kernel.times import write_time

MAX_CUSTOMER_IDS = 1000
CUSTOMER_ID = r"^[0-9a-f]{32}$"
MAX_EXTERNAL_ID = 128


def _written_time(value: object) -> object:
    """A number, as such or as text, would be read as seconds since 1970, and sent at once."""
    if isinstance(value, int | float) or (isinstance(value, str) and not _BEGINS_WITH_A_DATE.match(value)):
        raise ValueError("Must be a time as RFC 3339, such as 2026-11-22T10:00:00Z.")
    return value


_BEGINS_WITH_A_DATE: Final = re.compile(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}")


class DocumentedAs:
    """What the OpenAPI document says in place of a value that is checked by hand; ``shape`` is made only for it."""

    def __init__(self, shape: Callable[[], Any]) -> None:
        self._shape = shape

    def __get_pydantic_json_schema__(self, _schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The schema of the shape."""
        return handler(TypeAdapter(self._shape()).core_schema)


def text_of(**keywords: object) -> WithJsonSchema:
    """In the OpenAPI document: keywords of JSON Schema for a text that a use case checks."""
    return WithJsonSchema({"type": "string", **keywords})


def one_of(values: Iterable[str]) -> WithJsonSchema:
    """In the OpenAPI document: a closed set, for a text that a use case checks."""
    return text_of(enum=list(dict.fromkeys(map(str, values))))


_DATE_TIME: Final = {"type": "string", "format": "date-time"}
_CLOCK_TIME: Final = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?$",
    "description": "With local: what a clock shows, without an offset.",
}
Time = Annotated[datetime, PlainSerializer(write_time, return_type=str), WithJsonSchema(_DATE_TIME)]
"""RFC 3339, UTC, milliseconds."""
Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written_time), WithJsonSchema(_DATE_TIME)]
"""A time as clients write it: RFC 3339, with its offset."""
_EITHER: Final = WithJsonSchema({"anyOf": [_DATE_TIME, _CLOCK_TIME]})
WrittenTime = Annotated[datetime, Field(strict=False), BeforeValidator(_written_time), _EITHER]
"""The same, with or without an offset."""
EitherTime = Annotated[str, _EITHER]
"""What was posted as a ``WrittenTime``, in an answer."""
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
CustomerId = Annotated[str, StringConstraints(pattern=CUSTOMER_ID)]
ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=MAX_EXTERNAL_ID)]
CustomerIds = Annotated[list[CustomerId], Field(min_length=1, max_length=MAX_CUSTOMER_IDS)]
ExternalIds = Annotated[
    list[ExternalId],
    Field(min_length=1, max_length=MAX_CUSTOMER_IDS, description="In place of customer_ids."),
]
AddedCustomerIds = Annotated[
    list[CustomerId],
    Field(max_length=MAX_CUSTOMER_IDS, description="Customers to add back although their contact is flagged."),
]
AddedExternalIds = Annotated[
    list[ExternalId],
    Field(max_length=MAX_CUSTOMER_IDS, description="Besides include_customer_ids."),
]
TakenOutCustomerIds = Annotated[
    list[CustomerId],
    Field(
        max_length=MAX_CUSTOMER_IDS,
        description="Customers to take out by hand. They count as matched, and as excluded for the reason taken_out.",
    ),
]
TakenOutExternalIds = Annotated[
    list[ExternalId],
    Field(max_length=MAX_CUSTOMER_IDS, description="Besides exclude_customer_ids."),
]


class Request(BaseModel):
    """A request body: unknown fields and values of another JSON type are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


def customers_named(
    business_id: str, customer_ids: Iterable[str] | None, external_ids: Iterable[str] | None
) -> tuple[str, ...]:
    """The ids of the customers of two lists, each once; external ids are not looked up."""
    theirs = (id_of_external(business_id, each) for each in external_ids or ())
    return tuple(dict.fromkeys([*(customer_ids or ()), *theirs]))


class NamesACustomer(Request):
    """A request about one customer, by our id or by the client's own."""

    external_id: ExternalId | None = Field(default=None, description="In place of customer_id.")
    customer_id: Annotated[CustomerId | None, Field(validate_default=True)] = None

    @field_validator("customer_id")
    @classmethod
    def _exactly_one(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "external_id" in info.data and (value is None) == (info.data["external_id"] is None):
            raise ValueError("Give exactly one of customer_id, external_id.")
        return value

    def customer_of(self, business_id: str) -> str:
        """The id of the customer; an external id is not looked up."""
        return self.customer_id or id_of_external(business_id, str(self.external_id))


class Answer(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    @classmethod
    def filled(cls, source: object, **given: Any) -> Self:
        """The answer whose fields are what is ``given``, and else what ``source`` has under their names."""
        return cls(**given, **{name: getattr(source, name) for name in cls.model_fields.keys() - given.keys()})


class FieldProblem(Answer):
    """One field that is wrong."""

    field: str
    message: str

    @classmethod
    def of(cls, error: FieldError) -> Self:
        """The answer for an error, or a warning."""
        return cls(field=error.field, message=error.message)


class Problem(Answer):
    """RFC 9457 problem details. Some kinds have further members, which the guide's page of errors names."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(
        description="A URN of the code; nothing is served there.", examples=["urn:rebound:problem:not_found"]
    )
    title: str
    status: int
    detail: str = Field(description="For people; its words may change.")
    code: str = Field(
        description="The kind of problem, as the guide's page of errors lists them. New ones may come.",
        examples=["not_found"],
    )
    retryable: bool = Field(
        description="Whether the same request may succeed later, although the client changes nothing; the header "
        "Retry-After says when, where that is known."
    )
    errors: list[FieldProblem] | None = None
    did_you_mean: dict[str, str] | None = Field(
        default=None, description="For those of the errors that are about a name that there is not: the nearest one."
    )


def is_none(value: object) -> bool:
    """Whether there is nothing, so that the field is left out."""
    return value is None


class TextsForeseenAnswer(Answer):
    """What texts would take of the text plan."""

    segments: int = Field(description="How many segments the texts have, for the customers as they are now.")
    left: int = Field(
        description="How many segments are left in this month. Beyond them texts go by email, or are left out as "
        "text_plan_exhausted."
    )


class AudienceAnswer(Answer):
    """Who is meant and who is left: ``matched`` = ``targeted`` + the sum of ``excluded``."""

    matched: int
    excluded: dict[str, int] = Field(
        description="How many are left out, by reason: those of Exclusion. New ones may be added."
    )
    targeted: int
    text_plan: TextsForeseenAnswer | None = Field(
        default=None,
        exclude_if=is_none,
        description="Of a business with a text plan, where texts are foreseen of which it is known what they say.",
    )
    variants: dict[str, int] | None = Field(
        default=None,
        exclude_if=is_none,
        description="Of those targeted, how many for each variant, where there are any; who is held out has none.",
    )
    ranked_at: Time | None = Field(
        default=None,
        exclude_if=is_none,
        description="Of a filter that asks for a loyalty tier: as of when customers were ranked for it.",
    )

    @classmethod
    def of(
        cls,
        audience: Audience,
        left: Callable[[], int | None] = lambda: None,
        *,
        ranked_at: datetime | None = None,
    ) -> Self:
        """The answer for an audience; ``left`` says how many segments are, and is asked where texts are foreseen."""
        excluded = {reason: count for reason, count in sorted(audience.excluded.items()) if count}
        return cls(
            matched=audience.matched,
            excluded=excluded,
            targeted=audience.targeted,
            text_plan=texts_foreseen(audience.segments, left),
            variants=dict(audience.variants) or None,
            ranked_at=ranked_at,
        )


def texts_foreseen(segments: int | None, left: Callable[[], int | None]) -> TextsForeseenAnswer | None:
    """What is foreseen of texts, if anything is."""
    remaining = None if segments is None else left()
    return None if segments is None or remaining is None else TextsForeseenAnswer(segments=segments, left=remaining)
