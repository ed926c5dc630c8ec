"""Texts while they are written: the route that measures one."""

from typing import Annotated, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import Field, StringConstraints

from rebound.businesses.domain.text_prices import TextPrice
from rebound.platform.http.routes import business_of, json_answer, responses
from rebound.platform.http.shapes import Answer, Request
from rebound.templates import wiring
from rebound.templates.application.measure_text import LONGEST_MEASURED, MeasuredText, TextReading
from rebound.templates.domain.content import MAX_TEXT_CHARACTERS
from rebound.templates.domain.text_size import TextEncoding
from rebound.templates.domain.variables import with_vouchers_of
from rebound.templates.http.variable_shapes import VariableShape, read_variables


class TextToMeasureRequest(Request):
    """A text, in whatever state it is."""

    body: Annotated[str, StringConstraints(max_length=LONGEST_MEASURED)] = Field(
        description="May have placeholders. It may be longer than a text that is sent, and empty.",
        examples=["Hi ##{{first_name}} – see you on Monday"],
    )
    variables: dict[str, VariableShape] = Field(
        default_factory=dict,
        description="Of the template that the text is written for, as it declares them; with_examples shows their "
        "examples.",
        examples=[{"class_name": {"type": "text", "example": "Vinyasa"}}],
    )


class OffenderAnswer(Answer):
    """A character that GSM-7 has not, and that makes the whole text UCS-2."""

    character: str = Field(description="As people see one: it may be several of Unicode, such as a flag.")
    index: int = Field(
        description="How many Unicode characters (code points) of the body stand before it, as Python counts them; in "
        "JavaScript, [...body][index]."
    )
    replacement: str | None = Field(
        description="What says the same in GSM-7: plain quotes, dashes and spaces, and nothing for what cannot be "
        "seen. Null where nothing does, as for letters, and in the address of a link."
    )


class PriceAnswer(Answer):
    """What a text costs, by the table of whoever runs Rebound."""

    amount: str = Field(description="Of all segments, as decimal text.")
    per_segment: str
    currency: str = Field(description="ISO 4217.")

    @classmethod
    def of(cls, reading: TextReading, price: TextPrice | None) -> Self | None:
        """The price of a text; ``None`` when nobody has entered one."""
        if price is None:
            return None
        amount = price.of(reading.size.segments)
        return cls(amount=amount, per_segment=price.of(1), currency=price.currency)


class TextReadingAnswer(Answer):
    """The size of a text."""

    encoding: TextEncoding = Field(description="UCS-2 as soon as one character asks for it.")
    segments: int = Field(description="Parts that it is sent in, each of which is paid for.")
    units: int = Field(
        description="Septets of GSM-7, where ^ { } [ ] ~ | € and backslash take two; or of UCS-2 UTF-16 units, where "
        "an emoji takes two or more."
    )
    left: int = Field(description="Units that still fit in the last segment.")
    is_too_long: bool = Field(description=f"It has more than the {MAX_TEXT_CHARACTERS} characters that providers take.")
    price: PriceAnswer | None = Field(description="Null while no price is entered for the country and the provider.")

    @classmethod
    def of(cls, reading: TextReading, price: TextPrice | None) -> Self:
        """The answer for a reading."""
        return cls.filled(reading.size, is_too_long=reading.is_too_long, price=PriceAnswer.of(reading, price))


class ReadingWithBodyAnswer(TextReadingAnswer):
    """A text, and its size."""

    body: str

    @classmethod
    def of(cls, reading: TextReading, price: TextPrice | None) -> Self:
        """The answer for a reading."""
        more = {"is_too_long": reading.is_too_long, "body": reading.body}
        return cls.filled(reading.size, price=PriceAnswer.of(reading, price), **more)


class SimplifiedAnswer(Answer):
    """The text in plain quotes, dashes and spaces, as smart encoding sends it."""

    body: str
    segments: int
    saved: int = Field(description="Segments that it is smaller by.")
    is_applied: bool = Field(description="Whether the business has smart_encoding on, so that this is what is sent.")


class MeasuredTextAnswer(TextReadingAnswer):
    """A text as it is written, each placeholder with the characters that it has, and what it may become."""

    offenders: list[OffenderAnswer]
    simplified: SimplifiedAnswer | None = Field(description="Null where that saves no segment.")
    with_examples: ReadingWithBodyAnswer | None = Field(
        description="With usual values (Ana, Silva) and those of the business; null without placeholders. As it is "
        "sent: with smart_encoding if that is on."
    )
    at_longest: TextReadingAnswer | None = Field(
        description="With values as long as customers may have, in letters that GSM-7 has not."
    )

    @classmethod
    def for_text(cls, measured: MeasuredText) -> Self:
        """The answer for a text."""
        price, written, simple = measured.price, measured.written, measured.simplified
        return cls.filled(
            written.size,
            is_too_long=written.is_too_long,
            price=PriceAnswer.of(written, price),
            offenders=[OffenderAnswer.filled(each) for each in measured.offenders],
            simplified=None
            if simple is None
            else SimplifiedAnswer(
                body=simple.body,
                segments=simple.size.segments,
                saved=written.size.segments - simple.size.segments,
                is_applied=measured.is_smart,
            ),
            with_examples=_maybe(ReadingWithBodyAnswer, measured.with_examples, price),
            at_longest=_maybe(TextReadingAnswer, measured.at_longest, price),
        )


def _maybe[T: TextReadingAnswer](kind: type[T], reading: TextReading | None, price: TextPrice | None) -> T | None:
    return None if reading is None else kind.of(reading, price)


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""

    @app.post(
        "/v1/texts/measure",
        summary="Measure a text while it is written",
        tags=["Texts"],
        responses=responses(MeasuredTextAnswer),
    )
    def measure_text(request: Annotated[TextToMeasureRequest, Body()]) -> Response[str]:
        declared = with_vouchers_of(request.body, read_variables(request.variables))
        measured = wiring.use_cases().measure_text(business_of(app), request.body, declared)
        return json_answer(MeasuredTextAnswer.for_text(measured))
