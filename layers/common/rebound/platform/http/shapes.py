"""What the shapes of requests and answers are made of; a field that is not in a request's shape is refused."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)

from rebound.kernel.audiences import Audience
from rebound.kernel.errors import FieldError
from rebound.kernel.written_text import is_one_line, tidied

MAX_CUSTOMER_IDS = 1000
MAX_FILTER_BYTES = 20_000
FIRST_PRINTABLE = 0x20
CUSTOMER_ID = r"^[0-9a-f]{32}$"


def one_line(value: str) -> str:
    """The text as it is kept, if it is one line. Raises ``ValueError`` with a sentence for people."""
    line = tidied(value)
    if not is_one_line(line):
        raise ValueError("Must be one line without control characters.")
    if value and not line:
        raise ValueError("Must have something that can be read.")
    return line


def _filter_fits(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value, ensure_ascii=False).encode(errors="replace")) > MAX_FILTER_BYTES:
        raise ValueError(f"Must have at most {MAX_FILTER_BYTES} bytes.")
    return value


def write_time(at: datetime) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _written_time(value: object) -> object:
    """A number would be read as seconds since 1970, and sent at once."""
    if isinstance(value, int | float):
        raise ValueError("Must be a time as RFC 3339, such as 2026-11-22T10:00:00Z.")  # noqa: TRY004 - for pydantic
    return value


def readable(value: str) -> str:
    """The text itself, if people can read it. Raises ``ValueError`` with a sentence for people."""
    if any(ord(character) < FIRST_PRINTABLE and character not in "\t\n\r" for character in value):
        raise ValueError("Must have no control characters but tabs and line breaks.")
    return value


Time = Annotated[datetime, PlainSerializer(write_time, return_type=str)]
"""RFC 3339, UTC, milliseconds."""
Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written_time)]
"""A time as clients write it: RFC 3339, with its offset."""
WrittenTime = Annotated[datetime, Field(strict=False), BeforeValidator(_written_time)]
"""The same, with or without an offset."""
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
CustomerId = Annotated[str, StringConstraints(pattern=CUSTOMER_ID)]
Filter = Annotated[
    dict[str, Any],
    AfterValidator(_filter_fits),
    Field(description='Conditions joined with all, any, not; {"all": []} is everybody.', examples=[{"tag": "vip"}]),
]


class Request(BaseModel):
    """A request body: unknown fields and values of another JSON type are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


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
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | None = None


class AudienceAnswer(Answer):
    """Who is meant and who is left: ``matched`` = ``targeted`` + the sum of ``excluded``."""

    matched: int
    excluded: dict[str, int]
    targeted: int

    @classmethod
    def of(cls, audience: Audience) -> Self:
        """The answer for an audience."""
        excluded = {reason: count for reason, count in sorted(audience.excluded.items()) if count}
        return cls(matched=audience.matched, excluded=excluded, targeted=audience.targeted)
