"""Which of a layout's texts are hard to read on what is behind them."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from rebound.kernel.errors import FieldError
from rebound.templates.domain.contrast import LEAST, LEAST_LARGE, contrast
from rebound.templates.domain.footers import COLOUR
from rebound.templates.domain.layout import (
    Button,
    Heading,
    Layout,
    Placed,
    Social,
    Span,
    TextBlock,
    Voucher,
    placed,
)

_LARGE_HEADINGS: Final = 2
"""The lowest level of headings whose letters are large by WCAG's measure, in bold."""


class _Pair(Struct, frozen=True):
    """A text's colour and what is behind it, and the field that a client would mend."""

    field: str
    colour: str
    behind: str
    least: float = LEAST


def hard_to_read(layout: Layout) -> list[FieldError]:
    """A warning for each pair of colours below WCAG's level AA, at the field that gives the text its colour."""
    style = layout.style
    footer = _Pair("style.background_color", COLOUR, style.background_color)
    pairs = dict.fromkeys([*(pair for each in placed(layout) for pair in _pairs(layout, each)), footer])
    return [
        FieldError(
            pair.field,
            f"{pair.colour} on {pair.behind} has a contrast of {ratio:.2f} to 1{what}; it takes {pair.least:g} to 1 to "
            "be read by most (WCAG 2.2, AA).",
        )
        for pair in pairs
        if (ratio := contrast(pair.colour, pair.behind)) < pair.least
        for what in (" in the footer" if pair is footer else "",)
    ]


def _pairs(layout: Layout, at: Placed) -> Iterator[_Pair]:
    style, block = layout.style, at.block
    match block:
        case Heading():
            general = "heading_color" if style.heading_color is not None else "text_color"
            colour = block.color or style.heading_color or style.text_color
            field = f"{at.path}.color" if block.color is not None else f"style.{general}"
            yield _Pair(field, colour, at.behind, LEAST_LARGE if block.level <= _LARGE_HEADINGS else LEAST)
        case TextBlock():
            field = f"{at.path}.color" if block.color is not None else "style.text_color"
            yield _Pair(field, block.color or style.text_color, at.behind)
            if _has_links(block):
                yield _Pair("style.link_color", style.link_color, at.behind)
        case Button():
            behind, colour = block.color or style.button_color, block.text_color or style.button_text_color
            own = "text_color" if block.text_color is not None else "color" if block.color is not None else None
            yield _Pair("style.button_text_color" if own is None else f"{at.path}.{own}", colour, behind)
        case Social():
            yield _Pair("style.link_color", style.link_color, at.behind)
        case Voucher():
            yield _Pair("style.text_color", style.text_color, at.behind)
            if block.link is not None:
                yield _Pair("style.link_color", style.link_color, at.behind)
        case _:
            pass


def _has_links(block: TextBlock) -> bool:
    runs = [run for part in block.all_parts for run in part.runs]
    return any(isinstance(span, Span) and span.link is not None for run in runs for span in run)
