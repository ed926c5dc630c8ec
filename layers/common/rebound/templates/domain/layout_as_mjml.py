"""A layout as MJML, from which HTML is made that mail programs of all ages show alike.

What clients write never goes through MJML, whose reader takes more and less than HTML does: a mark stands for it, and
the text, escaped, takes the mark's place in the HTML. What goes through are numbers, colours and fonts.

Source: https://documentation.mjml.io
"""

import html
import re
from collections.abc import Iterable, Sequence
from functools import singledispatchmethod
from typing import Final

from msgspec import Struct

from rebound.businesses.domain.layout_style import Style
from rebound.templates.domain.html_reading import FOOTER_PLACE
from rebound.templates.domain.layout import (
    WIDTH,
    AnyBlock,
    Button,
    Columns,
    Divider,
    Heading,
    Html,
    Image,
    Layout,
    Part,
    Social,
    Spacer,
    Span,
    TextBlock,
    Voucher,
    shown_address,
)

HEADINGS: Final = {1: 28, 2: 22, 3: 18}
"""Pixels, by the level."""
LETTERS: Final = 16
"""Pixels of text: below it telephones enlarge."""
SIDES: Final = 24
"""Pixels left and right of the content, which a phone can spare."""
_MARK: Final = re.compile(r"__put([0-9]+)__")
_BREAKS: Final = re.compile(r"\r\n?|\n")
_FOOTER: Final = (
    f'<div style="max-width:{WIDTH}px;margin:0 auto;padding:0 {SIDES}px;box-sizing:border-box">{FOOTER_PLACE}</div>'
)


class Draft(Struct, frozen=True):
    """MJML with marks, and what is to stand in their places."""

    mjml: str
    put: Sequence[str]

    def finished(self, made: str) -> str:
        """The HTML that was made of the MJML, with everything in its place, and a place for the footer."""
        before, body, after = made.rpartition("</body>")
        return _MARK.sub(lambda mark: self.put[int(mark[1])], f"{before}{_FOOTER}{body}{after}")


def draft_of(layout: Layout, language: str) -> Draft:
    """The layout as MJML; ``html`` blocks are clean already. ``language`` is that of the text."""
    return _Writer(layout.style).draft(layout, language)


