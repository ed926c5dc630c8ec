"""The text part of an email that has only HTML: what can be seen of it, with the addresses of its links."""

import html
import re
from typing import Final
from urllib.parse import quote

from rebound.templates.domain.html_reading import BLOCKS, Kind, Piece, Visible, pieces, value_of

_GAP: Final = "\x00"
"""Behind an address, and before one that stands for an image: nothing else may touch it."""
_EDGE: Final = "\x01"
"""Where a link begins and ends: two links do not touch each other."""
_EDGES: Final = re.compile(f"{_EDGE}*{_GAP}[{_GAP}{_EDGE}]*|{_EDGE}{{2,}}")
_GAP_BEFORE_A_MARK: Final = re.compile(rf"[{_GAP}{_EDGE}]+(?=[.,;:!?)\]\u2026])")
_OF_SOURCE: Final = str.maketrans({"\n": " ", _GAP: "", _EDGE: ""})
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_CELLS: Final = frozenset({"td", "th"})
_OF_A_LIST: Final = frozenset({"tr", "li", "dt", "dd", "tbody", "thead", "tfoot", "option"})
"""Only their beginning begins a line, so that nothing is between one and the next."""
_CLOSED_REFERENCE: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
"""In addresses others stay: ``&copy=2`` is a parameter."""
_INVISIBLE: Final = re.compile("[\u00ad\u034f\u200b\u2060\ufeff]")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:|//|www\.|##\{\{", re.IGNORECASE)
_NOTHING_IN_A_LINK: Final = re.compile(r"[\t\r\n]")
_ENDS_A_LINK: Final = re.compile(r"""[\s<>"]""")
_SHOWN_WITHOUT: Final = ("mailto:", "tel:", "sms:")
_LEADS_NOWHERE: Final = ("javascript:", "data:", "cid:", "vbscript:", "about:")


def html_as_text(source: str) -> str:
    """What a reader without HTML sees: a line for each block, a gap between cells, and where each link leads.

    Placeholders stay as they are.
    """
    visible, parts = Visible(source), list[str]()
    link: _Link | None = None
    for piece in pieces(source):
        if link is not None and piece.kind in {Kind.START, Kind.END} and piece.name == "a":
            link.close(parts)
            link = None
        visible.pass_by(piece)
        if piece.kind in {Kind.START, Kind.END}:
            parts.append(_between(piece))
        if piece.kind is Kind.TEXT and visible.here:
            parts.append(_shown(source[piece.start : piece.end]))
        elif piece.kind is Kind.START and piece.name == "img" and visible.shows(piece):
            parts.append(_shown(value_of(source, piece, "alt") or ""))
            if link is not None:
                link.has_image = True
        elif piece.kind is Kind.START and piece.name == "a" and visible.anything_here:
            parts.append("")
            link = _Link(address_of(source, piece), len(parts))
    if link is not None:
        link.close(parts)
    text = _EDGES.sub(" ", _GAP_BEFORE_A_MARK.sub("", _INVISIBLE.sub("", "".join(parts)))).replace(_EDGE, "")
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def _shown(text: str) -> str:
    """Text of an email; line breaks of the source mean nothing in HTML."""
    return html.unescape(text).translate(_OF_SOURCE)


def _between(piece: Piece) -> str:
    """What stands between the text before a tag and the text after it."""
    if piece.name in _CELLS or (piece.name in _OF_A_LIST and piece.kind is Kind.END):
        return " "
    return "\n" if piece.name in BLOCKS else ""


class _Link:
    """A link under way: where it leads, if anywhere, and where its text begins among the parts."""

    def __init__(self, address: str | None, begins: int) -> None:
        self.address, self.begins, self.has_image = address, begins, False

    def close(self, parts: list[str]) -> None:
        """Put the address behind the link's text, unless the text says it; brackets stand off, for mail programs."""
        text = "".join(parts[self.begins :])
        said = text.rstrip()
        rest = text[len(said) :]
        if not said.strip() and not (self.has_image and self.address is not None):
            return
        parts[self.begins - 1] = _EDGE
        if self.address is None:
            parts[self.begins :] = [said, _EDGE, rest]
        elif not said.strip():
            parts[self.begins :] = [_GAP, self.address, _GAP, rest]
        else:
            shown = "" if self.address in said else f" ( {self.address} )"
            parts[self.begins :] = [said, shown, _GAP, _EDGE, rest]


def address_of(source: str, piece: Piece) -> str | None:
    """Where a link leads, as people read it; ``None`` for one that leads nowhere outside of the email."""
    raw = value_of(source, piece, "href")
    if raw is None:
        return None
    # Line breaks and tabs in an address mean nothing (URL Standard, 4.4); what would end it in a text is encoded.
    address = _ENDS_A_LINK.sub(lambda end: quote(end[0]), _NOTHING_IN_A_LINK.sub("", unescaped(raw)).strip())
    if not _SCHEME.match(address) or address.lower().startswith(_LEADS_NOWHERE):
        return None
    for scheme in _SHOWN_WITHOUT:
        if address.lower().startswith(scheme):
            return address[len(scheme) :].partition("?")[0] or None
    return address


def unescaped(value: str) -> str:
    """The value of an attribute with its character references read."""
    return _CLOSED_REFERENCE.sub(lambda reference: html.unescape(reference[0]), value)
