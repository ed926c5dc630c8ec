"""Cleaning HTML by nh3, which is ammonia: what is kept is listed, everything else goes."""

from typing import Final

import nh3

from rebound.templates.ports import HtmlCleaner

_TAGS: Final = {
    *("a", "abbr", "b", "blockquote", "br", "center", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("hr", "i", "img", "ins", "li", "mark", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "sup", "u", "ul"),
    *("table", "tbody", "td", "tfoot", "th", "thead", "tr", "caption", "col", "colgroup", "dd", "dl", "dt"),
}
_CONTENT_GOES: Final = {"script", "style", "title", "template", "noscript", "iframe", "object", "svg", "math", "select"}
_OF_CELLS: Final = {"align", "valign", "width", "height", "bgcolor", "colspan", "rowspan"}
_ATTRIBUTES: Final = {
    "*": {"style", "lang", "dir", "title", "role", "aria-label", "aria-hidden"},
    "a": {"href", "target"},
    "img": {"src", "alt", "width", "height", "border", "align"},
    "table": {"align", "width", "bgcolor", "border", "cellpadding", "cellspacing"},
    "td": _OF_CELLS,
    "th": _OF_CELLS,
    "tr": {"align", "valign", "bgcolor"},
    "col": {"width"},
    "ol": {"start", "type"},
}
_STYLES: Final = {
    *("background-color", "border", "border-collapse", "border-color", "border-radius", "border-spacing"),
    *(f"border-{side}" for side in ("top", "right", "bottom", "left", "style", "width")),
    *("color", "direction", "font", "font-family", "font-size", "font-style", "font-weight", "height"),
    *("letter-spacing", "line-height", "list-style-type", "max-width", "text-align", "text-decoration"),
    *("text-indent", "text-transform", "vertical-align", "white-space", "width", "word-break"),
    *(f"{box}{side}" for box in ("margin", "padding") for side in ("", "-top", "-right", "-bottom", "-left")),
}
"""Nothing that loads, moves or hides anything."""


class Nh3Cleaner(HtmlCleaner):
    """Cleans the HTML of a block."""

    def __init__(self) -> None:
        self._cleaner = nh3.Cleaner(
            tags=_TAGS,
            clean_content_tags=_CONTENT_GOES,
            attributes=_ATTRIBUTES,
            url_schemes={"http", "https", "mailto", "tel", "sms"},
            # An address that is a variable has no scheme.
            url_relative="pass_through",
            link_rel=None,
            filter_style_properties=_STYLES,
        )

    def clean(self, markup: str) -> str:
        """See the port."""
        return self._cleaner.clean(markup)
