"""Measuring a text while it is written."""

from __future__ import annotations

from copy import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.kernel.categories import Category
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.templates.domain.content import MAX_TEXT_CHARACTERS, TextContent
from rebound.templates.domain.examples import example_values, longest_values
from rebound.templates.domain.rendering import NONE_DECLARED, addresses_among, check_content, names_used, render_text
from rebound.templates.domain.text_size import Offender, TextSize, offenders, simplified, size_of_text
from rebound.templates.domain.variables import Declared, check_declared

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

    def __call__(self, business_id: str, body: str, declared: Declared = NONE_DECLARED) -> MeasuredText:
        """Measure a text, which may use what a template ``declared`` besides the variables of everybody.

        Raises ``InvalidInputError`` for placeholders that nobody can fill in.
        """
        return self.of(business_id)(body, declared)

    def of(self, business_id: str) -> TextMeasure:
        """What measures any number of texts of a business, for which it is read once."""
        business = self.businesses.get(business_id)
        return TextMeasure(business, self.text_prices.get(business.country, business.text_provider))


class TextMeasure(Struct, frozen=True):
    """Measures texts of a business at a price."""

    business: Business
    price: TextPrice | None

    def __call__(self, body: str, declared: Declared = NONE_DECLARED) -> MeasuredText:
        """As ``MeasureText``."""
        check_declared(declared)
        _check_placeholders(body, declared)
        business = self.business
        simple, content, addresses = simplified(body), TextContent(body), addresses_among(declared)
        reading = partial(_reading, content, addresses, smart=business.smart_encoding)
        has_range = bool(names_used(content))
        return MeasuredText(
            written=TextReading.of(body),
            offenders=tuple(offenders(body)),
            simplified=TextReading.of(simple) if simple != body else None,
            with_examples=reading(example_values(business, declared)) if has_range else None,
            at_longest=reading(longest_values(business, declared)) if has_range else None,
            is_smart=business.smart_encoding,
            price=self.price,
        )


def _reading(
    content: TextContent, addresses: tuple[str, ...], values: Mapping[str, str], *, smart: bool
) -> TextReading:
    return TextReading.of(render_text(content, values, addresses, smart=smart))


def _check_placeholders(body: str, declared: Declared) -> None:
    """Every placeholder that a text of any kind may have is allowed."""
    try:
        check_content(TextContent(body), Category.MARKETING, declared)
    except InvalidInputError as error:
        wrong: list[FieldError] = [replace(each, field=each.field.removeprefix("content.")) for each in error.errors]
        raise InvalidInputError(*wrong) from None
