"""Measuring a text while it is written."""

from __future__ import annotations

from copy import replace
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.kernel.categories import Category
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.templates.domain.content import MAX_TEXT_CHARACTERS, TextContent
from rebound.templates.domain.examples import example_values, longest_values
from rebound.templates.domain.rendering import check_content, has_placeholders, render_text
from rebound.templates.domain.text_size import Offender, TextSize, offenders, simplified, size_of_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rebound.businesses.domain.business import Business
    from rebound.businesses.domain.text_prices import TextPrice
    from rebound.businesses.ports import BusinessDirectory, TextPriceBook

LONGEST_MEASURED: Final = 10_000
"""Characters; more than a text may have, so that somebody who writes sees how much too long it is."""


class TextReading(Struct, frozen=True):
    """A text as somebody would get it; providers take none that ``is_too_long``."""

    body: str
    size: TextSize
    is_too_long: bool

    @classmethod
    def of(cls, body: str) -> TextReading:
        """The reading of a text."""
        return cls(body, size_of_text(body), len(body) > MAX_TEXT_CHARACTERS)


class MeasuredText(Struct, frozen=True):
    """A text as it is written, and what it may become.

    ``simplified`` is what smart encoding makes of it, ``None`` where that saves nothing. ``with_examples`` and
    ``at_longest`` are its readings with usual values and with the longest that there may be; ``None`` for a text
    without placeholders. ``price`` is that of a segment, ``None`` while the operator has entered none.
    """

    written: TextReading
    offenders: tuple[Offender, ...]
    simplified: TextReading | None
    with_examples: TextReading | None
    at_longest: TextReading | None
    is_smart: bool
    price: TextPrice | None


class MeasureText(Struct, frozen=True, kw_only=True):
    """Measures texts, and says what they cost."""

    businesses: BusinessDirectory
    text_prices: TextPriceBook

    def __call__(self, business_id: str, body: str) -> MeasuredText:
        """Measure a text. Raises ``InvalidInputError`` for placeholders that nobody can fill in."""
        _check_placeholders(body)
        business = self.businesses.get(business_id)
        simple, content = simplified(body), TextContent(body)
        has_range = has_placeholders(content)
        return MeasuredText(
            written=TextReading.of(body),
            offenders=tuple(offenders(body)),
            simplified=TextReading.of(simple) if simple != body else None,
            with_examples=_reading(content, example_values(business), business) if has_range else None,
            at_longest=_reading(content, longest_values(business), business) if has_range else None,
            is_smart=business.smart_encoding,
            price=self.text_prices.get(business.country, business.text_provider),
        )


def _reading(content: TextContent, values: Mapping[str, str], business: Business) -> TextReading:
    return TextReading.of(render_text(content, values, smart=business.smart_encoding))


def _check_placeholders(body: str) -> None:
    """Every placeholder that a text of any kind may have is allowed."""
    try:
        check_content(TextContent(body), Category.MARKETING)
    except InvalidInputError as error:
        wrong: list[FieldError] = [replace(each, field=each.field.removeprefix("content.")) for each in error.errors]
        raise InvalidInputError(*wrong) from None