class _Writer:
    """Writes the blocks of one layout."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._put: list[str] = []

    def draft(self, layout: Layout, language: str) -> Draft:
        style = self._style
        font = style.web_font
        loaded = f'<mj-font name="{font.name}" href="{html.escape(font.stylesheet)}" />' if font is not None else ""
        title = f"<mj-title>{self._mark(layout.subject)}</mj-title>" if layout.subject is not None else ""
        preview = f"<mj-preview>{self._mark(layout.preheader)}</mj-preview>" if layout.preheader is not None else ""
        head = (
            f'{title}{preview}{loaded}<mj-attributes><mj-all font-family="{style.fonts}" />'
            f'<mj-text padding="8px {SIDES}px" font-size="{LETTERS}px" line-height="1.5" color="{style.text_color}" />'
            f"</mj-attributes><mj-style>a {{ color: {style.link_color}; }}</mj-style>"
        )
        body = "".join(self._section(*each) for each in _sections(layout))
        mjml = (
            f'<mjml lang="{language}"><mj-head>{head}</mj-head><mj-body width="{WIDTH}px" '
            f'background-color="{style.background_color}"><mj-wrapper background-color="{style.content_color}" '
            f'padding="16px 0">{body}</mj-wrapper></mj-body></mjml>'
        )
        return Draft(mjml, self._put)

    def _mark(self, text: str) -> str:
        return self._mark_html(html.escape(text))

    def _mark_html(self, markup: str) -> str:
        self._put.append(markup)
        return f"__put{len(self._put) - 1}__"

    def _section(self, columns: Sequence[Sequence[AnyBlock]], background: str | None) -> str:
        behind = f' background-color="{background}"' if background is not None else ""
        inner = "".join(f"<mj-column>{''.join(map(self._block, blocks))}</mj-column>" for blocks in columns)
        return f'<mj-section padding="0"{behind}>{inner}</mj-section>'

    def _text(self, markup: str, align: str = "left", **attributes: str) -> str:
        more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
        return f'<mj-text align="{align}"{more}>{self._mark_html(markup)}</mj-text>'

    @singledispatchmethod
    def _block(self, block: object) -> str:
        raise TypeError(block)

    @_block.register
    def _(self, block: Heading) -> str:
        colour = block.color or self._style.heading_color or self._style.text_color
        size = HEADINGS[block.level]
        markup = (
            f'<h{block.level} style="margin:0;font-size:{size}px;line-height:1.25;font-weight:bold;color:{colour}">'
            f"{html.escape(block.text)}</h{block.level}>"
        )
        return self._text(
            markup,
            block.align,
            color=colour,
            font_size=f"{size}px",
            line_height="1.25",
            padding_top="16px",
            padding_bottom="0",
        )

    @_block.register
    def _(self, block: TextBlock) -> str:
        parts = block.all_parts
        markup = "".join(self._part(part, is_last=part is parts[-1]) for part in parts)
        return self._text(markup, block.align, color=block.color or self._style.text_color)

    @_block.register
    def _(self, block: Button) -> str:
        style = self._style
        return (
            f'<mj-button align="{block.align}" href="{self._mark(block.link)}" font-size="{LETTERS}px" '
            f'font-weight="bold" line-height="1.25" background-color="{block.color or style.button_color}" '
            f'color="{block.text_color or style.button_text_color}" border-radius="{style.corner_radius}px" '
            f'padding="12px {SIDES}px" inner-padding="14px 28px">{self._mark(block.text)}</mj-button>'
        )

    @_block.register
    def _(self, block: Image) -> str:
        width = f' width="{block.width}px"' if block.width is not None else ""
        link = f' href="{self._mark(block.link)}"' if block.link is not None else ""
        return (
            f'<mj-image align="{block.align}" src="{self._mark(block.source)}" alt="{self._mark(block.alt)}"{link}'
            f'{width} font-size="{LETTERS}px" color="{self._style.text_color}" padding="8px {SIDES}px" />'
        )

    @_block.register
    def _(self, block: Divider) -> str:
        return (
            f'<mj-divider border-color="{block.color}" border-width="{block.thickness}px" padding="16px {SIDES}px" />'
        )

    @_block.register
    def _(self, block: Spacer) -> str:
        return f'<mj-spacer height="{block.height}px" />'

    @_block.register
    def _(self, block: Social) -> str:
        links = (
            self._anchor(each.link, html.escape(each.network.written), "display:inline-block;padding:10px 8px")
            for each in block.links
        )
        return self._text(" ".join(links), block.align)

    @_block.register
    def _(self, block: Voucher) -> str:
        style = self._style
        code = (
            "font-family:'Courier New',Courier,monospace;font-size:24px;font-weight:bold;letter-spacing:2px;"
            "margin:0 0 8px;word-break:break-all"
        )
        lines = [
            f'<div style="font-size:18px;font-weight:bold;margin:0 0 8px">{html.escape(block.title)}</div>',
            f'<div style="{code}">{html.escape(block.code)}</div>',
        ]
        if block.terms is not None:
            lines.append(f'<div style="font-size:14px;margin:0">{_lines(block.terms)}</div>')
        if block.link is not None:
            said = html.escape(block.link_text or shown_address(block.link))
            lines.append(f'<div style="margin:8px 0 0">{self._anchor(block.link, said, "font-weight:bold")}</div>')
        markup = (
            f'<div style="border:2px dashed {style.text_color};border-radius:{style.corner_radius}px;padding:16px">'
            f"{''.join(lines)}</div>"
        )
        return self._text(markup, "center")

    @_block.register
    def _(self, block: Html) -> str:
        return self._text(block.html)

    def _part(self, part: Part, *, is_last: bool) -> str:
        margin = "0" if is_last else "0 0 12px"
        if part.items is None:
            return f'<p style="margin:{margin}">{self._spans(part.paragraph or ())}</p>'
        name = "ol" if part.ordered else "ul"
        items = "".join(f'<li style="margin:0 0 4px">{self._spans(item)}</li>' for item in part.items)
        return f'<{name} style="margin:{margin};padding:0 0 0 24px;text-align:left">{items}</{name}>'

    def _spans(self, spans: Iterable[str | Span]) -> str:
        return "".join(_lines(span) if isinstance(span, str) else self._span(span) for span in spans)

    def _span(self, span: Span) -> str:
        markup = _lines(span.text)
        markup = f"<strong>{markup}</strong>" if span.bold else markup
        markup = f"<em>{markup}</em>" if span.italic else markup
        return markup if span.link is None else self._anchor(span.link, markup)

    def _anchor(self, link: str, markup: str, style: str = "") -> str:
        more = f";{style}" if style else ""
        return (
            f'<a href="{html.escape(link)}" target="_blank" '
            f'style="color:{self._style.link_color};text-decoration:underline{more}">{markup}</a>'
        )


def _lines(text: str) -> str:
    return _BREAKS.sub("<br>", html.escape(text))


def _sections(layout: Layout) -> Iterable[tuple[Sequence[Sequence[AnyBlock]], str | None]]:
    """What stands one below the other: columns, each with their background, and what is between them in one."""
    alone: list[AnyBlock] = []
    for block in layout.blocks:
        if not isinstance(block, Columns):
            alone.append(block)
            continue
        if alone:
            yield [alone], None
        alone = []
        yield [column.blocks for column in block.columns], block.background_color
    if alone:
        yield [alone], None
